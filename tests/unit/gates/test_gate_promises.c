/*
 * Gates that pass leave the pool above its floor, whatever is gathered; and what
 * may be forced.
 */
#include "draw.h"
#include "mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gates/gate_scene.h"

enum { ROUNDS = 10000, TEXT_LIMIT = 8192 };

/* ---- force ---- */

/* A pool in which all gates refuse. */
static void set_worst_scene(struct scene *scene)
{
	static char one[] = "ud1", other[] = "ud2";

	set_scene(scene, "s?a");
	scene->pool.availability.floor.value = 3;
	scene->pool.availability.max_out = 2;
	scene->pool.capacity = 10;
	scene->servers[0].upgrade_domain = one;
	scene->servers[1].upgrade_domain = other;
	scene->input.dns.kind = DNS_VIEW_PARTLY;
	scene->input.features = features;
	scene->input.feature_count = COUNT(features);
	scene->input.preflight = NULL;
	scene->members[0].has_clock = scene->members[2].has_clock = true;
	scene->members[2].clock_ahead_ms = -GATE_CLOCK_LIMIT_MS - 1;
}

static void each_gate_that_refuses_must_be_forced_by_name(void **state)
{
	const unsigned all = (1U << GATE__COUNT) - 1;
	struct scene scene;
	struct err err = {0};

	(void)state;
	set_worst_scene(&scene);
	ask(&scene);
	for (int i = 0; i < GATE__COUNT; i++) {
		unsigned forced = 0;

		assert_int_equal(scene.results[i].verdict, GATE_REFUSED);
		assert_true(scene.results[i].text.length > 0);
		assert_null(strstr(scene.results[i].remedy.text, "--force="));
		assert_false(gate_may_drain(scene.results, all & ~(1U << i)));
		assert_int_equal(
			gate_parse_force(gate_name((enum gate)i), &forced, &err),
			0);
		assert_int_equal(forced, 1U << i);
	}
	assert_true(gate_may_drain(scene.results, all));
	assert_false(gate_may_drain(scene.results, 0));
	gate_done(scene.results);
}

static void one_forced_gate_passes_no_other(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene, "s?s");
	scene.pool.availability.floor.value = 2;
	ask(&scene);
	assert_false(gate_may_drain(scene.results, GATES_BROKEN_SESSIONS));
	assert_true(gate_may_drain(scene.results, 1U << GATE_FLOOR));
	gate_done(scene.results);
	/* Below the floor is not yet without any. */
	scene.members[2].standing = STANDING_RESERVED;
	ask(&scene);
	assert_false(gate_may_drain(scene.results, 1U << GATE_FLOOR));
	gate_done(scene.results);
}

static void accepting_broken_sessions_passes_dns_alone(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene, "sss");
	scene.input.dns.kind = DNS_VIEW_ONE_ADDRESS;
	for (int i = 0; i < 3; i++)
		scene.members[i].is_in_dns = false;
	scene.input.features = features;
	scene.input.feature_count = COUNT(features);
	ask(&scene);
	assert_false(gate_may_drain(scene.results, 0));
	assert_true(gate_may_drain(scene.results, GATES_BROKEN_SESSIONS));
	for (int i = 0; i < GATE__COUNT; i++) {
		for (int j = 0; j < GATE__COUNT; j++)
			scene.results[j].verdict =
				i == j ? GATE_REFUSED : GATE_PASSED;
		assert_int_equal(
			gate_may_drain(scene.results, GATES_BROKEN_SESSIONS),
			i == GATE_DNS);
	}
	gate_done(scene.results);
}

static void results_that_were_never_filled_let_nobody_leave(void **state)
{
	struct gate_result results[GATE__COUNT] = {0};

	(void)state;
	assert_false(gate_may_drain(results, 0));
	assert_false(gate_may_drain(results, ~0U));
}

