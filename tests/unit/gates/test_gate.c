/*
 * The gates: each where it passes, where it refuses, and at the edge.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gates/gate_scene.h"

/* Asks, and compares what one gate says; a refusal has a remedy. */
static void assert_says(struct scene *scene, enum gate gate,
			enum gate_verdict verdict, const char *part)
{
	const struct gate_result *result = &scene->results[gate];

	ask(scene);
	if (result->verdict != verdict ||
	    (part && !strstr(result->text.text, part)))
		print_error("%s: %s, not %s: %s\n", gate_name(gate),
			    gate_verdict_name(result->verdict),
			    gate_verdict_name(verdict), result->text.text);
	assert_int_equal(result->verdict, verdict);
	if (part)
		assert_non_null(strstr(result->text.text, part));
	if (verdict == GATE_REFUSED)
		assert_non_null(result->remedy.text);
	gate_done(scene->results);
}

/* ---- who serves ---- */

static void a_server_serves_only_without_any_drain_and_reservation(void **state)
{
	(void)state;
	for (int phase = 0; phase < PHASE__COUNT; phase++)
		for (int i = 0; i < 4; i++) {
			enum gate_standing standing = gate_standing(
				(enum phase)phase, i & 1, (i & 2) != 0);

			assert_int_equal(standing == STANDING_SERVING,
					 phase == PHASE_SERVING && i == 0);
			assert_non_null(gate_standing_name(standing));
		}
	assert_int_equal(gate_standing(PHASE_SERVING, true, true),
			 STANDING_DRAINING);
	assert_int_equal(gate_standing(PHASE_SERVING, false, true),
			 STANDING_RESERVED);
	assert_int_equal(gate_standing(PHASE_ATTENTION, true, true),
			 STANDING_ATTENTION);
}

