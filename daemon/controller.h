/*
 * Keeps one Windows service where it is wanted: looks, counts, decides, acts.
 *
 * Used by the supervisor thread only.
 */
#ifndef POOLD_CONTROLLER_H
#define POOLD_CONTROLLER_H

#include "pool_config.h"
#include "progress.h"
#include "reconcile.h"
#include "scm.h"
#include "sessions.h"
#include "store.h"

/* What a controller works with; it owns none of it. */
struct tools {
	struct scm *scm;
	struct store *store;
	int (*count_sessions)(const struct sessions_filter *filter, int64_t *count,
			      struct err *err);
	struct mono (*clock)(void);
	int64_t tick_ms;
};

struct controller;

/* Reads what an earlier poold saved for this service; NULL on failure. */
struct controller *controller_new(const struct pool *pool,
				  const struct pool_server *server,
				  const struct pool_service *service,
				  const struct tools *tools, struct err *err);
void controller_free(struct controller *controller);

/* From now on this is wanted, because of `why` (for the record).  Takes effect with the
 * next step. */
void controller_want(struct controller *controller, enum want want, const char *why);

/*
 * One round: look at the service, count its sessions if that is due, and act until there
 * is nothing left to do now.  Blocks as long as the SCM does.  Returns after how many
 * milliseconds the next round is due.
 */
int64_t controller_step(struct controller *controller);

const char *controller_name(const struct controller *controller);
enum phase controller_phase(const struct controller *controller);
bool controller_is_absent(const struct controller *controller);
bool controller_is_out(const struct controller *controller);
bool controller_has_saved(const struct controller *controller);
const struct progress *controller_progress(const struct controller *controller);

/* As GET /v1/server shows it, a new reference. */
json_t *controller_to_json(const struct controller *controller);

#endif
