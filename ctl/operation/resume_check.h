/*
 * Whether a server that serves, as far as its poold sees, can be used from outside:
 * its services take a session, or at least a connection, and DNS leads to it as
 * before.
 *
 * Tried from where poolctl runs, at the addresses of pool.yaml.  Nothing is
 * changed; a try is a session that ends at once.
 */
#ifndef POOLCTL_RESUME_CHECK_H
#define POOLCTL_RESUME_CHECK_H

#include "buf.h"
#include "api/client.h"
#include "clock.h"
#include "operation/resume_check_dns.h"
#include "pool.h"
#include "api/server_view.h"

#include <stdbool.h>
#include <stddef.h>

struct json_t;
struct resume_check;

enum {
	RESUME_CHECK_PATIENCE_MS =
		10000, /* with a service that takes nothing yet */
	RESUME_CHECK_TRY_MS =
		3000, /* a connection; a probe has a limit of its own */
	RESUME_CHECK_AGAIN_MS = 250,
	RESUME_CHECK_LEAST_MS =
		1000, /* with less time than that, nothing is tried again */
	RESUME_CHECK_DNS_MS = 3000,
	RESUME_CHECK_DNS_KEPT_MS = 5000 /* for the pool's other servers */
};

/* Whether a service can be used. */
enum resume_check_try {
	RESUME_CHECK_TRYING,
	RESUME_CHECK_TAKEN,
	RESUME_CHECK_NOT_TAKEN,
	RESUME_CHECK_NO_PORT,    /* none is known that could be tried */
	RESUME_CHECK_NOT_WANTED, /* `after_resume` is none */
	RESUME_CHECK_TRY__COUNT
};

/* One port of a service. */
struct resume_check_port {
	struct resume_check_service *service;
	uint16_t port;
	bool is_busy; /* a try is under way */
	struct mono retry_at;
};

struct resume_check_service {
	const struct pool_service *service;
	struct net_address address;
	struct resume_check_port *ports; /* one of them must take it */
	size_t port_count;
	enum resume_check_try result;
	char why[ERR_TEXT_BYTES]; /* the last try that is over was not taken */
};

struct resume_check_server {
	struct resume_check_server *next;
	const struct pool_server *server;
	const struct pool *pool;
	struct resume_check *resume_check;
	struct mono began;
	bool is_tried; /* all that there is to try; DNS may not be known yet */
	struct resume_check_service *services;
	size_t service_count;
	enum resume_check_dns dns;
	struct buf dns_text; /* which resolvers do not lead to it */
};

/* Checks the servers of one command; what it is given must outlive it. */
struct resume_check *resume_check_new(const struct pool_config *config,
				      struct client *client);

/* Frees what was begun as well; the client must not run any more. */
void resume_check_free(struct resume_check *resume_check);

/* Begins to check a server, whose view says which services are there.  The result
 * lives as long as `resume_check`; the same server may be begun with again. */
struct resume_check_server *resume_check_begin(struct resume_check *resume_check,
					       const struct pool_server *server,
					       const struct server_view *view);

/*
 * Tries what is to be tried now; the client runs the tries.  They are over after
 * RESUME_CHECK_PATIENCE_MS.  Once those of all servers are, asks DNS, and blocks
 * for that: RESUME_CHECK_DNS_MS at most, for all servers that wait, and not at all
 * within RESUME_CHECK_DNS_KEPT_MS after it was asked for another server of the
 * pool.  True once all is known.
 */
bool resume_check_step(struct resume_check_server *checked);

/* True if all that was asked is as it should be; once all is known. */
bool resume_check_is_verified(const struct resume_check_server *checked);

/* Adds to `text` what is not verified, from where, and what to do. */
void resume_check_explain(const struct resume_check_server *checked,
			  struct buf *text);

/* Adds to `text` which services `after_resume` keeps from being tried, if there are
 * any.
 */
void resume_check_add_unwanted(const struct resume_check_server *checked,
			       struct buf *text);

/* The result as docs/output.md describes it; a new reference. */
struct json_t *resume_check_to_json(const struct resume_check_server *checked);

#endif
