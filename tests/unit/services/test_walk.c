/*
 * The whole loop of one service, walked exhaustively: from every start, with
 * everything that a service, the SCM, the store, an administrator and poold's own
 * end may do at every step, until no new state is found.
 *
 * Table and memory of controls are poold's own; the rest is a model of the
 * controller that is small enough to be visited whole.
 */
#include "services/control_attempt.h"
#include "mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS_LIMIT = 40, MODEL_BITS = 32, SECOND_MS = 1000, HOUR_MS = 3600000 };

/* What matters of everything, in few bits. */
struct model {
	unsigned state : 3; /* enum service_state, up to missing */
	unsigned is_blind : 1;
	unsigned is_optional : 1;
	unsigned type : 2; /* in `types` */
	unsigned accepts_pause : 1;
	unsigned saved : 2;
	unsigned saved_type : 2;
	unsigned wanted : 3; /* in `wants` */
	unsigned asked : 4;
	unsigned outcome : 3;
	unsigned is_late : 1;         /* what was asked had no effect for long */
	unsigned is_pending_late : 1; /* the state in motion, or being gone, lasts
					 long */
	unsigned is_pause_due : 1;    /* a pause that was sent may still arrive */
	unsigned tally : 3;
	unsigned is_coming_back : 1;
	unsigned startup : 2; /* 0, or it could not be set: enum startup */
	unsigned is_held : 1; /* the startup type that poold set is remembered */
};

static const struct {
	enum want want;
	bool leaves_startup, may_cut;
} wants[] = {
	{WANT_SERVING, true, false}, {WANT_DRAINED, false, false},
	{WANT_DRAINED, false, true}, {WANT_DRAINED, true, false},
	{WANT_DRAINED, true, true},
};

enum { WANTS = sizeof(wants) / sizeof(wants[0]) };

enum { AUTOMATIC, MANUAL, DISABLED, TYPES };

/* What comes of an action. */
enum result {
	RESULT_DONE,
	RESULT_MOVING, /* the service is on its way */
	RESULT_IGNORED,
	RESULT_DONE_AND_FAILED, /* it worked, and the SCM says that it failed */
	RESULT_FAILED,
	RESULT_REFUSED,
	RESULT_NOT_NOW,
	RESULT__COUNT,
};

/* Every moment is this one; what is long ago is before it. */
static const struct mono now = {INT64_C(100) * HOUR_MS};

/* ---- the model of the controller ---- */

static enum want want_of(struct model m)
{
	return wants[m.wanted].want;
}

static enum service_state seen(struct model m)
{
	if (m.is_blind)
		return STATE_UNKNOWN;
	return m.state == STATE_MISSING && m.is_optional && m.saved == SAVED_NONE
		       ? STATE_ABSENT
		       : (enum service_state)m.state;
}

static unsigned wanted_type(struct model m)
{
	bool is_held = want_of(m) == WANT_DRAINED &&
		       !wants[m.wanted].leaves_startup && m.saved_type != DISABLED;

	return is_held ? MANUAL : m.saved_type;
}

/* Left alone but for what poold set itself; what is disabled is out as well. */
static bool is_right(struct model m)
{
	bool is_drained = want_of(m) == WANT_DRAINED;

	if (m.saved == SAVED_NONE || m.type == wanted_type(m))
		return true;
	if (is_drained && wants[m.wanted].leaves_startup)
		return !(m.type == MANUAL && m.saved_type == AUTOMATIC &&
			 m.is_held);
	return is_drained && m.type == DISABLED;
}

static enum startup startup_of(struct model m)
{
	if (is_right(m))
		return STARTUP_RIGHT;
	return m.startup ? (enum startup)m.startup : STARTUP_WRONG;
}

static enum saved_state saved_of(struct model m)
{
	bool is_unstartable = m.saved != SAVED_NONE && m.saved_type == DISABLED &&
			      m.state == STATE_STOPPED;

	return is_unstartable ? SAVED_STOPPED : (enum saved_state)m.saved;
}

static struct control_attempt control_attempt_of(struct model m)
{
	const struct mono long_ago = {now.ms - HOUR_MS},
			  before = {now.ms - SECOND_MS};

