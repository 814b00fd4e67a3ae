/*
 * Somebody else changed what poold holds: how often, and when to undo it.
 *
 * A change is undone at once; one that keeps coming back is undone at growing
 * distances, so that poold does not fight with another tool a hundred times a
 * minute.
 */
#ifndef POOLD_UNDO_BACKOFF_H
#define POOLD_UNDO_BACKOFF_H

#include "backoff.h"
#include "clock.h"

enum { UNDO_BACKOFF_AT_ONCE = 5 }; /* so many within a minute are undone at once */

struct undo_backoff {
	struct mono seen[UNDO_BACKOFF_AT_ONCE]; /* the last ones, oldest first */
	int count;
	bool is_coming_back;
	struct backoff distance;
	struct mono undo_at;
};

void undo_backoff_seen(struct undo_backoff *backoff, struct mono now);

/* True until none was seen for some minutes. */
bool undo_backoff_is_coming_back(const struct undo_backoff *backoff,
				 struct mono now);
bool undo_backoff_may_be_undone(const struct undo_backoff *backoff,
				struct mono now);

#endif
