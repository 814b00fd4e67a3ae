/*
 * The reply to GET /v1/server, as a struct.
 *
 * Fields by which poolctl decides are read strictly; unknown fields are ignored.
 * All texts live as long as the view, and are not cleaned.
 */
#ifndef POOLCTL_SERVER_VIEW_H
#define POOLCTL_SERVER_VIEW_H

#include "api.h"
#include "api/sessions_reply.h"
#include "buf.h"
#include "pool.h"

struct service_view {
	const char *name, *message;
	const char *state; /* of the SCM; NULL: not given */
	enum phase phase;
	enum want wanted;
	bool is_saved;    /* poold has something to put back */
	bool is_absent;   /* it is optional, and not installed */
	bool is_counted;  /* its number of sessions is known, or it is absent */
	int64_t sessions; /* COUNT_UNKNOWN: not given */
	int64_t cut;      /* sessions since it went out, or COUNT_UNKNOWN */
	/* Sessions that began while it was out; of those that there were before
	 * the pause, how many ended with it; or COUNT_UNKNOWN. */
	int64_t accepted, before_pause, ended_with_pause;
	struct session_sources sources;
};

struct drain_view {
	const char *id, *owner, *reason;
	const char *acts_for; /* for whom the owner, a credential, acts; or NULL */
	bool is_active;
	bool is_out; /* all that it covers has stopped taking new sessions */
	bool is_overdue;
	struct wall created_at;
	struct moment deadline_at;
	int64_t deadline_s;       /* as it was asked for; 0: none */
	struct moment drained_at; /* from then on the deadline does not matter */
	enum on_deadline on_deadline;
	enum until until;
	const char *ended_by, *end_reason; /* NULL: not given */
	const char **services;
	size_t service_count;
	json_t *document; /* of server_view_parse_drain; NULL: it is part of a view
			   */
};

/* A reservation of the server; the rest is valid while it is held. */
struct reservation_view {
	bool is_held;
	const char *id, *owner, *reason;
	const char *acts_for; /* as of a drain */
	struct wall created_at;
	int64_t expires_in_s; /* from the time of the reply on; 0 or more */
};

/* Counts are COUNT_UNKNOWN when poold does not know them. */
struct progress_view {
	int64_t sessions, peak, ended, cut;
	double rate_per_min;
	/* The time until the drain is done, with a chance of 50% and of 90%. */
	int64_t eta_s, eta_90_s;
	const char *eta_basis, *eta_unknown; /* NULL: not given */
};

struct server_view {
	json_t *document; /* the whole reply */
	const char *server;
	int64_t index;
	struct wall time;
	enum phase phase;
	struct progress_view progress;
	struct reservation_view reservation;
	struct drain_view *drains;
	size_t drain_count;
	struct service_view *services;
	size_t service_count; /* at least one */

	/* What this poold's pool.yaml says otherwise than ours: of the services, so
	 * that neither "drained" nor "serving" is the truth about ours; and of the
	 * pool.  Set by server_view_compare. */
	struct buf other_services, other_pool;
	/* Why poold does not use its files, which were changed; NULL: it does. */
	const char *config_problem;
	struct moment certificate_expires_at; /* not given: plain HTTP */
	/* Why poold cannot write its store; NULL: it can. */
	const char *store_problem;
	int64_t unwritten; /* events that are not in the record for that */

	/* Not of this reply: set by whoever watches a drain. */
	int64_t sessions_left;    /* when the drain was last seen active */
	struct drain_view *ended; /* the drain that is gone, owned by the view;
				     NULL: unknown */
};

/* Fails with ERR_BAD_REPLY, which says what is wrong; the view is freed with
 * server_view_free. */
struct server_view *server_view_parse(const char *body, size_t length,
				      struct err *err);
void server_view_free(struct server_view *view);

/* Compares what the poold knows of the server and its pool with our pool.yaml. */
void server_view_compare(struct server_view *view,
			 const struct pool_server *server);

/* Reads the reply to GET /v1/drains/{id} in the same way. */
struct drain_view *server_view_parse_drain(const char *body, size_t length,
					   struct err *err);
void server_view_free_drain(struct drain_view *drain);

/* The active drain with this id, or NULL. */
const struct drain_view *server_view_drain(const struct server_view *view,
					   const char *id);

/* The service of this name, whose case does not matter, as in Windows; or NULL. */
const struct service_view *server_view_service(const struct server_view *view,
					       const char *name);

size_t server_view_count_drains(const struct server_view *view);

/* True if the drain covers the service. */
bool server_view_covers(const struct drain_view *drain, const char *service);

/* True if a drain or a reservation is that of `self`, as poolctl calls whoever runs
 * it: whose credential it was sent with, poold knows, and decides. */
bool server_view_is_own(const char *owner, const char *acts_for, const char *self);

#endif
