/* What is kept of how long sessions last: risk, ends, forgetting, and the text of
 * it. */
#include "forecast/lifetimes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double total_risk(const struct lifetimes *lifetimes)
{
	double risk = 0;

	for (int bin = 0; bin < LIFETIMES_BINS; bin++)
		risk += lifetimes->risk[bin];
	return risk;
}

static int bin_of(double age_s)
{
	return (int)(lifetimes_scale(age_s) * LIFETIMES_BINS_PER_UNIT);
}

static bool is_near(double a, double b)
{
	return fabs(a - b) <= 1e-6 * (1 + fabs(b));
}

static void a_life_is_at_risk_in_every_bin_up_to_its_end(void **state)
{
	struct lifetimes lifetimes = {0};

	(void)state;
	lifetimes_add(&lifetimes, 0, 100, 1, true);
	assert_true(is_near(total_risk(&lifetimes),
			    lifetimes_scale(100) * LIFETIMES_BINS_PER_UNIT));
	assert_true(is_near(lifetimes.risk[0], 1));
	assert_true(lifetimes.risk[bin_of(100)] < 1);
	assert_true(is_near(lifetimes.risk[bin_of(100) + 1], 0));
	assert_true(is_near(lifetimes.ends[bin_of(100)], 1));
	assert_true(is_near(lifetimes_ends(&lifetimes), 1));
}

static void a_life_in_parts_counts_as_much_as_in_one(void **state)
{
	struct lifetimes parts = {0}, one = {0};

	(void)state;
	lifetimes_add(&one, 0, 5000, 1, true);
	lifetimes_add(&parts, 0, 1, 1, false);
	lifetimes_add(&parts, 1, 60.5, 1, false);
	lifetimes_add(&parts, 60.5, 60.5, 1, false);
	lifetimes_add(&parts, 60.5, 5000, 1, true);
	for (int bin = 0; bin < LIFETIMES_BINS; bin++) {
		assert_true(is_near(parts.risk[bin], one.risk[bin]));
		assert_true(is_near(parts.ends[bin], one.ends[bin]));
	}
}

static void a_session_first_seen_at_an_age_says_nothing_of_younger_ones(
	void **state)
{
	struct lifetimes lifetimes = {0};

	(void)state;
	lifetimes_add(&lifetimes, 3600, 7200, 1, false);
	assert_true(is_near(lifetimes.risk[bin_of(3000)], 0));
	assert_true(lifetimes.risk[bin_of(5000)] > 0);
	assert_true(is_near(lifetimes_ends(&lifetimes), 0));
}

static void odd_ages_stay_within_the_bins(void **state)
{
	static const double ages[] = {-1e300, -1,       0,        1e9,
				      1e300,  HUGE_VAL, -HUGE_VAL};
	const size_t count = sizeof(ages) / sizeof(ages[0]);
	struct lifetimes lifetimes = {0};

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++)
			lifetimes_add(&lifetimes, ages[i], ages[j], 1, true);
	assert_true(is_near(lifetimes_ends(&lifetimes), (double)(count * count)));
	assert_true(total_risk(&lifetimes) < 50.0 * LIFETIMES_BINS);
	assert_true(lifetimes_scale(NAN) >= 0);
}

static void much_of_the_same_is_halved_and_the_rare_is_kept(void **state)
{
	struct lifetimes lifetimes = {0};
	int young = bin_of(10), old = bin_of(86400);

	(void)state;
	lifetimes_add(&lifetimes, 0, 86400, 1, true);
	for (int i = 0; i < 1000000; i++)
		lifetimes_add(&lifetimes, 0, 10, 1, true);
	assert_in_range(lifetimes.ends[young], 200, 600);
	assert_true(is_near(lifetimes.ends[old], 1));
	/* The rate there is still what it was. */
	assert_true(lifetimes.risk[young - 1] > 100 * lifetimes.ends[young - 1]);
}

