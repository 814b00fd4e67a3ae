/*
 * What may be said of a drain: never "settled" too early, whatever the samples
 * were.
 */
#include "sessions/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { UNKNOWN = -1, GAP_LIMIT_MS = 3000, SETTLE_MS = 10000 };

/* One source, of a service that was seen out long ago. */
static struct progress begin(void)
{
	return (struct progress){.sources = {{.gap_limit_ms = GAP_LIMIT_MS}},
				 .source_count = 1,
				 .is_out = true,
				 .out_since = {INT64_MIN / 2}};
}

static void add_to(struct progress *progress, size_t source, int64_t ms,
		   int64_t count)
{
	struct sample sample = {.at = {ms}, .is_known = count != UNKNOWN};

	if (sample.is_known)
		sample.count = count;
	progress_add(progress, source, sample);
	progress_combine(progress, sample.at);
}

static void add(struct progress *progress, int64_t ms, int64_t count)
{
	add_to(progress, 0, ms, count);
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
	struct progress progress = begin();

	(void)state;
	assert_false(progress_is_settled(&progress, 0));
}

static void settled_begins_exactly_at_the_settle_time(void **state)
{
	struct progress progress = begin();

	(void)state;
	add_zeros(&progress, 0, 9);
	add(&progress, 9999, 0);
	assert_false(is_settled(&progress));
	add(&progress, 10000, 0);
	assert_true(is_settled(&progress));
}

static void no_settle_time_needs_one_zero(void **state)
{
	struct progress progress = begin();

	(void)state;
	add(&progress, 0, 1);
	assert_false(progress_is_settled(&progress, 0));
	add(&progress, 1000, UNKNOWN);
	assert_false(progress_is_settled(&progress, 0));
	progress_add(&progress, 0,
		     (struct sample){.at = {2000},
				     .answered_at = {2900},
				     .is_known = true});
	assert_true(progress_is_settled(&progress, 0));
}

static void unknown_is_never_zero(void **state)
{
	struct progress progress = begin();

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
	struct progress progress = begin();

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
	struct progress progress = begin();

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
	struct progress progress = begin();

	(void)state;
	add_zeros(&progress, 0, 20);
	progress_see(&progress, false, (struct mono){20500});
	assert_false(is_settled(&progress));
	assert_false(progress_is_settled(&progress, 0));
	/* Counted before it was seen out: it may have taken sessions since. */
	progress_see(&progress, true, (struct mono){21500});
	add(&progress, 21000, 0);
	assert_false(progress_is_settled(&progress, 0));
	add_zeros(&progress, 22, 31);
	assert_false(is_settled(&progress));
	add(&progress, 32000, 0);
	assert_true(is_settled(&progress));
}

static void a_new_drain_forgets_all(void **state)
{
	struct progress progress = begin();
	double rate;

	(void)state;
	add(&progress, 0, 7);
	add_zeros(&progress, 1, 20);
	progress_restart(&progress);
	progress_see(&progress, true, (struct mono){20000});
	assert_false(progress_is_settled(&progress, 0));
	assert_false(progress.has_sample);
	assert_int_equal(progress.peak, 0);
	assert_false(progress_rate(&progress, &rate));
}

static void peak_is_the_most_seen_at_once(void **state)
{
	struct progress progress = begin();

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
	struct progress progress = begin();
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
	struct progress progress = begin();
	double rate = -1;

	(void)state;
	add(&progress, 0, 1);
	add(&progress, 5000, 9);
	assert_true(progress_rate(&progress, &rate));
	assert_int_equal((int)rate, 0);
}

static void questions_in_between_do_not_change_the_rate(void **state)
{
	struct progress progress = begin();
	double rate = -1;

	(void)state;
	for (int i = 0; i <= 10; i++) {
		add(&progress, i * 1000, 100 - i);
		for (int k = 1; i < 10 && k <= 2 * PROGRESS_POINTS; k++)
			add(&progress, i * 1000 + k, 100 - i);
	}
	assert_true(progress_rate(&progress, &rate));
	assert_int_equal((int)(rate + 0.5), 60);
}

