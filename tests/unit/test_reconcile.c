/*
 * The table of decisions: every situation, and every walk through it with a service that
 * behaves or fails for a while.
 */
#include "mem.h"
#include "reconcile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Runs `check` for every situation that can be written down, also for impossible ones. */
static void for_every_situation(void (*check)(const struct situation *,
					      const struct decision *))
{
	const int total = WANT__COUNT * STATE__COUNT * 2 * STARTUP__COUNT * SAVED__COUNT *
			  ANSWER__COUNT * TALLY__COUNT;

	for (int number = 0; number < total; number++) {
		int rest = number;
		struct situation s;
		struct decision decision;

		s.want = (enum want)(rest % WANT__COUNT);
		rest /= WANT__COUNT;
		s.state = (enum service_state)(rest % STATE__COUNT);
		rest /= STATE__COUNT;
		s.accepts_pause = rest % 2;
		rest /= 2;
		s.startup = (enum startup)(rest % STARTUP__COUNT);
		rest /= STARTUP__COUNT;
		s.saved = (enum saved_state)(rest % SAVED__COUNT);
		rest /= SAVED__COUNT;
		s.answer = (enum answer)(rest % ANSWER__COUNT);
		s.tally = (enum tally)(rest / ANSWER__COUNT);
		decision = reconcile_next(&s);
		check(&s, &decision);
	}
}

static void has_a_rule(const struct situation *s, const struct decision *d)
{
	(void)s;
	assert_string_not_equal(d->message, "no rule for this situation");
	assert_true(d->message[0] && d->message[strlen(d->message) - 1] != '.');
}

static void every_situation_has_a_rule(void **state)
{
	(void)state;
	for_every_situation(has_a_rule);
}

static void drained_is_true(const struct situation *s, const struct decision *d)
{
	if (d->phase != PHASE_DRAINED)
		return;
	assert_int_equal(s->want, WANT_DRAINED);
	/* What is not there and need not be takes nothing. */
	if (s->state == STATE_ABSENT) {
		assert_int_equal(s->saved, SAVED_NONE);
		return;
	}
	assert_true(s->state == STATE_PAUSED || s->state == STATE_STOPPED);
	assert_int_equal(s->tally, TALLY_SETTLED);
	assert_int_not_equal(s->saved, SAVED_NONE);
	assert_int_not_equal(s->startup, STARTUP_BOOTS);
}

static void drained_is_said_only_when_out_held_and_settled(void **state)
{
	(void)state;
	for_every_situation(drained_is_true);
}

static void serving_is_true(const struct situation *s, const struct decision *d)
{
	if (d->phase != PHASE_SERVING)
		return;
	assert_int_equal(s->want, WANT_SERVING);
	assert_true(s->state == STATE_RUNNING || s->state == STATE_ABSENT);
	assert_int_equal(s->saved, SAVED_NONE);
}

static void serving_is_said_only_when_it_runs_and_nothing_is_saved(void **state)
{
	(void)state;
	for_every_situation(serving_is_true);
}

static void leaves_alone(const struct situation *s, const struct decision *d)
{
	if (s->want == WANT_SERVING && s->saved == SAVED_NONE)
		assert_true(d->action == ACT_NONE || d->action == ACT_WAIT);
}

static void what_poold_did_not_change_it_does_not_touch(void **state)
{
	(void)state;
	for_every_situation(leaves_alone);
}

static void is_in_order(const struct situation *s, const struct decision *d)
{
	bool is_saving = d->action == ACT_SAVE;

	if (s->saved == SAVED_NONE)
		assert_true(d->action == ACT_NONE || d->action == ACT_WAIT || is_saving);
	else
		assert_false(is_saving);
	if (d->action == ACT_PAUSE)
		assert_int_not_equal(s->startup, STARTUP_BOOTS);
	if (d->action == ACT_CONTINUE || d->action == ACT_START) {
		/* Whoever was stopped before, runs now and was paused by us may go on. */
		assert_true(s->saved == SAVED_RUNNING ||
			    (s->saved == SAVED_STOPPED && s->state == STATE_PAUSED));
		assert_int_equal(s->startup, STARTUP_RESTORED);
	}
	if (d->action == ACT_FORGET)
		assert_int_equal(s->startup, STARTUP_RESTORED);
}

static void saved_comes_before_manual_and_manual_before_pause(void **state)
{
	(void)state;
	for_every_situation(is_in_order);
}

static void goes_the_wanted_way(const struct situation *s, const struct decision *d)
{
	bool is_taking_out = d->action == ACT_SAVE || d->action == ACT_SET_MANUAL ||
			     d->action == ACT_PAUSE;
	bool is_putting_back = d->action == ACT_RESTORE_STARTUP ||
			       d->action == ACT_CONTINUE || d->action == ACT_START ||
			       d->action == ACT_FORGET;

	assert_false(s->want == WANT_SERVING && is_taking_out);
	assert_false(s->want == WANT_DRAINED && is_putting_back);
}

