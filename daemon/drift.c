#include "drift.h"

#include <string.h>

enum {
	WINDOW_MS = 60000,
	QUIET_MS = 120000,
	DISTANCE_FIRST_MS = 1000,
	DISTANCE_MOST_MS = 30000,
};

bool drift_is_coming_back(const struct drift *drift, struct mono now)
{
	return drift->is_coming_back &&
	       clock_since(drift->seen[drift->count - 1], now) < QUIET_MS;
}

bool drift_may_be_undone(const struct drift *drift, struct mono now)
{
	return !drift_is_coming_back(drift, now) || clock_since(drift->undo_at, now) >= 0;
}

void drift_seen(struct drift *drift, struct mono now)
{
	bool was_coming_back = drift_is_coming_back(drift, now);

	if (drift->count == DRIFT_AT_ONCE)
		memmove(drift->seen, drift->seen + 1,
			(DRIFT_AT_ONCE - 1) * sizeof(*drift->seen));
	else
		drift->count++;
	drift->seen[drift->count - 1] = now;
	drift->is_coming_back =
		was_coming_back || (drift->count == DRIFT_AT_ONCE &&
				    clock_since(drift->seen[0], now) < WINDOW_MS);
	drift->distance_ms = was_coming_back ? drift->distance_ms * 2 : DISTANCE_FIRST_MS;
	if (drift->distance_ms > DISTANCE_MOST_MS)
		drift->distance_ms = DISTANCE_MOST_MS;
	drift->undo_at = clock_add(now, drift->distance_ms);
}