	return (struct control_attempt){
		.asked = (enum action)m.asked,
		.asked_at = m.is_late ? long_ago : before,
		.outcome = (enum control_outcome)m.outcome,
		.retry.ms = SECOND_MS,
		.is_pause_sent = m.is_pause_due,
		.pause_sent_at = before,
		.pending_since = m.is_pending_late ? long_ago : before,
	};
}

static bool is_long_ago(struct mono then)
{
	return clock_since(then, now) > HOUR_MS / 2;
}

/* Takes in what is remembered, and drops what makes no difference. */
static struct model remember(struct model m, const struct control_attempt *attempt)
{
	bool is_asked = attempt->asked != ACT_NONE;

	m.asked = attempt->asked;
	m.outcome = is_asked ? attempt->outcome : CONTROL_NONE;
	m.is_late = is_asked && is_long_ago(attempt->asked_at);
	m.is_pause_due = attempt->is_pause_sent;
	m.is_pending_late =
		(control_attempt_is_pending(seen(m)) || m.state == STATE_MISSING) &&
		is_long_ago(attempt->pending_since);
	if (!reconcile_is_out(seen(m)))
		m.tally = TALLY_UNKNOWN;
	if (m.saved == SAVED_NONE)
		m.saved_type = m.is_held = 0;
	if (is_right(m) && !m.is_blind)
		m.startup = 0;
	return m;
}

static struct model look(struct model m, enum service_state before)
{
	struct control_attempt attempt = control_attempt_of(m);

	control_attempt_looked(&attempt, before, seen(m), 0, now);
	return remember(m, &attempt);
}

static struct decision decide(struct model m)
{
	struct control_attempt attempt = control_attempt_of(m);

	return reconcile_next(&(struct situation){
		.want = want_of(m),
		.state = seen(m),
		.accepts_pause = m.accepts_pause,
		.startup = startup_of(m),
		.saved = saved_of(m),
		.control = control_attempt_result(&attempt, want_of(m), seen(m), 0,
						  now),
		.tally = (enum tally)m.tally,
		.may_cut = wants[m.wanted].may_cut,
		.is_coming_back = m.is_coming_back,
	});
}

/* ---- what may happen ---- */

static enum service_state lasting(enum service_state state)
{
	switch (state) {
	case STATE_START_PENDING:
	case STATE_CONTINUE_PENDING:
		return STATE_RUNNING;
	case STATE_PAUSE_PENDING:
		return STATE_PAUSED;
	case STATE_STOP_PENDING:
		return STATE_STOPPED;
	default:
		return state;
	}
}

static const struct {
	enum service_state at_once, moving;
} effects[ACT__COUNT] = {
	[ACT_PAUSE] = {STATE_PAUSED, STATE_PAUSE_PENDING},
	[ACT_STOP] = {STATE_STOPPED, STATE_STOP_PENDING},
	[ACT_CONTINUE] = {STATE_RUNNING, STATE_CONTINUE_PENDING},
	[ACT_START] = {STATE_RUNNING, STATE_START_PENDING},
};

static bool is_on_state(enum action action)
{
	return action == ACT_PAUSE || action == ACT_STOP ||
	       action == ACT_CONTINUE || action == ACT_START;
}

static bool is_on_startup(enum action action)
{
	return action == ACT_SET_STARTUP || action == ACT_RESTORE_STARTUP;
}

static void have_effect(struct model *m, enum action action, enum result result)
{
	if (is_on_state(action))
		m->state = result == RESULT_MOVING ? effects[action].moving
						   : effects[action].at_once;
	if (is_on_startup(action)) {
		m->type = wanted_type(*m) & 3;
		m->is_held = m->type == MANUAL && want_of(*m) == WANT_DRAINED;
	}
	if (action == ACT_SAVE) {
		enum service_state end = lasting((enum service_state)m->state);

		m->saved_type = m->type;
		m->saved = end == STATE_RUNNING  ? SAVED_RUNNING
			   : end == STATE_PAUSED ? SAVED_PAUSED
						 : SAVED_STOPPED;
	}
	if (action == ACT_FORGET)
		m->saved = SAVED_NONE;
}