static void every_action_leads_where_it_is_wanted(void **state)
{
	(void)state;
	for_every_situation(goes_the_wanted_way);
}

static void ends_waiting(const struct situation *s, const struct decision *d)
{
	if (d->action == ACT_WAIT && s->answer == ANSWER_LATE)
		assert_int_equal(d->phase, PHASE_ATTENTION);
}

static void every_waiting_that_takes_too_long_gets_attention(void **state)
{
	(void)state;
	for_every_situation(ends_waiting);
}

/* ---- walks ---- */

/* What a control or a write does before it works at last. */
enum fault { FAULT_NONE, FAULT_LATE, FAULT_REFUSED, FAULT_FAILED, FAULT__COUNT };

enum { FAULT_TRIES = 3, PENDING_ROUNDS = 2, STEPS_LIMIT = 100 };

/* A service, seen only as closely as the table looks. */
struct world {
	enum want want;
	enum service_state state, hidden; /* hidden: behind missing or unknown */
	bool is_boot, was_boot;           /* a boot starts it; would start it before */
	enum saved_state saved;
	int rounds_left; /* until a state in motion, or a blindness, is over */
	enum tally tally;
	enum fault fault;
	int tries_left;
	enum answer answer;
	bool has_been_started, has_run;
};

static bool is_hidden(enum service_state state)
{
	return state == STATE_MISSING || state == STATE_ABSENT || state == STATE_UNKNOWN;
}

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

static void move(struct world *w, enum service_state state)
{
	w->state = state;
	w->rounds_left = PENDING_ROUNDS;
	w->answer = ANSWER_AWAITED;
}

/* Time passes: states in motion arrive, sessions end. */
static void tick(struct world *w)
{
	bool is_moving = lasting(w->state) != w->state || is_hidden(w->state);

	if (is_moving && --w->rounds_left <= 0) {
		w->state = is_hidden(w->state) ? w->hidden : lasting(w->state);
		w->answer = ANSWER_NONE;
	}
	w->has_run = w->has_run || w->state == STATE_RUNNING;
	if (!reconcile_is_out(w->state))
		w->tally = TALLY_UNKNOWN;
	else if (w->tally < TALLY_SETTLED)
		w->tally++;
}

static struct situation look(const struct world *w)
{
	bool is_back = w->want == WANT_SERVING && w->saved && w->is_boot == w->was_boot;

	return (struct situation){
		.want = w->want,
		.state = w->state,
		.accepts_pause = true,
		.startup = is_back      ? STARTUP_RESTORED
			   : w->is_boot ? STARTUP_BOOTS
					: STARTUP_HELD,
		.saved = w->saved,
		.answer = w->answer,
		.tally = w->tally,
	};
}

static bool goes_wrong(struct world *w)
{
	static const enum answer answers[FAULT__COUNT] = {
		[FAULT_LATE] = ANSWER_LATE,
		[FAULT_REFUSED] = ANSWER_REFUSED,
		[FAULT_FAILED] = ANSWER_FAILED,
	};

	if (w->fault == FAULT_NONE || w->tries_left-- <= 0)
		return false;
	w->answer = answers[w->fault];
	return true;
}

static enum saved_state to_save(enum service_state state)
{
	enum service_state end = lasting(state);

	return end == STATE_RUNNING  ? SAVED_RUNNING
	       : end == STATE_PAUSED ? SAVED_PAUSED
				     : SAVED_STOPPED;
}

static void apply(struct world *w, enum action action)
{
	if (action == ACT_NONE || action == ACT_WAIT || goes_wrong(w))
		return;
	w->answer = ANSWER_NONE;
	w->tries_left = FAULT_TRIES;
	switch (action) {
	case ACT_SAVE:
		w->saved = to_save(w->state);
		w->was_boot = w->is_boot;
		break;
	case ACT_SET_MANUAL:
		w->is_boot = false;
		break;
	case ACT_RESTORE_STARTUP:
		w->is_boot = w->was_boot;
		break;
	case ACT_PAUSE:
		move(w, STATE_PAUSE_PENDING);
		break;
	case ACT_CONTINUE:
		w->has_been_started = true;
		move(w, STATE_CONTINUE_PENDING);
		break;
	case ACT_START:
		w->has_been_started = true;
		move(w, STATE_START_PENDING);
		break;
	default:
		w->saved = SAVED_NONE;
	}
}

static void walk(struct world *w, enum want want, enum phase end)
{
	struct decision decision = {.phase = PHASE__COUNT};

	w->want = want;
	w->answer = ANSWER_NONE;
	w->tries_left = FAULT_TRIES;
	for (int i = 0; i < STEPS_LIMIT; i++) {
		struct situation situation = look(w);

		decision = reconcile_next(&situation);
		if (decision.phase == end && decision.action == ACT_NONE)
			return;
		apply(w, decision.action);
		tick(w);
	}
	fail_msg("no end: wanted %s, state %s, saved %d, phase %s: %s", want_name(want),
		 service_state_name(w->state), w->saved, phase_name(decision.phase),
		 decision.message);
}

