/*
 * A snapshot, which is all that readers of the API see: the status at one moment,
 * as finished texts.  The metrics become a text when a client asks for them.
 *
 * The supervisor publishes a snapshot, which never changes afterwards, so threads
 * may share it.  The last one is kept, and an older one for as long as somebody
 * uses it.
 */
#ifndef POOLD_SNAPSHOT_H
#define POOLD_SNAPSHOT_H

#include "clock.h"
#include "http/metrics.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Owns its texts and its metrics. */
struct snapshot {
	int64_t index;      /* grows whenever anything but `time` changed */
	int64_t last_event; /* of the record */
	char etag[64];
	char *server; /* body of GET /v1/server */
	size_t server_length;
	char *drains;   /* body of GET /v1/drains */
	char *reserved; /* a drain that is only reserved, or NULL */
	struct metrics *metrics;
	bool is_serving; /* every service serves */
	struct mono at;  /* of the oldest look at a service in it */

	struct snapshot_shelf *shelf;
	int references;
};

/* Where the last one is; it must outlive them all. */
struct snapshot_shelf {
	pthread_mutex_t lock;
	struct snapshot *last;
};

void snapshot_shelf_init(struct snapshot_shelf *shelf);
void snapshot_shelf_done(struct snapshot_shelf *shelf);

/* Takes over a snapshot from the heap, which is the last one from now on. */
void snapshot_publish(struct snapshot_shelf *shelf, struct snapshot *fresh);

/* The last one, to be given back with snapshot_release; NULL before the first. */
struct snapshot *snapshot_take(struct snapshot_shelf *shelf);
void snapshot_release(struct snapshot *snapshot);

#endif
