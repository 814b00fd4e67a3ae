/*
 * The table of decisions: every situation that can be written down.  test_walk.c
 * walks through it.
 */
#include "mem.h"
#include "services/reconcile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Runs `check` for every situation that can be written down, also for impossible
 * ones. */
static void for_every_situation(void (*check)(const struct situation *,
					      const struct decision *))
{
	const int total = WANT__COUNT * STATE__COUNT * 2 * STARTUP__COUNT *
			  SAVED__COUNT * CONTROL__COUNT * TALLY__COUNT * 2 * 2 * 2 *
			  2;

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
		s.control = (enum control_outcome)(rest % CONTROL__COUNT);
		rest /= CONTROL__COUNT;
		s.tally = (enum tally)(rest % TALLY__COUNT);
		rest /= TALLY__COUNT;
		s.may_cut = rest % 2;
		rest /= 2;
		s.is_coming_back = rest % 2;
		rest /= 2;
		s.is_server_empty = rest % 2;
		s.is_start_due = rest / 2;
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
	assert_int_equal(s->startup, STARTUP_RIGHT);
	assert_false(s->is_coming_back);
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
		assert_true(d->action == ACT_NONE || d->action == ACT_WAIT ||
			    is_saving);
	else
		assert_false(is_saving);
	if (d->action == ACT_PAUSE || d->action == ACT_STOP ||
	    d->action == ACT_CONTINUE || d->action == ACT_START)
		assert_true(s->startup == STARTUP_RIGHT ||
			    s->startup == STARTUP_FAILED);
	if (d->action == ACT_PAUSE)
		assert_true(s->state == STATE_RUNNING && s->accepts_pause);
	/* Whoever was stopped before, runs now and was paused by us may go on. */
	if (d->action == ACT_CONTINUE || d->action == ACT_START)
		assert_true(
			s->saved == SAVED_RUNNING ||
			(s->saved == SAVED_STOPPED && s->state == STATE_PAUSED));
	if (d->action == ACT_FORGET && s->state != STATE_MISSING)
		assert_int_equal(s->startup, STARTUP_RIGHT);
}

static bool is_in_motion(enum service_state state)
{
	return state == STATE_START_PENDING || state == STATE_STOP_PENDING ||
	       state == STATE_PAUSE_PENDING || state == STATE_CONTINUE_PENDING;
}

static void has_settled(const struct situation *s, const struct decision *d)
{
	if (d->action == ACT_SAVE)
		assert_false(is_in_motion(s->state));
}

static void a_state_in_motion_is_not_saved(void **state)
{
	(void)state;
	for_every_situation(has_settled);
}

static void says_what_failed(const struct situation *s, const struct decision *d)
{
	if (s->saved != SAVED_NONE &&
	    (s->startup == STARTUP_AGAIN || s->startup == STARTUP_FAILED))
		assert_int_equal(d->phase, PHASE_ATTENTION);
}

static void a_startup_type_that_cannot_be_set_gets_attention(void **state)
{
	(void)state;
	for_every_situation(says_what_failed);
}

static void saved_comes_before_startup_and_startup_before_pause(void **state)
{
	(void)state;
	for_every_situation(is_in_order);
}

static void cuts_rightly(const struct situation *s, const struct decision *d)
{
	if (d->action != ACT_STOP)
		return;
	assert_true(s->may_cut);
	if (s->state == STATE_PAUSED)
		assert_true(s->tally != TALLY_ZERO && s->tally != TALLY_SETTLED);
	else
		assert_true(s->state == STATE_RUNNING && !s->accepts_pause);
}

static void sessions_are_cut_only_after_a_deadline_and_if_there_are_some(
	void **state)
{
	(void)state;
	for_every_situation(cuts_rightly);
}

static void says_who_comes_back(const struct situation *s, const struct decision *d)
{
	if (s->want != WANT_DRAINED || s->saved == SAVED_NONE ||
	    !s->is_coming_back || s->may_cut)
		return;
	if (d->action != ACT_WAIT)
		assert_int_equal(d->phase, PHASE_ATTENTION);
}

static void what_keeps_coming_back_gets_attention(void **state)
{
	(void)state;
	for_every_situation(says_who_comes_back);
}

static void goes_the_wanted_way(const struct situation *s, const struct decision *d)
{
	bool is_taking_out = d->action == ACT_SAVE ||
			     d->action == ACT_SET_STARTUP ||
			     d->action == ACT_PAUSE || d->action == ACT_STOP;
	bool is_putting_back = d->action == ACT_RESTORE_STARTUP ||
			       d->action == ACT_CONTINUE ||
			       d->action == ACT_START || d->action == ACT_FORGET;

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
	if (d->action == ACT_WAIT && s->control == CONTROL_LATE)
		assert_int_equal(d->phase, PHASE_ATTENTION);
}

static void every_waiting_that_takes_too_long_gets_attention(void **state)
{
	(void)state;
	for_every_situation(ends_waiting);
}

static void a_service_that_does_not_accept_pause_is_not_changed(void **state)
{
	struct situation situation = {.want = WANT_DRAINED, .state = STATE_RUNNING};

	(void)state;
	for (int control = 0; control < CONTROL__COUNT; control++) {
		struct decision decision;

		situation.control = (enum control_outcome)control;
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
		cmocka_unit_test(
			serving_is_said_only_when_it_runs_and_nothing_is_saved),
		cmocka_unit_test(what_poold_did_not_change_it_does_not_touch),
		cmocka_unit_test(
			saved_comes_before_startup_and_startup_before_pause),
		cmocka_unit_test(a_state_in_motion_is_not_saved),
		cmocka_unit_test(a_startup_type_that_cannot_be_set_gets_attention),
		cmocka_unit_test(
			sessions_are_cut_only_after_a_deadline_and_if_there_are_some),
		cmocka_unit_test(what_keeps_coming_back_gets_attention),
		cmocka_unit_test(every_action_leads_where_it_is_wanted),
		cmocka_unit_test(every_waiting_that_takes_too_long_gets_attention),
		cmocka_unit_test(
			a_service_that_does_not_accept_pause_is_not_changed),
		cmocka_unit_test(the_page_shows_the_table_of_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
