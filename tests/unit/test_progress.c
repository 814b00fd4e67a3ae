/*
 * What may be said of a drain: never "settled" too early, whatever the samples were.
 */
#include "progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { UNKNOWN = -1, GAP_LIMIT_MS = 3000, SETTLE_MS = 10000 };

static void add(struct progress *progress, int64_t ms, int64_t count)
{
	struct sample sample = {.at = {ms}, .is_known = count != UNKNOWN};

	if (sample.is_known)
		sample.count = count;
	progress_add(progress, sample, GAP_LIMIT_MS);
}

/* Zeros once a second, from and to included. */
static void add_zeros(struct progress *progress, int64_t from_s, int64_t to_s)
{
	for (int64_t s = from_s; s <= to_s; s++)
		add(progress, s * 1000, 0);
}

static bool is_settled(const struct progress *progress)
{
	return progress_is_settled(progress, SETTLE_MS);
}

static void nothing_seen_is_not_settled(void **state)
{
	struct progress progress = {0};

	(void)state;
	assert_false(progress_is_settled(&progress, 0));
}

static void settled_begins_exactly_at_the_settle_time(void **state)
{
	struct progress progress = {0};

	(void)state;
	add_zeros(&progress, 0, 9);
	add(&progress, 9999, 0);
	assert_false(is_settled(&progress));
	add(&progress, 10000, 0);
	assert_true(is_settled(&progress));
}

static void no_settle_time_needs_one_zero(void **state)
{
	struct progress progress = {0};

	(void)state;
	add(&progress, 0, 1);
	assert_false(progress_is_settled(&progress, 0));
	add(&progress, 1000, UNKNOWN);
	assert_false(progress_is_settled(&progress, 0));
	add(&progress, 2000, 0);
	assert_true(progress_is_settled(&progress, 0));
}

static void unknown_is_never_zero(void **state)
{
	struct progress progress = {0};

	(void)state;
	add_zeros(&progress, 0, 9);
	add(&progress, 10000, UNKNOWN);
	assert_false(is_settled(&progress));
	add_zeros(&progress, 11, 20);
	assert_false(is_settled(&progress));
	add(&progress, 21000, 0);
	assert_true(is_settled(&progress));
}

static void a_session_starts_the_settle_time_anew(void **state)
{
	struct progress progress = {0};

	(void)state;
	add_zeros(&progress, 0, 20);
	assert_true(is_settled(&progress));
	add(&progress, 21000, 1);
	assert_false(is_settled(&progress));
	add_zeros(&progress, 22, 31);
	assert_false(is_settled(&progress));
	add(&progress, 32000, 0);
	assert_true(is_settled(&progress));
}

static void a_gap_is_no_time_without_sessions(void **state)
{
	struct progress progress = {0};

	(void)state;
	add(&progress, 0, 0);
	add(&progress, GAP_LIMIT_MS, 0);
	add(&progress, 2 * GAP_LIMIT_MS, 0);
	add(&progress, 3 * GAP_LIMIT_MS, 0);
	add(&progress, 4 * GAP_LIMIT_MS, 0);
	assert_true(is_settled(&progress));

	add(&progress, 5 * GAP_LIMIT_MS + 1, 0);
	assert_false(is_settled(&progress));
	add_zeros(&progress, 16, 25);
	assert_false(is_settled(&progress));
	add(&progress, 5 * GAP_LIMIT_MS + 1 + SETTLE_MS, 0);
	assert_true(is_settled(&progress));
}

static void a_service_that_takes_sessions_is_not_settled(void **state)
{
	struct progress progress = {0};

	(void)state;
	add_zeros(&progress, 0, 20);
	progress_not_out(&progress);
	assert_false(is_settled(&progress));
	assert_false(progress_is_settled(&progress, 0));
	add_zeros(&progress, 21, 30);
	assert_false(is_settled(&progress));
	add(&progress, 31000, 0);
	assert_true(is_settled(&progress));
}

static void a_new_drain_forgets_all(void **state)
{
	struct progress progress = {0};
	double rate;

	(void)state;
	add(&progress, 0, 7);
	add_zeros(&progress, 1, 20);
	progress_restart(&progress);
	assert_false(is_settled(&progress));
	assert_false(progress.has_sample);
	assert_int_equal(progress.peak, 0);
	assert_false(progress_rate(&progress, &rate));
}

static void peak_is_the_most_seen_at_once(void **state)
{
	struct progress progress = {0};

	(void)state;
	add(&progress, 0, 3);
	add(&progress, 1000, 52);
	add(&progress, 2000, UNKNOWN);
	add(&progress, 3000, 37);
	assert_int_equal(progress.peak, 52);
	assert_int_equal(progress.last.count, 37);
}