static const struct count_case {
	const char *standings;
	struct floor floor;
	int64_t max_out;
	enum gate gate;
	enum gate_verdict verdict;
	const char *part; /* of the text */
} count_cases[] = {
	/* The floor as a number. */
	{"sssss",
	 {FLOOR_NUMBER, 3},
	 9,
	 GATE_FLOOR,
	 GATE_PASSED,
	 "5 of 5 serve, 4 would"},
	{"sssss", {FLOOR_NUMBER, 4}, 9, GATE_FLOOR, GATE_PASSED, "the floor is 4"},
	{"sssss",
	 {FLOOR_NUMBER, 5},
	 9,
	 GATE_FLOOR,
	 GATE_REFUSED,
	 "4 would be left"},
	{"s", {FLOOR_NUMBER, 0}, 9, GATE_FLOOR, GATE_PASSED, "0 would be left"},
	{"s", {FLOOR_NUMBER, 1}, 9, GATE_FLOOR, GATE_REFUSED, "0 would be left"},
	/* Whatever keeps another away, it does not serve. */
	{"s?sss", {FLOOR_NUMBER, 3}, 9, GATE_FLOOR, GATE_PASSED, "4 of 5 serve"},
	{"s?sss",
	 {FLOOR_NUMBER, 4},
	 9,
	 GATE_FLOOR,
	 GATE_REFUSED,
	 "fe02 does not answer"},
	{"sosss",
	 {FLOOR_NUMBER, 4},
	 9,
	 GATE_FLOOR,
	 GATE_REFUSED,
	 "fe02 has not reported"},
	{"sdsss",
	 {FLOOR_NUMBER, 4},
	 9,
	 GATE_FLOOR,
	 GATE_REFUSED,
	 "fe02 is being dr"},
	{"sDsss",
	 {FLOOR_NUMBER, 4},
	 9,
	 GATE_FLOOR,
	 GATE_REFUSED,
	 "fe02 is drained"},
	{"srsss",
	 {FLOOR_NUMBER, 4},
	 9,
	 GATE_FLOOR,
	 GATE_REFUSED,
	 "fe02 is being resum"},
	{"sasss",
	 {FLOOR_NUMBER, 4},
	 9,
	 GATE_FLOOR,
	 GATE_REFUSED,
	 "fe02 needs attention"},
	{"svsss",
	 {FLOOR_NUMBER, 4},
	 9,
	 GATE_FLOOR,
	 GATE_REFUSED,
	 "fe02 is reserved"},
	/* A target that does not serve takes nothing away. */
	{"assss",
	 {FLOOR_NUMBER, 4},
	 9,
	 GATE_FLOOR,
	 GATE_PASSED,
	 "4 of 5 serve, 4 would"},
	{"D?sss",
	 {FLOOR_NUMBER, 3},
	 9,
	 GATE_FLOOR,
	 GATE_PASSED,
	 "3 of 5 serve, 3 would"},
	{"D?sss",
	 {FLOOR_NUMBER, 4},
	 9,
	 GATE_FLOOR,
	 GATE_REFUSED,
	 "fe01 is drained, fe"},
	/* A percentage counts as the next whole server. */
	{"sssss",
	 {FLOOR_PERCENT, 80},
	 9,
	 GATE_FLOOR,
	 GATE_PASSED,
	 "floor is 4 (80%)"},
	{"sssss",
	 {FLOOR_PERCENT, 81},
	 9,
	 GATE_FLOOR,
	 GATE_REFUSED,
	 "floor is 5 (81%)"},
	{"s?sss",
	 {FLOOR_PERCENT, 60},
	 9,
	 GATE_FLOOR,
	 GATE_PASSED,
	 "floor is 3 (60%)"},
	{"s?sss",
	 {FLOOR_PERCENT, 61},
	 9,
	 GATE_FLOOR,
	 GATE_REFUSED,
	 "floor is 4 (61%)"},
	{"ss", {FLOOR_PERCENT, 1}, 9, GATE_FLOOR, GATE_PASSED, "floor is 1 (1%)"},
	{"ss",
	 {FLOOR_PERCENT, 51},
	 9,
	 GATE_FLOOR,
	 GATE_REFUSED,
	 "floor is 2 (51%)"},
	{"s", {FLOOR_PERCENT, 0}, 9, GATE_FLOOR, GATE_PASSED, "floor is 0 (0%)"},
	/* Out at once. */
	{"sss",
	 {FLOOR_NUMBER, 1},
	 1,
	 GATE_MAX_OUT,
	 GATE_PASSED,
	 "1 of 3 would be out"},
	{"s?s",
	 {FLOOR_NUMBER, 1},
	 1,
	 GATE_MAX_OUT,
	 GATE_REFUSED,
	 "2 of 3 would be out"},
	{"s?s", {FLOOR_NUMBER, 1}, 2, GATE_MAX_OUT, GATE_PASSED, "`max_out` is 2"},
	{"sass",
	 {FLOOR_NUMBER, 1},
	 1,
	 GATE_MAX_OUT,
	 GATE_REFUSED,
	 "fe02 needs atten"},
	{"sovs",
	 {FLOOR_NUMBER, 1},
	 2,
	 GATE_MAX_OUT,
	 GATE_REFUSED,
	 "3 of 4 would be"},
	{"sovs",
	 {FLOOR_NUMBER, 1},
	 3,
	 GATE_MAX_OUT,
	 GATE_PASSED,
	 "3 of 4 would be"},
	{"dss",
	 {FLOOR_NUMBER, 1},
	 1,
	 GATE_MAX_OUT,
	 GATE_PASSED,
	 "1 of 3 would be out"},
	{"rds",
	 {FLOOR_NUMBER, 1},
	 1,
	 GATE_MAX_OUT,
	 GATE_REFUSED,
	 "fe01 is being res"},
	/* The last one. */
	{"sss", {FLOOR_NUMBER, 0}, 9, GATE_LAST, GATE_PASSED, "2 of 3 would still"},
	{"s?s", {FLOOR_NUMBER, 0}, 9, GATE_LAST, GATE_PASSED, "1 of 3 would still"},
	{"s?D",
	 {FLOOR_NUMBER, 0},
	 9,
	 GATE_LAST,
	 GATE_REFUSED,
	 "fe01 is the last of 3"},
	{"d?D",
	 {FLOOR_NUMBER, 0},
	 9,
	 GATE_LAST,
	 GATE_REFUSED,
	 "none of 3 servers serves"},
	{"av",
	 {FLOOR_PERCENT, 0},
	 9,
	 GATE_LAST,
	 GATE_REFUSED,
	 "none of 2 servers serves"},
	{"s", {FLOOR_NUMBER, 0}, 9, GATE_LAST, GATE_PASSED, "only server"},
	{"s",
	 {FLOOR_NUMBER, 1},
	 9,
	 GATE_LAST,
	 GATE_REFUSED,
	 "fe01 is the last of 1"},
	{"s",
	 {FLOOR_TABLE, 0},
	 9,
	 GATE_LAST,
	 GATE_REFUSED,
	 "fe01 is the last of 1"},
};

