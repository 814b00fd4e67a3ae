#include "access/failures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

static struct net_address address(const char *text)
{
	struct net_address parsed;

	assert_int_equal(net_address_parse(text, &parsed), 0);
	return parsed;
}

static struct mono at(int64_t ms)
{
	return (struct mono){1000000 + ms};
}

static void fail_times(struct failures *failures, const char *from, int times,
		       int64_t ms)
{
	struct net_address one = address(from);

	while (times--)
		failures_note(failures, &one, at(ms));
}

static bool slowed(struct failures *failures, const char *from, int64_t ms)
{
	struct net_address one = address(from);

	return failures_is_slowed(failures, &one, at(ms));
}

static void an_address_may_fail_some_times_at_once(void **state)
{
	static struct failures failures;

	(void)state;
	assert_false(slowed(&failures, "192.0.2.1", 0));
	fail_times(&failures, "192.0.2.1", FAILURES_AT_ONCE - 1, 0);
	assert_false(slowed(&failures, "192.0.2.1", 0));
	fail_times(&failures, "192.0.2.1", 1, 0);
	assert_true(slowed(&failures, "192.0.2.1", 0));
	assert_false(slowed(&failures, "192.0.2.2", 0));
}

static void then_it_may_fail_once_each_two_seconds(void **state)
{
	static struct failures failures;

	(void)state;
	fail_times(&failures, "192.0.2.1", FAILURES_AT_ONCE, 0);
	assert_true(slowed(&failures, "192.0.2.1", FAILURES_EVERY_MS - 1));
	for (int i = 1; i < 50; i++) {
		int64_t ms = (int64_t)i * FAILURES_EVERY_MS;

		assert_false(slowed(&failures, "192.0.2.1", ms));
		fail_times(&failures, "192.0.2.1", 1, ms);
		assert_true(slowed(&failures, "192.0.2.1", ms));
	}
}

static void a_network_of_ipv6_is_one_address(void **state)
{
	static struct failures failures;

	(void)state;
	fail_times(&failures, "2001:db8::1", FAILURES_AT_ONCE, 0);
	assert_true(slowed(&failures, "2001:db8::ffff:2", 0));
	assert_false(slowed(&failures, "2001:db8:0:1::1", 0));
}

/* Whoever has many addresses makes only those be forgotten that are quiet. */
static void with_too_many_addresses_the_quietest_is_forgotten(void **state)
{
	static struct failures failures;
	char text[NET_ADDRESS_TEXT_BYTES];

	(void)state;
	fail_times(&failures, "192.0.2.1", FAILURES_AT_ONCE, 0);
	for (int i = 0; i < 3 * FAILURES_ADDRESSES; i++) {
		(void)snprintf(text, sizeof(text), "10.0.%d.%d", i / 250, i % 250);
		fail_times(&failures, text, 1, i);
		if (i % 100 == 0)
			fail_times(&failures, "192.0.2.1", 1, i);
	}
	assert_true(slowed(&failures, "192.0.2.1", 3 * FAILURES_ADDRESSES));
	assert_int_equal(failures.used, FAILURES_ADDRESSES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_may_fail_some_times_at_once),
		cmocka_unit_test(then_it_may_fail_once_each_two_seconds),
		cmocka_unit_test(a_network_of_ipv6_is_one_address),
		cmocka_unit_test(with_too_many_addresses_the_quietest_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
