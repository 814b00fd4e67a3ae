/*
 * What became of the sessions of a service since it is out: those that it accepted
 * all the same, and those that ended with the pause.
 *
 * Pure: whoever counts says what there is, after each count.
 */
#ifndef POOLD_SINCE_OUT_H
#define POOLD_SINCE_OUT_H

#include "sessions/progress.h"
#include "sessions/tracker.h"

/* Zeroed, it has seen nothing yet. */
struct since_out {
	/* While it was not out: how many there were last, and when that was. */
	bool has_before;
	int64_t before;
	struct mono before_at;

	bool is_out;
	struct mono out_since; /* all below is of this time */

	/* Connections that began since then, and lasted. */
	int64_t accepted;
	struct mono accepted_at;               /* the last of them was there */
	struct sessions_connection connection; /* one of them */
	int64_t after_ms; /* that it was out when this one was there first */

	/* How many ended at once, of `before`, and within which time. */
	bool is_ended_known;
	int64_t ended, ended_within_s;

	unsigned news; /* of enum since_out_news */
};

enum since_out_news {
	SINCE_OUT_NOTHING = 0,
	SINCE_OUT_ACCEPTED = 1, /* by a service that has accepted none lately */
	SINCE_OUT_ENDED = 2, /* so many with the pause that somebody should know */
};

/* After a count.  A connection that lasts for `refused_within_ms` was no handshake
 * that the service refused. */
void since_out_see(struct since_out *since_out, const struct progress *progress,
		   struct tracker *tracker, int64_t refused_within_ms);

/* What there is to tell, once; a set of enum since_out_news. */
unsigned since_out_take_news(struct since_out *since_out);

/* True if it accepted a session, and not so long ago that it takes none now. */
bool since_out_is_accepting(const struct since_out *since_out, struct mono now);

/* True if so many sessions ended with the pause that the pause is the reason. */
bool since_out_has_ended_many(const struct since_out *since_out);

#endif
