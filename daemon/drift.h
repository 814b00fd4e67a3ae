/*
 * Somebody else changed what poold holds: how often, and when to undo it.
 *
 * A change is undone at once; one that keeps coming back is undone at growing distances,
 * so that poold does not fight with another tool a hundred times a minute.
 */
#ifndef POOLD_DRIFT_H
#define POOLD_DRIFT_H

#include "clock.h"

enum { DRIFT_AT_ONCE = 5 }; /* so many within a minute are undone at once */

struct drift {
	struct mono seen[DRIFT_AT_ONCE]; /* the last ones, oldest first */
	int count;
	bool is_coming_back;
	int64_t distance_ms;
	struct mono undo_at;
};

void drift_seen(struct drift *drift, struct mono now);

/* True until none was seen for some minutes. */
bool drift_is_coming_back(const struct drift *drift, struct mono now);
bool drift_may_be_undone(const struct drift *drift, struct mono now);

#endif
