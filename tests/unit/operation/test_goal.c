/*
 * The outcomes: nothing is "reached" that is not, whatever the server says.
 */
#include "operation/goal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A server with the services A and B, and one drain. */
struct scene {
	struct server_view view;
	struct service_view services[2];
	struct drain_view drain;
};

static const char *const names[] = {"A", "B"};

/* A letter for the phase of each service; those that do not come back are to be
 * drained. The drain covers both. */
static void set_scene(struct scene *scene, const char *phases, const char *drain)
{
	static const char letters[PHASE__COUNT + 1] = {
		[PHASE_SERVING] = 's',   [PHASE_DRAINING] = 'd',
		[PHASE_DRAINED] = 'D',   [PHASE_RESUMING] = 'r',
		[PHASE_ATTENTION] = 'a',
	};

	memset(scene, 0, sizeof(*scene));
	for (int i = 0; i < 2; i++) {
		bool is_out = !strchr("sr", phases[i]);

		scene->services[i] = (struct service_view){
			.name = names[i],
			.message = "cannot pause",
			.phase = (enum phase)(strchr(letters, phases[i]) - letters),
			.wanted = is_out ? WANT_DRAINED : WANT_SERVING,
			.is_saved = phases[i] != 's',
			.cut = COUNT_UNKNOWN,
		};
	}
	scene->drain = (struct drain_view){.id = drain,
					   .owner = "somebody",
					   .reason = "a reason",
					   .is_active = true,
					   .is_out = true,
					   .services = (const char **)names,
					   .service_count = 2};
	scene->view = (struct server_view){.phase = scene->services[0].phase,
					   .services = scene->services,
					   .service_count = 2,
					   .drains = &scene->drain,
					   .drain_count = drain != NULL,
					   .sessions_left = COUNT_UNKNOWN};
	(void)clock_parse("2026-05-01T09:00:00Z", &scene->view.time);
}

/* Covers: how many services the drain covers, if not both. */
static const struct row {
	enum goal_kind kind;
	const char *wish; /* the only service that is to be drained, or NULL */
	const char *phases, *drain;
	bool is_ended, is_going_out, is_alone;
	size_t covers;
	int64_t cut, attention_ms;
	enum goal_outcome outcome;
	const char *part; /* of what is said, or NULL */
} rows[] = {
	{GOAL_OUT, .phases = "dd", .drain = "mine", .outcome = OUTCOME_REACHED},
	{GOAL_DRAINED, .phases = "dd", .drain = "mine", .outcome = OUTCOME_NOT_YET},
	{GOAL_OUT, .phases = "DD", .drain = "mine", .is_going_out = true},
	{GOAL_DRAINED, .phases = "DD", .drain = "mine", .is_going_out = true},
	{GOAL_DRAINED, .phases = "DD", .drain = "mine", .cut = 2,
	 .outcome = OUTCOME_CUT, .part = "2 sessions were cut"},
	{GOAL_DRAINED, .phases = "DD", .drain = "mine", .cut = 1,
	 .outcome = OUTCOME_CUT, .part = "1 session was cut"},

	{GOAL_DRAINED, .phases = "DD", .drain = "mine", .is_ended = true,
	 .outcome = OUTCOME_GONE},
	{GOAL_OUT, .phases = "DD", .outcome = OUTCOME_GONE},

	{GOAL_DRAINED, "b", "DD", "mine", .outcome = OUTCOME_REACHED},
	{GOAL_DRAINED, "b", "DD", "mine", .covers = 1, .outcome = OUTCOME_NARROW,
	 .part = "does not cover service b"},
	{GOAL_DRAINED, NULL, "DD", "mine", .covers = 1, .outcome = OUTCOME_NARROW,
	 .part = "does not cover service B"},
	{GOAL_DRAINED, NULL, "DD", "mine", .is_alone = true,
	 .outcome = OUTCOME_NARROW, .part = "B, which the server"},

	{GOAL_RESUMED, NULL, "DD", "other", .outcome = OUTCOME_HELD,
	 .part = "other of somebody (a reason) since"},
	{GOAL_ENDED, NULL, "DD", "other", .outcome = OUTCOME_HELD},
	{GOAL_RESUMED, NULL, "rD", "other", .outcome = OUTCOME_NOT_YET},
	{GOAL_RESUMED, NULL, "sD", "other", .outcome = OUTCOME_HELD},
	{GOAL_RESUMED, NULL, "ss", "other", .is_ended = true,
	 .outcome = OUTCOME_REACHED},

	/* Those who only wait name a drain, which says what it is about. */
	{GOAL_SEEN_DRAINED, NULL, "Ds", "mine", .covers = 1,
	 .outcome = OUTCOME_REACHED},
	{GOAL_SEEN_DRAINED, NULL, "Dd", "mine", .outcome = OUTCOME_NOT_YET},
	{GOAL_SEEN_DRAINED, "B", "DD", "mine", .covers = 1,
	 .outcome = OUTCOME_NARROW, .part = "does not cover service B"},
	{GOAL_SEEN_DRAINED, NULL, "DD", .outcome = OUTCOME_GONE,
	 .part = "there is no drain mine"},
	{GOAL_SEEN_SERVING, "B", "Ds", "mine", .outcome = OUTCOME_REACHED},
	{GOAL_SEEN_SERVING, "A", "Ds", "mine", .outcome = OUTCOME_NOT_YET},
	{GOAL_SEEN_SERVING, "C", "ss", .outcome = OUTCOME_NARROW,
	 .part = "does not report service C"},

	{GOAL_DRAINED, NULL, "Da", "mine", .attention_ms = 4999},
	{GOAL_DRAINED, NULL, "Da", "mine", .attention_ms = 5000,
	 .outcome = OUTCOME_ATTENTION, .part = "B: cannot pause"},
	/* A service that the drain does not cover may be in trouble. */
	{GOAL_DRAINED, "A", "Da", "mine", .covers = 1, .attention_ms = 5000,
	 .outcome = OUTCOME_REACHED},
	{GOAL_DRAINED, NULL, "DD", "mine", .attention_ms = 60000,
	 .outcome = OUTCOME_REACHED},
};

