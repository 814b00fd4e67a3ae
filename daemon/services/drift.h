/*
 * Notices when somebody else changes a service that poold keeps out.
 *
 * Pure: the caller says what it sees, and records what comes of it.
 */
#ifndef POOLD_DRIFT_H
#define POOLD_DRIFT_H

#include "services/undo_backoff.h"
#include "store/store.h"

/* Zeroed, there was none. */
struct drift {
	struct undo_backoff backoff;
	bool is_open; /* somebody changed the service, and it is not undone yet */
	struct mono seen_at;
	int64_t sessions; /* then; -1: unknown */
	int64_t count;    /* since poold started */
};

/* The service as it is seen now. */
struct drift_view {
	bool is_out;
	bool is_startup_right; /* for what is wanted now */
	enum start_type start_type;
	int64_t sessions; /* -1: unknown */
	struct mono at;
};

enum drift_change {
	DRIFT_NONE = 0,
	DRIFT_SEEN = 1,
	DRIFT_UNDONE = 2, /* of the drift that is still in `drift` */
	DRIFT_SAVED = 4,  /* `saved` has changed */
	DRIFT_LEFT = 8, /* seen, and right all the same: there is nothing to undo */
};

/* Compares it with how it was seen last (`saved->was_out` and its startup type),
 * and puts that right: once it is out with the startup type that is wanted,
 * anything else is drift.  Returns a set of enum drift_change. */
unsigned drift_compare(struct drift *drift, struct saved *saved,
		       const struct drift_view *view);

/* Something else is wanted: drift from before is no concern of it.  The count
 * stays. */
void drift_forget(struct drift *drift);

#endif