static void gates_are_forced_by_their_names(void **state)
{
	static const struct {
		const char *text, *mistake;
	} wrong[] = {
		{"", "names of gates"},
		{",floor", "names of gates"},
		{"floor,", "names of gates"},
		{"floor,,dns", "names of gates"},
		{"flor", "did you mean 'floor'?"},
		{"floor, dns", "unknown gate ' dns' (did you mean 'dns'?)"},
		{"all",
		 "the gates are preflight, last, floor, max_out, domain, dns, "},
		{"FLOOR", "unknown gate 'FLOOR'"},
		{"floorfloorfloorfloorfloorfloorfloorfloor",
		 "unknown gate 'floorfloor"},
	};
	unsigned forced = 1U << GATE_LAST;
	struct err err = {0};

	(void)state;
	assert_int_equal(gate_parse_force("floor,dns,floor", &forced, &err), 0);
	assert_int_equal(forced,
			 1U << GATE_LAST | 1U << GATE_FLOOR | 1U << GATE_DNS);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		err = (struct err){0};
		assert_int_equal(gate_parse_force(wrong[i].text, &forced, &err),
				 -1);
		assert_int_equal(err.code, ERR_USAGE);
		assert_non_null(strstr(err.text, wrong[i].mistake));
	}
}

/* ---- whatever is gathered ---- */

static void texts_stay_short_whatever_peers_send(void **state)
{
	enum { MANY = 1000, LONG = 100000 };
	struct scene scene;
	char *text = xcalloc(LONG + 1, 1);
	const char **many = xcalloc(MANY, sizeof(*many));
	struct preflight_finding *findings = xcalloc(MANY, sizeof(*findings));

	(void)state;
	memset(text, 'x', LONG);
	for (int i = 0; i < MANY; i++) {
		many[i] = text;
		findings[i] = (struct preflight_finding){PREFLIGHT_REFUSAL, text,
							 text, text, text};
	}
	set_scene(&scene, "s???????????????");
	scene.pool.availability.floor.value = SERVERS;
	for (int i = 0; i < SERVERS; i++) {
		scene.servers[i].upgrade_domain = i ? NULL : text;
		scene.members[i].holder = text;
	}
	scene.input.features = many;
	scene.input.feature_count = MANY;
	scene.input.dns = (struct gate_dns){DNS_VIEW_PARTLY, true, text};
	scene.input.preflight = &(struct preflight_reply){.findings = findings,
							  .finding_count = MANY};
	ask(&scene);
	for (int i = 0; i < GATE__COUNT; i++) {
		assert_true(scene.results[i].text.length < TEXT_LIMIT);
		assert_true(scene.results[i].remedy.length < TEXT_LIMIT);
	}
	assert_non_null(strstr(text_of(&scene, GATE_FLOOR), " and 7 more"));
	assert_non_null(strstr(text_of(&scene, GATE_DNS), " and 992 more"));
	gate_done(scene.results);
	free(text);
	free(many);
	free(findings);
}

/* A pool by chance, in which most serve. */
static void draw_scene(struct scene *scene, struct pool_floor_row *row)
{
	static char domains[][4] = {"ud1", "ud2", "ud3"};
	char standings[SERVERS + 1] = {0};
	size_t size = (size_t)draw(SERVERS) + 1, first = (size_t)draw(SERVERS);

	for (size_t i = 0; i < size; i++)
		standings[i] =
			one_in(3) ? standing_letters[draw(STANDING__COUNT)] : 's';
	set_scene(scene, standings);
	*row = (struct pool_floor_row){.servers = (int64_t)size,
				       .functional = draw((int64_t)size) + 1,
				       .of_first = -1};
	if (one_in(2))
		row->of_first =
			row->functional + draw((int64_t)size - row->functional + 1);
	scene->pool.floors = (struct list){row, !one_in(20)};
	scene->pool.availability.floor.kind = (enum floor_kind)draw(3);
	scene->pool.availability.floor.value =
		(int)draw(scene->pool.availability.floor.kind == FLOOR_NUMBER
				  ? (int64_t)size + 1
				  : 101);
	scene->pool.availability.max_out = draw((int64_t)size) + 1;
	scene->pool.dns.expect = (int)draw(3);
	scene->pool.capacity = one_in(2) ? draw(200) : -1;
	scene->input.target = &scene->members[draw((int64_t)size)];
	scene->input.dns.kind = (enum dns_balance)draw(DNS_VIEW__COUNT);
	scene->input.features = features;
	scene->input.feature_count = (size_t)draw(3);
	for (size_t i = 0; i < size; i++) {
		struct gate_member *member = &scene->members[i];

		scene->servers[i].rank =
			one_in(30) ? -1 : (int64_t)((i + first) % size) + 1;
		if (!one_in(3))
			scene->servers[i].upgrade_domain = domains[draw(3)];
		member->sessions = draw(100) - 1;
		member->is_in_dns = !one_in(3);
	}
}