static void assert_explained(const struct goal *goal, const struct scene *scene,
			     enum goal_outcome outcome, const char *part)
{
	struct buf text = {0};

	goal_explain(goal, &scene->view, outcome, &text);
	assert_non_null(text.text);
	if (!strstr(text.text, part))
		fail_msg("no \"%s\" in \"%s\"", part, text.text);
	buf_done(&text);
}

static void each_view_has_its_outcome(void **state)
{
	(void)state;
	for (const struct row *row = rows;
	     row < rows + sizeof(rows) / sizeof(rows[0]); row++) {
		struct goal goal = {row->kind, "mine", &row->wish,
				    row->wish != NULL};
		struct scene scene;

		set_scene(&scene, row->phases, row->drain);
		scene.drain.is_active = !row->is_ended;
		scene.drain.is_out = !row->is_going_out;
		scene.drain.service_count -= row->covers;
		scene.view.service_count -= row->is_alone;
		scene.view.progress.cut = row->cut;
		if (goal_evaluate(&goal, &scene.view, row->attention_ms) !=
		    row->outcome)
			fail_msg("row %td", row - rows);
		if (row->part)
			assert_explained(&goal, &scene, row->outcome, row->part);
	}
}

/* Those that depend on each phase. */
static void a_goal_is_reached_in_the_right_phases_alone(void **state)
{
	static const struct goal drained = {GOAL_DRAINED, .id = "mine"};
	static const struct goal resumed = {GOAL_RESUMED, .id = "mine"};
	static const struct goal seen_drained = {.kind = GOAL_SEEN_DRAINED};
	static const struct goal seen_serving = {.kind = GOAL_SEEN_SERVING};
	static const char letters[] = "sdDra";
	struct scene scene;

	(void)state;
	for (const char *a = letters; *a; a++)
		for (const char *b = letters; *b; b++) {
			char phases[] = {*a, *b};

			set_scene(&scene, phases, "mine");
			assert_int_equal(goal_evaluate(&drained, &scene.view, 0) ==
						 OUTCOME_REACHED,
					 *a == 'D' && *b == 'D');
			assert_int_equal(goal_evaluate(&seen_drained, &scene.view,
						       0) == OUTCOME_REACHED,
					 *a == 'D');
			assert_int_equal(goal_evaluate(&seen_serving, &scene.view,
						       0) == OUTCOME_REACHED,
					 *a == 's');
			scene.view.progress.cut = 2;
			assert_int_equal(goal_evaluate(&seen_drained, &scene.view,
						       0) == OUTCOME_CUT,
					 *a == 'D');
			for (int is_saved = 0; is_saved < 2; is_saved++) {
				set_scene(&scene, phases, NULL);
				scene.services[1].is_saved = is_saved;
				assert_int_equal(
					goal_evaluate(&resumed, &scene.view, 0) ==
						OUTCOME_REACHED,
					*a == 's' && *b == 's' && !is_saved);
			}
		}
}