static void new_behaviour_takes_over(void **state)
{
	struct lifetimes lifetimes = {0};
	int bin = bin_of(10);

	(void)state;
	for (int i = 0; i < 100000; i++)
		lifetimes_add(&lifetimes, 0, 10, 1, true);
	for (int i = 0; i < 500000; i++)
		lifetimes_add(&lifetimes, 0, 1000, 1, true);
	assert_true(lifetimes.ends[bin] < 1);
	assert_true(lifetimes.risk[bin] > 10000);
}

static void the_text_of_it_is_read_as_it_was_written(void **state)
{
	struct lifetimes lifetimes = {0}, read = {0};
	struct buf text = {0}, again = {0};
	struct err err = {0};

	(void)state;
	for (int i = 0; i < LIFETIMES_BINS * 3; i++)
		lifetimes_add(&lifetimes, 0, exp(i / 50.0), 1.25, i % 3);
	lifetimes_print(&lifetimes, &text);
	assert_true(text.length < LIFETIMES_TEXT_BYTES);
	assert_int_equal(lifetimes_parse(&read, text.text, &err), 0);
	for (int bin = 0; bin < LIFETIMES_BINS; bin++) {
		assert_true(fabs(read.ends[bin] - lifetimes.ends[bin]) < 1e-2);
		assert_true(fabs(read.risk[bin] - lifetimes.risk[bin]) < 1e-2);
	}
	lifetimes_print(&read, &again);
	assert_string_equal(text.text, again.text);
	buf_done(&text);
	buf_done(&again);
}

static void nothing_seen_has_a_text_too(void **state)
{
	struct lifetimes none = {0}, read = {.ends = {3}};
	struct buf text = {0};
	struct err err = {0};

	(void)state;
	lifetimes_print(&none, &text);
	assert_int_equal(lifetimes_parse(&read, text.text, &err), 0);
	assert_memory_equal(&none, &read, sizeof(none));
	buf_done(&text);
}

static void a_damaged_text_changes_nothing(void **state)
{
	static const char *const texts[] = {
		"",
		"lifetimes",
		"lifetimes 2 1:1:1",
		"lifetimes 11:1:1",
		"lifetimes 1 ",
		"lifetimes 1 1:1",
		"lifetimes 1 1:1:",
		"lifetimes 1 1:1:1 ",
		"lifetimes 1 1:1:1  2:1:1",
		"lifetimes 1 1:1:1,2:1:1",
		"lifetimes 1 -1:1:1",
		"lifetimes 1 1.5:1:1",
		"lifetimes 1 288:1:1",
		"lifetimes 1 1:-1:1",
		"lifetimes 1 1:1:-1",
		"lifetimes 1 1:nan:1",
		"lifetimes 1 1:1:inf",
		"lifetimes 1 1:1e9:1",
		"lifetimes 1 1:1:1e99",
		"lifetimes 1 1:1:1e999",
		"lifetimes 1 2:1:1 1:1:1",
		"lifetimes 1 1:1:1 1:1:1",
		"lifetimes 1 1:1:1x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct lifetimes lifetimes = {.ends = {1, 2, 3}},
				 before = lifetimes;
		struct err err = {0};

		if (lifetimes_parse(&lifetimes, texts[i], &err) == 0)
			fail_msg("read: %s", texts[i]);
		assert_int_equal(err.code, ERR_STORE);
		assert_memory_equal(&lifetimes, &before, sizeof(before));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_life_is_at_risk_in_every_bin_up_to_its_end),
		cmocka_unit_test(a_life_in_parts_counts_as_much_as_in_one),
		cmocka_unit_test(
			a_session_first_seen_at_an_age_says_nothing_of_younger_ones),
		cmocka_unit_test(odd_ages_stay_within_the_bins),
		cmocka_unit_test(much_of_the_same_is_halved_and_the_rare_is_kept),
		cmocka_unit_test(new_behaviour_takes_over),
		cmocka_unit_test(the_text_of_it_is_read_as_it_was_written),
		cmocka_unit_test(nothing_seen_has_a_text_too),
		cmocka_unit_test(a_damaged_text_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
