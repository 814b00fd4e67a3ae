/*
 * The words of the command line that name a pool.yaml, or something in it.
 */
#ifndef POOLCTL_CONFIG_H
#define POOLCTL_CONFIG_H

#include "line/options.h"
#include "system/host.h"

#include <stdio.h>

/* The file that `config show` names, or that --config or POOLCTL_CONFIG names, else
 * the standard one, in `standard`.
 */
const char *config_path(const struct options *options,
			char standard[HOST_PATH_BYTES]);

/* The pool or server behind "config show" or "config show FILE", or NULL. */
const char *config_name(const struct options *options);

/* The word behind "config COMMAND", or NULL. */
const char *config_argument(const struct options *options);

#endif
