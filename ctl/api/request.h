/*
 * The requests of poold's API, as poolctl makes them.
 */
#ifndef POOLCTL_REQUEST_H
#define POOLCTL_REQUEST_H

#include "api/client.h"
#include "api/server_view.h"
#include "chain.h"
#include "line/drain_options.h"

/* Each with the fields of struct request that it takes; those in brackets may be
 * left out. */
enum request_kind {
	REQUEST_VIEW, /* the server's view: at once, or with `after` and `wait_s` */
	REQUEST_PREFLIGHT, /* what a drain would meet and change: drain_options,
			      [services] */
	REQUEST_RESERVE,   /* a reservation: id, owner, reason, drain_options,
			      [services] */
	REQUEST_COMMIT,    /* a drain: as REQUEST_RESERVE, [token, forced] */
	REQUEST_WITHDRAW,  /* gives a reservation up; ends no drain, even if the
			      drain has  it already: id, owner, token */
	REQUEST_END,       /* the end of a drain: id, owner, [seen_index] */
	REQUEST_DRAIN,     /* what became of a drain: id */
	REQUEST_SESSIONS,  /* at most `limit` sessions of a service: service, limit
			    */
	REQUEST_EVENTS,    /* at most `limit` events: after_id, limit */
	REQUEST_STREAM,    /* events for as long as the connection lasts: after_id,
			      data */
	REQUEST_CALLER,    /* whose credential it is, and its role */
	REQUEST__COUNT
};

struct request {
	enum request_kind kind;
	int64_t timeout_ms; /* of the whole request, connecting included; 0: as
			       usual */

	/* A view when it is no longer this one, or after so many seconds;
	 * `timeout_ms` begins then.  NULL: at once. */
	const struct server_view *after;
	int wait_s;

	/* Owner and reason must be UTF-8. */
	const char *id, *owner, *reason;
	int64_t seen_index; /* of the view that the request follows from; 0: none */
	const char *token;  /* of the reservation; NULL or "": there is none */
	const char *const *services; /* none: all */
	size_t service_count;
	const struct drain_options *drain_options;
	/* Names of the gates that refused and were passed all the same, for the
	 * record: API_FORCED_LIMIT at most, each once. */
	const char *const *forced;
	size_t forced_count;

	const char *service;
	int64_t after_id; /* the id of an event; negative, for a stream: from now on
			   */
	int64_t limit;    /* 1 or more */
	client_data *data; /* gets what the stream says */
};

/* Which credential went with a request. */
struct request_credential {
	char digest[CHAIN_HASH_BYTES]; /* tells it from others */
	const char *source; /* as of credential_find; "": there is none */
};

/* Sends the request; nothing of it is needed later.  `done` and the request's
 * `data` get the context while the client is run.  Sets `used`, unless it is NULL.
 */
void request_send(const struct request *request, const struct pool_server *server,
		  struct client *client, struct request_credential *used,
		  client_done *done, void *context);

/* True if the request would go with another credential now: poold makes a new one
 * for its machine when it starts. */
bool request_has_other_credential(const struct pool_server *server,
				  const struct request_credential *used);

#endif
