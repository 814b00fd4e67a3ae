/*
 * The verdicts: nothing is "reached" that is not, whatever the server says.
 */
#include "judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A server with two services and two drains, of which a test uses what it needs. */
struct scene {
	struct server_view view;
	struct service_view services[2];
	struct drain_view drains[2];
	const char *names[2];
};

static const struct aim drained = {.goal = GOAL_DRAINED, .id = "mine"};
static const struct aim out = {.goal = GOAL_OUT, .id = "mine"};
static const struct aim resumed = {.goal = GOAL_RESUMED, .id = "mine"};
static const struct aim ended = {.goal = GOAL_ENDED, .id = "mine"};

static void set_services(struct scene *scene, enum phase phase, enum want wanted)
{
	for (int i = 0; i < 2; i++) {
		scene->services[i].phase = phase;
		scene->services[i].wanted = wanted;
		scene->services[i].is_saved = wanted == WANT_DRAINED;
	}
	scene->view.phase = phase;
}

/* Two services that serve, and no drain. */
static void set_scene(struct scene *scene)
{
	*scene = (struct scene){.names = {"A", "B"}};
	for (int i = 0; i < 2; i++) {
		scene->services[i].name = scene->names[i];
		scene->services[i].message = "as asked";
		scene->drains[i] = (struct drain_view){.id = i ? "other" : "mine",
						       .owner = "somebody",
						       .reason = "a reason",
						       .is_active = true,
						       .is_out = true,
						       .services = scene->names,
						       .service_count = 2};
	}
	scene->view.services = scene->services;
	scene->view.service_count = 2;
	scene->view.drains = scene->drains;
	set_services(scene, PHASE_SERVING, WANT_SERVING);
}

/* Both services are drained, by the drain "mine". */
static void set_drained_scene(struct scene *scene)
{
	set_scene(scene);
	scene->view.drain_count = 1;
	set_services(scene, PHASE_DRAINED, WANT_DRAINED);
}

static void assert_explained(const struct aim *aim, const struct scene *scene,
			     enum verdict verdict, const char *part)
{
	struct buf text = {0};

	judge_explain(aim, &scene->view, verdict, &text);
	assert_non_null(text.text);
	assert_non_null(strstr(text.text, part));
	buf_done(&text);
}

static void a_drain_is_reached_only_if_all_services_are_drained(void **state)
{
	struct scene scene;

	(void)state;
	for (int a = 0; a < PHASE__COUNT; a++)
		for (int b = 0; b < PHASE__COUNT; b++) {
			bool is_drained = a == PHASE_DRAINED && b == PHASE_DRAINED;

			set_drained_scene(&scene);
			scene.services[0].phase = (enum phase)a;
			scene.services[1].phase = (enum phase)b;
			assert_int_equal(judge(&drained, &scene.view, 0) ==
						 VERDICT_REACHED,
					 is_drained);
		}
}

/* Whatever is not covered by it takes a reservation. */
static void a_drain_is_covered_if_it_is_there_with_all_its_services(void **state)
{
	static const char *const b[] = {"B"};
	struct aim only_b = {
		.goal = GOAL_OUT, .id = "mine", .services = b, .service_count = 1};
	struct scene scene;

	(void)state;
	set_drained_scene(&scene);
	assert_true(judge_is_covered(&drained, &scene.view));
	assert_true(judge_is_covered(&only_b, &scene.view));
	scene.drains[0].service_count = 1;
	assert_false(judge_is_covered(&drained, &scene.view));
	assert_false(judge_is_covered(&only_b, &scene.view));
	scene.drains[0].service_count = 2;
	scene.drains[0].id = "other";
	assert_false(judge_is_covered(&drained, &scene.view));
}

static void a_drain_that_is_not_out_is_not_reached(void **state)
{
	struct scene scene;

	(void)state;
	set_drained_scene(&scene);
	scene.drains[0].is_out = false;
	assert_int_equal(judge(&drained, &scene.view, 0), VERDICT_NOT_YET);
	assert_int_equal(judge(&out, &scene.view, 0), VERDICT_NOT_YET);
}

