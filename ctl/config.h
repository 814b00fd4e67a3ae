/*
 * Finds the pool file, and tells what is wrong with one.
 */
#ifndef POOLCTL_CTL_CONFIG_H
#define POOLCTL_CTL_CONFIG_H

#include "host.h"
#include "options.h"

/* The file that --config or POOLCTL_CONFIG names, else the standard one, in `standard`.
 */
const char *config_path(const struct options *options, char standard[HOST_PATH_BYTES]);

/* Prints each line of the text, which it cuts up. */
void config_print_lines(FILE *stream, char *text);

#endif