static void what_serves_is_counted(void **state)
{
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < COUNT(count_cases); i++) {
		const struct count_case *one = &count_cases[i];

		set_scene(&scene, one->standings);
		scene.pool.availability.floor = one->floor;
		scene.pool.availability.max_out = one->max_out;
		assert_says(&scene, one->gate, one->verdict, one->part);
	}
}

static void it_is_said_who_is_out_and_since_when(void **state)
{
	struct scene scene;
	struct wall at;

	(void)state;
	set_scene(&scene, "s?sDs");
	scene.pool.availability.floor.value = 4;
	assert_int_equal(clock_parse("2026-05-01T08:30:00Z", &at), 0);
	assert_int_equal(clock_parse("2026-05-01T23:00:00Z", &scene.input.now), 0);
	scene.members[3].holder = "alice";
	scene.members[3].since = (struct moment){true, at};
	ask(&scene);
	assert_string_equal(
		text_of(&scene, GATE_FLOOR),
		"3 of 5 serve, 2 would be left; the floor is 4: fe02 does "
		"not answer, fe04 is drained by alice (since 08:30Z)");
	scene.input.now.ms += 3600000;
	assert_says(&scene, GATE_FLOOR, GATE_REFUSED,
		    "by alice (since 2026-05-01 08:30Z)");
}

/* ---- the floor by a table ---- */

/* A pool of eight of which three of the first five must serve. */
static const struct rank_case {
	const char *standings;
	enum gate_verdict verdict;
	const char *part;
} rank_cases[] = {
	{"ssssssss", GATE_PASSED, "of the first 5 by rank, 5 of 5 serve, 4 would"},
	{"s?ssssss", GATE_PASSED, "4 of 5 serve, 3 would be left; the floor is 3"},
	{"s?a?ssss", GATE_REFUSED, "2 of 5 serve, 1 would be left; the floor is 3"},
	{"s?assss?", GATE_REFUSED, "3 of 5 serve, 2 would be left; the floor is 3"},
	{"s?sss???", GATE_PASSED, "4 of 5 serve, 3 would be left"},
	{"?ssss???", GATE_PASSED, "4 of 5 serve, 4 would be left"},
	{"r?asssss", GATE_REFUSED, "2 of 5 serve, 2 would be left"},
};

static void only_the_first_by_rank_count(void **state)
{
	struct pool_floor_row rows[] = {
		{.servers = 7, .functional = 7, .of_first = -1},
		{.servers = 8, .functional = 3, .of_first = 5}};
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < COUNT(rank_cases); i++) {
		set_scene(&scene, rank_cases[i].standings);
		scene.pool.availability.floor.kind = FLOOR_TABLE;
		scene.pool.floors = (struct list){rows, COUNT(rows)};
		assert_says(&scene, GATE_FLOOR, rank_cases[i].verdict,
			    rank_cases[i].part);
	}
}

static void a_server_that_does_not_count_may_leave(void **state)
{
	struct pool_floor_row rows[] = {
		{.servers = 4, .functional = 2, .of_first = 2}};
	struct scene scene;

	(void)state;
	set_scene(&scene, "ssss");
	scene.pool.availability.floor.kind = FLOOR_TABLE;
	scene.pool.floors = (struct list){rows, 1};
	assert_says(&scene, GATE_FLOOR, GATE_REFUSED,
		    "1 would be left; the floor is 2");
	scene.input.target = &scene.members[2];
	assert_says(&scene, GATE_FLOOR, GATE_PASSED,
		    "2 would be left; the floor is 2");
}

