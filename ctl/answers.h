/*
 * What servers answer to a preflight: whether a drain could work, what it would change,
 * and how long it would take.
 */
#ifndef POOLCTL_ANSWERS_H
#define POOLCTL_ANSWERS_H

#include "problem.h"
#include "request.h"
#include "targets.h"

#include <jansson.h>

/* Of one server: a document, or a problem. */
struct answer {
	const struct pool_server *server;
	int64_t deadline_s; /* that was asked about; 0: none */
	json_t *document;   /* checked by answers_check; NULL: there is a problem */
	struct problem problem;
	bool is_over; /* it has answered, or has not in its time */
};

/* Asks one server for a drain of these services (none: all).  `answer` is filled while
 * the client is run, and must live until then; its document is the caller's. */
void answers_send(struct answer *answer, const struct pool_server *server,
		  const struct terms *terms, const char *const *services, size_t count,
		  int64_t timeout_ms, struct client *client);

/* Asks each of the targets for a drain of these services (none: all); `terms` has one for
 * each target.  Blocks until all have answered, or have not within that
 * time.  To be freed with answers_free. */
struct answer *answers_ask(const struct targets *targets, const struct terms *terms,
			   const char *const *services, size_t count, int64_t timeout_ms,
			   struct client *client);
void answers_free(struct answer *answers, size_t count);

/* Fails with ERR_BAD_REPLY, which names what is wrong, if it is not the document of a
 * preflight, or with ERR_CONFIG if it is another server's. */
int answers_check(const char *server, const json_t *document, struct err *err);

bool answers_is_possible(const json_t *document);

/* Adds "RTCSRV paused, 3 sessions" for each service if all of them are out already;
 * returns false, and adds nothing, if one is not. */
bool answers_tell_out(const json_t *document, struct buf *text);

/* What is said of the time that it would take. */
enum fit {
	FIT_NO_DEADLINE,  /* there is nothing to fit into */
	FIT_YES,          /* nine in ten, or better */
	FIT_NOT_POSSIBLE, /* there is no drain that could fit */
	FIT_NO,
	FIT_NOT_KNOWN,
	FIT__COUNT
};

enum fit answers_fit(const json_t *document, bool has_deadline);
const char *answers_fit_name(enum fit fit);

/* For a drain that is possible: adds "about 11m00s, 9 in 10 within 25m00s", and of a
 * deadline that there is whether it fits; or that it is not known, and why. */
void answers_explain(const json_t *document, struct buf *text);

#endif
