/*
 * The record: every change as an event, in a chain, in the store and in the Event Log.
 *
 * Events wait in memory for the next commit.  A store that cannot be written does not
 * lose them: they go with a later commit, and what does not fit is counted and said.
 * Used by the supervisor's thread only.
 */
#ifndef POOLD_RECORD_H
#define POOLD_RECORD_H

#include "event_kinds.h"
#include "store.h"

struct record;

/* What is to be recorded.  Texts may be NULL; all is copied. */
struct line {
	enum event_kind kind;
	const char *service, *who, *from, *why, *text;
	json_t *before, *after; /* taken over */
	bool is_tied; /* true only together with what was put into the store since the
			 last commit: forgotten if that fails */
};

/* The store and the clock must outlive it.  Reads where the chain ends; NULL on failure.
 */
struct record *record_open(struct store *store, struct wall (*clock)(void),
			   struct err *err);
void record_close(struct record *record);

void record_add(struct record *record, const struct line *line);

/*
 * Makes the store's writes since the last commit durable, and with them the events that
 * wait.  Blocks for one disk flush; does nothing if there is nothing.  On failure the
 * writes and the tied events are undone, and the other events wait on.
 */
int record_commit(struct record *record, struct err *err);

/* The id of the last event that is on disk; 0 if there is none. */
int64_t record_last(const struct record *record);

/* True from a commit that failed until one that works. */
bool record_is_failing(const struct record *record);

#endif
