/*
 * The HTTP API: a table of routes, each with its handler, and their replies.
 */
#ifndef POOLD_ROUTES_H
#define POOLD_ROUTES_H

#include "http/caller_check.h"
#include "http/host_names.h"
#include "http/http.h"
#include "http/snapshot.h"
#include "http/stream.h"
#include "http/task_queue.h"
#include "store/store.h"

#include <stdio.h>

struct routes {
	const char *server;
	const struct host_names *names;
	struct caller_check check; /* for the HTTP thread alone */
	struct task_queue *tasks;
	struct snapshot_shelf *snapshots;
	int64_t stale_ms;     /* a snapshot older than this is not shown any more */
	struct store *reader; /* for the HTTP thread alone */
	struct ring *ring;    /* for the HTTP thread alone */
	int64_t beat_ms;      /* of a stream that has nothing to say */
};

/* Prints each route with the role that it needs: "GET /v1/server viewer". */
void routes_print(FILE *out);

/* For http_setup: `arg` is a struct routes. */
/* For http_setup.knows. */
bool routes_know(void *arg, const struct request *request);
bool routes_handle(void *arg, struct request *request, struct reply *reply);
void routes_finished(void *arg, void *slot);

#endif
