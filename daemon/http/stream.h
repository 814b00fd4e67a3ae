/*
 * Server-sent events for watchers of the record, from texts that all of them share.
 *
 * A ring has the newest events as finished texts, and each watcher reads on in it
 * from its own place.  New events are read once from the store; a watcher that has
 * fallen behind the ring reads from the store, 32 events at a time.  Used by the
 * HTTP thread only.
 */
#ifndef POOLD_STREAM_H
#define POOLD_STREAM_H

#include "err.h"
#include "store/event.h"

#include <stddef.h>

enum {
	STREAM_FROM_NOW = -1,
	STREAM_RING_BYTES = 512
			    << 10, /* of texts; at most API_EVENTS_LIMIT of them */
};

struct ring;
struct stream;

/* Calls `each` for up to `limit` events after this id, as store_each_event does. */
typedef int ring_source(void *arg, int64_t after, int limit,
			void (*each)(void *arg, const struct event *event),
			void *each_arg, struct err *err);

/* Reads nothing before the first watcher does. */
struct ring *stream_ring_new(ring_source *source, void *arg);

/* After all its streams. */
void stream_ring_free(struct ring *ring);

/*
 * A watcher who has seen the events up to `after`, or STREAM_FROM_NOW.  `last` is
 * the last event of the record now; who is further behind it than API_EVENTS_LIMIT,
 * or before it, is told to start anew (`resync`).  A comment comes when nothing
 * else has for `beat_ms`.
 */
struct stream *stream_new(struct ring *ring, int64_t after, int64_t last,
			  int64_t beat_ms, struct mono now);
void stream_free(struct stream *stream);

/*
 * Writes what comes next into `room`, as much as fits, and returns how many bytes
 * that are: 0 if there is nothing until stream_rest_ms is over, or the record has
 * more than stream_seen.  Reads the store if the texts are not in the ring; -1 if
 * that fails.
 */
int64_t stream_read(struct stream *stream, int64_t last, struct mono now,
		    char *room, size_t room_bytes, struct err *err);

/* The last event that was written whole, or that a resync passed over. */
int64_t stream_seen(const struct stream *stream);

/* How long until the next comment is due; 0 if it is. */
int64_t stream_rest_ms(const struct stream *stream, struct mono now);

#endif
