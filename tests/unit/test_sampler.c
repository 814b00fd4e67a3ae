/*
 * A slow session source on its own thread: its readings, and its end.
 */
#include "mem.h"
#include "sampler.h"

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

static int read_fake(struct sessions_reader *reader, struct sessions_reading *reading,
		     struct err *err)
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

static struct sampler *begin(bool is_hanging)
{
	struct sampler *sampler;

	fake = (struct fake){.base.ops = &ops};
	fake.is_hanging = is_hanging;
	sampler = sampler_new(&fake.base);
	assert_int_equal(sampler_start(sampler, EVERY_MS, NULL), 0);
	return sampler;
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
		assert_int_equal(json_integer_value(json_array_get(reading.sessions, 0)),
				 reading.count);
		assert_true(clock_since(last.at, reading.at) > 0);
		json_decref(reading.sessions);
		last = reading;
	}
	sampler_free(sampler);
	assert_true(fake.is_freed);
}

static void a_failure_is_a_reading_that_says_why(void **state)
{
	struct sampler *sampler = begin(false);
	struct sampler_reading reading = {0};

	(void)state;
	fake.is_failing = true;
	await_asked(fake.asked + 3);
	assert_true(sampler_take(sampler, 0, &reading));
	assert_false(reading.is_known);
	assert_string_equal(reading.err.text, "no");
	json_decref(reading.sessions);
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

static void one_that_does_not_end_is_left_behind(void **state)
{
	struct sampler *sampler = begin(true);
	struct mono began = clock_mono();

	(void)state;
	fake.is_deaf = true;
	await_asked(1);
	sampler_free(sampler);
	assert_true(clock_since(began, clock_mono()) < LIMIT_MS);
	assert_false(fake.is_freed);
	/* For the leak checkers: it goes on, and then its memory is all that is left. */
	fake.is_hanging = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reading_is_taken_once),
		cmocka_unit_test(a_failure_is_a_reading_that_says_why),
		cmocka_unit_test(while_one_hangs_the_last_stays),
		cmocka_unit_test(at_rest_it_asks_nothing),
		cmocka_unit_test(one_that_does_not_end_is_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
