/*
 * Whether a server is where the operator wants it: a pure function from the goal
 * and the server's view to an outcome.
 *
 * The view must come from a request that was sent after the last change was
 * acknowledged; then OUTCOME_REACHED is the truth.
 */
#ifndef POOLCTL_GOAL_H
#define POOLCTL_GOAL_H

#include "buf.h"
#include "api/server_view.h"

enum { GOAL_ATTENTION_MS = 5000 };

enum goal_kind {
	GOAL_OUT,     /* the drain is acknowledged: no new sessions */
	GOAL_DRAINED, /* and all that it covers is drained */
	GOAL_ENDED,   /* no drain is left */
	GOAL_RESUMED, /* and all services serve, as before the first drain */
	/* The server is drained, whoever asked for it; or those services, or all
	 * that the drain covers. */
	GOAL_SEEN_DRAINED,
	GOAL_SEEN_SERVING,
	GOAL__COUNT,
};

struct goal {
	enum goal_kind kind;
	const char *id;              /* of the drain that is asked for; or NULL */
	const char *const *services; /* that it must cover; none means all */
	size_t service_count;
};

enum goal_outcome {
	OUTCOME_NOT_YET,
	OUTCOME_REACHED,
	OUTCOME_CUT,       /* reached, but sessions were cut */
	OUTCOME_BACK,      /* reached, and the boot ended the drain, as asked */
	OUTCOME_GONE,      /* the drain ended; the view's `ended` says why, if it is
			      known */
	OUTCOME_NARROW,    /* the drain does not cover what was asked */
	OUTCOME_HELD,      /* other drains keep the server out */
	OUTCOME_ATTENTION, /* a service needs a person */
	OUTCOME__COUNT,
};

/* `attention_ms` is for how long goal_is_troubled has been true of all views. */
enum goal_outcome goal_evaluate(const struct goal *goal,
				const struct server_view *view,
				int64_t attention_ms);

/* True if a service that the goal is about has the phase attention. */
bool goal_is_troubled(const struct goal *goal, const struct server_view *view);

/* True if the drain is there already, and covers all that is asked. */
bool goal_is_covered(const struct goal *goal, const struct server_view *view);

/* True if, before anything was asked, the server was already where it should be. */
bool goal_was_there(const struct goal *goal, const struct server_view *view);

/* Adds what is to be said of the sessions although the goal is reached: that the
 * service accepted some while it was out, or ended many with the pause. */
void goal_add_notes(const struct goal *goal, const struct server_view *view,
		    struct buf *text);

/* How many sessions were cut of the services that the goal is about. */
int64_t goal_cut(const struct goal *goal, const struct server_view *view);

/* Adds to `text` why the outcome is neither NOT_YET nor REACHED; for OUTCOME_BACK,
 * what became of the drain; for OUTCOME_REACHED, as goal_add_notes. */
void goal_explain(const struct goal *goal, const struct server_view *view,
		  enum goal_outcome outcome, struct buf *text);

int goal_exit_status(enum goal_outcome outcome);

#endif
