/*
 * Keeps Windows services where they are wanted: looks, counts, decides, acts.
 *
 * Used by the supervisor thread only.
 */
#ifndef POOLD_CONTROLLER_H
#define POOLD_CONTROLLER_H

#include "drains.h"
#include "forecast.h"
#include "metrics.h"
#include "pool_config.h"
#include "preflight.h"
#include "progress.h"
#include "reconcile.h"
#include "scm.h"
#include "sessions.h"

/* What a controller works with; it owns none of it. */
struct tools {
	struct scm *scm;
	struct store *store;
	struct record *record;
	int (*list_sessions)(const struct sessions_filter *filter,
			     const struct sessions_taker *taker, struct err *err);
	struct mono (*clock)(void);
	struct wall (*wall_clock)(void);
	int64_t tick_ms;
	const struct list *commands; /* struct poold_command, of all services; or NULL */
	bool has_no_threads;         /* see counting.h */
};

struct controller;

/* Reads what an earlier poold saved for this service; NULL on failure. */
struct controller *controller_new(const struct pool *pool,
				  const struct pool_server *server,
				  const struct pool_service *service,
				  const struct tools *tools, struct err *err);
void controller_free(struct controller *controller);

/* From now on this is wanted.  Takes effect with the next round; `wanted->cover` is not
 * kept. */
void controller_want(struct controller *controller, const struct wanted *wanted);

/*
 * One round of all services of a server: look at each, count its sessions if that is due,
 * and act until there is nothing left to do now.  What is to be written before an action
 * is written for all of them at once.  Blocks as long as the SCM does.  Returns after how
 * many milliseconds the next round is due.
 */
int64_t controllers_step(struct controller *const *controllers, size_t count);

const char *controller_name(const struct controller *controller);
enum phase controller_phase(const struct controller *controller);
bool controller_is_absent(const struct controller *controller);
bool controller_is_out(const struct controller *controller);
bool controller_has_saved(const struct controller *controller);
int64_t controller_cut(const struct controller *controller);
const struct progress *controller_progress(const struct controller *controller);

/* True if it is wanted out, and not drained yet. */
bool controller_is_draining(const struct controller *controller);

/* Adds the time that its sessions still take, as if it were drained now. */
void controller_forecast(struct controller *controller, struct forecast *forecast);

/* Writes what was learned of its sessions, if that is due or `is_last`; to be committed.
 */
void controller_keep(struct controller *controller, bool is_last);

/* For GET /metrics; the name lives as long as the configuration. */
struct metrics_service controller_metrics(const struct controller *controller);
size_t controller_source_metrics(const struct controller *controller,
				 struct metrics_source sources[PROGRESS_SOURCES]);

/* What a drain as in `plan` would do to it; a new reference.  Asks the SCM. */
json_t *controller_preflight(const struct controller *controller,
			     const struct preflight_input *plan);

/* Lists the sessions now; at most the `limit` oldest are in the list, as in the reply of
 * GET /v1/services/{name}/sessions, a new reference. */
json_t *controller_sessions(struct controller *controller, size_t limit);

/* As GET /v1/server shows it, a new reference; without what changes with each look,
 * unless it is asked for. */
json_t *controller_to_json(const struct controller *controller, bool with_times);

#endif
