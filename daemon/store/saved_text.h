/*
 * What each service was before poold took it out, and the commands that put it
 * back: for people, in the log and in a text file beside the store, in case the
 * store is lost.
 */
#ifndef POOLD_SAVED_TEXT_H
#define POOLD_SAVED_TEXT_H

#include "buf.h"
#include "store/store.h"

/* Adds "RTCSRV was running, startup automatic (delayed)". */
void saved_text_add(const char *service, const struct saved *saved,
		    struct buf *text);

/* Adds the commands that put it back by hand, for PowerShell, with the text between
 * them.
 */
void saved_text_add_commands(const char *service, const struct saved *saved,
			     const char *between, struct buf *text);

/* The text file. */
struct saved_text {
	char *path;
	char *text; /* as it was written; or NULL */
};

/* Replaces the file by what the store has now.  A failure is logged, and no more:
 * the store is what counts. */
void saved_text_write(struct saved_text *file, struct store *store,
		      struct wall now);

/* Fails with ERR_STATE_DIR if the file at `path` says what is to be put back, as of
 * an event that the store does not have: it was removed, emptied, or lost its log.
 * `store`: NULL if there is none. */
int saved_text_check_store(const char *path, struct store *store, struct err *err);

/* Writes it again if somebody else has changed or removed it. */
void saved_text_check(struct saved_text *file, struct store *store,
		      struct wall now);
void saved_text_done(struct saved_text *file);

#endif
