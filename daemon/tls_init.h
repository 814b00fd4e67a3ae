/*
 * `poold tls init`: a certificate and its key for this server, signed by itself.
 */
#ifndef POOLD_TLS_INIT_H
#define POOLD_TLS_INIT_H

#include "configuration.h"

/*
 * Writes both files, at the places that poold.yaml names, else beside it (`path`),
 * and prints the lines for poold.yaml and pool.yaml.  Files that are there stay: it
 * fails with ERR_USAGE.
 */
int tls_init(const struct configuration *configuration, const char *path,
	     struct err *err);

#endif
