/*
 * What was asked last: how long an answer is awaited, and when to ask again.
 */
#include "services/control_attempt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS };

static struct mono at(int64_t ms)
{
	return (struct mono){1000000 + ms};
}

static enum control_outcome outcome_of(const struct control_attempt *attempt,
				       enum want want, enum service_state state,
				       int64_t ms)
{
	return control_attempt_result(attempt, want, state, 0, at(ms));
}

/* Fails so; true if it is worth telling. */
static bool goes_wrong(struct control_attempt *attempt, enum action action,
		       enum err_code code, int64_t ms)
{
	return control_attempt_failed(attempt, action, &(struct err){.code = code},
				      at(ms));
}

static void a_control_without_effect_is_late_after_ten_seconds(void **state)
{
	static const struct {
		enum action action;
		enum service_state state, end;
	} cases[] = {
		{ACT_PAUSE, STATE_RUNNING, STATE_PAUSED},
		{ACT_STOP, STATE_PAUSED, STATE_STOPPED},
		{ACT_CONTINUE, STATE_PAUSED, STATE_RUNNING},
		{ACT_START, STATE_STOPPED, STATE_RUNNING},
	};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct control_attempt attempt = {0};
		enum service_state now_is = cases[i].state;

		control_attempt_done(&attempt, cases[i].action, at(0));
		assert_int_equal(outcome_of(&attempt, WANT_DRAINED, now_is, 10000),
				 CONTROL_AWAITED);
		assert_int_equal(outcome_of(&attempt, WANT_DRAINED, now_is, 10001),
				 CONTROL_LATE);
		/* Asking again does not start the ten seconds anew. */
		control_attempt_done(&attempt, cases[i].action, at(10001));
		assert_int_equal(outcome_of(&attempt, WANT_DRAINED, now_is, 10002),
				 CONTROL_LATE);
		control_attempt_looked(&attempt, now_is, cases[i].end, 0,
				       at(11000));
		assert_int_equal(
			outcome_of(&attempt, WANT_DRAINED, cases[i].end, 11000),
			CONTROL_NONE);
	}
}

static void what_is_over_when_it_returns_awaits_nothing(void **state)
{
	static const enum action actions[] = {ACT_SAVE, ACT_SET_STARTUP,
					      ACT_RESTORE_STARTUP, ACT_FORGET};

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct control_attempt attempt = {0};

		assert_true(goes_wrong(&attempt, actions[i], ERR_STORE, 0));
		assert_int_equal(
			outcome_of(&attempt, WANT_DRAINED, STATE_RUNNING, 0),
			CONTROL_FAILED);
		control_attempt_done(&attempt, actions[i], at(1));
		assert_int_equal(
			outcome_of(&attempt, WANT_DRAINED, STATE_RUNNING, 1),
			CONTROL_NONE);
		assert_true(control_attempt_is_due(&attempt, actions[i], at(1)));
	}
}

static void what_fails_is_told_once_and_tried_at_growing_distances(void **state)
{
	static const int64_t distances_s[] = {1, 2, 4, 8, 16, 30, 30, 30};
	struct control_attempt attempt = {0};
	int64_t now_ms = 0;

	(void)state;
	for (int i = 0; i < 8; i++) {
		assert_int_equal(
			goes_wrong(&attempt, ACT_PAUSE, ERR_SCM_REFUSED, now_ms),
			i == 0);
		now_ms += distances_s[i] * SECOND_MS;
		assert_false(control_attempt_is_due(&attempt, ACT_PAUSE,
						    at(now_ms - 1)));
		assert_true(
			control_attempt_is_due(&attempt, ACT_PAUSE, at(now_ms)));
	}
	assert_int_equal(outcome_of(&attempt, WANT_DRAINED, STATE_RUNNING, now_ms),
			 CONTROL_REFUSED);
	/* Another action is due at once, and begins anew. */
	assert_true(
		control_attempt_is_due(&attempt, ACT_SET_STARTUP, at(now_ms - 1)));
	assert_true(goes_wrong(&attempt, ACT_SET_STARTUP, ERR_SCM_DENIED, now_ms));
	assert_true(control_attempt_is_due(&attempt, ACT_SET_STARTUP,
					   at(now_ms + SECOND_MS)));
}

