/*
 * The store, which survives a crash: the services as they were before (`saved`),
 * drains, the record, and how long sessions last (a crash may lose the last minutes
 * of that).
 *
 * One SQLite file in the state directory, written through to the disk.  Writes
 * gather in a transaction until store_commit; nothing may be done on the strength
 * of a write before its commit succeeded.  All failures are ERR_STORE, or
 * ERR_STATE_DIR when opening.
 *
 * It keeps rows.  Their meaning is known above: see drains/drain_store.h.
 */
#ifndef POOLD_STORE_H
#define POOLD_STORE_H

#include "api.h"
#include "err.h"
#include "store/event.h"

#include <stdint.h>

struct store;

struct saved {
	enum service_state state; /* running, paused or stopped */
	enum start_type start_type;
	unsigned delayed_auto_start; /* 0, 1, or 2: the system cannot say (enum
				      * scm_flag)
				      */

	/* Since then. */
	bool was_out; /* it was seen out, with the startup type that was wanted then
		       */
	enum start_type out_type; /* that startup type */
	int64_t cut;              /* sessions that poold ended by stopping it */
	int64_t cutting; /* sessions that a stop ends that is under way; -1: not
			    known */
	int64_t peak;    /* most sessions seen at once since then */
};

/*
 * Opens or makes the store.  Only one process may: see file_lock_for_life.
 *
 * One that is there and can be read, but not written, is opened all the same, so
 * that its drains are held: then each write fails until store_mend.
 */
struct store *store_open(const char *state_dir, struct err *err);

/* A second connection for reading events and drains from another thread; it sees
 * what was committed.  `writer`: the first one, which must outlive it; NULL in
 * another process. */
struct store *store_open_reader(const char *state_dir, const struct store *writer,
				struct err *err);
void store_close(struct store *store);

/* What store_open checks before it writes, for a reader: 1 if poold can use the
 * store, 0 if there is nothing in it, -1 on failure. */
int store_check(struct store *store, struct err *err);

/* Makes everything since the last commit durable, or undoes it all and fails, as it
 * does if the files are not those that were opened: removed or replaced.
 * Blocks for one disk flush; does nothing if nothing was written. */
int store_commit(struct store *store, struct err *err);

/* Writes something that nobody needs, so that the next commit tells whether the
 * store can be written. */
int store_touch(struct store *store, struct err *err);

/*
 * Reads anew from the disk what is needed for putting services back, and fails if
 * it is damaged, or if the last event is not this one.  Then every write fails,
 * until this finds nothing any more.
 */
int store_verify(struct store *store, int64_t last_id,
		 const char head[CHAIN_HASH_BYTES], struct err *err);

/* Makes the file that keeps space on the disk for the end of a drain, unless it is
 * there.  A failure costs nothing but that. */
void store_keep_reserve(struct store *store);

/* True if the last write failed for want of space, and there is some now because
 * that file was removed: then it is worth another attempt. */
bool store_use_reserve(struct store *store);

/* Opens the file anew if it could only be read; to be called now and then. */
void store_mend(struct store *store);

/* How long a write waits for another program that writes to the file; at first it
 * fails at once. */
void store_set_patience(struct store *store, int ms);

/* True if something was written, or could not be, since the last commit. */
bool store_has_writes(const struct store *store);

/* For a service that has one already, only the fields since then are changed, and
 * the spelling of its name.  Names are the same in any spelling, here and below. */
int store_put_saved(struct store *store, const char *service,
		    const struct saved *saved, struct err *err);
int store_delete_saved(struct store *store, const char *service, struct err *err);

/* 1 if there is one, 0 if not, -1 on failure. */
int store_get_saved(struct store *store, const char *service, struct saved *saved,
		    struct err *err);

/* Calls `each` for every service with a saved state, by name, until it returns
 * other than 0; it may read the store and not change it.  Returns how many there
 * are, -1 on failure or if `each` ended it. */
int store_each_saved(struct store *store,
		     int (*each)(void *arg, const char *service,
				 const struct saved *saved),
		     void *arg, struct err *err);

/* A drain as a row: names of enums as texts, times in milliseconds (0: none). */
struct drain_row {
	const char *id, *owner, *reason;
	const char *services; /* a JSON array of names */
	const char *boot_id, *on_deadline, *until;
	const char *ended_by, *end_reason; /* NULL while it is active */
	int64_t created_at, ended_at, drained_at;
	int64_t deadline_s, deadline_at, not_before;
	bool is_over;
};

/* Only the newest 1000 of the ended drains are kept. */
int store_put_drain(struct store *store, const struct drain_row *row,
		    struct err *err);

/*
 * Calls `each` for the drain `id`, active or ended, or with NULL for up to `limit`
 * active ones, oldest first.  The texts live as long as the call.  Fails if `each`
 * does, with its error.
 */
int store_each_drain(struct store *store, const char *id, int limit,
		     int (*each)(void *arg, const struct drain_row *row,
				 struct err *err),
		     void *arg, struct err *err);

int store_add_event(struct store *store, const struct event *event,
		    struct err *err);

/* Calls `each` for up to `limit` events after this id, oldest first.  The texts
 * live as long as the call. */
int store_each_event(struct store *store, int64_t after, int limit,
		     void (*each)(void *arg, const struct event *event), void *arg,
		     struct err *err);
int64_t store_last_event(struct store *store, struct err *err);

/* The time of the last event; -1 if there is none. */
int store_get_written_at(struct store *store, struct wall *time);

/* What a reader reads until store_end_reading is of one moment. */
int store_begin_reading(struct store *store, struct err *err);
void store_end_reading(struct store *store);

/* The last event's id and hash; 0 and chain_start if there is none. */
int store_get_head(struct store *store, int64_t *id, char hash[CHAIN_HASH_BYTES],
		   struct err *err);

/* How long the sessions of a service last (lifetimes.h), over the text that was
 * there. Kept for the 64 services that were written last. */
int store_put_lifetimes(struct store *store, const char *service, const char *text,
			struct wall now, struct err *err);

/* 1 and a text that the caller frees, 0 if there is none, -1 on failure. */
int store_get_lifetimes(struct store *store, const char *service, char **text,
			struct err *err);

/* Removes the oldest events if there are more than API_EVENTS_KEPT, some thousands
 * at a time.  To be called when nothing waits for a commit. */
void store_trim_events(struct store *store);

/* Folds the log of writes into the file when it is long; while requests come in,
 * only when it is very long. */
void store_tidy(struct store *store, bool is_busy);

/* A number that grows from one start of poold to the next, far enough apart that
 * the indexes of one start, counted from it, never meet those of the next.  To be
 * committed.
 */
int store_next_index(struct store *store, int64_t *index, struct err *err);

/* The same for a start that cannot write: half a step on, and later from one start
 * to the next within 12 days. */
int store_index_between(struct store *store, struct wall now, int64_t *index,
			struct err *err);

#endif
