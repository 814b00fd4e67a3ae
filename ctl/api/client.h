/*
 * HTTP requests and tries of sessions, to many servers at once, in one thread.
 *
 * Here libcurl is used, and its TLS set in tls_verify.  It uses no proxies and
 * follows no redirects: a reply comes from the server that was asked.
 */
#ifndef POOLCTL_CLIENT_H
#define POOLCTL_CLIENT_H

#include "clock.h"
#include "err.h"
#include "net_address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CLIENT_REPLY_LIMIT_BYTES = 4 << 20,
	CLIENT_CONNECT_MS = 5000,
	CLIENT_TIMEOUT_MS = 15000,
	CLIENT_MANY = 100 /* a limit for whoever asks all servers of pools */
};

struct client;
struct pool_trust;

/* Called with each piece of a stream; returns false to end it. */
typedef bool client_data(void *context, const char *bytes, size_t length);

struct client_request {
	const char *method;
	const char *url;
	const struct pool_trust *trust; /* of the url, if it is https; stays */
	const char *body;               /* JSON, or NULL */
	const char *owner;              /* of a change that has no body, or NULL */
	int64_t timeout_ms;             /* of the whole request; connecting has
					   CLIENT_CONNECT_MS of it; 0: none */
	/* Server-sent events are wanted, and go there; or NULL. */
	client_data *data;
	const char *last_event; /* after which they are to go on, or NULL */
	const char *credential; /* goes to this url alone; NULL or "": none */
	/* It takes a connection of its own: one that was made before may lead to
	 * another program than the one that has the port now. */
	bool is_alone;
	/* Why the request must not be sent; NULL: it is sent.  The reply has this
	 * error then, and comes from client_run as any other. */
	const struct err *refusal;
};

/* Either `status` and `body` are set, or `err` is: ERR_UNREACHABLE, ERR_BAD_REPLY,
 * one of TLS, see tls_verify.h, or that of a request that was not sent. */
struct reply {
	int status;
	const char *body; /* ends with a NUL */
	size_t length;
	bool may_be_received; /* no reply came, but the server may have acted */
	/* From the start of the request until its reply was read: also if poolctl
	 * or its machine stood still meanwhile. */
	int64_t took_ms;
	struct wall date; /* of the reply, as its sender says, in whole seconds; 0:
			     unknown */
	int64_t age_s;    /* for which a cache kept it; 0: it is fresh */
	struct err err;
};

/* Called from client_run, once for each request; the reply is gone afterwards. */
typedef void client_done(void *context, const struct reply *reply);

struct client *client_new(struct err *err);

/* Limits how many requests are under way at once, and on how many connections (0:
 * no limit).  The others wait for their turn; their time begins with it.  While
 * there are more requests than that, no connection is kept for later. */
void client_set_limit(struct client *client, size_t limit);

/* Drops requests that are under way; their functions are not called. */
void client_free(struct client *client);

/* Drops them too; others may be sent. */
void client_drop(struct client *client);

/* Starts a request, or lets it wait for its turn; the texts are copied. */
void client_send(struct client *client, const struct client_request *request,
		 client_done *done, void *context);

/* A session to try. */
struct client_try {
	struct net_address address;
	uint16_t port;
	const char *send;   /* a line to send first, or NULL */
	const char *taken;  /* an answer that begins with this takes the session;
			       NULL:  connecting is enough, and nothing is sent */
	int64_t timeout_ms; /* of all of it */
};

/*
 * Starts a try at once, whatever the limit; the texts are copied.  The reply has no
 * status and no body.  Without an error the session was taken; ERR_UNREACHABLE: the
 * connection failed; ERR_NOT_VERIFIED: it succeeded, but the session was not taken.
 * The connection is closed before the reply is given.
 */
void client_try(struct client *client, const struct client_try *attempt,
		client_done *done, void *context);

/* Works until a reply was given or the time is over; returns how many requests are
 * under way or waiting. */
size_t client_run(struct client *client, int timeout_ms);

/* Works until all replies were given. */
void client_finish(struct client *client);

#endif
