/*
 * Session sources that take their time: a performance counter, the sessions of
 * Remote Desktop, a program, a document over HTTP.
 *
 * Reading one blocks, so each is read on a thread of its own; see sampler.h.  A
 * reader that cannot answer fails and says why; it never says zero instead.
 */
#ifndef POOLD_SESSIONS_READER_H
#define POOLD_SESSIONS_READER_H

#include "err.h"
#include "pool.h"
#include "poold_config.h"

#include <jansson.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* No server has more sessions: such a number is a time or an identity, and tells
 * nothing.
 */
enum { SESSIONS_COUNT_LIMIT = 1000000000 };

enum { SESSIONS_SHOWN_BYTES = 128 };

struct sessions_reading {
	int64_t count; /* live sessions, 0 to SESSIONS_COUNT_LIMIT */
	/* Each of them, as a row of GET /v1/services/{name}/sessions; NULL where
	 * only their number is known.  Whoever reads owns it. */
	json_t *sessions;
};

struct sessions_reader;

struct sessions_reader_ops {
	/* Counts now.  Fails with ERR_SESSIONS, and leaves `*reading` alone then.
	 * Blocks for the source's time limit at most, where it has one; returns
	 * within a tenth of a second after `is_stopping` became true, where the
	 * system lets it. */
	int (*read)(struct sessions_reader *reader,
		    struct sessions_reading *reading, struct err *err);
	void (*free)(struct sessions_reader *reader);
};

/* The first member of each kind of reader. */
struct sessions_reader {
	const struct sessions_reader_ops *ops;
	const char *name; /* the path, program or url, fit for everybody's eyes; or
			     NULL */
	const char *pointer; /* where in what that says the number is; or NULL */
	atomic_bool is_stopping; /* set by whoever wants to free it */
};

/*
 * These never fail: what is not there now may be there at the next reading.  The
 * configuration must outlive the reader.
 */

/* PDH; elsewhere than on Windows every reading fails.  With a wildcard for its
 * instance, the sum over the instances, without "_Total" where there are others; no
 * instance at all is unknown.  A fraction counts as the next whole number.  A
 * counter whose time stamp stands still is stale, and unknown; so is the first
 * value, until the stamp moves.  No time limit: PDH has none. */
struct sessions_reader *sessions_counter_new(const struct pool_counter *counter);

/* WTSEnumerateSessionsEx; elsewhere than on Windows every reading fails.  Session 0
 * and listeners are no sessions, whatever their state.  Its rows are the oldest
 * first; those whose logon time is not known come last.  No time limit: Windows has
 * none. */
struct sessions_reader *sessions_rds_new(const struct pool_rds *rds);

/* Runs the program (subprocess.h) and reads JSON from its standard output: a number
 * at the pointer.  A program that takes too long or prints too much is ended, with
 * what it started. */
struct sessions_reader *sessions_command_new(const struct poold_command *command);

/* GETs the document (libcurl) and reads a number at the pointer.  No redirects, no
 * proxies. */
struct sessions_reader *sessions_http_new(const struct pool_http *http);

/* The number of live sessions in a JSON text: a whole number from 0 to
 * SESSIONS_COUNT_LIMIT at the pointer, which may be NULL for the whole text.  Fails
 * with ERR_SESSIONS, and shows the beginning of the text then. */
int sessions_read_json(const char *text, size_t length, const char *pointer,
		       int64_t *count, struct err *err);

/* The first line of what others printed, cut and fit for a message: what is not
 * printable ASCII becomes '?'.  Returns `shown`. */
const char *sessions_show(const char *text, size_t length,
			  char shown[SESSIONS_SHOWN_BYTES]);

#endif
