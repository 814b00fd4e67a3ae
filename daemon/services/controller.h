/*
 * Keeps Windows services where they are wanted: looks, counts, decides, acts.
 *
 * Used by the supervisor thread only.
 */
#ifndef POOLD_CONTROLLER_H
#define POOLD_CONTROLLER_H

#include "drains/drains.h"
#include "forecast/eta.h"
#include "pool.h"
#include "services/preflight.h"
#include "sessions/counting.h"
#include "services/reconcile.h"
#include "scm/scm.h"
#include "sources/sessions.h"

/* What a controller works with; it owns none of it. */
struct deps {
	struct scm *scm;
	struct store *store;
	struct record *record;
	int (*list_sessions)(const struct sessions_filter *filter,
			     const struct sessions_taker *taker, struct err *err);
	/* See counting.h; or NULL. */
	int (*is_there)(const struct sessions_connection *connection);
	struct mono (*clock)(void);
	struct wall (*wall_clock)(void);
	int64_t tick_ms;
	const struct list
		*commands; /* struct poold_command, of all services; or NULL */
	/* See counting.h; calls of the SCM are made at once, too. */
	bool has_no_threads;
	/* Any thread calls it: there is something for the next round. */
	void (*wake)(void *arg);
	void *wake_arg;
	struct saved_text *saved_text;   /* NULL: there is none */
	bool (*is_machine_ending)(void); /* it shuts down; NULL: it never does */
};

struct controller;

/* Reads what an earlier poold saved for this service; NULL on failure. */
struct controller *controller_new(const struct pool *pool,
				  const struct pool_server *server,
				  const struct pool_service *service,
				  const struct deps *deps, struct err *err);

/* A call of the SCM that has not returned is left behind: see
 * controller_is_calling. */
void controller_free(struct controller *controller);

/* From now on this is wanted.  Takes effect with the next round; `wanted->cover` is
 * not kept. */
void controller_want(struct controller *controller, const struct wanted *wanted);

/*
 * One round of all services of a server: look at each, count its sessions if that
 * is due, and act until there is nothing left to do now.  What is to be written
 * before an action is written for all of them at once.  A control or a start that
 * takes longer than a second is taken up in a later round.  Blocks as long as the
 * SCM does for anything else.  Returns after how many milliseconds the next round
 * is due.
 */
int64_t controllers_step(struct controller *const *controllers, size_t count);

/* Between two rounds: looks whether the last sessions of a service that is being
 * drained have ended; true if a round is due for that.  It costs much less than a
 * round.  After how many milliseconds to look next; -1: there is no reason to. */
bool controllers_peek(struct controller *const *controllers, size_t count);
int64_t controllers_peek_in_ms(struct controller *const *controllers, size_t count);

/* Brings up to date when the services will be drained that are being drained. */
void controllers_update_eta(struct controller *const *controllers, size_t count,
			    struct eta *eta, struct mono now);

const char *controller_name(const struct controller *controller);

/* When the SCM was asked last for its state: what changed later is not known. */
struct mono controller_looked_at(const struct controller *controller);
enum phase controller_phase(const struct controller *controller);
bool controller_is_absent(const struct controller *controller);
bool controller_is_out(const struct controller *controller);
bool controller_has_saved(const struct controller *controller);
int64_t controller_cut(const struct controller *controller);

/* How many sessions the service accepted since it is out. */
int64_t controller_accepted(const struct controller *controller);
/* True while a control or a start of the service has not returned: what it was made
 * with must stay. */
bool controller_is_calling(const struct controller *controller);
const struct progress *controller_progress(const struct controller *controller);

/* True if it is wanted out, and not drained yet. */
bool controller_is_draining(const struct controller *controller);

/* Adds the time that its sessions still take, as if it were drained now. */
void controller_forecast(struct controller *controller, struct forecast *forecast);

/* Writes what was learned of its sessions, if that is due or `is_last`; to be
 * committed.
 */
void controller_keep(struct controller *controller, bool is_last);

/* The numbers of one service, for GET /metrics. */
struct service_metrics {
	const char *name;
	enum phase phase;
	bool is_absent; /* not installed, and need not be: it has no sessions */
	bool is_count_known;
	struct mono known_at; /* when it was last known, or when poold started */
	int64_t sessions;     /* only if known */
	int64_t drifts, cut, accepted;
};

/* For GET /metrics; the name lives as long as the configuration. */
struct service_metrics controller_metrics(const struct controller *controller);
size_t controller_source_metrics(const struct controller *controller,
				 struct source_metrics sources[PROGRESS_SOURCES]);

/* What a drain as in `plan` would do to it; a new reference.  Asks the SCM. */
json_t *controller_preflight(const struct controller *controller,
			     const struct preflight_input *plan);

/* Lists the sessions now; at most the `limit` oldest are in the list, as in the
 * reply of GET /v1/services/{name}/sessions, a new reference. */
json_t *controller_sessions(struct controller *controller, size_t limit);

/* As GET /v1/server shows it, a new reference. */
json_t *controller_to_json(const struct controller *controller);

#endif