static void rate_looks_at_the_last_samples_only(void **state)
{
	struct progress progress = begin();
	double rate = -1;

	(void)state;
	add(&progress, 0, 100000);
	for (int i = 1; i <= PROGRESS_POINTS; i++)
		add(&progress, i * 1000, 1000 - i);
	assert_true(progress_rate(&progress, &rate));
	assert_int_equal((int)(rate + 0.5), 60);
}

/* A zero. */
static void add_slow(struct progress *progress, int64_t asked_s, int64_t answered_s)
{
	progress_add(progress, 0,
		     (struct sample){.at = {asked_s * 1000},
				     .answered_at = {answered_s * 1000},
				     .is_known = true});
}

static void a_slow_zero_counts_from_its_answer(void **state)
{
	struct progress progress = begin();

	(void)state;
	add(&progress, 0, 1);
	/* The session may have ended at 3.999 s. */
	add_slow(&progress, 1, 4);
	for (int s = 4; s <= 13; s++)
		add_slow(&progress, s, s);
	assert_false(is_settled(&progress));
	add_slow(&progress, 14, 14);
	assert_true(is_settled(&progress));
}

static void a_slow_answer_at_the_end_is_no_time(void **state)
{
	struct progress progress = begin();

	(void)state;
	add_zeros(&progress, 0, 8);
	add_slow(&progress, 9, 12);
	assert_false(is_settled(&progress));
	add_slow(&progress, 12, 15);
	assert_true(is_settled(&progress));
}

static void an_answer_after_it_was_not_known_begins_anew(void **state)
{
	struct progress progress = begin();

	(void)state;
	add_zeros(&progress, 0, 4);
	/* Asked at 5 s; when poold gave up, nothing had come. */
	add(&progress, 8000, UNKNOWN);
	add_slow(&progress, 5, 9);
	for (int s = 9; s <= 18; s++)
		add_slow(&progress, s, s);
	assert_false(is_settled(&progress));
	add_slow(&progress, 19, 19);
	assert_true(is_settled(&progress));
}

static void samples_are_due_so_that_they_end_the_settle_time(void **state)
{
	int64_t asked_ms = 0;
	struct progress progress = begin();

	(void)state;
	for (int i = 0; i <= 5; i++) {
		int64_t answered_ms = asked_ms + 100 * (i % 3);

		assert_false(is_settled(&progress));
		progress_add(&progress, 0,
			     (struct sample){.at = {asked_ms},
					     .answered_at = {answered_ms},
					     .is_known = true});
		asked_ms = progress_due((struct mono){asked_ms},
					(struct mono){answered_ms}, SETTLE_MS / 5)
				   .ms;
	}
	assert_true(is_settled(&progress));
	/* One that is slow is asked again no later than ever. */
	assert_int_equal(
		progress_due((struct mono){500}, (struct mono){9000}, 5000).ms,
		5500);
}

/* ---- several sources ---- */

static struct progress begin_two(bool is_sum, bool ignores_second)
{
	struct progress progress = begin();

	progress.sources[1] = (struct progress_source){
		.gap_limit_ms = 9000, .ignores_unknown = ignores_second};
	progress.source_count = 2;
	progress.is_sum = is_sum;
	return progress;
}

static void several_sources_make_the_most_or_the_sum(void **state)
{
	struct progress most = begin_two(false, false),
			sum = begin_two(true, false);

	(void)state;
	add_to(&most, 0, 0, 7);
	assert_false(most.last.is_known);
	add_to(&most, 1, 500, 5);
	assert_true(most.last.is_known);
	assert_int_equal(most.last.count, 7);
	add_to(&sum, 0, 0, 7);
	add_to(&sum, 1, 500, 5);
	assert_int_equal(sum.last.count, 12);
	add_to(&sum, 0, 1000, UNKNOWN);
	assert_false(sum.last.is_known);
	assert_int_equal(sum.peak, 12);
}

