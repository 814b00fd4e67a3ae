/*
 * Decides what poold does next about one service, and what it may say of it.
 *
 * A pure function over a table, called after every change and on every tick.  Each action
 * may be repeated, so a crash at any point only repeats one.  docs/states.md is printed
 * from the table by `poold --dump-states`.
 */
#ifndef POOLD_RECONCILE_H
#define POOLD_RECONCILE_H

#include "api.h"

#include <stdio.h>

/* The startup type (and the delayed-auto-start flag), against what it should be now: the
 * one that holds a drained service, or what was saved.  Right while nothing is saved. */
enum startup { STARTUP_WRONG, STARTUP_RIGHT, STARTUP__COUNT };

/* The run state from before the first drain. */
enum saved_state { SAVED_NONE, SAVED_RUNNING, SAVED_PAUSED, SAVED_STOPPED, SAVED__COUNT };

/* What came of the last control, or of a pending state. */
enum answer {
	ANSWER_NONE,    /* nothing is awaited */
	ANSWER_AWAITED, /* a control was sent, or a state is pending, and there is still
			   time */
	ANSWER_LATE,    /* it took longer than the service's own wait hint */
	ANSWER_REFUSED, /* the service does not take the control */
	ANSWER_FAILED,  /* the SCM failed or denied */
	ANSWER__COUNT,
};

enum tally {
	TALLY_UNKNOWN, /* a session source cannot say */
	TALLY_SOME,
	TALLY_ZERO,    /* none now, but not for the whole settle time */
	TALLY_SETTLED, /* none for the whole settle time */
	TALLY_TAKEN,   /* a new one was taken on trial: what is counted may grow */
	TALLY__COUNT,
};

enum action {
	ACT_NONE,
	ACT_WAIT, /* look again soon */
	ACT_SAVE, /* write down what the service is, before anything is changed */
	ACT_SET_STARTUP,
	ACT_PAUSE,
	ACT_STOP, /* ends sessions: only after a deadline at which that was asked for */
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
	enum answer answer;
	enum tally tally;
	bool may_cut;        /* a deadline is over at which it is to be stopped */
	bool is_coming_back; /* somebody keeps changing what poold holds */
};

struct decision {
	enum action action;
	enum phase phase;
	const char *message; /* for people, without a full stop; constant */
};

struct decision reconcile_next(const struct situation *situation);

/* True if a service in this state takes no new session. */
bool reconcile_is_out(enum service_state state);

const char *action_name(enum action action);

/* Prints the table as docs/states.md shows it. */
void reconcile_print(FILE *out);

#endif
