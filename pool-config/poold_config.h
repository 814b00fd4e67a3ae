/*
 * Loads poold.yaml: how one daemon runs.
 */
#ifndef POOLCTL_POOLD_CONFIG_H
#define POOLCTL_POOLD_CONFIG_H

#include "buf.h"
#include "err.h"
#include "pool_config.h"
#include "schema.h"

enum scm_kind { SCM_KIND_WINDOWS, SCM_KIND_SIMULATED };

/* A program that prints how many sessions of a service live. */
struct poold_command {
	char *service;
	struct list run; /* char *: the program and its arguments */
	char *pointer;   /* into what it prints, as of pool_http */
	int64_t every_ms, timeout_ms;
	int while_stopped; /* enum while_stopped of pool.h */
	bool ignores_unknown;
};

/* A client that a certificate names, by its subject or by one of its names. */
struct poold_client {
	char *subject, *san; /* one of them; the other is NULL */
	char *name;          /* in the record */
	int role; /* 1: viewer, 2: operator, 3: admin; see poold_client_roles */
};

/* The files of TLS.  Without a certificate there is no TLS. */
struct poold_tls {
	char *certificate, *key, *client_ca;
	struct list clients; /* struct poold_client */
};

struct poold_config {
	char *server;
	char *listen;
	struct poold_tls tls;
	char *state_dir;
	char *pool_file;
	char *log_file;
	int scm;              /* enum scm_kind */
	char *simulated_file; /* the simulated SCM's services */
	int64_t tick_ms;
	struct list commands; /* struct poold_command */
};

extern const struct section poold_file_section;

/* "viewer", "operator", "admin": from the least rights to the most; ends with NULL.
 */
extern const char *const poold_client_roles[];

/* Loads a file, or fails as pool_config_load() does. */
struct poold_config *poold_config_load(const char *path, struct buf *mistakes,
				       struct err *err);
/* Finds the server in pool.yaml, and checks what depends on both files: `path` is
 * that of poold.yaml. */
int poold_config_find_server(const struct poold_config *poold, const char *path,
			     const struct pool_config *pools,
			     const struct pool_server **server,
			     const struct pool **pool, struct err *err);
void poold_config_free(struct poold_config *config);

#endif