static void a_drain_is_acknowledged_while_sessions_are_left(void **state)
{
	struct scene scene;

	(void)state;
	set_drained_scene(&scene);
	set_services(&scene, PHASE_DRAINING, WANT_DRAINED);
	assert_int_equal(judge(&out, &scene.view, 0), VERDICT_REACHED);
	assert_int_equal(judge(&drained, &scene.view, 0), VERDICT_NOT_YET);
}

static void a_cut_session_is_told(void **state)
{
	struct scene scene;

	(void)state;
	set_drained_scene(&scene);
	scene.view.progress.cut = 2;
	assert_int_equal(judge(&drained, &scene.view, 0), VERDICT_CUT);
	assert_int_equal(judge_exit_status(VERDICT_CUT), 7);
	assert_explained(&drained, &scene, VERDICT_CUT, "2 sessions were cut");
}

static void a_drain_that_somebody_ended_is_gone(void **state)
{
	struct scene scene;

	(void)state;
	set_drained_scene(&scene);
	scene.drains[0].is_active = false;
	assert_int_equal(judge(&drained, &scene.view, 0), VERDICT_GONE);
	scene.view.drain_count = 0;
	assert_int_equal(judge(&out, &scene.view, 0), VERDICT_GONE);
	assert_int_equal(judge_exit_status(VERDICT_GONE), 9);
}

/* The drain is over, and it is known how. */
static void set_ended_scene(struct scene *scene, const char *end_reason)
{
	set_scene(scene);
	scene->drains[0].is_active = false;
	scene->drains[0].until = UNTIL_REBOOT;
	scene->drains[0].end_reason = end_reason;
	scene->drains[0].ended_by = "alice@desk";
	scene->view.ended = &scene->drains[0];
	scene->view.sessions_left = COUNT_UNKNOWN;
	assert_int_equal(clock_parse("2026-05-01T09:00:00Z", &scene->view.time), 0);
}

static void why_a_drain_ended_is_told(void **state)
{
	static const struct {
		const char *reason, *part;
	} ends[] = {
		{"deadline", "the deadline passed before everything was drained"},
		{"reboot", "the server has booted, and the drain ended with that"},
		{"request", "alice@desk ended it"},
		{"something new", "somebody else ended it"},
		{NULL, "somebody else ended it"},
	};
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		set_ended_scene(&scene, ends[i].reason);
		assert_int_equal(judge(&drained, &scene.view, 0), VERDICT_GONE);
		assert_explained(&drained, &scene, VERDICT_GONE, ends[i].part);
	}
	set_ended_scene(&scene, "deadline");
	scene.view.sessions_left = 3;
	assert_explained(&drained, &scene, VERDICT_GONE,
			 "the deadline passed with 3 sessions left, and poold gave");
	set_ended_scene(&scene, "request");
	scene.drains[0].ended_by = NULL;
	assert_explained(&drained, &scene, VERDICT_GONE, "somebody ended it");
	scene.drains[0].is_active = true;
	assert_explained(&drained, &scene, VERDICT_GONE, "somebody else ended it");
}

static void a_boot_after_drained_is_a_success(void **state)
{
	static const char *const reasons[] = {"reboot", "deadline", "request"};
	struct scene scene;

	(void)state;
	for (int i = 0; i < 3; i++) {
		set_ended_scene(&scene, reasons[i]);
		scene.drains[0].drained_at.is_given = true;
		assert_int_equal(judge(&drained, &scene.view, 0),
				 i == 0 ? VERDICT_BACK : VERDICT_GONE);
	}
	set_ended_scene(&scene, "reboot");
	scene.drains[0].drained_at =
		(struct moment){true, {scene.view.time.ms - 30 * 60000}};
	assert_int_equal(judge_exit_status(VERDICT_BACK), 0);
	assert_explained(&drained, &scene, VERDICT_BACK,
			 "drained at 08:30Z, and back since the boot");
	scene.view.phase = PHASE_RESUMING;
	assert_explained(&drained, &scene, VERDICT_BACK,
			 "drained at 08:30Z, and the boot ended the drain");
}