static void a_row_without_of_first_counts_all(void **state)
{
	struct pool_floor_row rows[] = {{.servers = 3,
					 .functional = 2,
					 .of_first = -1,
					 .is_unverified = true}};
	struct scene scene;

	(void)state;
	set_scene(&scene, "sss");
	for (int i = 0; i < 3; i++)
		scene.servers[i].rank = -1;
	scene.pool.availability.floor.kind = FLOOR_TABLE;
	scene.pool.floors = (struct list){rows, 1};
	assert_says(&scene, GATE_FLOOR, GATE_PASSED, "floor is 2 (no vendor doc");
	scene.members[2].standing = STANDING_UNREACHABLE;
	assert_says(&scene, GATE_FLOOR, GATE_REFUSED,
		    "2 of 3 serve, 1 would be left");
}

static void a_size_without_a_row_is_refused(void **state)
{
	struct pool_floor_row rows[] = {
		{.servers = 3, .functional = 1, .of_first = -1}};
	struct scene scene;

	(void)state;
	set_scene(&scene, "ssss");
	scene.pool.availability.floor.kind = FLOOR_TABLE;
	scene.pool.floors = (struct list){rows, 1};
	ask(&scene);
	assert_non_null(strstr(scene.results[GATE_FLOOR].remedy.text, "add a row"));
	assert_says(&scene, GATE_FLOOR, GATE_REFUSED, "for a pool of 4 servers");
}

static void a_server_without_a_rank_is_not_among_the_first(void **state)
{
	struct pool_floor_row rows[] = {
		{.servers = 4, .functional = 2, .of_first = 3}};
	struct scene scene;

	(void)state;
	set_scene(&scene, "ssss");
	scene.pool.availability.floor.kind = FLOOR_TABLE;
	scene.pool.floors = (struct list){rows, 1};
	assert_says(&scene, GATE_FLOOR, GATE_PASSED,
		    "3 of 3 serve, 2 would be left");
	scene.servers[1].rank = -1;
	ask(&scene);
	assert_non_null(
		strstr(scene.results[GATE_FLOOR].remedy.text, "its `rank`"));
	assert_says(&scene, GATE_FLOOR, GATE_REFUSED,
		    "not counted, as they have no rank: "
		    "fe02");
}

/* ---- upgrade domains ---- */

static const struct domain_case {
	const char *standings, *domains; /* a letter for each server, - for none */
	enum gate_verdict verdict;
	const char *part;
} domain_cases[] = {
	{"ssss", "aabb", GATE_PASSED, "fe01 is in upgrade domain a; no server"},
	{"s?ss", "aabb", GATE_PASSED, "no server of another"},
	{"s?s?", "aabb", GATE_REFUSED,
	 "in other upgrade domains: fe04 does not answer"},
	{"ssvs", "aabb", GATE_REFUSED, "fe03 is reserved"},
	{"ssas", "aabb", GATE_REFUSED, "fe03 needs attention"},
	{"ass?", "aaaa", GATE_PASSED, "no server of another"},
	{"s?ss", "a-bb", GATE_REFUSED, "fe02 does not answer"},
	{"s???", "-aab", GATE_NOT_ASKED, "fe01 has no upgrade domain"},
	{"s???", "----", GATE_NOT_ASKED, "fe01 has no upgrade domain"},
};

static void upgrade_domains_are_not_mixed(void **state)
{
	struct scene scene;
	char domains[SERVERS][2];

	(void)state;
	for (size_t i = 0; i < COUNT(domain_cases); i++) {
		const struct domain_case *one = &domain_cases[i];

		set_scene(&scene, one->standings);
		for (size_t j = 0; one->domains[j]; j++) {
			(void)snprintf(domains[j], sizeof(domains[j]), "%c",
				       one->domains[j]);
			if (one->domains[j] != '-')
				scene.servers[j].upgrade_domain = domains[j];
		}
		assert_says(&scene, GATE_DOMAIN, one->verdict, one->part);
	}
}

/* One promise does not loosen the other. */
static void a_domain_is_out_together_only_as_far_as_max_out_allows(void **state)
{
	struct scene scene;
	char domain[] = "a";

	(void)state;
	set_scene(&scene, "sdss");
	scene.servers[0].upgrade_domain = scene.servers[1].upgrade_domain = domain;
	scene.pool.availability.max_out = 1;
	assert_says(&scene, GATE_DOMAIN, GATE_PASSED, NULL);
	ask(&scene);
	assert_non_null(
		strstr(scene.results[GATE_MAX_OUT].remedy.text, "raise `max_out`"));
	assert_says(&scene, GATE_MAX_OUT, GATE_REFUSED, "2 of 4 would be out");
	scene.pool.availability.max_out = 2;
	assert_says(&scene, GATE_MAX_OUT, GATE_PASSED, NULL);
}

