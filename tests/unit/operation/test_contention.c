/*
 * Several have reserved servers of one pool: whoever checks sees what it may do,
 * and all of them together never take too many.
 */
#include "draw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gates/gate_scene.h"
#include "operation/contention.h"

enum { ROUNDS = 10000 };

/* As the one who has reserved that server sees it: to itself it serves. */
static enum contention resolve(struct scene *scene, size_t mine, unsigned forced,
			       const struct gate_member **rival)
{
	enum gate_standing standing = scene->members[mine].standing;
	enum contention contention;

	scene->members[mine].standing = STANDING_SERVING;
	scene->input.target = &scene->members[mine];
	gate_done(scene->results);
	contention =
		contention_resolve(&scene->input, forced, rival, scene->results);
	scene->members[mine].standing = standing;
	return contention;
}

static void each_case_is_resolved_as_the_order_says(void **state)
{
	static const struct {
		const char *standings;
		int floor;
		size_t mine;
		enum contention contention;
		int rival; /* -1: none */
	} cases[] = {
		{"vss", 2, 0, CONTENTION_NONE, -1},
		{"vvs", 1, 0, CONTENTION_NONE, -1},
		{"vvs", 2, 0, CONTENTION_FIRST, 1},
		{"vvs", 2, 1, CONTENTION_LOST, 0},
		{"svv", 2, 1, CONTENTION_FIRST, 2},
		{"svv", 2, 2, CONTENTION_LOST, 1},
		{"vvd", 2, 0, CONTENTION_REFUSED, -1},
		{"vds", 2, 0, CONTENTION_REFUSED, -1},
		{"v?s", 2, 0, CONTENTION_REFUSED, -1},
		{"vvv", 2, 1, CONTENTION_LOST, 0},
		{"vvv", 1, 1, CONTENTION_FIRST, 2},
		{"vvv", 1, 2, CONTENTION_LOST, 0},
		{"vvvs", 1, 2, CONTENTION_NONE, -1},
	};
	const struct gate_member *rival;
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		set_scene(&scene, cases[i].standings);
		scene.pool.availability.floor.value = cases[i].floor;
		assert_int_equal(resolve(&scene, cases[i].mine, 0, &rival),
				 cases[i].contention);
		assert_ptr_equal(rival, cases[i].rival < 0
						? NULL
						: &scene.members[cases[i].rival]);
		gate_done(scene.results);
	}
}

/* The order is that of the names, wherever the servers stand in a file. */
static void the_order_of_the_file_does_not_matter(void **state)
{
	const struct gate_member *rival;
	struct scene scene;

	(void)state;
	set_scene(&scene, "vvs");
	scene.pool.availability.floor.value = 2;
	memcpy(scene.names[0], "fe9", 4);
	assert_int_equal(resolve(&scene, 0, 0, &rival), CONTENTION_LOST);
	assert_int_equal(resolve(&scene, 1, 0, &rival), CONTENTION_FIRST);
	gate_done(scene.results);
}

static void a_gate_that_is_forced_is_nobodys_rival(void **state)
{
	const struct gate_member *rival;
	struct scene scene;

	(void)state;
	set_scene(&scene, "vvs");
	scene.pool.availability.floor.value = 2;
	assert_int_equal(resolve(&scene, 1, 1U << GATE_FLOOR, &rival),
			 CONTENTION_NONE);
	assert_int_equal(scene.results[GATE_FLOOR].verdict, GATE_REFUSED);
	gate_done(scene.results);
}

/* However many check the same pool at once: those that may leave may leave
 * together, and if all of those that lost withdraw, one that goes first may. */
static void all_together_keep_the_floor_and_somebody_gets_there(void **state)
{
	int none = 0, first = 0, lost = 0;
	struct scene scene;

	(void)state;
	draw_begin(1);
	for (int round = 0; round < ROUNDS; round++) {
		char standings[SERVERS + 1] = {0};
		size_t size = (size_t)draw(6) + 2, serve = 0, reserved = 0,
		       firsts = 0;
		size_t losers = 0, may = 0;

		for (size_t i = 0; i < size; i++) {
			standings[i] = "svvvd?"[draw(6)];
			serve += standings[i] == 's';
			reserved += standings[i] == 'v';
		}
		set_scene(&scene, standings);
		scene.pool.availability.floor.value = (int)draw((int64_t)size) + 1;
		for (size_t i = 0; i < size; i++) {
			const struct gate_member *rival;
			enum contention contention;

			if (standings[i] != 'v')
				continue;
			contention = resolve(&scene, i, 0, &rival);
			may += contention == CONTENTION_NONE;
			firsts += contention == CONTENTION_FIRST;
			losers += contention == CONTENTION_LOST;
			assert_int_equal(rival != NULL,
					 contention == CONTENTION_FIRST ||
						 contention == CONTENTION_LOST);
		}
		/* Whoever may, may though all that is reserved leaves as well. */
		assert_true(!may ||
			    serve >= (size_t)scene.pool.availability.floor.value);
		assert_true(!may || may == reserved);
		assert_true(!losers || firsts);
		none += may > 0;
		first += firsts > 0;
		lost += losers > 0;
		gate_done(scene.results);
	}
	assert_true(none > 100 && first > 100 && lost > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_is_resolved_as_the_order_says),
		cmocka_unit_test(the_order_of_the_file_does_not_matter),
		cmocka_unit_test(a_gate_that_is_forced_is_nobodys_rival),
		cmocka_unit_test(
			all_together_keep_the_floor_and_somebody_gets_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
