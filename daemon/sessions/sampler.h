/*
 * A thread that reads one slow session source again and again, and keeps the last
 * reading.
 *
 * The supervisor never waits for it: it takes what is there.  If it is late, one
 * more reading is kept: what was not zero must not be forgotten for a zero that
 * came after it.
 */
#ifndef POOLD_SAMPLER_H
#define POOLD_SAMPLER_H

#include "clock.h"
#include "sources/sessions_reader.h"

struct sampler;

struct sampler_reading {
	int64_t number;              /* from 1; 0: there was none yet */
	struct mono at, answered_at; /* before it began, and when it was there */
	bool is_known;
	int64_t count;    /* only if known */
	json_t *sessions; /* each of them, or NULL; owned by whoever took it */
	struct err err;   /* why it is not known */
};

/* Takes over the reader.  Nothing is read before sampler_start. */
struct sampler *sampler_new(struct sessions_reader *reader);

/* Starts the thread, which begins a reading every so often, as progress_due says,
 * or as soon as the one before has ended. */
int sampler_start(struct sampler *sampler, int64_t every_ms, struct err *err);

/* While it is at rest it reads nothing, and the first at once after.  It begins
 * awake. */
void sampler_rest(struct sampler *sampler, bool is_at_rest);

/* A reading begins now, or when the one under way has ended; or else the rest. */
void sampler_hurry(struct sampler *sampler);

/* Ends the thread; waits 2 s for a reading under way.  One that does not end then
 * is left behind with what it works on: the process is about to end. */
void sampler_free(struct sampler *sampler);

/* True once a thread was left behind: its reader's configuration must not be freed
 * any more. */
bool sampler_has_left_any(void);

/* The newest reading, if its number is another than `known`; else false.  Before
 * it, in a call of its own, the newest of those that nobody took that had sessions,
 * or else that was not known.  Never blocks. */
bool sampler_take(struct sampler *sampler, int64_t known,
		  struct sampler_reading *reading);

/* Puts a reading there, as the thread does; takes over its sessions.  The number is
 * given here. */
void sampler_put(struct sampler *sampler, struct sampler_reading reading);

#endif
