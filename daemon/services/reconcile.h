/*
 * Decides what poold does next about one service, and what it may say of it.
 *
 * A pure function over a table, called after every change and on every tick.  Each
 * action may be repeated, so a crash at any point only repeats one.  docs/states.md
 * is printed from the table by `poold --dump-states`.
 */
#ifndef POOLD_RECONCILE_H
#define POOLD_RECONCILE_H

#include "api.h"
#include "sessions/progress.h"

#include <stdio.h>

/* The startup type (and the delayed-auto-start flag), against what it should be
 * now: the one that holds a drained service, or what was saved.  Right while
 * nothing is saved. */
enum startup {
	STARTUP_WRONG,
	STARTUP_RIGHT,
	STARTUP_AGAIN,  /* wrong; it could not be set, and is to be tried again now
			 */
	STARTUP_FAILED, /* wrong; it could not be set, and is tried again later */
	STARTUP__COUNT,
};

/* The run state from before the first drain. */
enum saved_state {
	SAVED_NONE,
	SAVED_RUNNING,
	SAVED_PAUSED,
	SAVED_STOPPED,
	SAVED__COUNT
};

/* The outcome of the last control, or of a pending state. */
enum control_outcome {
	CONTROL_NONE,    /* nothing is awaited */
	CONTROL_AWAITED, /* a control was sent, or a state is pending, and there is
			   still time */
	CONTROL_LATE,    /* it took longer than the service's own wait hint */
	CONTROL_REFUSED, /* the service does not take the control */
	CONTROL_FAILED,  /* the SCM failed or denied */
	CONTROL__COUNT,
};

enum action {
	ACT_NONE,
	ACT_WAIT, /* observe it again soon */
	ACT_SAVE, /* write down what the service is, before anything is changed */
	ACT_SET_STARTUP,
	ACT_PAUSE,
	ACT_STOP, /* ends sessions: only after a deadline at which that was asked
		     for */
	ACT_RESTORE_STARTUP,
	ACT_CONTINUE,
	ACT_START,
	ACT_FORGET, /* everything is back: drop what was saved */
	ACT__COUNT,
};

struct situation {
	enum want want;
	enum service_state state;
	bool accepts_pause;
	enum startup startup;
	enum saved_state saved;
	enum control_outcome control;
	enum tally tally;
	bool may_cut; /* a deadline has passed at which it is to be stopped */
	bool is_coming_back;  /* somebody keeps changing what poold holds */
	bool is_server_empty; /* no service of the server is installed */
	bool is_start_due;    /* Windows has yet to start it in this boot */
};

struct decision {
	enum action action;
	enum phase phase;
	const char *message; /* for people, without a full stop; constant */
};

struct decision reconcile_next(const struct situation *situation);

/* True if a service in this state takes no new session. */
bool reconcile_is_out(enum service_state state);

const char *reconcile_action_name(enum action action);

/* Prints the table as docs/states.md shows it. */
void reconcile_print(FILE *out);

#endif