/* ---- DNS ---- */

static const struct dns_case {
	enum dns_balance kind;
	enum dns_expectation expect;
	bool has_features;
	enum gate_verdict verdict;
	const char *part;
} dns_cases[] = {
	{DNS_VIEW_BALANCED, DNS_ANY, false, GATE_PASSED, "is balanced by DNS"},
	{DNS_VIEW_BALANCED, DNS_ANY, true, GATE_PASSED, "is balanced by DNS"},
	{DNS_VIEW_BALANCED, DNS_BALANCED, true, GATE_PASSED, "is balanced by DNS"},
	{DNS_VIEW_BALANCED, DNS_ONE_ADDRESS, false, GATE_REFUSED, "is one_address"},
	{DNS_VIEW_ONE_ADDRESS, DNS_ANY, false, GATE_PASSED, "a single address"},
	{DNS_VIEW_ONE_ADDRESS, DNS_ONE_ADDRESS, false, GATE_PASSED,
	 "a single address"},
	{DNS_VIEW_ONE_ADDRESS, DNS_ONE_ADDRESS, true, GATE_REFUSED,
	 "Group, Call Park"},
	{DNS_VIEW_ONE_ADDRESS, DNS_ANY, true, GATE_REFUSED,
	 "Response Group, Call Park"},
	{DNS_VIEW_ONE_ADDRESS, DNS_BALANCED, false, GATE_REFUSED, "is balanced"},
	{DNS_VIEW_PARTLY, DNS_ANY, false, GATE_PASSED, "only some"},
	{DNS_VIEW_PARTLY, DNS_ANY, true, GATE_REFUSED, "Response Group"},
	{DNS_VIEW_PARTLY, DNS_BALANCED, false, GATE_REFUSED, "is balanced"},
	{DNS_VIEW_PARTLY, DNS_ONE_ADDRESS, false, GATE_REFUSED, "is one_address"},
	{DNS_VIEW_ELSEWHERE, DNS_ANY, false, GATE_PASSED, "none of its servers"},
	{DNS_VIEW_ELSEWHERE, DNS_ANY, true, GATE_REFUSED, "Response Group"},
	{DNS_VIEW_NOT_RESOLVABLE, DNS_ANY, false, GATE_PASSED, "does not resolve"},
	{DNS_VIEW_NOT_RESOLVABLE, DNS_ANY, true, GATE_REFUSED, "Response Group"},
	{DNS_VIEW_NOT_RESOLVABLE, DNS_ONE_ADDRESS, false, GATE_REFUSED,
	 "one_address"},
	{DNS_VIEW_UNKNOWN, DNS_ANY, false, GATE_PASSED, "no resolver answered"},
	{DNS_VIEW_UNKNOWN, DNS_ANY, true, GATE_REFUSED, "Response Group"},
	{DNS_VIEW_UNKNOWN, DNS_BALANCED, false, GATE_REFUSED, "is balanced"},
	{DNS_VIEW_UNKNOWN, DNS_ONE_ADDRESS, false, GATE_REFUSED, "is one_address"},
	{DNS_VIEW_NOT_ASKED, DNS_ANY, false, GATE_NOT_ASKED, "no `fqdn`"},
	{DNS_VIEW_NOT_ASKED, DNS_ANY, true, GATE_REFUSED, "Response Group"},
};

static void a_drain_that_needs_balancing_by_dns_waits_for_it(void **state)
{
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < COUNT(dns_cases); i++) {
		const struct dns_case *one = &dns_cases[i];

		set_scene(&scene, "sss");
		scene.input.dns.kind = one->kind;
		scene.pool.dns.expect = one->expect;
		if (one->has_features) {
			scene.input.features = features;
			scene.input.feature_count = COUNT(features);
		}
		assert_says(&scene, GATE_DNS, one->verdict, one->part);
	}
}

static void one_server_alone_is_one_address(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene, "s");
	scene.pool.dns.expect = DNS_ONE_ADDRESS;
	assert_says(&scene, GATE_DNS, GATE_PASSED, NULL);
}