/* Out and back; what was there before must be there after. */
static void walk_out_and_back(struct world w)
{
	enum service_state before = is_hidden(w.state) ? w.hidden : w.state;
	enum saved_state original = w.saved ? w.saved : to_save(before);
	bool was_boot = w.saved ? w.was_boot : w.is_boot;
	bool goes_on;

	w.has_run = lasting(before) == STATE_RUNNING;
	walk(&w, WANT_DRAINED, PHASE_DRAINED);
	assert_false(w.is_boot);
	assert_true(reconcile_is_out(w.state));
	assert_int_equal(w.saved, original);

	/* Or it was stopped, somebody started it, and it was paused like any other. */
	goes_on = original == SAVED_RUNNING ||
		  (original == SAVED_STOPPED && w.state == STATE_PAUSED);
	walk(&w, WANT_SERVING, goes_on ? PHASE_SERVING : PHASE_ATTENTION);
	assert_int_equal(w.saved, SAVED_NONE);
	assert_int_equal(w.is_boot, was_boot);
	assert_int_equal(w.has_been_started, goes_on);
	if (!goes_on && !w.has_run)
		assert_int_equal(w.state, lasting(before));
}

static void walk_from_everywhere(enum fault fault)
{
	for (int state = 0; state < STATE__COUNT; state++)
		for (int hidden = 0; hidden < STATE_MISSING && state != STATE_ABSENT;
		     hidden++)
			for (int saved = 0; saved < SAVED__COUNT; saved++)
				for (int boots = 0; boots < 4; boots++)
					walk_out_and_back((struct world){
						.state = (enum service_state)state,
						.hidden = (enum service_state)hidden,
						.is_boot = boots & 1,
						.was_boot = boots & 2,
						.saved = (enum saved_state)saved,
						.rounds_left = PENDING_ROUNDS,
						.fault = fault,
					});
}

static void every_walk_ends_drained_and_then_back_as_before(void **state)
{
	(void)state;
	walk_from_everywhere(FAULT_NONE);
}

static void every_walk_ends_also_when_each_action_first_goes_wrong(void **state)
{
	(void)state;
	walk_from_everywhere(FAULT_LATE);
	walk_from_everywhere(FAULT_REFUSED);
	walk_from_everywhere(FAULT_FAILED);
}

static void a_service_that_does_not_accept_pause_is_not_changed(void **state)
{
	struct situation situation = {.want = WANT_DRAINED, .state = STATE_RUNNING};

	(void)state;
	for (int answer = 0; answer < ANSWER__COUNT; answer++) {
		struct decision decision;

		situation.answer = (enum answer)answer;
		decision = reconcile_next(&situation);
		assert_int_equal(decision.action, ACT_NONE);
		assert_int_equal(decision.phase, PHASE_ATTENTION);
	}
}

/* ---- the page ---- */

static char *read_all(FILE *file)
{
	enum { LIMIT_BYTES = 1 << 17 };
	char *text = xcalloc(1, LIMIT_BYTES);

	rewind(file);
	assert_in_range(fread(text, 1, LIMIT_BYTES - 1, file), 1, LIMIT_BYTES - 2);
	(void)fclose(file);
	return text;
}

/* To be run in the root of the source tree. */
static void the_page_shows_the_table_of_the_program(void **state)
{
	static const char begin_mark[] = "<!-- table -->\n",
			  end_mark[] = "<!-- /table -->";
	FILE *printed = tmpfile(), *page = fopen("docs/states.md", "rb");
	char *expected, *text, *begin, *end;

	(void)state;
	assert_non_null(printed);
	assert_non_null(page);
	reconcile_print(printed);
	expected = read_all(printed);
	text = read_all(page);
	begin = strstr(text, begin_mark);
	assert_non_null(begin);
	begin += strlen(begin_mark);
	end = strstr(begin, end_mark);
	assert_non_null(end);
	*end = '\0';
	assert_string_equal(begin, expected);
	free(expected);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_situation_has_a_rule),
		cmocka_unit_test(drained_is_said_only_when_out_held_and_settled),
		cmocka_unit_test(serving_is_said_only_when_it_runs_and_nothing_is_saved),
		cmocka_unit_test(what_poold_did_not_change_it_does_not_touch),
		cmocka_unit_test(saved_comes_before_manual_and_manual_before_pause),
		cmocka_unit_test(every_action_leads_where_it_is_wanted),
		cmocka_unit_test(every_waiting_that_takes_too_long_gets_attention),
		cmocka_unit_test(every_walk_ends_drained_and_then_back_as_before),
		cmocka_unit_test(every_walk_ends_also_when_each_action_first_goes_wrong),
		cmocka_unit_test(a_service_that_does_not_accept_pause_is_not_changed),
		cmocka_unit_test(the_page_shows_the_table_of_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
