/*
 * What GET /v1/server says, as a struct.
 *
 * The document comes from another machine: it is read strictly in what poolctl decides
 * by, unknown fields are passed over.  All texts live as long as the view, and are not
 * cleaned.
 */
#ifndef POOLCTL_SERVER_VIEW_H
#define POOLCTL_SERVER_VIEW_H

#include "api.h"
#include "buf.h"
#include "clock.h"
#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_t;

enum { COUNT_UNKNOWN = -1 };

struct service_view {
	const char *name, *message;
	enum phase phase;
	enum want wanted;
	bool is_saved;   /* poold has something to put back */
	bool is_absent;  /* it is optional, and not installed */
	bool is_counted; /* how many sessions it has is known, or it is not there */
	const struct json_t *sources; /* what each session source said; may be NULL */
};

/* A moment that may not be given. */
struct moment {
	bool is_given;
	struct wall at;
};

struct drain_view {
	const char *id, *owner, *reason;
	bool is_active;
	bool is_out; /* all that it covers has stopped taking new sessions */
	bool is_overdue;
	struct wall created_at;
	struct moment deadline_at;
	struct moment drained_at; /* from then on the deadline does not matter */
	enum on_deadline on_deadline;
	enum until until;
	const char *ended_by, *end_reason; /* NULL: not given */
	const char **services;
	size_t service_count;
};

/* Who is about to drain the server; the rest is valid while it is held. */
struct reservation_view {
	bool is_held;
	const char *id, *owner, *reason;
	struct wall created_at;
	int64_t expires_in_s; /* from the time of the reply on; 0 or more */
};

/* Counts are COUNT_UNKNOWN when poold does not know them. */
struct progress_view {
	int64_t sessions, peak, ended, cut;
	double rate_per_min;
	/* The time that the drain still takes: as likely as not, and in nine of ten. */
	int64_t eta_s, eta_90_s;
	const char *eta_basis, *eta_unknown; /* NULL: not given */
};

struct server_view {
	struct json_t *document; /* the whole reply */
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

	/* Not of this reply; who watches a drain sets it. */
	int64_t sessions_left;    /* when the drain was last seen active */
	struct drain_view *ended; /* the drain that is gone, or NULL: not known */
	struct json_t *ended_document;
};

/* Fails with ERR_BAD_REPLY, which says what is wrong; the view is freed with
 * server_view_free. */
struct server_view *server_view_parse(const char *body, size_t length, struct err *err);
void server_view_free(struct server_view *view);

/* Reads what GET /v1/drains/{id} says into `view->ended`; fails as server_view_parse. */
int server_view_read_ended(struct server_view *view, const char *body, size_t length,
			   struct err *err);

/* The active drain with this id, or NULL. */
const struct drain_view *server_view_drain(const struct server_view *view,
					   const char *id);

/* By its name, in which case does not matter, as to Windows; or NULL. */
const struct service_view *server_view_service(const struct server_view *view,
					       const char *name);

size_t server_view_count_drains(const struct server_view *view);

/* True if the drain covers the service. */
bool drain_view_covers(const struct drain_view *drain, const char *service);

#endif
