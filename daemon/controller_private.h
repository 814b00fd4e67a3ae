/*
 * What a controller knows of its service; for controller.c, controller_json.c and held.c
 * alone.
 */
#ifndef POOLD_CONTROLLER_PRIVATE_H
#define POOLD_CONTROLLER_PRIVATE_H

#include "asking.h"
#include "controller.h"
#include "counting.h"
#include "drift.h"

struct controller {
	const struct pool_service *service;
	struct tools tools;
	int64_t settle_ms;
	enum start_type held_type; /* the startup type while it is drained */

	struct wanted wanted; /* without its cover */
	char *why;

	struct scm_status observed; /* valid unless state is missing or unknown */
	enum service_state state;
	struct err trouble; /* why the SCM or the store failed last */

	bool has_saved;
	struct saved saved;
	bool is_saved_stale; /* the store has an older one */
	/* A store action or a stop that is written, but not committed yet. */
	enum action claimed;
	bool is_cut_written; /* the sessions that a stop will end are on disk */
	bool is_stop_refused;

	struct asking asking;
	struct drift drift;
	bool is_adrift; /* somebody changed it, and it is not undone yet */
	struct mono drift_at;
	int64_t drifts;         /* so often since poold started */
	int64_t drift_sessions; /* when that was seen; -1: not known */

	struct counting counting;

	struct decision decision;
};

/* Adds a line about this service, by poold. */
void controller_record(struct controller *controller, struct line line);

/* The service as it was seen last, with its sessions, for the record; a new reference. */
json_t *controller_seen_to_json(const struct controller *controller);
json_t *saved_to_json(const struct saved *saved);

#endif
