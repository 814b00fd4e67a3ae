/*
 * Since when each connection of a service is there, from one sample to the next.
 *
 * A connection is told by its addresses and ports.  Pure: whoever samples says what
 * is there, and when.  A pair of ports that is used again between two samples looks
 * like the same session, which then seems older than it is.
 */
#ifndef POOLD_TRACKER_H
#define POOLD_TRACKER_H

#include "clock.h"
#include "sources/sessions.h"

enum { TRACKER_LIMIT = 65536 };

struct tracked {
	struct sessions_connection connection;
	struct mono since;     /* when it was in a sample first */
	struct mono unseen_at; /* when the sample before that had ended */
	struct wall since_wall;
	struct mono told; /* up to when tracker_tell told of it; at first, since */
	bool is_least;    /* it may have been there before */
	bool is_there;    /* in the next sample, too */
	bool is_new;      /* `since` is not known before the sample's end */
	bool is_lasting;  /* tracker_find_lasting has found it */
};

/* A sample: what the system lists, in its order, and where those are that have a
 * slot, by their hash. */
struct tracker_list {
	struct tracked *items;
	size_t count, room;
	uint32_t *slots; /* twice the room: a place in `items` and 1; 0: free */
	size_t slotted; /* so many of the items have one; the others have not yet */
};

/* Zeroed, it knows nothing yet. */
struct tracker {
	struct tracker_list live; /* the last sample that did not fail */
	bool is_whole;       /* the last sample came to its end, and had room */
	struct mono seen_at; /* that sample */
	/* When the ended ones were not there any more, about. */
	struct mono ended_at;
	size_t ended_count;

	/* The sample under way; before it, those that ended. */
	struct tracker_list fresh;
	size_t next; /* after the one in `live` that was seen last */
	int64_t seen;
};

void tracker_done(struct tracker *tracker);

/* A sample: begin, each connection, and its end or its failure.  What is more than
 * TRACKER_LIMIT is counted and not kept. */
void tracker_begin(struct tracker *tracker);
void tracker_see(struct tracker *tracker,
		 const struct sessions_connection *connection);
void tracker_end(struct tracker *tracker, struct mono now, struct wall wall);

/* What was known stays known; what is new in the next sample may be older than
 * that. */
void tracker_failed(struct tracker *tracker);

/*
 * Tells of every session of known age how long it was watched since it was told of
 * last, and of those that ended with the last sample, that they did: between the
 * last two samples, so in the middle between them.  For who learns how long
 * sessions last, once after each tracker_end, or the ends are lost; the living need
 * it less often
 * (`with_living`).
 *
 * Nothing is said to have ended by a sample that had no room for all: who is
 * missing may be there still, and is forgotten.  Not told of at all are sessions
 * that may be older than is known.
 */
struct tracker_listener {
	void (*watched)(void *arg, double from_age_s, double to_age_s,
			bool has_ended);
	void *arg;
};
void tracker_tell(struct tracker *tracker, bool with_living,
		  const struct tracker_listener *listener);

/* Puts the `limit` oldest into `oldest`, the oldest first; returns how many. */
size_t tracker_oldest(const struct tracker *tracker, const struct tracked **oldest,
		      size_t limit);

/*
 * Counts those of the last sample that certainly began after `began_after`, and
 * have been there for `least_ms` (or a sample less, as nobody knows when between
 * two samples they began).  `*fresh_count` is how many of them were not found
 * before, and `*fresh` one of those, or NULL.
 */
size_t tracker_find_lasting(struct tracker *tracker, struct mono began_after,
			    int64_t least_ms, size_t *fresh_count,
			    const struct tracked **fresh);

/* True if it looks like one that nobody uses and that will not end by itself. */
bool tracker_is_suspect(const struct tracked *session, struct mono now);

#endif
