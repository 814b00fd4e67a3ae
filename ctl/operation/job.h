/*
 * One server on its way through an operation.  Whoever shows the progress reads it.
 */
#ifndef POOLCTL_JOB_H
#define POOLCTL_JOB_H

#include "api/exchange.h"
#include "backoff.h"
#include "buf.h"
#include "operation/order.h"
#include "operation/step.h"

struct admission_check;
struct resume_check_server;

struct job_result {
	const char *word; /* "drained", "held", ... */
	int exit_status;
	char *message; /* what went otherwise than asked, or NULL */
};

struct job {
	const struct order *order;
	const struct pool_server *server;
	const struct drain_options *drain_options;
	struct drain_options
		kept;   /* of the drain that is there, and is asked for again */
	char *reason;   /* with it; NULL: the order's */
	enum step step; /* set by job_go alone */
	struct exchange exchange;
	bool is_busy; /* something was sent, and not all replies are there */
	struct server_view *view; /* the newest, NULL before the first */
	bool is_current; /* nothing was asked or failed since the view came */
	int doubt_count; /* replies in a row that may have been old */
	/* How old its drain was when it was first seen, by the server's clock,
	 * which may be set later. */
	bool has_drain_age;
	int64_t drain_age_ms;
	struct mono drain_seen_at;
	struct mono view_at, started_at, finished_at;
	bool was_there; /* it was where it should be before anything was asked */

	char id[API_ID_BYTES]; /* of the drain that is being asked for, or ended */
	size_t asked_count;    /* changes that the server acknowledged */
	bool may_be_taken; /* one was sent, and it is unknown whether it arrived */

	/* The admission of a drain. */
	char token[API_TOKEN_BYTES]; /* of the reservation that it has; "" if none
				      */
	int lost_count;              /* reservations that ended before the commit */
	int unanswered_count;        /* checks that were made again */
	struct mono reserved_at;     /* when its newest reservation came */
	struct admission_check *check; /* the newest, or NULL */
	struct exchange rival;   /* with the server whose reservation is in the
				    way; without a server: there is none */
	struct mono rival_since; /* since when one is */
	struct server_view *rival_view; /* at STEP_YIELD: the newest, or NULL */

	struct mono retry_at; /* the next request is not before */
	/* The server has not answered well since then, as the problem says. */
	bool is_failing;
	struct mono failing_since;
	struct backoff backoff;
	struct problem problem;

	bool has_said_idle; /* that nothing drains what is waited for */
	bool is_troubled;   /* a service needs a person */
	struct mono troubled_since;

	struct resume_check_server *resume_check; /* from STEP_VERIFY on, or NULL;
						     the operation's */

	struct mono answered_at; /* for the first time; 0: not yet */
	struct buf notes; /* lines: what it changes that was somebody's wish */
	struct job_result result; /* once the step is STEP_DONE */
};

/* Leads to another step, which must be one that the table of steps has. */
void job_go(struct job *job, enum step step);

bool job_is_drain(const struct job *job);
bool job_is_resume(const struct job *job);
bool job_is_wait(const struct job *job);

/* Nothing is left to ask for, or the server has acknowledged a change. */
bool job_is_under_way(const struct job *job);

/* The drain that the job waits for, in its newest view; NULL if there is none. */
const struct drain_view *job_drain(const struct job *job);

/* True while somebody else's reservation is in its way; its problem says whose. */
bool job_is_held_up(const struct job *job);

/* For how long the job has been going on: a drain since it was created, else since
 * poolctl started. */
int64_t job_elapsed_ms(const struct job *job);

/* After a problem that may be over in a moment: tries again soon, or, once the
 * step's patience is over, returns false. */
bool job_try_again(struct job *job);

/* The server answered well: patience begins anew. */
void job_renew_patience(struct job *job);

#endif