static bool can_result(struct model m, enum action action, enum result result)
{
	if (action == ACT_SAVE || action == ACT_FORGET)
		return result == RESULT_DONE || result == RESULT_FAILED;
	if (action == ACT_START && m.type == DISABLED)
		return result == RESULT_FAILED;
	return is_on_state(action) || result != RESULT_MOVING;
}

/* What is taken and has no effect has failed too. */
static struct model set_startup(struct model m, enum action action,
				enum result result)
{
	if (result == RESULT_DONE || result == RESULT_DONE_AND_FAILED)
		have_effect(&m, action, result);
	m.startup = result == RESULT_DONE || result == RESULT_NOT_NOW
			    ? 0
			    : STARTUP_FAILED;
	return look(m, seen(m));
}

static struct model act(struct model m, enum action action, enum result result)
{
	static const enum err_code codes[RESULT__COUNT] = {
		[RESULT_DONE_AND_FAILED] = ERR_SCM_FAILED,
		[RESULT_FAILED] = ERR_SCM_FAILED,
		[RESULT_REFUSED] = ERR_SCM_REFUSED,
		[RESULT_NOT_NOW] = ERR_SCM_NOT_NOW,
	};
	struct control_attempt attempt = control_attempt_of(m);
	enum service_state before = seen(m);
	const struct err err = {.code = codes[result]};

	if (is_on_startup(action))
		return set_startup(m, action, result);
	if (result <= RESULT_DONE_AND_FAILED && result != RESULT_IGNORED)
		have_effect(&m, action, result);
	if (err.code)
		(void)control_attempt_failed(&attempt, action, &err, now);
	else
		control_attempt_done(&attempt, action, now);
	return look(remember(m, &attempt), before);
}

static struct model turn(struct model m, unsigned wanted)
{
	struct control_attempt attempt = control_attempt_of(m);

	if (wants[wanted].want != want_of(m)) {
		control_attempt_turn(&attempt);
		m.tally = TALLY_UNKNOWN;
		m.startup = 0;
	}
	m.wanted = wanted;
	return remember(m, &attempt);
}

/* Another poold knows only what was saved. */
static struct model restart(struct model m)
{
	struct control_attempt attempt = {0};

	m.tally = TALLY_UNKNOWN;
	m.is_coming_back = false;
	m.startup = 0;
	if (m.saved != SAVED_NONE)
		control_attempt_expect_pause(&attempt, now);
	return look(remember(m, &attempt), STATE_UNKNOWN);
}

/* ---- the states that were found ---- */

static struct {
	unsigned char *is_known; /* a bit for each state */
	uint32_t *states;        /* in the order in which they were found */
	size_t count, room;
	long long transitions;
} found;

static uint32_t number_of(struct model m)
{
	return (uint32_t)(m.state | m.is_blind << 3 | m.is_optional << 4 |
			  m.type << 5 | m.accepts_pause << 7 | m.saved << 8 |
			  m.saved_type << 10 | m.wanted << 12 | m.asked << 15 |
			  m.outcome << 19 | m.is_late << 22 |
			  m.is_pending_late << 23 | m.is_pause_due << 24 |
			  m.tally << 25 | m.is_coming_back << 28 | m.startup << 29 |
			  (uint32_t)m.is_held << 31);
}

static struct model model_of(uint32_t number)
{
	return (struct model){
		.state = number & 7,
		.is_blind = number >> 3 & 1,
		.is_optional = number >> 4 & 1,
		.type = number >> 5 & 3,
		.accepts_pause = number >> 7 & 1,
		.saved = number >> 8 & 3,
		.saved_type = number >> 10 & 3,
		.wanted = number >> 12 & 7,
		.asked = number >> 15 & 15,
		.outcome = number >> 19 & 7,
		.is_late = number >> 22 & 1,
		.is_pending_late = number >> 23 & 1,
		.is_pause_due = number >> 24 & 1,
		.tally = number >> 25 & 7,
		.is_coming_back = number >> 28 & 1,
		.startup = number >> 29 & 3,
		.is_held = number >> 31,
	};
}

static void find(struct model m)
{
	uint32_t number = number_of(m);
	unsigned char bit = (unsigned char)(1u << number % 8);

	found.transitions++;
	if (found.is_known[number / 8] & bit)
		return;
	found.is_known[number / 8] |= bit;
	if (found.count == found.room) {
		found.room = found.room ? found.room * 2 : 1024;
		found.states =
			xrealloc(found.states, found.room * sizeof(*found.states));
	}
	found.states[found.count++] = number;
}

