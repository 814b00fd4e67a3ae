/*
 * A call to the SCM that may block for long, on a thread of its own.
 *
 * The thread owns nothing that others use: it makes the one call, leaves the result
 * here, and tells of it.
 */
#ifndef POOLD_SCM_CALL_H
#define POOLD_SCM_CALL_H

#include "scm/scm.h"

struct scm_call;

struct scm_call_order {
	struct scm *scm; /* outlives the call, also one that was left behind */
	const char *service;
	int (*make)(struct scm *scm, const char *service, struct err *err);
	/* Called on the thread once the call is over, but for one that was left
	 * behind; must not block. */
	void (*returned)(void *arg);
	void *arg;
};

/* Begins the call; NULL if there is no thread for it, and nothing was done. */
struct scm_call *scm_call_begin(const struct scm_call_order *order);

/* Waits until it is over, at most so long; true if it is. */
bool scm_call_wait(struct scm_call *call, int64_t ms);

/* Ends one that is over: what it returned, with its error.  Frees the call. */
int scm_call_end(struct scm_call *call, struct err *err);

/* One that is not over is left behind on purpose, as nothing can end it: it uses
 * the SCM until it returns.  True if that is so.  Else as scm_call_end; NULL is
 * fine. */
bool scm_call_leave(struct scm_call *call);

#endif
