/*
 * HTTP requests and tries of sessions, to many servers at once, in one thread.
 *
 * The only user of libcurl.  There are no proxies and no redirects: what answers is the
 * server that was asked.
 */
#ifndef POOLCTL_CLIENT_H
#define POOLCTL_CLIENT_H

#include "err.h"
#include "net_address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CLIENT_REPLY_LIMIT_BYTES = 4 << 20,
	CLIENT_CONNECT_MS = 5000,
	CLIENT_TIMEOUT_MS = 15000
};

struct client;

/* Called with what came of a stream; false ends it. */
typedef bool client_data(void *context, const char *bytes, size_t length);

struct request {
	const char *method;
	const char *url;
	const char *body;   /* JSON, or NULL */
	const char *owner;  /* who asks for a change without a body, or NULL */
	int64_t timeout_ms; /* of the whole request; connecting has CLIENT_CONNECT_MS of
			       it; 0: none */
	client_data *data;  /* server-sent events are wanted, and go there; or NULL */
	const char *last_event; /* after which they are to go on, or NULL */
};

/* Either `status` and `body` are set, or `err` is: ERR_UNREACHABLE or ERR_BAD_REPLY. */
struct reply {
	int status;
	const char *body; /* ends with a NUL */
	size_t length;
	bool may_be_received; /* there is no answer, and yet the server may have acted */
	int64_t took_ms;      /* from the start of the request to the end of its reply */
	struct err err;
};

/* Called from client_run, once for each request; the reply is gone afterwards. */
typedef void client_done(void *context, const struct reply *reply);

struct client *client_new(struct err *err);

/* From now on no more requests than that are under way at once (0: any number), on as
 * many connections; the others wait for their turn, which takes nothing from their time.
 */
void client_set_limit(struct client *client, size_t limit);

/* Drops requests that are under way, without a call of their functions. */
void client_free(struct client *client);

/* Drops them, and others may be sent. */
void client_drop(struct client *client);

/* Starts a request, or lets it wait for its turn; the texts are copied. */
void client_send(struct client *client, const struct request *request, client_done *done,
		 void *context);

/* A session that is tried. */
struct client_try {
	struct net_address address;
	uint16_t port;
	const char *send;   /* a line to send first, or NULL */
	const char *taken;  /* what the answer begins with that takes the session; NULL:
			       being connected is being taken, and nothing is sent */
	int64_t timeout_ms; /* of all of it */
};

/*
 * Starts a try at once, whatever the limit; the texts are copied.  The reply has no
 * status and no body: without an error the session was taken, with ERR_UNREACHABLE it was
 * not connected, and with ERR_NOT_VERIFIED it was connected, and is not taken.  Either
 * way the connection is closed when the reply is given.
 */
void client_try(struct client *client, const struct client_try *attempt,
		client_done *done, void *context);

/* Works until a reply was given or the time is over; says how many requests are under
 * way, or wait. */
size_t client_run(struct client *client, int timeout_ms);

#endif
