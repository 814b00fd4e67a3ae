/*
 * Brings servers where the operator wants them, and watches each until a verdict or an
 * end of patience: all at once, but for a drain's way from reserve over look to commit,
 * which one goes after the other, as each changes what the pool can spare.  What is
 * resumed and serves is then verified from outside.
 *
 * Nothing is printed here: who shows the progress reads the jobs between the steps.
 */
#ifndef POOLCTL_DRIVE_H
#define POOLCTL_DRIVE_H

#include "client.h"
#include "judge.h"
#include "outside.h"
#include "pool_config.h"
#include "problem.h"
#include "request.h"

/* What is asked of every server. */
struct order {
	struct aim aim;
	const struct pool_config *config;
	const char *owner, *reason;
	bool is_default_id; /* poolctl chose the id, and will choose the same again */
	bool is_all;        /* resume: whatever drains are active */
	int64_t timeout_ms; /* negative: none */

	/* Of a drain. */
	const struct terms *terms; /* one for each server */
	unsigned forced;           /* gates that may refuse, as a set */
	bool accepts_broken;       /* the gate about DNS is passed by that */
	int64_t lock_wait_ms;      /* for how long to wait for others' reservations */
};

enum step {
	STEP_BEGIN,   /* see what is there; decide what to ask */
	STEP_TURN,    /* a drain: wait until no other server of the order is on its way */
	STEP_RESERVE, /* the server is being reserved for it */
	STEP_LOOK,    /* all other members are being asked whether they serve */
	STEP_YIELD,   /* withdrawn; wait until the other's reservation is gone */
	STEP_ASK,     /* a change is being asked for: the commit of a drain, or its end */
	STEP_WATCH,   /* the change is acknowledged, or there was none to ask for */
	STEP_VERIFY,  /* a resume: it serves, and is tried from outside */
	STEP_WHY,     /* the drain is gone; see what ended it */
	STEP_DONE,
};

struct result {
	const char *word; /* "drained", "held", ... */
	int exit_status;
	char *message; /* what went otherwise than asked, or NULL */
};

/* One server on its way. */
struct job {
	const struct order *order;
	const struct pool_server *server;
	const struct terms *terms;
	enum step step;
	struct server_view *view; /* the newest, NULL before the first */
	bool is_current;          /* nothing was asked or failed since the view came */
	struct mono view_at, started_at, finished_at;
	bool was_there; /* it was where it should be before anything was asked */
	bool is_busy;   /* a request to the server is under way */

	char id[API_ID_BYTES]; /* of the drain that is being asked for, or ended */
	size_t asked_count;    /* changes that the server acknowledged */
	bool may_be_taken;     /* one was sent, and it is not known whether it arrived */
	char token[API_TOKEN_BYTES]; /* of the reservation that it has; "" if none */
	int lost_count;              /* reservations that did not last until the commit */
	struct mono reserved_at;     /* when its newest reservation was answered */
	struct look *look;           /* the newest, or NULL */
	bool is_looking;             /* at STEP_LOOK: it was sent */
	const struct pool_server *rival; /* whose reservation is in the way */
	struct mono rival_since;         /* since when one is */
	struct server_view *rival_view;  /* at STEP_YIELD: the newest, or NULL */

	struct mono retry_at; /* the next request is not before */
	/* Since when the server has not answered well, and why. */
	bool is_failing;
	struct mono failing_since;
	int64_t backoff_ms;
	struct problem problem;

	bool is_troubled;
	struct mono troubled_since;

	struct outside_server *outside; /* from STEP_VERIFY on; owned by the drive */

	struct result result; /* once the step is STEP_DONE */
};

struct drive;

/* The order, the servers and the client are the caller's and must outlive the drive. */
struct drive *drive_new(const struct order *order,
			const struct pool_server *const *servers, size_t count,
			struct client *client);

/* Withdraws what is reserved and was not committed; blocks for a second at most. */
void drive_free(struct drive *drive);

/* Works for at most a tenth of a second; false once all jobs are done. */
bool drive_step(struct drive *drive);

/* Ends all jobs that are not done: the operator does not want to watch any longer. */
void drive_interrupt(struct drive *drive);

const struct job *drive_jobs(const struct drive *drive, size_t *count);

/* The drain that the job is about, in its newest view; NULL if there is none. */
const struct drain_view *job_drain(const struct job *job);

/* True while somebody else's reservation is in its way; its problem says whose. */
bool job_is_held_up(const struct job *job);

/* For how long the job has been going on: a drain since it was created, else since
 * poolctl started. */
int64_t job_elapsed_ms(const struct job *job);

/* The status of all jobs together. */
int drive_exit_status(const struct drive *drive);

#endif
