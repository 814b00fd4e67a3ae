/*
 * The requests of poold's API, as poolctl makes them.
 */
#ifndef POOLCTL_REQUEST_H
#define POOLCTL_REQUEST_H

#include "client.h"
#include "judge.h"
#include "pool_config.h"

/* Asks for the server's view: at once, or, if `after` is given, when it is no longer that
 * one or `wait_s` is over. */
void request_view(struct client *client, const struct pool_server *server,
		  const struct server_view *after, int wait_s, client_done *done,
		  void *context);

/* The same for who already has one, and must soon know that there is no answer: waits for
 * `wait_s`, and no longer than `answer_ms` after that. */
void request_next_view(struct client *client, const struct pool_server *server,
		       const struct server_view *after, int wait_s, int answer_ms,
		       client_done *done, void *context);

/* Asks for the view as it is now, and waits no longer than `timeout_ms`. */
void request_view_within(struct client *client, const struct pool_server *server,
			 int64_t timeout_ms, client_done *done, void *context);

/* Reads the reply to it; fails with ERR_CONFIG if it is another server that answers. */
struct server_view *request_read_view(const struct pool_server *server,
				      const struct reply *reply, struct err *err);

/* How a drain is to end. */
struct terms {
	int64_t deadline_ms; /* from now; 0: none */
	enum on_deadline on_deadline;
	enum until until;
};

/* Its deadline as it is asked for, in whole seconds, rounded up; 0: none. */
int64_t request_deadline_s(const struct terms *terms);

/* Reserves the server for the drain `aim->id`; the reason and the owner must be UTF-8. */
void request_reserve(struct client *client, const struct pool_server *server,
		     const struct aim *aim, const struct terms *terms, const char *owner,
		     const char *reason, client_done *done, void *context);

/* Reads the reply to it: what the drain is to be committed with. */
int request_read_token(const struct reply *reply, char token[API_TOKEN_BYTES],
		       struct err *err);

/* Asks for the drain, with the token of its reservation, or "" if it takes none, and for
 * the record the names of the gates that refused and were passed all the same: 0 to
 * API_FORCED_LIMIT, each once. */
void request_drain(struct client *client, const struct pool_server *server,
		   const struct aim *aim, const struct terms *terms, const char *owner,
		   const char *reason, const char *token, const char *const *forced,
		   size_t forced_count, client_done *done, void *context);

/* Gives up a reservation; ends no drain, even if the drain has it already. */
void request_withdraw(struct client *client, const struct pool_server *server,
		      const char *id, const char *token, const char *owner,
		      client_done *done, void *context);

/* Asks what became of a drain. */
void request_one_drain(struct client *client, const struct pool_server *server,
		       const char *id, client_done *done, void *context);

/* Asks what a drain of these services would meet and change; none means all. */
void request_preflight(struct client *client, const struct pool_server *server,
		       const struct terms *terms, const char *const *services,
		       size_t count, int64_t timeout_ms, client_done *done,
		       void *context);

/* Asks for the end of a drain. */
void request_end(struct client *client, const struct pool_server *server, const char *id,
		 const char *owner, client_done *done, void *context);

/* Asks for at most `limit` sessions of a service. */
void request_sessions(struct client *client, const struct pool_server *server,
		      const char *service, int64_t limit, client_done *done,
		      void *context);

void request_events(struct client *client, const struct pool_server *server,
		    int64_t after, int64_t limit, client_done *done, void *context);

/* Asks for the stream of events after this id, or from now on if it is negative.  `data`
 * gets it; `done` is called when it ends. */
void request_stream(struct client *client, const struct pool_server *server,
		    int64_t after, client_data *data, client_done *done, void *context);

#endif
