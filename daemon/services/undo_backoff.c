#include "services/undo_backoff.h"

#include <string.h>

enum {
	WINDOW_MS = 60000,
	QUIET_MS = 120000,
	DISTANCE_FIRST_MS = 1000,
	DISTANCE_MOST_MS = 30000,
};

bool undo_backoff_is_coming_back(const struct undo_backoff *backoff,
				 struct mono now)
{
	return backoff->is_coming_back &&
	       clock_since(backoff->seen[backoff->count - 1], now) < QUIET_MS;
}

bool undo_backoff_may_be_undone(const struct undo_backoff *backoff, struct mono now)
{
	return !undo_backoff_is_coming_back(backoff, now) ||
	       clock_since(backoff->undo_at, now) >= 0;
}

void undo_backoff_seen(struct undo_backoff *backoff, struct mono now)
{
	bool was_coming_back = undo_backoff_is_coming_back(backoff, now);

	if (backoff->count == UNDO_BACKOFF_AT_ONCE)
		memmove(backoff->seen, backoff->seen + 1,
			(UNDO_BACKOFF_AT_ONCE - 1) * sizeof(*backoff->seen));
	else
		backoff->count++;
	backoff->seen[backoff->count - 1] = now;
	backoff->is_coming_back =
		was_coming_back || (backoff->count == UNDO_BACKOFF_AT_ONCE &&
				    clock_since(backoff->seen[0], now) < WINDOW_MS);
	if (!was_coming_back)
		backoff_reset(&backoff->distance);
	backoff->undo_at =
		clock_add(now, backoff_next(&backoff->distance, DISTANCE_FIRST_MS,
					    DISTANCE_MOST_MS));
}