static void rate_needs_two_samples_and_three_seconds(void **state)
{
	struct progress progress = {0};
	double rate = -1;

	(void)state;
	assert_false(progress_rate(&progress, &rate));
	add(&progress, 0, 60);
	assert_false(progress_rate(&progress, &rate));
	add(&progress, 2999, 59);
	assert_false(progress_rate(&progress, &rate));
	add(&progress, 3500, UNKNOWN);
	assert_false(progress_rate(&progress, &rate));
	progress_restart(&progress);
	add(&progress, 0, 60);
	add(&progress, 3000, 57);
	assert_true(progress_rate(&progress, &rate));
	assert_int_equal((int)rate, 60);
}

static void rate_is_never_negative(void **state)
{
	struct progress progress = {0};
	double rate = -1;

	(void)state;
	add(&progress, 0, 1);
	add(&progress, 5000, 9);
	assert_true(progress_rate(&progress, &rate));
	assert_int_equal((int)rate, 0);
}

static void rate_looks_at_the_last_samples_only(void **state)
{
	struct progress progress = {0};
	double rate = -1;

	(void)state;
	add(&progress, 0, 100000);
	for (int i = 1; i <= PROGRESS_POINTS; i++)
		add(&progress, i * 1000, 1000 - i);
	assert_true(progress_rate(&progress, &rate));
	assert_int_equal((int)(rate + 0.5), 60);
}

/* ---- by chance, against an oracle ---- */

enum { HISTORY = 60, ROUNDS = 4000, EVENT_NOT_OUT = -2, EVENT_RESTART = -3 };

struct happening {
	int64_t ms;
	int what; /* a count, UNKNOWN, or an event */
};

/* Slow and plain: goes back from the end as long as everything says zero. */
static bool may_be_settled(const struct happening *history, int count, int64_t settle_ms)
{
	int64_t last_ms;

	if (!count || history[count - 1].what != 0)
		return false;
	last_ms = history[count - 1].ms;
	for (int i = count - 1; i >= 0 && history[i].what == 0; i--) {
		if (last_ms - history[i].ms >= settle_ms)
			return true;
		if (i > 0 && history[i].ms - history[i - 1].ms > GAP_LIMIT_MS)
			return false;
	}
	return false;
}

static struct happening any_happening(int64_t after_ms)
{
	int gap = rand() % 10 ? rand() % 2000 : rand() % 8000, kind = rand() % 20;
	int what = 0;

	if (kind == 0)
		what = UNKNOWN;
	else if (kind == 1)
		what = EVENT_NOT_OUT;
	else if (kind == 2)
		what = EVENT_RESTART;
	else if (kind == 3)
		what = 1 + rand() % 5;
	return (struct happening){after_ms + gap, what};
}

static void settled_agrees_with_the_oracle(void **state)
{
	const char *given = getenv("POOLCTL_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 20260501;
	int settled = 0;

	(void)state;
	printf("POOLCTL_SEED=%u\n", seed);
	srand(seed);
	for (int round = 0; round < ROUNDS; round++) {
		struct happening history[HISTORY];
		struct progress progress = {0};
		int64_t settle_ms = rand() % 8000, now = rand() % 1000;

		for (int i = 0; i < HISTORY; i++) {
			bool is;

			history[i] = any_happening(now);
			now = history[i].ms;
			if (history[i].what == EVENT_NOT_OUT)
				progress_not_out(&progress);
			else if (history[i].what == EVENT_RESTART)
				progress_restart(&progress);
			else
				add(&progress, now, history[i].what);
			is = progress_is_settled(&progress, settle_ms);
			assert_int_equal(is, may_be_settled(history, i + 1, settle_ms));
			settled += is;
		}
	}
	/* If it was never so, nothing was tried. */
	assert_true(settled > ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_seen_is_not_settled),
		cmocka_unit_test(settled_begins_exactly_at_the_settle_time),
		cmocka_unit_test(no_settle_time_needs_one_zero),
		cmocka_unit_test(unknown_is_never_zero),
		cmocka_unit_test(a_session_starts_the_settle_time_anew),
		cmocka_unit_test(a_gap_is_no_time_without_sessions),
		cmocka_unit_test(a_service_that_takes_sessions_is_not_settled),
		cmocka_unit_test(a_new_drain_forgets_all),
		cmocka_unit_test(peak_is_the_most_seen_at_once),
		cmocka_unit_test(rate_needs_two_samples_and_three_seconds),
		cmocka_unit_test(rate_is_never_negative),
		cmocka_unit_test(rate_looks_at_the_last_samples_only),
		cmocka_unit_test(settled_agrees_with_the_oracle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