static void every_source_is_zero_for_the_whole_of_one_settle_time(void **state)
{
	struct progress progress = begin_two(false, false);

	(void)state;
	add_zeros(&progress, 0, 5);
	add_to(&progress, 1, 5000, 0);
	add_zeros(&progress, 6, 14);
	assert_false(is_settled(&progress));
	/* The first says zero since 0, and the second is not asked again before 12
	 * s. */
	add_to(&progress, 1, 12000, 0);
	add_zeros(&progress, 15, 20);
	assert_false(is_settled(&progress));
	add_to(&progress, 1, 15000, 0);
	assert_true(is_settled(&progress));
	add_to(&progress, 1, 21000, 1);
	assert_false(is_settled(&progress));
}

static void an_unknown_source_is_left_out_only_if_that_was_asked_for(void **state)
{
	struct progress strict = begin_two(false, false);
	struct progress lax = begin_two(false, true);

	(void)state;
	for (int s = 0; s <= 10; s++) {
		add_to(&strict, 0, s * 1000, 0);
		add_to(&strict, 1, s * 1000, UNKNOWN);
		add_to(&lax, 0, s * 1000, 0);
		add_to(&lax, 1, s * 1000, UNKNOWN);
	}
	assert_false(is_settled(&strict));
	assert_false(strict.last.is_known);
	assert_true(is_settled(&lax));
	assert_true(lax.last.is_known);
	/* Known and not zero, it counts. */
	add_to(&lax, 1, 11000, 3);
	assert_false(is_settled(&lax));
	assert_int_equal(lax.last.count, 3);
}

static void nobody_counting_is_never_settled(void **state)
{
	struct progress progress = begin_two(false, true);

	(void)state;
	progress.sources[0].ignores_unknown = true;
	for (int s = 0; s <= 20; s++) {
		add_to(&progress, 0, s * 1000, UNKNOWN);
		add_to(&progress, 1, s * 1000, UNKNOWN);
	}
	assert_false(is_settled(&progress));
	assert_false(progress.last.is_known);
	/* Taking turns is not counting either. */
	for (int s = 21; s <= 40; s++) {
		add_to(&progress, 0, s * 1000, s % 2 ? 0 : UNKNOWN);
		add_to(&progress, 1, s * 1000, s % 2 ? UNKNOWN : 0);
	}
	assert_false(is_settled(&progress));
	add_zeros(&progress, 41, 51);
	for (int s = 41; s <= 51; s++)
		add_to(&progress, 1, s * 1000, UNKNOWN);
	assert_true(is_settled(&progress));
}

static void time_that_runs_backwards_is_no_time(void **state)
{
	struct progress progress = begin();

	(void)state;
	add_zeros(&progress, 0, 9);
	add(&progress, 5000, 0);
	add_zeros(&progress, 6, 14);
	assert_false(is_settled(&progress));
	add(&progress, 15000, 0);
	assert_true(is_settled(&progress));
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
		cmocka_unit_test(questions_in_between_do_not_change_the_rate),
		cmocka_unit_test(rate_looks_at_the_last_samples_only),
		cmocka_unit_test(a_slow_zero_counts_from_its_answer),
		cmocka_unit_test(a_slow_answer_at_the_end_is_no_time),
		cmocka_unit_test(an_answer_after_it_was_not_known_begins_anew),
		cmocka_unit_test(samples_are_due_so_that_they_end_the_settle_time),
		cmocka_unit_test(several_sources_make_the_most_or_the_sum),
		cmocka_unit_test(
			every_source_is_zero_for_the_whole_of_one_settle_time),
		cmocka_unit_test(
			an_unknown_source_is_left_out_only_if_that_was_asked_for),
		cmocka_unit_test(nobody_counting_is_never_settled),
		cmocka_unit_test(time_that_runs_backwards_is_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