/* From the scene alone, in the plainest way there is. */
static bool is_above_the_floor(const struct scene *scene)
{
	const struct floor *floor = &scene->pool.availability.floor;
	const struct pool_floor_row *row = scene->pool.floors.items;
	int size = (int)scene->pool.servers.count, left = 0, left_of_first = 0;

	for (int i = 0; i < size; i++) {
		if (&scene->members[i] == scene->input.target ||
		    scene->members[i].standing != STANDING_SERVING)
			continue;
		left++;
		for (int64_t rank = 1;
		     scene->pool.floors.count && rank <= row->of_first; rank++)
			left_of_first += scene->servers[i].rank == rank;
	}
	switch (floor->kind) {
	case FLOOR_NUMBER:
		return left >= floor->value;
	case FLOOR_PERCENT:
		return left * 100 >= floor->value * size;
	default:
		return scene->pool.floors.count &&
		       (row->of_first < 0 ? left : left_of_first) >=
			       row->functional;
	}
}

static void gates_that_pass_leave_the_pool_above_its_floor(void **state)
{
	struct pool_floor_row row;
	struct scene scene;
	int passed = 0, refused = 0;

	(void)state;
	draw_begin(1);
	for (int i = 0; i < ROUNDS; i++) {
		bool is_above;

		draw_scene(&scene, &row);
		is_above = is_above_the_floor(&scene);
		ask(&scene);
		assert_int_equal(scene.results[GATE_FLOOR].verdict,
				 is_above ? GATE_PASSED : GATE_REFUSED);
		if (gate_may_drain(scene.results, ~(1U << GATE_FLOOR)))
			assert_true(is_above);
		if (gate_may_drain(scene.results, 0))
			passed++;
		refused += !is_above;
		gate_done(scene.results);
	}
	/* Both happened, or nothing was tried. */
	assert_true(passed > ROUNDS / 100 && refused > ROUNDS / 100);
}

/* What is worse never opens a gate, how somebody is out makes no difference. */
static void another_server_that_is_lost_opens_no_gate(void **state)
{
	struct gate_result before[GATE__COUNT];
	struct pool_floor_row row;
	struct scene scene;

	(void)state;
	draw_begin(2);
	for (int i = 0; i < ROUNDS; i++) {
		struct gate_member *member;
		bool did_serve;

		draw_scene(&scene, &row);
		gate_check(&scene.input, before);
		member = &scene.members[draw((int64_t)scene.input.member_count)];
		did_serve = member->standing == STANDING_SERVING;
		do
			member->standing =
				(enum gate_standing)draw(STANDING__COUNT);
		while (member->standing == STANDING_SERVING);
		ask(&scene);
		for (int gate = 0; gate < GATE__COUNT; gate++) {
			enum gate_verdict now = scene.results[gate].verdict;

			if (now == before[gate].verdict)
				continue;
			assert_true(did_serve && member != scene.input.target);
			assert_int_equal(now, GATE_REFUSED);
		}
		gate_done(scene.results);
		gate_done(before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_gate_that_refuses_must_be_forced_by_name),
		cmocka_unit_test(one_forced_gate_passes_no_other),
		cmocka_unit_test(accepting_broken_sessions_passes_dns_alone),
		cmocka_unit_test(results_that_were_never_filled_let_nobody_leave),
		cmocka_unit_test(gates_are_forced_by_their_names),
		cmocka_unit_test(texts_stay_short_whatever_peers_send),
		cmocka_unit_test(gates_that_pass_leave_the_pool_above_its_floor),
		cmocka_unit_test(another_server_that_is_lost_opens_no_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
