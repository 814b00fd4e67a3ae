/*
 * A slow session source on its own thread: its readings, and its end.
 */
#include "sessions/sampler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { EVERY_MS = 5, LIMIT_MS = 20000 };

/* A source that counts how often it was asked. */
struct fake {
	struct sessions_reader base;
	atomic_int asked;
	atomic_bool is_failing, is_hanging, is_deaf;
	atomic_bool is_freed;
};

static struct fake fake;

static void nap(void)
{
	(void)nanosleep(&(struct timespec){0, 1000000}, NULL);
}

static int read_fake(struct sessions_reader *reader,
		     struct sessions_reading *reading, struct err *err)
{
	fake.asked++;
	while (fake.is_hanging && (fake.is_deaf || !reader->is_stopping))
		nap();
	if (fake.is_failing)
		return err_set(err, ERR_SESSIONS, "no");
	reading->count = fake.asked;
	reading->sessions = json_pack("[i]", (int)fake.asked);
	return 0;
}

static void free_fake(struct sessions_reader *reader)
{
	(void)reader;
	fake.is_freed = true;
}

static const struct sessions_reader_ops ops = {read_fake, free_fake};

static struct sampler *begin_every(int64_t every_ms, bool is_hanging)
{
	struct sampler *sampler;

	fake = (struct fake){.base.ops = &ops};
	fake.is_hanging = is_hanging;
	sampler = sampler_new(&fake.base);
	assert_int_equal(sampler_start(sampler, every_ms, NULL), 0);
	return sampler;
}

static struct sampler *begin(bool is_hanging)
{
	return begin_every(EVERY_MS, is_hanging);
}

/* Until the source was asked so often. */
static void await_asked(int count)
{
	struct mono began = clock_mono();

	while (fake.asked < count) {
		assert_true(clock_since(began, clock_mono()) < LIMIT_MS);
		nap();
	}
}

static void each_reading_is_taken_once(void **state)
{
	struct sampler *sampler = begin(false);
	struct sampler_reading reading = {0}, last = {0};

	(void)state;
	for (int i = 1; i <= 20; i++) {
		await_asked((int)last.number + 2);
		assert_true(sampler_take(sampler, last.number, &reading));
		assert_true(reading.number > last.number && reading.is_known);
		assert_int_equal(reading.count, reading.number);
		assert_int_equal(
			json_integer_value(json_array_get(reading.sessions, 0)),
			reading.count);
		assert_true(clock_since(last.at, reading.at) > 0);
		json_decref(reading.sessions);
		last = reading;
	}
	sampler_free(sampler);
	assert_true(fake.is_freed);
}

enum { UNKNOWN = -1 };

static void put(struct sampler *sampler, int64_t count)
{
	sampler_put(sampler, (struct sampler_reading){.is_known = count != UNKNOWN,
						      .count = count,
						      .sessions = json_array()});
}

/* The readings that are there now, as text. */
static void check_taken(struct sampler *sampler, int64_t *known,
			const char *expected)
{
	struct sampler_reading reading;
	struct buf text = {0};

	while (sampler_take(sampler, *known, &reading)) {
		assert_true(reading.number > *known);
		*known = reading.number;
		buf_printf(&text, "%lld ", (long long)reading.count);
		json_decref(reading.sessions);
	}
	assert_string_equal(text.text ? text.text : "", expected);
	buf_done(&text);
}

/* Whoever comes late must not see zeros alone. */
static void what_was_not_zero_is_not_lost_for_a_zero(void **state)
{
	static const struct {
		int64_t put[5];
		int count;
		const char *taken;
	} cases[] = {
		{{2}, 1, "2 "},
		{{2, 0}, 2, "2 0 "},
		{{UNKNOWN, 0}, 2, "-1 0 "},
		{{2, UNKNOWN, 0}, 3, "2 0 "},
		{{UNKNOWN, 2, 0, 0}, 4, "2 0 "},
		{{0, 2, 3, 0, 0}, 5, "3 0 "},
		{{0, 2, 0, 3}, 4, "2 3 "},
		{{0, 0, 0}, 3, "0 "},
	};
	struct sampler *sampler;
	int64_t known = 0;

	(void)state;
	fake = (struct fake){.base.ops = &ops};
	sampler = sampler_new(&fake.base);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int k = 0; k < cases[i].count; k++)
			put(sampler, cases[i].put[k]);
		check_taken(sampler, &known, cases[i].taken);
	}
	/* One that nobody takes any more. */
	put(sampler, 2);
	put(sampler, 0);
	sampler_free(sampler);
}

