/*
 * `poold tls init`: a certificate and its key for this server, signed by itself.
 */
#ifndef POOLD_TLS_INIT_H
#define POOLD_TLS_INIT_H

#include "pool.h"
#include "poold_config.h"

/*
 * Writes both files, at the places that `files` names, else beside poold.yaml
 * (`path`), and prints the lines for poold.yaml and pool.yaml.  Files that are
 * there stay: it fails with ERR_USAGE.
 */
int tls_init(const struct poold_tls *files, const char *path,
	     const struct pool *pool, const struct pool_server *server,
	     struct err *err);

#endif
