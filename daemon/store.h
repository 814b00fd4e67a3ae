/*
 * What must survive a crash: what services were before (`saved`), drains, and the record;
 * and how long sessions last, of which a crash may lose the last minutes.
 *
 * One SQLite file in the state directory, written through to the disk.  Writes gather in
 * a transaction until store_commit; nothing may be done on the strength of a write before
 * its commit succeeded.  All failures are ERR_STORE, or ERR_STATE_DIR when opening.
 */
#ifndef POOLD_STORE_H
#define POOLD_STORE_H

#include "drain.h"
#include "event.h"
#include "scm.h"

#include <stdint.h>

struct store;

struct saved {
	enum service_state state; /* running, paused or stopped */
	enum start_type start_type;
	enum scm_flag delayed_auto_start;

	/* What became of it since. */
	bool is_held; /* it was seen out, with the startup type that was wanted then */
	enum start_type held_type; /* that startup type */
	int64_t cut;               /* sessions that poold ended by stopping it */
	int64_t cutting; /* sessions that a stop ends that is under way; -1: not known */
	int64_t peak;    /* most sessions seen at once since then */
};

/* Opens or makes the store.  Only one process may: see host_lock_for_life. */
struct store *store_open(const char *state_dir, struct err *err);

/* A second connection for reading events and drains from another thread; it sees what was
 * committed. */
struct store *store_open_reader(const char *state_dir, struct err *err);
void store_close(struct store *store);

/* Makes everything since the last commit durable, or undoes it all and fails.  Blocks for
 * one disk flush; does nothing if nothing was written. */
int store_commit(struct store *store, struct err *err);

/* True if something was written, or could not be, since the last commit. */
bool store_has_writes(const struct store *store);

/* Of a service that has one already, only what became of it since is changed. */
int store_put_saved(struct store *store, const char *service, const struct saved *saved,
		    struct err *err);
int store_delete_saved(struct store *store, const char *service, struct err *err);

/* 1 if there is one, 0 if not, -1 on failure. */
int store_get_saved(struct store *store, const char *service, struct saved *saved,
		    struct err *err);
int store_count_saved(struct store *store, struct err *err);

/* Of the ended drains only the newest 1000 are kept. */
int store_put_drain(struct store *store, const struct drain *drain, struct err *err);

/* Active drains, oldest first, at most `limit`: the number read, or -1. */
int store_get_active_drains(struct store *store, struct drain *drains, int limit,
			    struct err *err);

/* Any drain, ended or not: 1, 0 if there never was one, -1 on failure. */
int store_get_drain(struct store *store, const char *id, struct drain *drain,
		    struct err *err);

int store_add_event(struct store *store, const struct event *event, struct err *err);

/* Calls `each` for up to `limit` events after this id, oldest first.  The texts live as
 * long as the call. */
int store_each_event(struct store *store, int64_t after, int limit,
		     void (*each)(void *arg, const struct event *event), void *arg,
		     struct err *err);
int64_t store_last_event(struct store *store, struct err *err);

/* The last event's id and hash; 0 and chain_start if there is none. */
int store_get_head(struct store *store, int64_t *id, char hash[CHAIN_HASH_BYTES],
		   struct err *err);

/* What was learned of a service's sessions (lifetimes.h), in place of what was there.
 * Kept for the 64 services that were written last. */
int store_put_lifetimes(struct store *store, const char *service, const char *text,
			struct wall now, struct err *err);

/* 1 and a text that the caller frees, 0 if there is none, -1 on failure. */
int store_get_lifetimes(struct store *store, const char *service, char **text,
			struct err *err);

/* Folds the log of writes into the file when it is long; while requests come in, only
 * when it is very long. */
void store_tidy(struct store *store, bool is_busy);

/* A number that grows from one start of poold to the next, far enough apart that the
 * indexes of one start, counted from it, never meet those of the next.  To be committed.
 */
int store_next_index(struct store *store, int64_t *index, struct err *err);

#endif
