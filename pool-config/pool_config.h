/*
 * The two configuration files: pool.yaml says what the pools are and is the same on every
 * machine; poold.yaml says how one daemon runs.
 */
#ifndef POOLCTL_POOL_CONFIG_H
#define POOLCTL_POOL_CONFIG_H

#include "buf.h"
#include "err.h"
#include "net_address.h"
#include "schema.h"

/* A Windows service whose sessions are counted by its TCP ports. */
struct pool_service {
	struct named named;    /* short name, as `sc query` takes it */
	struct list ports;     /* uint16_t */
	struct list addresses; /* struct net_address; none: see pool_local_addresses() */
	struct list excluded;  /* struct net_address: peers whose connections are no
				  sessions */
};

struct pool_server {
	struct named named;
	struct list addresses; /* struct net_address, at least one */
	char *url;             /* of its poold, without a slash at the end */
};

struct pool {
	struct named named;
	int64_t settle_ms;
	struct list services; /* struct pool_service */
	struct list servers;  /* struct pool_server */
};

struct pool_config {
	struct list pools; /* struct pool */
};

enum scm_kind { SCM_KIND_WINDOWS, SCM_KIND_SIMULATED };

struct poold_config {
	char *server;
	char *listen;
	char *state_dir;
	char *pool_file;
	char *log_file;
	int scm;              /* enum scm_kind */
	char *simulated_file; /* the simulated SCM's services */
	int64_t tick_ms;
};

/* Loads a file or fails with ERR_CONFIG and all its mistakes in `mistakes`, one line
 * each; the error's text is the first of them.  Free a loaded one. */
struct pool_config *pool_config_load(const char *path, struct buf *mistakes,
				     struct err *err);
void pool_config_free(struct pool_config *config);

struct poold_config *poold_config_load(const char *path, struct buf *mistakes,
				       struct err *err);
void poold_config_free(struct poold_config *config);

/* NULL if there is none. */
const struct pool *pool_find(const struct pool_config *config, const char *name);
const struct pool_server *pool_find_server(const struct pool_config *config,
					   const char *name, const struct pool **pool);

/* The server's name that is nearest to a mistyped one, or NULL. */
const char *pool_suggest(const struct pool_config *config, const char *name);

/*
 * On which local addresses a connection to the service's ports is a session on this
 * server. What the service says in `addresses`; else the server's own address if that is
 * a loopback address (several servers on one machine, as in tests); else all of the
 * machine (NULL).
 */
const struct list *pool_local_addresses(const struct pool_server *server,
					const struct pool_service *service);

#define LIST_EACH(type, item, list)     \
	for (type *item = (list).items; \
	     item && item < (type *)(list).items + (list).count; item++)

#endif