static void what_is_there_before_is_known(void **state)
{
	static const struct goal drained = {GOAL_DRAINED, .id = "mine"};
	static const struct goal resumed = {GOAL_RESUMED, .id = "mine"};
	struct scene scene;

	(void)state;
	set_scene(&scene, "ss", NULL);
	assert_true(goal_was_there(&resumed, &scene.view));
	assert_false(goal_was_there(&drained, &scene.view));
	set_scene(&scene, "DD", NULL);
	assert_true(goal_was_there(&drained, &scene.view));
	assert_false(goal_was_there(&resumed, &scene.view));
	set_scene(&scene, "dD", NULL);
	assert_false(goal_was_there(&drained, &scene.view));
}

/* A drain that covers less takes a reservation. */
static void a_drain_is_covered_if_it_is_there_with_all_its_services(void **state)
{
	static const struct goal all = {GOAL_OUT, .id = "mine"};
	static const struct goal only_b = {GOAL_OUT, "mine", &names[1], 1};
	struct scene scene;

	(void)state;
	set_scene(&scene, "DD", "mine");
	assert_true(goal_is_covered(&all, &scene.view));
	assert_true(goal_is_covered(&only_b, &scene.view));
	scene.drain.service_count = 1;
	assert_false(goal_is_covered(&all, &scene.view));
	assert_false(goal_is_covered(&only_b, &scene.view));
	set_scene(&scene, "DD", "other");
	assert_false(goal_is_covered(&all, &scene.view));
}

static void why_a_drain_ended_is_told(void **state)
{
	static const struct goal drained = {GOAL_DRAINED, .id = "mine"};
	static const struct {
		const char *reason, *by;
		bool was_drained;
		const char *part;
		const char *phases;
		int64_t sessions_left;
	} ends[] = {
		{"deadline", NULL, false,
		 "the deadline passed before all services were drained", "ss", -1},
		{"deadline", NULL, false,
		 "the deadline passed with 3 sessions left, so poold ended", "ss",
		 3},
		{"deadline", NULL, true, "the deadline passed", "ss", -1},
		{"reboot", NULL, false, "the server rebooted before it was drained",
		 "ss", -1},
		{"reboot", NULL, true,
		 "drained at 08:30Z, and serving again since the reboot", "ss", -1},
		{"reboot", NULL, true,
		 "drained at 08:30Z; the reboot ended the drain", "rs", -1},
		{"request", "alice@desk", false, "alice@desk ended the drain", "ss",
		 -1},
		{"request", NULL, true, "somebody ended the drain", "ss", -1},
		{"something new", "alice@desk", false, "somebody else ended it",
		 "ss", -1},
		{NULL, NULL, false, "somebody else ended it", "ss", -1},
	};
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		bool is_back =
			ends[i].was_drained && !strcmp(ends[i].reason, "reboot");
		enum goal_outcome outcome = is_back ? OUTCOME_BACK : OUTCOME_GONE;

		set_scene(&scene, ends[i].phases, NULL);
		scene.view.ended = &scene.drain;
		scene.view.sessions_left = ends[i].sessions_left;
		scene.drain.is_active = false;
		scene.drain.end_reason = ends[i].reason;
		scene.drain.ended_by = ends[i].by;
		scene.drain.drained_at = (struct moment){
			ends[i].was_drained, {scene.view.time.ms - 30 * 60000}};
		assert_int_equal(goal_evaluate(&drained, &scene.view, 0), outcome);
		assert_explained(&drained, &scene, outcome, ends[i].part);
	}
	/* One that is still active did not end for a reason. */
	scene.drain.is_active = true;
	scene.drain.end_reason = "request";
	assert_explained(&drained, &scene, OUTCOME_GONE, "somebody else ended it");
}

static void each_outcome_has_its_exit_status(void **state)
{
	static const int statuses[OUTCOME__COUNT] = {
		[OUTCOME_CUT] = 7,  [OUTCOME_GONE] = 9,      [OUTCOME_NARROW] = 9,
		[OUTCOME_HELD] = 5, [OUTCOME_ATTENTION] = 9,
	};

	(void)state;
	for (int i = 0; i < OUTCOME__COUNT; i++)
		assert_int_equal(goal_exit_status((enum goal_outcome)i),
				 statuses[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_view_has_its_outcome),
		cmocka_unit_test(a_goal_is_reached_in_the_right_phases_alone),
		cmocka_unit_test(what_is_there_before_is_known),
		cmocka_unit_test(
			a_drain_is_covered_if_it_is_there_with_all_its_services),
		cmocka_unit_test(why_a_drain_ended_is_told),
		cmocka_unit_test(each_outcome_has_its_exit_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