static void a_drain_of_the_same_id_that_covers_less_is_not_enough(void **state)
{
	static const char *const wish[] = {"b"};
	const struct aim only_b = {
		.goal = GOAL_DRAINED, .id = "mine", .services = wish, .service_count = 1};
	struct scene scene;

	(void)state;
	set_drained_scene(&scene);
	assert_int_equal(judge(&only_b, &scene.view, 0), VERDICT_REACHED);
	scene.drains[0].service_count = 1;
	assert_int_equal(judge(&only_b, &scene.view, 0), VERDICT_NARROW);
	assert_int_equal(judge(&drained, &scene.view, 0), VERDICT_NARROW);
	assert_explained(&drained, &scene, VERDICT_NARROW, "does not cover service B");
}

static void a_service_that_is_not_reported_is_not_drained(void **state)
{
	struct scene scene;

	(void)state;
	set_drained_scene(&scene);
	scene.view.service_count = 1;
	assert_int_equal(judge(&drained, &scene.view, 0), VERDICT_NARROW);
	assert_explained(&drained, &scene, VERDICT_NARROW, "B, which the server");
}

static void a_resume_is_reached_only_if_all_is_as_before(void **state)
{
	struct scene scene;

	(void)state;
	for (int phase = 0; phase < PHASE__COUNT; phase++)
		for (int is_saved = 0; is_saved < 2; is_saved++) {
			bool is_back = phase == PHASE_SERVING && !is_saved;

			set_scene(&scene);
			scene.services[1].phase = (enum phase)phase;
			scene.services[1].is_saved = is_saved;
			assert_int_equal(judge(&resumed, &scene.view, 0),
					 is_back ? VERDICT_REACHED : VERDICT_NOT_YET);
		}
}

static void a_resume_is_held_by_other_drains(void **state)
{
	struct scene scene;

	(void)state;
	set_drained_scene(&scene);
	scene.drains[0] = scene.drains[1];
	assert_int_equal(judge(&resumed, &scene.view, 0), VERDICT_HELD);
	assert_int_equal(judge(&ended, &scene.view, 0), VERDICT_HELD);
	assert_int_equal(judge_exit_status(VERDICT_HELD), 5);
	assert_explained(&resumed, &scene, VERDICT_HELD,
			 "other of somebody (a reason) since 00:00Z");
}

static void a_held_resume_waits_for_what_is_not_held(void **state)
{
	struct scene scene;

	(void)state;
	set_drained_scene(&scene);
	scene.drains[0] = scene.drains[1];
	scene.services[0].wanted = WANT_SERVING;
	scene.services[0].phase = PHASE_RESUMING;
	assert_int_equal(judge(&resumed, &scene.view, 0), VERDICT_NOT_YET);
	scene.services[0].phase = PHASE_SERVING;
	scene.services[0].is_saved = false;
	assert_int_equal(judge(&resumed, &scene.view, 0), VERDICT_HELD);
}

static void drains_that_ended_hold_nothing(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene);
	scene.view.drain_count = 2;
	scene.drains[0].is_active = false;
	scene.drains[1].is_active = false;
	assert_int_equal(judge(&resumed, &scene.view, 0), VERDICT_REACHED);
}

static void attention_counts_after_five_seconds(void **state)
{
	struct scene scene;

	(void)state;
	set_drained_scene(&scene);
	scene.services[1].phase = PHASE_ATTENTION;
	scene.services[1].message = "cannot pause";
	assert_true(judge_is_troubled(&drained, &scene.view));
	assert_int_equal(judge(&drained, &scene.view, 4999), VERDICT_NOT_YET);
	assert_int_equal(judge(&drained, &scene.view, 5000), VERDICT_ATTENTION);
	assert_int_equal(judge_exit_status(VERDICT_ATTENTION), 9);
	assert_explained(&drained, &scene, VERDICT_ATTENTION, "B: cannot pause");
}

