/*
 * The steps of a drain, resume or wait, as one table: what each asks, where a reply
 * leads, how long a failure is tolerated, and what is true if the operation ends
 * there.
 *
 * Pure.  docs/operation.md has the table as `poolctl --dump-operation` prints it.
 */
#ifndef POOLCTL_STEP_H
#define POOLCTL_STEP_H

#include "api/request.h"

#include <stdbool.h>
#include <stdio.h>

enum step {
	STEP_BEGIN,   /* read the server's state; decide what to ask for */
	STEP_TURN,    /* a drain: wait while another server of the command is on its
			 way */
	STEP_RESERVE, /* reserve the server */
	STEP_CHECK,   /* ask all other members whether the pool can spare it */
	STEP_YIELD,  /* the reservation was given up; wait until the other's is gone
		      */
	STEP_COMMIT, /* ask for the drain */
	STEP_END,    /* a resume: ask for the end of a drain */
	STEP_WATCH,  /* the change is acknowledged, or there was none to ask for */
	STEP_VERIFY, /* a resume: the server serves; try it from outside */
	STEP_WHY,    /* the drain is gone; ask what ended it */
	STEP_DONE,
	STEP__COUNT
};

/* How long a server may fail to answer well.  Each is as long as STEP_PATIENCE_LONG
 * for a `wait`, and once the server has acknowledged a change. */
enum step_patience {
	STEP_PATIENCE_NONE, /* nothing is sent to the server, or only once */
	STEP_PATIENCE_READ, /* only if the server says that it may go better soon */
	STEP_PATIENCE_WRITE, /* also if it may have received the request */
	STEP_PATIENCE_LONG,
	STEP_PATIENCE_LOCK, /* that of --lock-wait */
	STEP_PATIENCE__COUNT
};

/* What is true of the server if the operation ends at the step. */
enum step_effect {
	STEP_EFFECT_NOTHING,    /* nothing was changed */
	STEP_EFFECT_GOES_ON,    /* what was asked for goes on without poolctl */
	STEP_EFFECT_UNKNOWN,    /* the server may have accepted the request */
	STEP_EFFECT_UNVERIFIED, /* it serves, but was not tried from outside */
	STEP_EFFECT__COUNT
};

/* Drains of one command reserve their servers one after the other. */
enum step_turn { STEP_TURN_NONE, STEP_TURN_COMES, STEP_TURN_IS, STEP_TURN__COUNT };

struct step_info {
	const char *name, *what;
	enum request_kind request; /* REQUEST__COUNT: none */
	const char *whom;          /* whom it asks */
	unsigned good, problem;    /* 1 << STEP_WATCH: a reply may lead there */
	enum step_patience patience;
	enum step_effect effect;
	enum step_turn turn;
	bool gives_back;       /* a reservation is given up */
	const char *waits_for; /* why it is not over, or NULL: the server says it */
};

const struct step_info *step_info(enum step step);

/* True if the table leads from the one step to the other; any step leads to
 * STEP_DONE. */
bool step_may_follow(enum step from, enum step to);

/* Prints the table as Markdown. */
void step_print(FILE *out);

#endif
