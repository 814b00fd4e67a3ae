/*
 * Whether a server is where the operator wants it: a pure function from what is asked and
 * what the server says to a verdict.
 *
 * The view must come from a request that was sent after the last change was acknowledged;
 * then VERDICT_REACHED is the truth.
 */
#ifndef POOLCTL_JUDGE_H
#define POOLCTL_JUDGE_H

#include "buf.h"
#include "server_view.h"

enum { JUDGE_ATTENTION_MS = 5000 };

enum goal {
	GOAL_OUT,          /* the drain is acknowledged: no new sessions */
	GOAL_DRAINED,      /* and all that it covers is drained */
	GOAL_ENDED,        /* no drain is left */
	GOAL_RESUMED,      /* and all services serve, as before the first drain */
	GOAL_SEEN_DRAINED, /* the server is drained, whoever asked for it */
	GOAL_SEEN_SERVING,
	GOAL__COUNT,
};

struct aim {
	enum goal goal;
	const char *id;              /* of the drain that is asked for */
	const char *const *services; /* that it must cover; none means all */
	size_t service_count;
};

enum verdict {
	VERDICT_NOT_YET,
	VERDICT_REACHED,
	VERDICT_CUT,    /* reached, but sessions were cut */
	VERDICT_BACK,   /* reached, and the boot ended the drain, as asked */
	VERDICT_GONE,   /* the drain ended; the view's `ended` says why, if it is known */
	VERDICT_NARROW, /* the drain does not cover what was asked */
	VERDICT_HELD,   /* other drains keep the server out */
	VERDICT_ATTENTION, /* a service needs a person */
	VERDICT__COUNT,
};

/* `attention_ms` is for how long judge_is_troubled has been true of all views. */
enum verdict judge(const struct aim *aim, const struct server_view *view,
		   int64_t attention_ms);

/* True if a service that the aim is about has the phase attention. */
bool judge_is_troubled(const struct aim *aim, const struct server_view *view);

/* True if the drain is there already, and covers all that is asked. */
bool judge_is_covered(const struct aim *aim, const struct server_view *view);

/* True if, before anything was asked, the server was already where it should be. */
bool judge_was_there(const struct aim *aim, const struct server_view *view);

/* Adds to `text` why a verdict other than NOT_YET and REACHED was given.  That of
 * VERDICT_BACK is what became of the drain. */
void judge_explain(const struct aim *aim, const struct server_view *view,
		   enum verdict verdict, struct buf *text);

int judge_exit_status(enum verdict verdict);

#endif