/* The service, whoever changes it, or the SCM. */
static void find_changes(struct model m)
{
	enum service_state before = seen(m);
	struct model next;

	for (unsigned state = 0; state <= STATE_MISSING; state++) {
		next = m;
		next.state = state & 7;
		find(look(next, before));
	}
	for (unsigned type = 0; type < TYPES && m.state != STATE_MISSING; type++) {
		next = m;
		next.type = type & 3;
		find(next);
	}
	next = m;
	next.is_blind = !m.is_blind;
	find(look(next, before));
	next = m;
	next.accepts_pause = !m.accepts_pause;
	find(next);
	for (unsigned tally = 0; tally < TALLY__COUNT && reconcile_is_out(before);
	     tally++) {
		next = m;
		next.tally = tally & 7;
		find(next);
	}
}

/* Time, wishes, and poold's own end. */
static void find_turns(struct model m)
{
	struct model next = m;

	next.is_late = m.asked != ACT_NONE;
	find(next);
	next = m;
	next.is_pending_late =
		control_attempt_is_pending(seen(m)) || m.state == STATE_MISSING;
	find(next);
	next = m;
	next.is_pause_due = false;
	find(next);
	next = m;
	if (m.startup)
		next.startup = STARTUP_AGAIN;
	find(next);
	next = m;
	next.is_coming_back = !m.is_coming_back && m.saved != SAVED_NONE &&
			      want_of(m) == WANT_DRAINED;
	find(next);
	for (unsigned wanted = 0; wanted < WANTS; wanted++)
		find(turn(m, wanted));
	find(restart(m));
}

static void find_all(void)
{
	found.is_known = xcalloc((size_t)1 << (MODEL_BITS - 3), 1);
	for (unsigned i = 0; i < 8 * 4 * 4; i++)
		if ((i >> 3 & 3) < TYPES)
			find((struct model){.state = i & 7,
					    .type = i >> 3 & 3,
					    .accepts_pause = i >> 5 & 1,
					    .is_optional = i >> 6 & 1});
	for (size_t i = 0; i < found.count; i++) {
		struct model m = model_of(found.states[i]);
		enum action action = decide(m).action;

		find_changes(m);
		find_turns(m);
		for (int result = 0; result < RESULT__COUNT; result++)
			if (action > ACT_WAIT &&
			    can_result(m, action, (enum result)result))
				find(act(m, action, (enum result)result));
	}
}

/* ---- what must hold in each ---- */

static void describe(struct model m)
{
	static const char *const type_names[TYPES] = {"automatic", "manual",
						      "disabled"};
	struct decision d = decide(m);

	print_message(
		"%s%s%s %s, accepts pause %d; saved %d %s; wanted %u; asked %s, "
		"outcome %d, late %d, pending late %d, pause due %d; tally %d, "
		"coming back %d, startup %d, held %d -> %s, %s: %s\n",
		api_service_states[(enum service_state)m.state],
		m.is_blind ? " blind" : "", m.is_optional ? " optional" : "",
		type_names[m.type], m.accepts_pause, m.saved,
		type_names[m.saved_type], m.wanted,
		reconcile_action_name((enum action)m.asked), m.outcome, m.is_late,
		m.is_pending_late, m.is_pause_due, m.tally, m.is_coming_back,
		m.startup, m.is_held, reconcile_action_name(d.action),
		api_phases[d.phase], d.message);
}

static void must(struct model m, bool holds, const char *what)
{
	if (holds)
		return;
	describe(m);
	fail_msg("%s", what);
}

/* What was found out about one that is gone is kept for a minute. */
static bool may_forget(struct model m)
{
	bool was_refused_by_the_disk =
		m.asked == ACT_FORGET && m.outcome == CONTROL_FAILED;

	if (m.state == STATE_MISSING)
		return m.is_pending_late || was_refused_by_the_disk;
	return m.type == m.saved_type &&
	       (saved_of(m) != SAVED_RUNNING || m.state == STATE_RUNNING);
}

