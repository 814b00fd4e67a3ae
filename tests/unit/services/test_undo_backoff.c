/*
 * Drift: the first ones are undone at once, those that keep coming at growing
 * distances.
 */
#include "services/undo_backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS };

static struct mono at(int64_t ms)
{
	return (struct mono){1000000 + ms};
}

static void one_now_and_then_is_undone_at_once(void **state)
{
	struct undo_backoff drift = {0};

	(void)state;
	assert_false(undo_backoff_is_coming_back(&drift, at(0)));
	assert_true(undo_backoff_may_be_undone(&drift, at(0)));
	for (int i = 0; i < 100; i++) {
		undo_backoff_seen(&drift, at(i * 16 * SECOND_MS));
		assert_false(undo_backoff_is_coming_back(&drift,
							 at(i * 16 * SECOND_MS)));
		assert_true(
			undo_backoff_may_be_undone(&drift, at(i * 16 * SECOND_MS)));
	}
}

static void five_within_a_minute_are_coming_back(void **state)
{
	struct undo_backoff drift = {0};

	(void)state;
	for (int i = 0; i < UNDO_BACKOFF_AT_ONCE; i++) {
		assert_false(undo_backoff_is_coming_back(&drift, at(i)));
		undo_backoff_seen(&drift, at(i));
	}
	assert_true(undo_backoff_is_coming_back(&drift, at(4)));
	assert_false(undo_backoff_may_be_undone(&drift, at(4)));
	assert_true(undo_backoff_may_be_undone(&drift, at(4 + SECOND_MS)));
}

/* When it may be undone, it is, and comes back at once. */
static void the_distance_grows_up_to_half_a_minute(void **state)
{
	static const int64_t distances_s[] = {1, 2, 4, 8, 16, 30, 30, 30};
	struct undo_backoff drift = {0};
	int64_t now_ms = 0;

	(void)state;
	for (int i = 0; i < UNDO_BACKOFF_AT_ONCE - 1; i++)
		undo_backoff_seen(&drift, at(0));
	for (int i = 0; i < 8; i++) {
		undo_backoff_seen(&drift, at(now_ms));
		now_ms += distances_s[i] * SECOND_MS;
		assert_false(undo_backoff_may_be_undone(&drift, at(now_ms - 1)));
		assert_true(undo_backoff_may_be_undone(&drift, at(now_ms)));
		assert_true(undo_backoff_is_coming_back(&drift, at(now_ms)));
	}
}

static void two_quiet_minutes_end_it(void **state)
{
	struct undo_backoff drift = {0};

	(void)state;
	for (int i = 0; i < 8; i++)
		undo_backoff_seen(&drift, at(0));
	assert_true(undo_backoff_is_coming_back(&drift, at(2 * MINUTE_MS - 1)));
	assert_false(undo_backoff_is_coming_back(&drift, at(2 * MINUTE_MS)));
	undo_backoff_seen(&drift, at(2 * MINUTE_MS));
	assert_false(undo_backoff_is_coming_back(&drift, at(2 * MINUTE_MS)));
	assert_true(undo_backoff_may_be_undone(&drift, at(2 * MINUTE_MS)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_now_and_then_is_undone_at_once),
		cmocka_unit_test(five_within_a_minute_are_coming_back),
		cmocka_unit_test(the_distance_grows_up_to_half_a_minute),
		cmocka_unit_test(two_quiet_minutes_end_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