static void what_is_odd_in_dns_is_said(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene, "sss");
	scene.input.dns.is_disputed = true;
	scene.input.dns.strangers = "192.0.2.99";
	assert_says(
		&scene, GATE_DNS, GATE_PASSED,
		"balanced by DNS; resolvers disagree; addresses that belong to no server of the pool: "
		"192.0.2.99");
}

static const struct dns_members_case {
	const char *standings, *in_dns; /* y or n for each server */
	enum dns_balance kind;
	bool has_features;
	int floor;
	enum gate_verdict verdict;
	const char *part;
} dns_members_cases[] = {
	{"sss", "yyy", DNS_VIEW_BALANCED, false, 1, GATE_PASSED,
	 "2 that are in DNS"},
	{"sss", "yyn", DNS_VIEW_PARTLY, false, 2, GATE_PASSED, "1 that are in DNS"},
	{"sss", "ynn", DNS_VIEW_PARTLY, false, 1, GATE_REFUSED,
	 "not in DNS: fe02, fe03"},
	{"s?s", "yyn", DNS_VIEW_PARTLY, false, 1, GATE_REFUSED, "not in DNS: fe03"},
	{"s?d", "yyy", DNS_VIEW_BALANCED, false, 0, GATE_REFUSED,
	 "0 that are in DNS"},
	{"sss", "nnn", DNS_VIEW_PARTLY, false, 1, GATE_REFUSED,
	 "0 that are in DNS"},
	{"sss", "nyn", DNS_VIEW_PARTLY, false, 1, GATE_PASSED, "at least 1 must"},
	/* Where balancing counts, the floor does. */
	{"ssss", "yyyy", DNS_VIEW_BALANCED, true, 3, GATE_PASSED,
	 "at least 3 must"},
	{"ssss", "yyyn", DNS_VIEW_PARTLY, true, 2, GATE_PASSED,
	 "2 that are in DNS"},
	{"ssss", "yyyn", DNS_VIEW_PARTLY, true, 3, GATE_REFUSED,
	 "not in DNS: fe04"},
	{"ssss", "ynnn", DNS_VIEW_PARTLY, true, 0, GATE_REFUSED, "at least 1 must"},
	/* The one address is a server's, or a load balancer's. */
	{"sss", "ynn", DNS_VIEW_ONE_ADDRESS, false, 1, GATE_REFUSED,
	 "0 that are in DNS"},
	{"sss", "nyn", DNS_VIEW_ONE_ADDRESS, false, 1, GATE_PASSED,
	 "1 that are in DNS"},
	{"sss", "nnn", DNS_VIEW_ONE_ADDRESS, false, 1, GATE_NOT_ASKED,
	 "a single address"},
	{"sss", "nnn", DNS_VIEW_ELSEWHERE, true, 1, GATE_NOT_ASKED, "none of its"},
	{"sss", "nnn", DNS_VIEW_NOT_RESOLVABLE, true, 1, GATE_NOT_ASKED,
	 "not resolve"},
	{"sss", "nnn", DNS_VIEW_UNKNOWN, true, 1, GATE_NOT_ASKED, "no resolver"},
	{"sss", "nnn", DNS_VIEW_NOT_ASKED, true, 1, GATE_NOT_ASKED, "no `fqdn`"},
};

static void enough_of_the_others_are_in_dns(void **state)
{
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < COUNT(dns_members_cases); i++) {
		const struct dns_members_case *one = &dns_members_cases[i];

		set_scene(&scene, one->standings);
		for (size_t j = 0; one->in_dns[j]; j++)
			scene.members[j].is_in_dns = one->in_dns[j] == 'y';
		scene.input.dns.kind = one->kind;
		scene.input.features = features;
		scene.input.feature_count = one->has_features;
		scene.pool.availability.floor.value = one->floor;
		assert_says(&scene, GATE_DNS_MEMBERS, one->verdict, one->part);
	}
}

/* ---- preflight ---- */