static void check_action(struct model m, enum action action)
{
	bool is_out_wanted = want_of(m) == WANT_DRAINED;
	bool is_for_out = action == ACT_SAVE || action == ACT_SET_STARTUP ||
			  action == ACT_PAUSE || action == ACT_STOP;

	must(m, !m.is_blind, "nothing is done blindly");
	must(m, is_for_out == is_out_wanted, "it is done the wanted way");
	must(m, (action == ACT_SAVE) == (m.saved == SAVED_NONE),
	     "what it was is saved once, and before anything else");
	must(m, m.state != STATE_MISSING || action == ACT_FORGET,
	     "what is not there is not touched");
	if (action == ACT_FORGET)
		must(m, may_forget(m), "only what is back, or gone, is forgotten");
	if (is_on_state(action))
		must(m, is_right(m) || m.startup == STARTUP_FAILED,
		     "the startup type comes first, if it can be set");
	if (action == ACT_SAVE)
		must(m, !control_attempt_is_pending(seen(m)),
		     "a state in motion is not saved");
	if (action == ACT_PAUSE)
		must(m, m.accepts_pause && m.state == STATE_RUNNING,
		     "it can be paused");
	if (action == ACT_STOP)
		must(m, wants[m.wanted].may_cut,
		     "sessions are cut only if asked for");
	if (action == ACT_STOP)
		must(m,
		     m.state == STATE_PAUSED
			     ? m.tally <= TALLY_SOME || m.tally >= TALLY_TAKEN
			     : !m.accepts_pause,
		     "it is stopped only for sessions that do not end");
	if (action == ACT_START)
		must(m, m.saved == SAVED_RUNNING, "only what ran is started");
}

static void check_phase(struct model m, enum phase phase)
{
	bool is_absent = seen(m) == STATE_ABSENT;

	if (phase == PHASE_DRAINED && !is_absent)
		must(m,
		     want_of(m) == WANT_DRAINED && reconcile_is_out(seen(m)) &&
			     is_right(m) && m.tally == TALLY_SETTLED && m.saved,
		     "drained: out, held, settled and saved");
	if (phase == PHASE_SERVING && !is_absent)
		must(m,
		     want_of(m) == WANT_SERVING && seen(m) == STATE_RUNNING &&
			     !m.saved,
		     "serving: it runs and nothing is to be put back");
}

static void the_promises_hold_in_every_state(void **state)
{
	(void)state;
	for (size_t i = 0; i < found.count; i++) {
		struct model m = model_of(found.states[i]);
		struct decision decision = decide(m);

		if (decision.action > ACT_WAIT)
			check_action(m, decision.action);
		check_phase(m, decision.phase);
	}
	print_message("%zu states, %lld transitions\n", found.count,
		      found.transitions);
}

/* ---- from each, when the failures stop ---- */

/* Time passes, and nobody interferes: what is in motion arrives, sessions end. */
static struct model calm(struct model m)
{
	enum service_state before = seen(m);

	m.is_blind = false;
	m.state = lasting((enum service_state)m.state) & 7;
	m = look(m, before);
	m.is_late = m.asked != ACT_NONE;
	m.is_pending_late = m.state == STATE_MISSING;
	m.is_pause_due = m.is_coming_back = false;
	m.startup = m.startup && !is_right(m) ? STARTUP_AGAIN : 0;
	if (reconcile_is_out(seen(m)) && m.tally >= TALLY_TAKEN)
		m.tally = TALLY_SOME;
	else if (reconcile_is_out(seen(m)) && m.tally < TALLY_SETTLED)
		m.tally = (m.tally + 1u) & 7;
	return m;
}

static struct model step(struct model m)
{
	enum action action;

	m = calm(m);
	action = decide(m).action;
	if (action <= ACT_WAIT)
		return m;
	return act(m, action,
		   can_result(m, action, RESULT_DONE) ? RESULT_DONE
						      : RESULT_FAILED);
}

/* Steps until nothing changes any more; counts how many. */
static struct model arrive(struct model m, int *steps)
{
	for (*steps = 0; *steps < STEPS_LIMIT; ++*steps) {
		struct model next = step(m);

		if (number_of(next) == number_of(m))
			return m;
		m = next;
	}
	must(m, false, "it comes to an end");
	return m;
}

