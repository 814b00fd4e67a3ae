/*
 * Asks one server, and gives a struct or a problem.
 *
 * To ask many servers at once, send an exchange for each to one client; its limit
 * bounds how many are under way (client_set_limit).
 */
#ifndef POOLCTL_EXCHANGE_H
#define POOLCTL_EXCHANGE_H

#include "api/events_reply.h"
#include "api/preflight_reply.h"
#include "api/problem.h"
#include "api/request.h"
#include "api/sessions_reply.h"

/* Begins with a server, and maybe `on_over` and `context`; the rest is zero. */
struct exchange {
	const struct pool_server *server;
	void (*on_over)(void *context); /* called once a reply was read; or NULL */
	void *context; /* of on_over, and of the request's `data` */

	struct request request;         /* the newest */
	bool is_busy;                   /* it is under way, or waits for its turn */
	bool is_over;                   /* a reply came, or did not come in time */
	struct client *client;          /* of the newest */
	struct request_credential used; /* that went with it */
	bool is_second; /* it was sent again, with another credential */

	/* The result, until the next reply comes.  A caller may take a pointer, and
	 * put NULL in its place. */
	bool is_good; /* the request was done, and the reply can be read */
	struct problem problem;   /* if it is not good */
	int64_t took_ms;          /* for the reply to come, see struct reply */
	struct server_view *view; /* REQUEST_VIEW: of the server that was meant */
	int64_t clock_ahead_ms;   /* with a view: of the clock here, at half the way
				   */
	struct drain_view *drain; /* REQUEST_DRAIN */
	struct preflight_reply *preflight; /* REQUEST_PREFLIGHT: as for the view */
	struct sessions_reply *sessions;   /* REQUEST_SESSIONS */
	struct events_reply *events;       /* REQUEST_EVENTS */
	char token[API_TOKEN_BYTES];       /* REQUEST_RESERVE: for the commit */
	json_t *caller; /* REQUEST_CALLER: `role`, a text; `name` and `credential`,
			   texts or null */
};

/* Sends a request, which must not be sent while another one is under way.  The
 * exchange must stay where it is until it is over, and so must what the request
 * points to: its services and the like are needed to read the reply. */
void exchange_send(struct exchange *exchange, const struct request *request,
		   struct client *client);

/* Sends the request to the servers of all exchanges, CLIENT_MANY at a time, and
 * waits until all are over, and what their `on_over` sends with their client.
 * Fails only with ERR_INTERNAL, if nothing can be sent. */
int exchange_ask_all(struct exchange *const *exchanges, size_t count,
		     const struct request *request, struct err *err);

/* Frees the result. */
void exchange_done(struct exchange *exchange);

#endif
