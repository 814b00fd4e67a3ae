/*
 * The drains that are in force, on disk and in memory, and what they want together.
 *
 * Nothing in memory changes before the disk has it.  Used by the supervisor's
 * thread only.
 */
#ifndef POOLD_DRAINS_H
#define POOLD_DRAINS_H

#include "drains/drain.h"
#include "store/record.h"

struct drains {
	struct drain items[API_DRAINS_LIMIT]; /* oldest first */
	int count;

	struct store *store;
	struct record *record;
	const char *boot_id;
	json_t *all; /* names of all services that can be drained; owned */
	struct mono (*clock)(void);
	struct wall (*wall_clock)(void);
	struct mono checked_at; /* at the clocks, last */
	struct wall checked_at_wall;
};

/* What is wanted of a service, by all drains together. */
struct wanted {
	enum want want;
	bool leaves_startup; /* all of them end with the next boot */
	bool may_cut;        /* a deadline is over at which it is to be stopped */
	const struct drain *cover; /* one that covers it, or NULL */
};

/* Reads the active drains.  `drains` comes with its tools filled in. */
int drains_open(struct drains *drains, struct err *err);
void drains_close(struct drains *drains);

/* NULL if it is not active. */
const struct drain *drains_find(const struct drains *drains, const char *id);

/* Takes in a drain that was asked for, whose services are spelled as in pool.yaml,
 * new or over the one of this id.  Checks neither the owner nor whether it covers
 * less. */
int drains_put(struct drains *drains, const struct drain *asked, const char *from,
	       struct err *err);

/* Ends an active drain; `ended` is the caller's then, to be freed with drain_done.
 * `asked` is what the record shows of the request; taken over, or NULL. */
int drains_end(struct drains *drains, const char *id, const char *who,
	       const char *from, json_t *asked, struct drain *ended,
	       struct err *err);

/* Ends drains that a boot has ended, and acts on deadlines that have passed.  True
 * if something changed.  A change that cannot be written waits for the next call.
 */
bool drains_check_clock(struct drains *drains);

/* The drain was asked for, perhaps again; see struct drain. */
void drains_note_asked(struct drains *drains, const char *id, int64_t index);

/* All that this drain covers is drained now: its deadline is met.  That is so at
 * once, and written as soon as it can be. */
void drains_note_drained(struct drains *drains, const char *id);

/* The time until its deadline is over by both clocks, in seconds; 0 once it is, -1
 * if it has none or has met it. */
int64_t drains_deadline_in_s(const struct drains *drains,
			     const struct drain *drain);

/* False once a boot has ended it, even while that cannot be written. */
bool drains_is_in_force(const struct drains *drains, const struct drain *drain);

struct wanted drains_want(const struct drains *drains, const char *service);

#endif
