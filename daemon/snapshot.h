/*
 * What readers of the API see: everything that was known at one moment, as finished
 * texts; the metrics become one when they are asked for.
 *
 * A snapshot never changes after it was published, so threads may share it.
 */
#ifndef POOLD_SNAPSHOT_H
#define POOLD_SNAPSHOT_H

#include "clock.h"
#include "metrics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
	struct mono at;  /* when the supervisor last looked */
	int references;  /* kept by supervisor.c */
};

#endif