static void not_now_is_asked_again_at_every_look_for_ten_seconds(void **state)
{
	struct control_attempt attempt = {0};

	(void)state;
	for (int64_t ms = 0; ms <= 10000; ms += CONTROL_ATTEMPT_POLL_MS) {
		assert_false(
			goes_wrong(&attempt, ACT_CONTINUE, ERR_SCM_NOT_NOW, ms));
		assert_int_equal(
			outcome_of(&attempt, WANT_SERVING, STATE_PAUSED, ms),
			CONTROL_NONE);
		assert_true(control_attempt_is_due(
			&attempt, ACT_CONTINUE, at(ms + CONTROL_ATTEMPT_POLL_MS)));
	}
	assert_true(goes_wrong(&attempt, ACT_CONTINUE, ERR_SCM_NOT_NOW, 10001));
	assert_int_equal(outcome_of(&attempt, WANT_SERVING, STATE_PAUSED, 10001),
			 CONTROL_FAILED);
	assert_false(control_attempt_is_due(&attempt, ACT_CONTINUE, at(10500)));
}

static void a_pause_may_arrive_after_the_turn_for_a_while(void **state)
{
	(void)state;
	for (int is_timed_out = 0; is_timed_out < 2; is_timed_out++) {
		int64_t window_ms = MINUTE_MS;
		struct control_attempt attempt = {0};

		if (is_timed_out)
			(void)goes_wrong(&attempt, ACT_PAUSE, ERR_SCM_FAILED, 0);
		else
			control_attempt_done(&attempt, ACT_PAUSE, at(0));
		control_attempt_turn(&attempt);
		assert_int_equal(outcome_of(&attempt, WANT_SERVING, STATE_RUNNING,
					    window_ms),
				 CONTROL_AWAITED);
		assert_int_equal(outcome_of(&attempt, WANT_SERVING, STATE_RUNNING,
					    window_ms + 1),
				 CONTROL_NONE);
		assert_int_equal(
			outcome_of(&attempt, WANT_DRAINED, STATE_RUNNING, 0),
			CONTROL_NONE);
		control_attempt_looked(&attempt, STATE_RUNNING, STATE_PAUSED, 0,
				       at(1));
		assert_int_equal(
			outcome_of(&attempt, WANT_SERVING, STATE_RUNNING, 2),
			CONTROL_NONE);
	}
}

static void an_earlier_poold_may_have_sent_a_pause(void **state)
{
	struct control_attempt attempt = {0};

	(void)state;
	control_attempt_expect_pause(&attempt, at(0));
	assert_int_equal(
		outcome_of(&attempt, WANT_SERVING, STATE_RUNNING, MINUTE_MS),
		CONTROL_AWAITED);
	assert_int_equal(
		outcome_of(&attempt, WANT_SERVING, STATE_RUNNING, MINUTE_MS + 1),
		CONTROL_NONE);
}

static void another_process_is_asked_at_once_but_not_again_and_again(void **state)
{
	(void)state;
	for (int is_failed = 0; is_failed < 2; is_failed++) {
		struct control_attempt attempt = {0};

		for (int64_t ms = 0; ms < 2000; ms += 1000) {
			if (is_failed)
				(void)goes_wrong(&attempt, ACT_PAUSE,
						 ERR_SCM_FAILED, ms);
			else
				control_attempt_done(&attempt, ACT_PAUSE, at(ms));
			control_attempt_process_ended(&attempt, at(ms + 1));
			assert_int_equal(outcome_of(&attempt, WANT_DRAINED,
						    STATE_RUNNING, ms + 1),
					 is_failed ? CONTROL_FAILED : CONTROL_NONE);
			/* The first time; then as any other attempt. */
			assert_int_equal(control_attempt_is_due(&attempt, ACT_PAUSE,
								at(ms + 1)),
					 ms == 0);
		}
		assert_true(control_attempt_is_due(&attempt, ACT_PAUSE, at(3001)));
		control_attempt_turn(&attempt);
		assert_int_equal(
			outcome_of(&attempt, WANT_SERVING, STATE_RUNNING, 3001),
			CONTROL_NONE);
	}
}

static void a_state_in_motion_is_late_after_its_hint(void **state)
{
	static const struct {
		uint32_t hint_ms;
		int64_t limit_ms;
	} cases[] = {
		{0, 30000},       {1, 2000},        {5000, 5000},
		{600000, 600000}, {600001, 600000}, {UINT32_MAX, 600000},
	};

	(void)state;
	for (int i = 0; i < 6; i++) {
		struct control_attempt attempt = {0};
		int64_t limit_ms = cases[i].limit_ms;

		control_attempt_looked(&attempt, STATE_RUNNING, STATE_PAUSE_PENDING,
				       0, at(0));
		assert_int_equal(control_attempt_result(&attempt, WANT_DRAINED,
							STATE_PAUSE_PENDING,
							cases[i].hint_ms,
							at(limit_ms)),
				 CONTROL_AWAITED);
		assert_int_equal(control_attempt_result(&attempt, WANT_DRAINED,
							STATE_PAUSE_PENDING,
							cases[i].hint_ms,
							at(limit_ms + 1)),
				 CONTROL_LATE);
		/* Progress begins it anew. */
		control_attempt_looked(&attempt, STATE_PAUSE_PENDING,
				       STATE_PAUSE_PENDING, 1, at(limit_ms + 1));
		assert_int_equal(control_attempt_result(&attempt, WANT_DRAINED,
							STATE_PAUSE_PENDING,
							cases[i].hint_ms,
							at(limit_ms + 2)),
				 CONTROL_AWAITED);
	}
}

