/*
 * The table of steps: each is reached, and each ends.
 */
#include "operation/step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void every_step_is_reached_and_can_end(void **state)
{
	bool is_reached[STEP__COUNT] = {[STEP_BEGIN] = true};

	(void)state;
	for (int round = 0; round < STEP__COUNT; round++)
		for (int from = 0; from < STEP__COUNT; from++)
			for (int to = 0; to < STEP__COUNT; to++)
				is_reached[to] |= is_reached[from] &&
						  step_may_follow((enum step)from,
								  (enum step)to);
	for (int i = 0; i < STEP__COUNT; i++) {
		assert_true(is_reached[i]);
		assert_int_equal(step_may_follow((enum step)i, STEP_DONE),
				 i != STEP_DONE);
	}
}

/* Otherwise a change could be lost, or be said to have been lost when it was made.
 */
static void a_step_that_changes_something_tells_so_if_it_ends_there(void **state)
{
	(void)state;
	for (int i = 0; i < STEP__COUNT; i++) {
		const struct step_info *info = step_info((enum step)i);
		bool is_change = info->request == REQUEST_COMMIT ||
				 info->request == REQUEST_END;

		assert_int_equal(info->effect == STEP_EFFECT_UNKNOWN, is_change);
		if (is_change || info->request == REQUEST_RESERVE)
			assert_int_equal(info->patience, STEP_PATIENCE_WRITE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_step_is_reached_and_can_end),
		cmocka_unit_test(
			a_step_that_changes_something_tells_so_if_it_ends_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
