/*
 * Drains as rows of the store: written and read back.
 */
#ifndef POOLD_DRAIN_STORE_H
#define POOLD_DRAIN_STORE_H

#include "drains/drain.h"
#include "store/store.h"

/* Writes the drain over the one of this id; see store_commit. */
int drain_store_put(struct store *store, const struct drain *drain,
		    struct err *err);

/* Reads the active drains, oldest first, at most `limit`: the number read, or -1.
 * Free each with drain_done. */
int drain_store_get_active(struct store *store, struct drain *drains, int limit,
			   struct err *err);

/* Reads a drain, active or ended, to be freed with drain_done: 1, 0 if there never
 * was one or it is forgotten, -1 on failure. */
int drain_store_get(struct store *store, const char *id, struct drain *drain,
		    struct err *err);

#endif
