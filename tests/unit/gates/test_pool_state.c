/*
 * Whether a pool is as it should be: each check where it is good, at fault, and at
 * the edge.
 */
#include "gates/pool_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gates/gate_scene.h"

/* What DNS says of the scene's pool. */
struct dns_scene {
	struct dns_view view;
	struct dns_server_view servers[SERVERS];
};

static struct scene scene;
static struct dns_scene dns;
static struct pool_state pool_state;

static void set(const char *standings)
{
	set_scene(&scene, standings);
	scene.input.target = NULL;
	dns = (struct dns_scene){
		.view = {.pool = &scene.pool,
			 .balance = DNS_VIEW_BALANCED,
			 .servers = dns.servers,
			 .server_count = scene.input.member_count}};
	for (size_t i = 0; i < scene.input.member_count; i++)
		dns.servers[i] =
			(struct dns_server_view){.server = &scene.servers[i],
						 .own_name = scene.names[i],
						 .own = DNS_OWN_NOT_ASKED};
}

/* Asks; the check has this verdict, and its text, or its remedy, has this part. */
static void assert_is(enum pool_state_check check, enum gate_verdict verdict,
		      const char *part)
{
	const struct gate_result *result = &pool_state.results[check];
	size_t faults = 0;

	pool_state_check(&scene.input, &dns.view, &pool_state);
	if (result->verdict != verdict || !strstr(result->text.text, part))
		print_error("%s: %s: %s\n", pool_state_check_name(check),
			    gate_verdict_name(result->verdict), result->text.text);
	assert_int_equal(result->verdict, verdict);
	assert_non_null(strstr(result->text.text, part));
	for (int i = 0; i < POOL_CHECK__COUNT; i++) {
		bool is_fault = pool_state.results[i].verdict == GATE_REFUSED;

		faults += is_fault;
		assert_int_equal(pool_state.results[i].remedy.text != NULL,
				 is_fault);
	}
	assert_int_equal(pool_state.faults, faults);
	pool_state_done(&pool_state);
}

static void members_have_to_answer(void **state)
{
	(void)state;
	set("sdDravs");
	assert_is(POOL_MEMBERS, GATE_PASSED, "all 7 servers answer");
	set("s?o");
	assert_is(POOL_MEMBERS, GATE_REFUSED,
		  "fe02 does not answer, fe03 has not reported its state lately");
}

static void attention_is_a_fault_and_maintenance_is_none(void **state)
{
	(void)state;
	set("sdDrv");
	assert_is(POOL_ATTENTION, GATE_PASSED, "no server");
	assert_int_equal(pool_state.faults, 0);
	set("sass");
	assert_is(POOL_ATTENTION, GATE_REFUSED, "fe02 needs attention");
}

static const struct floor_case {
	const char *standings;
	struct floor floor;
	enum gate_verdict verdict;
	const char *part;
} floor_cases[] = {
	{"sss", {FLOOR_NUMBER, 3}, GATE_PASSED, "3 of 3 serve, the floor is 3"},
	{"ssd",
	 {FLOOR_NUMBER, 3},
	 GATE_REFUSED,
	 "2 of 3 serve, the floor is 3: fe03"},
	{"ss?", {FLOOR_NUMBER, 2}, GATE_PASSED, "2 of 3 serve"},
	{"sv?", {FLOOR_NUMBER, 2}, GATE_REFUSED, "1 of 3 serve"},
	{"???", {FLOOR_NUMBER, 0}, GATE_PASSED, "0 of 3 serve, the floor is 0"},
	{"ssssd", {FLOOR_PERCENT, 80}, GATE_PASSED, "the floor is 4"},
	{"ssssd", {FLOOR_PERCENT, 81}, GATE_REFUSED, "the floor is 5"},
	{"ssd", {FLOOR_TABLE, 0}, GATE_REFUSED, "no row"},
};

static void the_floor_holds_by_those_that_serve_now(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(floor_cases); i++) {
		set(floor_cases[i].standings);
		scene.pool.availability.floor = floor_cases[i].floor;
		assert_is(POOL_FLOOR, floor_cases[i].verdict, floor_cases[i].part);
	}
}

