/*
 * Whether a server that serves, as far as its poold sees, can be used from outside: its
 * services take a session, or at least a connection, and DNS leads to it as before.
 *
 * Tried from where poolctl runs, at the addresses of pool.yaml.  Nothing is changed; a
 * try is a session that ends at once.
 */
#ifndef POOLCTL_OUTSIDE_H
#define POOLCTL_OUTSIDE_H

#include "buf.h"
#include "client.h"
#include "clock.h"
#include "dns_view.h"
#include "pool_config.h"
#include "server_view.h"

#include <stdbool.h>
#include <stddef.h>

struct json_t;
struct outside;

enum {
	OUTSIDE_PATIENCE_MS = 10000, /* with a service that takes nothing yet */
	OUTSIDE_TRY_MS = 3000,       /* a connection; a probe has a limit of its own */
	OUTSIDE_AGAIN_MS = 250,
	OUTSIDE_LEAST_MS = 1000, /* with less time than that, nothing is tried again */
	OUTSIDE_DNS_MS = 3000,
	OUTSIDE_DNS_KEPT_MS = 5000 /* for the pool's other servers */
};

/* What came of a service. */
enum outside_try {
	OUTSIDE_TRYING,
	OUTSIDE_TAKEN,
	OUTSIDE_NOT_TAKEN,
	OUTSIDE_NO_PORT,    /* none is known that could be tried */
	OUTSIDE_NOT_WANTED, /* `after_resume` is none */
	OUTSIDE_TRY__COUNT
};

/* What DNS says of a server. */
enum outside_dns {
	OUTSIDE_DNS_ASKING,
	OUTSIDE_DNS_PRESENT,   /* in the answer of every resolver that answered */
	OUTSIDE_DNS_MISSING,   /* in that of one it is not */
	OUTSIDE_DNS_UNKNOWN,   /* nobody answered */
	OUTSIDE_DNS_NO_NAME,   /* not asked: the pool has no fqdn */
	OUTSIDE_DNS_ELSEWHERE, /* not asked: the name leads to none of its servers */
	OUTSIDE_DNS__COUNT
};

/* One port of a service. */
struct outside_port {
	struct outside_service *service;
	uint16_t port;
	bool is_busy; /* a try is under way */
	struct mono retry_at;
};

struct outside_service {
	const struct pool_service *service;
	struct net_address address;
	struct outside_port *ports; /* one of them must take it */
	size_t port_count;
	enum outside_try result;
	char why[ERR_TEXT_BYTES]; /* the last try that is over was not taken */
};

struct outside_server {
	struct outside_server *next;
	const struct pool_server *server;
	const struct pool *pool;
	struct outside *outside;
	struct mono began;
	bool is_tried; /* all that there is to try; DNS may not be known yet */
	struct outside_service *services;
	size_t service_count;
	enum outside_dns dns;
	struct buf dns_text; /* which resolvers do not lead to it */
};

/* Who asks for the servers of one command; what it is given must outlive it. */
struct outside *outside_new(const struct pool_config *config, struct client *client);

/* Frees what was begun as well; the client must not run any more. */
void outside_free(struct outside *outside);

/* Begins with a server, whose view says which services are there; what it returns lives
 * as long as `outside`, and a server may be begun with again. */
struct outside_server *outside_begin(struct outside *outside,
				     const struct pool_server *server,
				     const struct server_view *view);

/*
 * Tries what is to be tried now; the client runs the tries.  They are over after
 * OUTSIDE_PATIENCE_MS.  Once those of all servers are, asks DNS, and blocks for that:
 * OUTSIDE_DNS_MS at most, for all servers that wait, and not at all within
 * OUTSIDE_DNS_KEPT_MS after it was asked for another server of the pool.  True once all
 * is known.
 */
bool outside_step(struct outside_server *seen);

/* True if all that was asked is as it should be; once all is known. */
bool outside_is_verified(const struct outside_server *seen);

/* Of a judged view: what its pool's name says of a server of it. */
enum outside_dns outside_judge_dns(const struct dns_view *view,
				   const struct pool_server *server, struct buf *text);

/* Adds to `text` what is not verified, from where, and what to do. */
void outside_explain(const struct outside_server *seen, struct buf *text);

/* Adds to `text` which services `after_resume` keeps from being tried, if there are any.
 */
void outside_add_unwanted(const struct outside_server *seen, struct buf *text);

/* What was verified, as docs/output.md has it; a new reference. */
struct json_t *outside_to_json(const struct outside_server *seen);

#endif