static void a_drain_that_is_impossible_cannot_be_forced(void **state)
{
	struct preflight_finding findings[] = {
		{PREFLIGHT_NOTE, NULL, "a reboot is pending", NULL, "a"},
		{PREFLIGHT_REFUSAL, "RTCSRV", "the service does not accept pause",
		 "drain the others", "b"},
		{PREFLIGHT_WARNING, "RTCSRV", "triggers start it", "remove them",
		 "c"},
		{PREFLIGHT_REFUSAL, NULL, "a finding of the server", NULL, "d"},
	};
	struct preflight_reply preflight = {.findings = findings,
					    .finding_count = COUNT(findings)};
	struct scene scene;

	(void)state;
	set_scene(&scene, "sss");
	scene.input.preflight = &preflight;
	ask(&scene);
	assert_int_equal(scene.results[GATE_PREFLIGHT].verdict, GATE_REFUSED);
	assert_string_equal(text_of(&scene, GATE_PREFLIGHT),
			    "a drain is not possible: RTCSRV: the service does not "
			    "accept pause, a finding of the server");
	assert_string_equal(scene.results[GATE_PREFLIGHT].remedy.text,
			    "drain the others");
	assert_false(gate_may_drain(scene.results, 0));
	assert_false(gate_may_drain(scene.results, ~0U));
	gate_done(scene.results);
}

static void a_preflight_that_nobody_knows_refuses_and_may_be_forced(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene, "sss");
	scene.input.preflight = NULL;
	scene.input.preflight_problem = "no answer";
	assert_says(&scene, GATE_PREFLIGHT, GATE_REFUSED, "is possible: no answer");
	ask(&scene);
	assert_false(gate_may_drain(scene.results, 0));
	assert_true(gate_may_drain(scene.results, 1U << GATE_PREFLIGHT));
	gate_done(scene.results);
	scene.input.preflight = &possible;
	assert_says(&scene, GATE_PREFLIGHT, GATE_PASSED, "is possible");
}

/* ---- capacity ---- */

static const struct capacity_case {
	const char *standings;
	int64_t of_pool, capacities[3], sessions[3];
	enum gate_verdict verdict;
	const char *part;
} capacity_cases[] = {
	{"sss", -1, {-1, -1, -1}, {50, 0, 0}, GATE_NOT_ASKED, "no other server"},
	{"sss", -1, {90, -1, -1}, {50, 0, 0}, GATE_NOT_ASKED, "no other server"},
	{"sss", 100, {-1, -1, -1}, {50, 70, 81}, GATE_REFUSED, "have room for 49"},
	{"sss", 100, {-1, -1, -1}, {50, 70, 80}, GATE_PASSED, "50 sessions"},
	{"sss", 100, {-1, -1, -1}, {50, 70, 10}, GATE_PASSED, "have room for 120"},
	{"sss", 100, {-1, 60, 85}, {15, 60, 70}, GATE_PASSED, "have room for 15"},
	{"sss", 100, {-1, 60, 85}, {16, 60, 70}, GATE_REFUSED, "have room for 15"},
	/* Who carries too much already has no room, and owes none. */
	{"sss", 100, {-1, -1, -1}, {10, 500, 90}, GATE_PASSED, "have room for 10"},
	{"sss", 100, {-1, -1, -1}, {11, 500, 90}, GATE_REFUSED, "have room for 10"},
	/* Who does not serve has none either. */
	{"s?s", 100, {-1, -1, -1}, {50, 0, 50}, GATE_PASSED, "have room for 50"},
	{"s?s", 100, {-1, -1, -1}, {51, 0, 50}, GATE_REFUSED, "have room for 50"},
	{"s??", 100, {-1, -1, -1}, {0, 0, 0}, GATE_PASSED, "have room for 0"},
	/* What is not known is no room. */
	{"sss",
	 100,
	 {-1, -1, -1},
	 {40, -1, 60},
	 GATE_PASSED,
	 "counted as none: fe02"},
	{"sss",
	 100,
	 {-1, -1, -1},
	 {41, -1, 60},
	 GATE_REFUSED,
	 "counted as none: fe02"},
	{"sss",
	 -1,
	 {-1, 100, -1},
	 {40, 60, 0},
	 GATE_PASSED,
	 "counted as none: fe03"},
	{"sss",
	 -1,
	 {-1, 100, -1},
	 {41, 60, 0},
	 GATE_REFUSED,
	 "counted as none: fe03"},
	{"sss",
	 100,
	 {-1, -1, -1},
	 {-1, 0, 0},
	 GATE_REFUSED,
	 "sessions on fe01 is unknown"},
	{"sss", 100, {-1, -1, -1}, {0, 100, 100}, GATE_PASSED, "0 sessions"},
};

