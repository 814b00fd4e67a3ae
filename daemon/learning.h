/*
 * What poold learns of one service's sessions while it counts them, and keeps from one
 * start to the next.
 *
 * Used by the supervisor thread only.  That it cannot be kept is no trouble for a drain:
 * nothing but forecasts depends on it.
 */
#ifndef POOLD_LEARNING_H
#define POOLD_LEARNING_H

#include "lifetimes.h"
#include "store.h"
#include "tracker.h"

/* Zeroed, it has learned nothing yet and is kept nowhere. */
struct learning {
	struct lifetimes lifetimes;
	struct mono told_at; /* the living were last reckoned with */
	struct mono kept_at; /* it was last written, or that was tried */
	bool is_changed;     /* since then */
};

/* Reads what an earlier poold has kept; what cannot be read is logged and forgotten. */
void learning_open(struct learning *learning, struct store *store, const char *service,
		   struct mono now);

/* Learns from the sample that the tracker has just taken: from the ends each time, from
 * the living once a minute. */
void learning_see(struct learning *learning, struct tracker *tracker, struct mono now);

/* The lifetimes with the living up to now, as a forecast needs them. */
const struct lifetimes *learning_now(struct learning *learning, struct tracker *tracker,
				     struct mono now);

/* True if there is something to write, and the last time was ten minutes ago. */
bool learning_is_due(const struct learning *learning, struct mono now);

/* Writes it, to be committed. */
int learning_keep(struct learning *learning, struct store *store, const char *service,
		  struct mono now, struct wall wall, struct err *err);

#endif