static void a_failure_is_a_reading_that_says_why(void **state)
{
	struct sampler *sampler = begin(false);
	struct sampler_reading reading = {0};

	(void)state;
	fake.is_failing = true;
	await_asked(fake.asked + 3);
	/* One from before that was not zero comes first. */
	while (sampler_take(sampler, reading.number, &reading) && reading.is_known)
		json_decref(reading.sessions);
	assert_false(reading.is_known);
	assert_string_equal(reading.err.text, "no");
	sampler_free(sampler);
}

static void while_one_hangs_the_last_stays(void **state)
{
	struct sampler *sampler = begin(true);
	struct sampler_reading reading;

	(void)state;
	await_asked(1);
	assert_false(sampler_take(sampler, 0, &reading));
	/* What was under way is broken off, and is no reading. */
	sampler_free(sampler);
	assert_true(fake.is_freed);
	assert_int_equal(fake.asked, 1);
}

static void at_rest_it_asks_nothing(void **state)
{
	struct sampler *sampler = begin(false);
	int asked;

	(void)state;
	await_asked(1);
	sampler_rest(sampler, true);
	/* One may be under way. */
	for (int i = 0; i < 20; i++)
		nap();
	asked = fake.asked;
	for (int i = 0; i < 50; i++)
		nap();
	assert_int_equal(fake.asked, asked);
	sampler_rest(sampler, false);
	await_asked(asked + 2);
	sampler_free(sampler);
}

enum { NEVER_MS = INT32_MAX };

static void after_a_rest_it_asks_at_once(void **state)
{
	struct sampler *sampler = begin_every(NEVER_MS, false);

	(void)state;
	await_asked(1);
	sampler_rest(sampler, true);
	/* Its thread sees that. */
	for (int i = 0; i < 20; i++)
		nap();
	sampler_rest(sampler, false);
	await_asked(2);
	sampler_free(sampler);
}

static void when_hurried_it_asks_at_once_and_once(void **state)
{
	struct sampler *sampler = begin_every(NEVER_MS, false);

	(void)state;
	for (int i = 1; i <= 20; i++) {
		await_asked(i);
		sampler_hurry(sampler);
	}
	await_asked(21);
	for (int i = 0; i < 20; i++)
		nap();
	assert_int_equal(fake.asked, 21);
	/* Also while one is under way. */
	fake.is_hanging = true;
	sampler_hurry(sampler);
	await_asked(22);
	sampler_hurry(sampler);
	fake.is_hanging = false;
	await_asked(23);
	sampler_free(sampler);
}

static void one_that_does_not_end_is_left_behind(void **state)
{
	/* For the leak checkers, which would miss it once its thread has ended. */
	static struct sampler *sampler;
	struct mono began = clock_mono();

	(void)state;
	sampler = begin(true);
	fake.is_deaf = true;
	await_asked(1);
	assert_false(sampler_has_left_any());
	sampler_free(sampler);
	assert_true(sampler_has_left_any());
	assert_true(clock_since(began, clock_mono()) < LIMIT_MS);
	assert_false(fake.is_freed);
	fake.is_hanging = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reading_is_taken_once),
		cmocka_unit_test(what_was_not_zero_is_not_lost_for_a_zero),
		cmocka_unit_test(a_failure_is_a_reading_that_says_why),
		cmocka_unit_test(while_one_hangs_the_last_stays),
		cmocka_unit_test(at_rest_it_asks_nothing),
		cmocka_unit_test(after_a_rest_it_asks_at_once),
		cmocka_unit_test(when_hurried_it_asks_at_once_and_once),
		cmocka_unit_test(one_that_does_not_end_is_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