static void a_floor_table_counts_the_first_by_rank(void **state)
{
	struct pool_floor_row row = {.servers = 4, .functional = 2, .of_first = 3};

	(void)state;
	set("sdss");
	scene.pool.availability.floor.kind = FLOOR_TABLE;
	scene.pool.floors = (struct list){&row, 1};
	assert_is(POOL_FLOOR, GATE_PASSED, "of the first 3 by rank, 2 of 3 serve");
	scene.members[2].standing = STANDING_DRAINED;
	assert_is(POOL_FLOOR, GATE_REFUSED, "1 of 3 serve, the floor is 2");
}

static const struct dns_case {
	enum dns_balance balance;
	enum dns_expectation expect;
	bool is_disputed;
	enum gate_verdict state;
	const char *part;
} dns_cases[] = {
	{DNS_VIEW_BALANCED, DNS_ANY, false, GATE_PASSED, "resolvers agree"},
	{DNS_VIEW_BALANCED, DNS_BALANCED, false, GATE_PASSED,
	 "as `dns.expect` says"},
	{DNS_VIEW_BALANCED, DNS_BALANCED, true, GATE_REFUSED, "disagree"},
	{DNS_VIEW_BALANCED, DNS_ANY, true, GATE_REFUSED, "disagree"},
	{DNS_VIEW_BALANCED, DNS_ONE_ADDRESS, false, GATE_REFUSED, "(one_address)"},
	{DNS_VIEW_PARTLY, DNS_ANY, false, GATE_PASSED, "agree"},
	{DNS_VIEW_PARTLY, DNS_BALANCED, false, GATE_REFUSED, "(balanced)"},
	{DNS_VIEW_ONE_ADDRESS, DNS_ONE_ADDRESS, false, GATE_PASSED, "agree"},
	{DNS_VIEW_NOT_RESOLVABLE, DNS_ANY, false, GATE_REFUSED, "does not resolve"},
	{DNS_VIEW_NOT_RESOLVABLE, DNS_BALANCED, false, GATE_REFUSED,
	 "does not resolve"},
	{DNS_VIEW_UNKNOWN, DNS_ANY, false, GATE_REFUSED, "no resolver"},
	{DNS_VIEW_NOT_ASKED, DNS_ANY, false, GATE_NOT_ASKED, "no `fqdn`"},
};

static void dns_has_to_be_known_undisputed_and_as_expected(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(dns_cases); i++) {
		set("sss");
		dns.view.balance = dns_cases[i].balance;
		dns.view.is_disputed = dns_cases[i].is_disputed;
		scene.pool.dns.expect = dns_cases[i].expect;
		assert_is(POOL_DNS, dns_cases[i].state, dns_cases[i].part);
	}
}

static void own_names_that_were_asked_for_have_to_be_right(void **state)
{
	(void)state;
	set("sss");
	assert_is(POOL_OWN_NAMES, GATE_NOT_ASKED, "no server");
	dns.servers[1].own = DNS_OWN_RIGHT;
	assert_is(POOL_OWN_NAMES, GATE_PASSED, "resolve to their");
	for (int own = 0; own < DNS_OWN__COUNT; own++) {
		dns.servers[2].own = (enum dns_own_name)own;
		if (own != DNS_OWN_RIGHT && own != DNS_OWN_NOT_ASKED)
			assert_is(POOL_OWN_NAMES, GATE_REFUSED, "unknown: fe03");
	}
}

static void clocks_have_to_agree(void **state)
{
	(void)state;
	set("sss");
	assert_is(POOL_CLOCKS, GATE_NOT_ASKED, "fewer than two");
	scene.members[0].has_clock = scene.members[2].has_clock = true;
	assert_is(POOL_CLOCKS, GATE_PASSED, "agree to within 2 s");
	scene.members[2].clock_ahead_ms = -GATE_CLOCK_LIMIT_MS;
	assert_is(POOL_CLOCKS, GATE_PASSED,
		  "fe01 is 60 s ahead of the clock of fe03");
	scene.members[2].clock_ahead_ms--;
	assert_is(POOL_CLOCKS, GATE_REFUSED, "61 s ahead");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_have_to_answer),
		cmocka_unit_test(attention_is_a_fault_and_maintenance_is_none),
		cmocka_unit_test(the_floor_holds_by_those_that_serve_now),
		cmocka_unit_test(a_floor_table_counts_the_first_by_rank),
		cmocka_unit_test(dns_has_to_be_known_undisputed_and_as_expected),
		cmocka_unit_test(own_names_that_were_asked_for_have_to_be_right),
		cmocka_unit_test(clocks_have_to_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
