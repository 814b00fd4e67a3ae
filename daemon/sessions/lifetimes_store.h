/*
 * What poold learns of one service's sessions while it counts them, and keeps from
 * one start to the next.
 *
 * Used by the supervisor thread only.  That it cannot be kept is no trouble for a
 * drain: nothing but forecasts depends on it.
 */
#ifndef POOLD_LIFETIMES_STORE_H
#define POOLD_LIFETIMES_STORE_H

#include "forecast/lifetimes.h"
#include "store/store.h"
#include "sessions/tracker.h"

/* Zeroed, it has learned nothing yet and is kept nowhere. */
struct lifetimes_store {
	struct lifetimes lifetimes;
	struct mono told_at; /* the living were last reckoned with */
	struct mono kept_at; /* it was last written, or that was tried */
	bool is_changed;     /* since then */
};

/* Reads what an earlier poold has kept; what cannot be read is logged and
 * forgotten. */
void lifetimes_store_open(struct lifetimes_store *lifetimes_store,
			  struct store *store, const char *service,
			  struct mono now);

/* Learns from the sample that the tracker has just taken: from the ends each time,
 * from the living once a minute. */
void lifetimes_store_see(struct lifetimes_store *lifetimes_store,
			 struct tracker *tracker, struct mono now);

/* The lifetimes with the living up to now, as a forecast needs them. */
const struct lifetimes *lifetimes_store_now(struct lifetimes_store *lifetimes_store,
					    struct tracker *tracker,
					    struct mono now);

/* True if there is something to write, and the last time was ten minutes ago. */
bool lifetimes_store_is_due(const struct lifetimes_store *lifetimes_store,
			    struct mono now);

/* Writes it, to be committed. */
int lifetimes_store_keep(struct lifetimes_store *lifetimes_store,
			 struct store *store, const char *service, struct mono now,
			 struct wall wall, struct err *err);

#endif
