/*
 * Which services Windows has yet to start in this boot.
 */
#include "scm/start_due.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MINUTE_MS = 60000, DAY_MS = 24 * 60 * MINUTE_MS };

static const struct start_facts automatic = {.start_type = START_AUTOMATIC,
					     .uptime_ms = MINUTE_MS};

static void one_that_starts_automatically_is_due_for_ten_minutes(void **state)
{
	struct start_facts facts = automatic;

	(void)state;
	assert_true(start_is_due(&facts));
	facts.uptime_ms = 10 * MINUTE_MS;
	assert_false(start_is_due(&facts));
}

static void a_delayed_one_is_due_until_it_was_started(void **state)
{
	struct start_facts facts = automatic;

	(void)state;
	facts.is_delayed = true;
	for (facts.uptime_ms = 0; facts.uptime_ms < DAY_MS;
	     facts.uptime_ms += MINUTE_MS)
		assert_true(start_is_due(&facts));
	facts.was_started = true;
	assert_false(start_is_due(&facts));
}

static void one_that_is_not_automatic_is_not_due(void **state)
{
	static const enum start_type types[] = {START_MANUAL, START_DISABLED};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct start_facts facts = automatic;

		facts.start_type = types[i];
		facts.is_delayed = true;
		assert_false(start_is_due(&facts));
	}
}

static void one_that_a_trigger_starts_is_not_due(void **state)
{
	struct start_facts facts = automatic;

	(void)state;
	facts.has_triggers = true;
	assert_false(start_is_due(&facts));
	facts.is_delayed = true;
	assert_false(start_is_due(&facts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			one_that_starts_automatically_is_due_for_ten_minutes),
		cmocka_unit_test(a_delayed_one_is_due_until_it_was_started),
		cmocka_unit_test(one_that_is_not_automatic_is_not_due),
		cmocka_unit_test(one_that_a_trigger_starts_is_not_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
