/*
 * The record: every change as an event, in a chain, in the store and in the Event
 * Log.
 *
 * Events wait in memory for the next commit.  A store that cannot be written does
 * not lose them: they go with a later commit; an event says how many did not fit.
 * Used by the supervisor's thread only.
 */
#ifndef POOLD_RECORD_H
#define POOLD_RECORD_H

#include "event_kind.h"
#include "store/store.h"

struct record;

/* An event to record.  Texts may be NULL; all is copied. */
struct line {
	enum event_kind kind;
	const char *service, *who, *from, *why, *text;
	json_t *before, *after; /* taken over */
	bool is_tied; /* true only together with what was put into the store since
			 the last commit: forgotten if that fails */
};

/* The store and the clock must outlive it.  Reads where the chain ends; NULL on
 * failure.
 */
struct record *record_open(struct store *store, struct wall (*clock)(void),
			   struct err *err);

/* Keeps the number of events that are not in the record in a file, which is made
 * now and overwritten in place, so that a full disk cannot prevent it.  What the
 * file says of an earlier poold goes into the record. */
void record_keep_losses(struct record *record, const char *path);
void record_close(struct record *record);

void record_add(struct record *record, const struct line *line);

/*
 * Makes the store's writes since the last commit durable, and with them the events
 * that wait.  Blocks for one disk flush; does nothing if there is nothing.  On
 * failure the writes and the tied events are undone, and the other events wait on.
 */
int record_commit(struct record *record, struct err *err);

/* The id of the last event that is on disk; 0 if there is none. */
int64_t record_last(const struct record *record);

/* Fails if what is on the disk is not what was written there; see store_verify. */
int record_verify(struct record *record, struct err *err);

/* Tries whether the store is whole and can be written; blocks for one disk flush.
 */
void record_check(struct record *record);

/* Why a commit failed, until one works; else NULL. */
const char *record_failure(const struct record *record);

/* How many events are not on disk yet, or were lost since the last commit that
 * worked. */
int64_t record_unwritten(const struct record *record);

#endif