static void the_others_have_room_for_the_sessions(void **state)
{
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < COUNT(capacity_cases); i++) {
		const struct capacity_case *one = &capacity_cases[i];

		set_scene(&scene, one->standings);
		scene.pool.capacity = one->of_pool;
		for (int j = 0; j < 3; j++) {
			scene.servers[j].capacity = one->capacities[j];
			scene.members[j].sessions = one->sessions[j];
		}
		assert_says(&scene, GATE_CAPACITY, one->verdict, one->part);
	}
}

/* ---- clocks ---- */

static const struct clock_case {
	bool has_clock[3];
	int64_t ahead_ms[3];
	enum gate_verdict verdict;
	const char *part;
} clock_cases[] = {
	{{0, 0, 0}, {0, 99999999, 0}, GATE_NOT_ASKED, "fewer than two"},
	{{0, 1, 0}, {0, 99999999, 0}, GATE_NOT_ASKED, "fewer than two"},
	{{1, 1, 1}, {0, 0, 0}, GATE_PASSED, "agree to within 2 s"},
	{{1, 1, 1}, {-1000, 1000, 10}, GATE_PASSED, "agree to within 2 s"},
	{{1, 1, 1},
	 {-1000, 1001, 10},
	 GATE_PASSED,
	 "3 s ahead of the clock of fe01"},
	{{1, 1, 1},
	 {-20000, 39000, 10},
	 GATE_PASSED,
	 "of fe02 is 59 s ahead of the clock of"},
	{{1, 1, 1},
	 {-20000, 40000, 10},
	 GATE_PASSED,
	 "60 s ahead of the clock of fe01"},
	{{1, 1, 1},
	 {-20000, 40001, 10},
	 GATE_REFUSED,
	 "61 s ahead of the clock of fe01"},
	{{0, 1, 1},
	 {-20000, 40001, 10},
	 GATE_PASSED,
	 "40 s ahead of the clock of fe03"},
	{{0, 1, 1},
	 {0, 0, 3600000},
	 GATE_REFUSED,
	 "fe03 is 3600 s ahead of the clock of fe02"},
	{{1, 1, 1}, {INT64_MIN, INT64_MAX, 0}, GATE_REFUSED, "of fe02 is"},
};

static void clocks_that_are_known_agree(void **state)
{
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < COUNT(clock_cases); i++) {
		set_scene(&scene, "sss");
		for (int j = 0; j < 3; j++) {
			scene.members[j].has_clock = clock_cases[i].has_clock[j];
			scene.members[j].clock_ahead_ms =
				clock_cases[i].ahead_ms[j];
		}
		assert_says(&scene, GATE_CLOCKS, clock_cases[i].verdict,
			    clock_cases[i].part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_server_serves_only_without_any_drain_and_reservation),
		cmocka_unit_test(what_serves_is_counted),
		cmocka_unit_test(it_is_said_who_is_out_and_since_when),
		cmocka_unit_test(only_the_first_by_rank_count),
		cmocka_unit_test(a_server_that_does_not_count_may_leave),
		cmocka_unit_test(a_row_without_of_first_counts_all),
		cmocka_unit_test(a_size_without_a_row_is_refused),
		cmocka_unit_test(a_server_without_a_rank_is_not_among_the_first),
		cmocka_unit_test(upgrade_domains_are_not_mixed),
		cmocka_unit_test(
			a_domain_is_out_together_only_as_far_as_max_out_allows),
		cmocka_unit_test(a_drain_that_needs_balancing_by_dns_waits_for_it),
		cmocka_unit_test(one_server_alone_is_one_address),
		cmocka_unit_test(what_is_odd_in_dns_is_said),
		cmocka_unit_test(enough_of_the_others_are_in_dns),
		cmocka_unit_test(a_drain_that_is_impossible_cannot_be_forced),
		cmocka_unit_test(
			a_preflight_that_nobody_knows_refuses_and_may_be_forced),
		cmocka_unit_test(the_others_have_room_for_the_sessions),
		cmocka_unit_test(clocks_that_are_known_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
