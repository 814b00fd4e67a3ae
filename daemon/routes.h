/*
 * The HTTP API: a table of routes, each with its handler, and their replies.
 */
#ifndef POOLD_ROUTES_H
#define POOLD_ROUTES_H

#include "http.h"
#include "store.h"
#include "stream.h"
#include "supervisor.h"

struct routes {
	struct supervisor *supervisor;
	struct store *reader; /* for the HTTP thread alone */
	const char *server;
	int64_t stale_ms;  /* a snapshot older than this is not shown any more */
	struct ring *ring; /* for the HTTP thread alone */
	int64_t beat_ms;   /* of a stream that has nothing to say */
};

/* For http_setup: `arg` is a struct routes. */
bool routes_handle(void *arg, struct request *request, struct reply *reply);
void routes_finished(void *arg, void *slot);

#endif