static void ends_drained(struct model from, struct model end)
{
	enum phase phase = decide(end).phase;
	bool is_gone = end.state == STATE_MISSING;
	bool cannot_pause = end.state == STATE_RUNNING && !end.accepts_pause &&
			    !wants[end.wanted].may_cut;

	must(from, is_gone || is_right(end),
	     "the startup type ends as it is wanted");
	must(from,
	     !from.saved ||
		     (end.saved == from.saved && end.saved_type == from.saved_type),
	     "what was saved stays as it was");
	if (is_gone)
		must(from,
		     phase == (seen(end) == STATE_ABSENT ? PHASE_DRAINED
							 : PHASE_ATTENTION),
		     "one that is gone gets attention");
	else if (cannot_pause)
		must(from, phase == PHASE_ATTENTION && end.saved == from.saved,
		     "one that cannot be paused gets attention, and nothing is changed");
	else
		must(from, phase == PHASE_DRAINED, "it ends drained");
}

static void ends_serving(struct model from, struct model end)
{
	struct model settled = calm(from);
	enum phase phase = decide(end).phase;
	bool runs_again =
		saved_of(settled) == SAVED_RUNNING ||
		(settled.saved == SAVED_STOPPED && settled.state == STATE_PAUSED);

	must(from, end.saved == SAVED_NONE, "nothing is left to put back");
	if (settled.state == STATE_MISSING || !from.saved) {
		must(from, end.state == settled.state && end.type == from.type,
		     "what poold did not change stays as it is");
		return;
	}
	must(from, end.type == from.saved_type, "the startup type is as it was");
	must(from, end.state == (runs_again ? STATE_RUNNING : settled.state),
	     "the run state is as it was");
	must(from, (phase == PHASE_SERVING) == (end.state == STATE_RUNNING),
	     "it ends serving, or is left alone");
}

static void every_state_leads_to_the_end_that_is_wanted(void **state)
{
	int longest = 0, steps;

	(void)state;
	for (size_t i = 0; i < found.count; i++) {
		struct model from = model_of(found.states[i]),
			     end = arrive(from, &steps);

		if (want_of(from) == WANT_DRAINED)
			ends_drained(from, end);
		else
			ends_serving(from, end);
		longest = steps > longest ? steps : longest;
	}
	print_message("the longest way has %d steps\n", longest);
}

static void every_state_leads_back_to_serving(void **state)
{
	int steps;

	(void)state;
	for (size_t i = 0; i < found.count; i++) {
		struct model from = turn(model_of(found.states[i]), 0);

		ends_serving(from, arrive(from, &steps));
	}
}

/* ---- and when the startup type can never be set ---- */

static struct model step_stuck(struct model m)
{
	enum action action;

	m = calm(m);
	action = decide(m).action;
	if (is_on_startup(action)) {
		m = act(m, action, RESULT_FAILED);
		action = decide(m).action;
	}
	return action <= ACT_WAIT
		       ? m
		       : act(m, action,
			     can_result(m, action, RESULT_DONE) ? RESULT_DONE
								: RESULT_FAILED);
}

static void a_startup_type_that_cannot_be_set_stops_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < found.count; i++) {
		struct model from = model_of(found.states[i]), end = from, before;
		enum want want = want_of(from);

		do {
			before = end;
			end = step_stuck(before);
		} while (number_of(end) != number_of(before));
		if (is_right(end) || end.state == STATE_MISSING)
			continue;
		must(from, decide(end).phase == PHASE_ATTENTION, "it is said");
		if (want == WANT_DRAINED && end.accepts_pause)
			must(from, reconcile_is_out(seen(end)), "it is out");
		if (want == WANT_SERVING && saved_of(end) == SAVED_RUNNING &&
		    end.type != DISABLED)
			must(from, end.state == STATE_RUNNING, "it runs again");
	}
}

static int set_up(void **state)
{
	(void)state;
	find_all();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(found.is_known);
	free(found.states);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_promises_hold_in_every_state),
		cmocka_unit_test(every_state_leads_to_the_end_that_is_wanted),
		cmocka_unit_test(every_state_leads_back_to_serving),
		cmocka_unit_test(
			a_startup_type_that_cannot_be_set_stops_nothing_else),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