/* Whatever was asked before it was uninstalled. */
static void one_that_is_gone_is_late_after_a_minute(void **state)
{
	(void)state;
	for (int action = ACT_NONE; action < ACT_FORGET; action++) {
		struct control_attempt attempt = {0};

		if (action > ACT_WAIT)
			(void)goes_wrong(&attempt, (enum action)action,
					 ERR_SCM_MISSING, 0);
		control_attempt_looked(&attempt, STATE_PAUSED, STATE_MISSING, 0,
				       at(0));
		assert_int_equal(outcome_of(&attempt, WANT_SERVING, STATE_MISSING,
					    MINUTE_MS),
				 CONTROL_AWAITED);
		assert_int_equal(outcome_of(&attempt, WANT_SERVING, STATE_MISSING,
					    MINUTE_MS + 1),
				 CONTROL_LATE);
	}
}

/* Nothing else is asked before the SCM has answered, in whatever direction. */
static void while_it_is_being_asked_all_is_awaited(void **state)
{
	const enum service_state states[] = {STATE_RUNNING, STATE_PAUSED,
					     STATE_STOPPED, STATE_UNKNOWN};

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		for (int turned = 0; turned < 2; turned++) {
			struct control_attempt attempt = {0};

			control_attempt_begun(&attempt);
			if (turned)
				control_attempt_turn(&attempt);
			control_attempt_looked(&attempt, states[i], states[i], 0,
					       at(0));
			for (int action = 0; action < ACT__COUNT; action++)
				assert_false(control_attempt_is_due(
					&attempt, (enum action)action,
					at(MINUTE_MS)));
			assert_int_equal(outcome_of(&attempt, WANT_DRAINED,
						    states[i], MINUTE_MS),
					 CONTROL_AWAITED);
			assert_int_equal(outcome_of(&attempt, WANT_SERVING,
						    states[i], MINUTE_MS),
					 CONTROL_AWAITED);
		}
}

/* But that a pause may arrive yet is not forgotten. */
static void after_a_turn_the_answer_awaits_nothing(void **state)
{
	struct control_attempt attempt = {0};

	(void)state;
	control_attempt_begun(&attempt);
	control_attempt_turn(&attempt);
	control_attempt_done(&attempt, ACT_PAUSE, at(0));
	assert_int_equal(attempt.asked, ACT_NONE);
	assert_true(control_attempt_is_due(&attempt, ACT_PAUSE, at(0)));
	assert_int_equal(outcome_of(&attempt, WANT_SERVING, STATE_RUNNING, 0),
			 CONTROL_AWAITED);
	control_attempt_begun(&attempt);
	(void)goes_wrong(&attempt, ACT_CONTINUE, ERR_SCM_REFUSED, 0);
	assert_int_equal(attempt.asked, ACT_CONTINUE);
	assert_int_equal(outcome_of(&attempt, WANT_SERVING, STATE_PAUSED, 0),
			 CONTROL_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_control_without_effect_is_late_after_ten_seconds),
		cmocka_unit_test(what_is_over_when_it_returns_awaits_nothing),
		cmocka_unit_test(
			what_fails_is_told_once_and_tried_at_growing_distances),
		cmocka_unit_test(
			not_now_is_asked_again_at_every_look_for_ten_seconds),
		cmocka_unit_test(a_pause_may_arrive_after_the_turn_for_a_while),
		cmocka_unit_test(an_earlier_poold_may_have_sent_a_pause),
		cmocka_unit_test(
			another_process_is_asked_at_once_but_not_again_and_again),
		cmocka_unit_test(a_state_in_motion_is_late_after_its_hint),
		cmocka_unit_test(while_it_is_being_asked_all_is_awaited),
		cmocka_unit_test(after_a_turn_the_answer_awaits_nothing),
		cmocka_unit_test(one_that_is_gone_is_late_after_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