static void attention_of_what_the_drain_does_not_cover_does_not_matter(void **state)
{
	static const char *const wish[] = {"A"};
	const struct aim only_a = {
		.goal = GOAL_DRAINED, .id = "mine", .services = wish, .service_count = 1};
	struct scene scene;

	(void)state;
	set_drained_scene(&scene);
	scene.drains[0].service_count = 1;
	scene.services[1].phase = PHASE_ATTENTION;
	assert_false(judge_is_troubled(&only_a, &scene.view));
	assert_int_equal(judge(&only_a, &scene.view, 5000), VERDICT_REACHED);
}

static void a_reached_goal_outweighs_an_old_attention(void **state)
{
	struct scene scene;

	(void)state;
	set_drained_scene(&scene);
	assert_int_equal(judge(&drained, &scene.view, 60000), VERDICT_REACHED);
}

static void waiting_looks_at_the_server_s_phase(void **state)
{
	static const struct aim seen_drained = {.goal = GOAL_SEEN_DRAINED};
	static const struct aim seen_serving = {.goal = GOAL_SEEN_SERVING};
	struct scene scene;

	(void)state;
	for (int phase = 0; phase < PHASE__COUNT; phase++) {
		set_scene(&scene);
		scene.view.phase = (enum phase)phase;
		assert_int_equal(judge(&seen_drained, &scene.view, 0) == VERDICT_REACHED,
				 phase == PHASE_DRAINED);
		assert_int_equal(judge(&seen_serving, &scene.view, 0) == VERDICT_REACHED,
				 phase == PHASE_SERVING);
		scene.view.progress.cut = 2;
		assert_int_equal(judge(&seen_drained, &scene.view, 0) == VERDICT_CUT,
				 phase == PHASE_DRAINED);
	}
}

static void what_was_there_before_is_known(void **state)
{
	struct scene scene;

	(void)state;
	set_scene(&scene);
	assert_true(judge_was_there(&resumed, &scene.view));
	assert_false(judge_was_there(&drained, &scene.view));
	set_drained_scene(&scene);
	scene.view.drain_count = 0;
	assert_true(judge_was_there(&drained, &scene.view));
	assert_false(judge_was_there(&resumed, &scene.view));
	scene.services[0].phase = PHASE_DRAINING;
	assert_false(judge_was_there(&drained, &scene.view));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_drain_is_reached_only_if_all_services_are_drained),
		cmocka_unit_test(a_drain_is_covered_if_it_is_there_with_all_its_services),
		cmocka_unit_test(a_drain_that_is_not_out_is_not_reached),
		cmocka_unit_test(a_drain_is_acknowledged_while_sessions_are_left),
		cmocka_unit_test(a_cut_session_is_told),
		cmocka_unit_test(a_drain_that_somebody_ended_is_gone),
		cmocka_unit_test(why_a_drain_ended_is_told),
		cmocka_unit_test(a_boot_after_drained_is_a_success),
		cmocka_unit_test(a_drain_of_the_same_id_that_covers_less_is_not_enough),
		cmocka_unit_test(a_service_that_is_not_reported_is_not_drained),
		cmocka_unit_test(a_resume_is_reached_only_if_all_is_as_before),
		cmocka_unit_test(a_resume_is_held_by_other_drains),
		cmocka_unit_test(a_held_resume_waits_for_what_is_not_held),
		cmocka_unit_test(drains_that_ended_hold_nothing),
		cmocka_unit_test(attention_counts_after_five_seconds),
		cmocka_unit_test(
			attention_of_what_the_drain_does_not_cover_does_not_matter),
		cmocka_unit_test(a_reached_goal_outweighs_an_old_attention),
		cmocka_unit_test(waiting_looks_at_the_server_s_phase),
		cmocka_unit_test(what_was_there_before_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
