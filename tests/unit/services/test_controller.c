/*
 * One service, out and back, and when it does not do as it is told.  test_drift.c
 * lets others change it, test_survival.c lets every call fail.
 */
#include "services/controller_world.h"

/* ---- whole passes ---- */

static void everything_is_put_back_exactly(void **state)
{
	(void)state;
	for (size_t i = 0; i < ORIGINS; i++) {
		json_t *before, *after;

		begin(origins[i]);
		before = load_services();
		drain();
		resume();
		after = load_services();
		assert_true(json_equal(before, after));
		assert_int_equal(world.scm.controls, world.was_resumable ? 2 : 0);
		assert_int_equal(events_of("drift"), 0);
		json_decref(before);
		json_decref(after);
		end();
	}
}

static void a_drained_service_stays_drained_and_is_left_in_peace(void **state)
{
	int changes;

	(void)state;
	begin(running);
	drain();
	changes = world.scm.changes;
	for (int i = 0; i < 100; i++) {
		step();
		assert_int_equal(phase_now(), PHASE_DRAINED);
	}
	assert_int_equal(world.scm.changes, changes);
	end();
}

static void each_drain_has_its_own_peak(void **state)
{
	(void)state;
	begin(running);
	drain();
	assert_int_equal(controller_progress(world.controller)->peak, SESSIONS);
	resume();
	pass_ms(TICK_MS);
	world.most_sessions = 1;
	pass_ms(2 * TICK_MS);
	drain();
	assert_int_equal(controller_progress(world.controller)->peak, 1);
	end();
}

static void time_in_which_nobody_looked_is_no_settle_time(void **state)
{
	(void)state;
	begin(running);
	want(WANT_DRAINED);
	while (world.quiet_since_ms < 0)
		step();
	world.now_ms += MINUTE_MS;
	step();
	assert_int_equal(phase_now(), PHASE_DRAINING);
	reach(PHASE_DRAINED, true);
	end();
}

static void a_state_in_motion_is_saved_once_it_has_settled(void **state)
{
	static const struct {
		const char *before, *saved;
	} cases[] = {
		{"start_pending", "running"},
		{"continue_pending", "running"},
		{"pause_pending", "paused"},
		{"stop_pending", "stopped"},
	};

	(void)state;
	for (int i = 0; i < 4; i++) {
		json_t *json, *saved;

		begin(running);
		set_field("state", cases[i].before);
		world.was_resumable = !strcmp(cases[i].saved, "running");
		want(WANT_DRAINED);
		pass_ms(HINT_MS);
		assert_int_equal(phase_now(), PHASE_DRAINING);
		pass_ms(MINUTE_MS);
		assert_int_equal(phase_now(), PHASE_ATTENTION);
		assert_int_equal(world.scm.changes, 0);
		assert_false(controller_has_saved(world.controller));
		set_field("state", cases[i].saved);
		pass_ms(MINUTE_MS);
		json = controller_to_json(world.controller);
		saved = json_object_get(json, "saved");
		assert_string_equal(
			json_string_value(json_object_get(saved, "state")),
			cases[i].saved);
		json_decref(json);
		drain();
		resume();
		assert_string_equal(api_service_states[truth().state],
				    cases[i].saved);
		end();
	}
}

/* Restart-Service, at the wrong moment. */
static void one_that_is_being_restarted_is_no_stopped_one(void **state)
{
	(void)state;
	begin(running);
	step();
	set_field("state", "stopped");
	want(WANT_DRAINED);
	pass_ms(2 * TICK_MS);
	assert_false(controller_has_saved(world.controller));
	assert_true(says("just stopped"));
	set_field("state", "running");
	drain();
	resume();
	assert_int_equal(truth().state, STATE_RUNNING);

	/* One that stays stopped is one. */
	set_field("state", "stopped");
	drain();
	want(WANT_SERVING);
	reach(PHASE_ATTENTION, false);
	assert_int_equal(truth().state, STATE_STOPPED);
	end();
}

static void while_the_machine_shuts_down_nothing_is_saved_or_done(void **state)
{
	(void)state;
	begin(running);
	world.is_ending = true;
	want(WANT_DRAINED);
	pass_ms(MINUTE_MS);
	assert_false(controller_has_saved(world.controller));
	assert_int_equal(world.scm.changes, 0);
	set_field("state", "stop_pending");
	pass_ms(TICK_MS);
	set_field("state", "stopped");
	pass_ms(MINUTE_MS);
	assert_int_equal(events_of("saved"), 0);

	/* It comes up again. */
	go_down();
	world.is_ending = false;
	set_field("state", "running");
	come_up();
	reach(PHASE_DRAINED, true);
	world.is_ending = true;
	world.scm.changes = 0;
	set_field("state", "running");
	pass_ms(MINUTE_MS);
	want(WANT_SERVING);
	pass_ms(MINUTE_MS);
	assert_int_equal(world.scm.changes, 0);
	assert_true(controller_has_saved(world.controller));
	world.is_ending = false;
	reach(PHASE_SERVING, false);
	end();
}

static void a_drain_that_ends_on_the_way_out_is_put_back(void **state)
{
	(void)state;
	for (int steps = 0; steps < 8; steps++) {
		json_t *before, *after;

		begin(running);
		before = load_services();
		want(WANT_DRAINED);
		for (int i = 0; i < steps; i++)
			step();
		resume();
		after = load_services();
		assert_true(json_equal(before, after));
		json_decref(before);
		json_decref(after);
		end();
	}
}

/* ---- services that do not do as they are told ---- */

static void a_refused_pause_gets_attention_and_changes_no_more(void **state)
{
	json_t *before, *after;

	(void)state;
	begin(running);
	set_field("on_pause", "refuse");
	before = load_services();
	want(WANT_DRAINED);
	pass_ms(10 * MINUTE_MS);
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	assert_true(says("refuses to pause"));
	assert_int_equal(truth().state, STATE_RUNNING);
	assert_int_equal(truth().start_type, START_MANUAL);
	assert_int_equal(events_of("failed"), 1);
	/* It is asked again, but not every moment. */
	assert_in_range(world.scm.controls, 2, 40);
	resume();
	after = load_services();
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
	end();
}

/* ---- a startup type that cannot be set ---- */

static void let_startup_be(const char *behaviour)
{
	bool is_marked = !strcmp(behaviour, "marked");

	set_value("marked_for_deletion", json_boolean(is_marked));
	set_field("on_set_startup", is_marked ? "set" : behaviour);
}

static const char *const stuck[] = {"refuse", "ignore", "marked"};

static void one_whose_startup_cannot_be_set_is_out_all_the_same(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		begin(running);
		let_startup_be(stuck[i]);
		want(WANT_DRAINED);
		step();
		assert_int_equal(truth().state, STATE_PAUSED);
		pass_ms(10 * MINUTE_MS);
		assert_int_equal(phase_now(), PHASE_ATTENTION);
		assert_true(says("the startup type cannot be set"));
		assert_int_equal(events_of("failed"), 1);
		/* It is tried again, and not every moment. */
		assert_in_range(world.scm.changes, 10, 40);

		set_field("state", "running");
		step();
		assert_true(is_truly_out());
		is_recorded("drift", 1, NULL, NULL);
		is_recorded("undone", 1, NULL, NULL);
		let_startup_be("set");
		reach(PHASE_DRAINED, true);
		assert_int_equal(truth().start_type, START_MANUAL);
		is_recorded("drift", 1, NULL, NULL);
		resume();
		end();
	}
}

static void one_whose_startup_cannot_be_set_is_stopped_at_the_deadline(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		begin(running);
		world.are_lasting = true;
		let_startup_be(stuck[i]);
		want(WANT_DRAINED);
		pass_ms(MINUTE_MS);
		want_as((struct wanted){.want = WANT_DRAINED, .may_cut = true});
		pass_ms(MINUTE_MS);
		assert_int_equal(truth().state, STATE_STOPPED);
		is_recorded("cut", 1, NULL, NULL);
		assert_true(says("the startup type cannot be set"));
		resume();
		end();
	}
}

static void one_whose_startup_cannot_be_restored_runs_all_the_same(void **state)
{
	static const char *const ends[] = {"paused", "stopped"};

	(void)state;
	for (int i = 0; i < 6; i++) {
		begin(running);
		drain();
		set_field("state", ends[i / 3]);
		pass_ms(TICK_MS);
		let_startup_be(stuck[i % 3]);
		want(WANT_SERVING);
		step();
		assert_int_equal(truth().state, STATE_RUNNING);
		pass_ms(10 * MINUTE_MS);
		assert_int_equal(phase_now(), PHASE_ATTENTION);
		assert_true(says("runs again, but the startup type"));
		assert_true(controller_has_saved(world.controller));
		assert_int_equal(events_of("failed"), 1);
		/* Another poold goes on with it. */
		go_down();
		come_up();
		pass_ms(MINUTE_MS);
		assert_int_equal(phase_now(), PHASE_ATTENTION);
		let_startup_be("set");
		reach(PHASE_SERVING, false);
		assert_int_equal(truth().start_type, START_AUTOMATIC);
		end();
	}
}

static void one_that_is_marked_for_deletion_while_out_says_so(void **state)
{
	(void)state;
	begin(running);
	drain();
	let_startup_be("marked");
	step();
	assert_int_equal(phase_now(), PHASE_DRAINED);
	assert_true(says("marked for deletion"));
	let_startup_be("set");
	step();
	assert_false(says("marked for deletion"));
	resume();
	end();
}

static void a_service_that_does_not_accept_pause_is_left_as_it_is(void **state)
{
	char *before, *after;

	(void)state;
	begin("{\"state\":\"running\",\"start_type\":\"automatic\","
	      "\"accepts_pause\":false}");
	before = temp_folder_read(&world.folder, "scm.json");
	want(WANT_DRAINED);
	pass_ms(MINUTE_MS);
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	assert_false(controller_has_saved(world.controller));
	after = temp_folder_read(&world.folder, "scm.json");
	assert_string_equal(before, after);
	free(before);
	free(after);
	resume();
	end();
}

static void a_pause_that_hangs_gets_attention_after_the_hint_and_goes_on(
	void **state)
{
	static const struct {
		int64_t hint_ms, late_ms;
	} cases[] = {
		{HINT_MS, HINT_MS},
		{0, 30000},
		{1, 2000},
		{INT32_MAX, 600000},
	};

	(void)state;
	for (int i = 0; i < 4; i++) {
		int64_t asked_ms;

		begin(running);
		set_field("on_pause", "hang");
		set_value("wait_hint_ms", json_integer(cases[i].hint_ms));
		want(WANT_DRAINED);
		asked_ms = world.now_ms;
		while (world.now_ms - asked_ms <= cases[i].late_ms) {
			step();
			assert_int_equal(phase_now(), PHASE_DRAINING);
		}
		pass_ms(TICK_MS);
		assert_int_equal(phase_now(), PHASE_ATTENTION);
		assert_true(says("hangs while pausing"));
		assert_int_equal(world.scm.controls, 1);
		set_field("state", "paused");
		step();
		assert_int_equal(phase_now(), PHASE_DRAINING);
		reach(PHASE_DRAINED, true);
		resume();
		end();
	}
}

static void a_pause_that_makes_progress_is_not_late(void **state)
{
	(void)state;
	begin(running);
	set_field("on_pause", "hang");
	want(WANT_DRAINED);
	for (int i = 1; i < 20; i++) {
		pass_ms(HINT_MS - TICK_MS);
		assert_int_equal(phase_now(), PHASE_DRAINING);
		set_value("checkpoint", json_integer(i));
	}
	pass_ms(HINT_MS + 2 * TICK_MS);
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	end();
}

static void a_pause_without_effect_gets_attention_and_is_asked_again(void **state)
{
	(void)state;
	begin(running);
	set_field("on_pause", "ignore");
	want(WANT_DRAINED);
	step();
	assert_int_equal(phase_now(), PHASE_DRAINING);
	pass_ms(MINUTE_MS);
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	assert_in_range(world.scm.controls, 2, 10);
	set_field("on_pause", "pause");
	reach(PHASE_DRAINED, true);
	end();
}

/* The service got the pause, in time or after the SCM gave up, the drain ends, and
 * only then it pauses. */
static void a_pause_that_comes_after_the_end_of_the_drain_is_undone(void **state)
{
	static const char *const behaviours[] = {"ignore", "fail"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		begin(running);
		set_field("on_pause", behaviours[i]);
		want(WANT_DRAINED);
		step();
		want(WANT_SERVING);
		pass_ms(12 * TICK_MS);
		assert_true(controller_has_saved(world.controller));
		set_field("state", "paused");
		reach(PHASE_SERVING, false);
		assert_int_equal(truth().state, STATE_RUNNING);
		end();
	}
}

/* It was stopped before the drain, and somebody started it meanwhile. */
static void a_late_pause_of_one_that_was_stopped_is_undone_too(void **state)
{
	(void)state;
	begin("{\"state\":\"stopped\",\"start_type\":\"manual\",\"on_pause\":\"ignore\"}");
	world.was_resumable = true;
	drain();
	set_field("state", "running");
	step();
	want(WANT_SERVING);
	pass_ms(12 * TICK_MS);
	set_field("state", "paused");
	reach(PHASE_SERVING, false);
	end();
}

/* Another process was never asked. */
static void a_pause_of_a_process_that_has_ended_is_not_awaited(void **state)
{
	(void)state;
	begin(running);
	set_value("pid", json_integer(7));
	set_field("on_pause", "ignore");
	want(WANT_DRAINED);
	step();
	set_value("pid", json_integer(8));
	want(WANT_SERVING);
	pass_ms(2 * TICK_MS);
	assert_false(controller_has_saved(world.controller));
	end();
}

/* The poold that sent it has ended meanwhile. */
static void a_pause_that_an_earlier_poold_sent_is_undone_too(void **state)
{
	(void)state;
	begin(running);
	set_field("on_pause", "ignore");
	want(WANT_DRAINED);
	step();
	go_down();
	world.wanted = (struct wanted){.want = WANT_SERVING};
	come_up();
	pass_ms(MINUTE_MS / 2);
	assert_true(controller_has_saved(world.controller));
	set_field("state", "paused");
	reach(PHASE_SERVING, false);
	assert_int_equal(truth().state, STATE_RUNNING);
	end();
}

static void a_pause_that_never_comes_does_not_keep_a_drain_from_ending(void **state)
{
	(void)state;
	begin(running);
	set_field("on_pause", "ignore");
	want(WANT_DRAINED);
	pass_ms(MINUTE_MS);
	resume();
	assert_int_equal(truth().start_type, START_AUTOMATIC);
	end();
}

static void not_now_for_long_is_a_failure_that_is_tried_at_a_distance(void **state)
{
	int changes;

	(void)state;
	begin(running);
	world.scm.fail_at = 1;
	world.scm.fail_count = INT_MAX - 1;
	world.scm.spares_looks = true;
	world.scm.code = ERR_SCM_NOT_NOW;
	want(WANT_DRAINED);
	pass_ms(MINUTE_MS);
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	/* The startup type, and the pause. */
	assert_int_equal(events_of("failed"), 2);
	changes = world.scm.changes;
	pass_ms(10 * MINUTE_MS);
	assert_in_range(world.scm.changes - changes, 10, 40);
	world.scm.fail_at = 0;
	reach(PHASE_DRAINED, true);
	end();
}

static void unknown_sessions_are_never_none(void **state)
{
	(void)state;
	begin(running);
	world.is_uncountable = true;
	want(WANT_DRAINED);
	pass_ms(10 * MINUTE_MS);
	assert_int_equal(phase_now(), PHASE_DRAINING);
	assert_true(says("the kernel is silent"));
	world.is_uncountable = false;
	reach(PHASE_DRAINED, true);
	world.is_uncountable = true;
	pass_ms(TICK_MS);
	assert_int_equal(phase_now(), PHASE_DRAINING);
	end();
}

/* Somebody lists them between two rounds. */
static void what_is_counted_for_a_list_is_what_the_phase_is_of(void **state)
{
	(void)state;
	begin(running);
	drain();
	world.sessions = 2;
	json_decref(controller_sessions(world.controller, 10));
	assert_int_equal(controller_progress(world.controller)->last.count, 2);
	assert_int_equal(phase_now(), PHASE_DRAINING);
	world.sessions = 0;
	reach(PHASE_DRAINED, true);
	end();
}

static int64_t sampled_ms(void)
{
	struct source_metrics sources[PROGRESS_SOURCES];

	assert_int_equal(controller_source_metrics(world.controller, sources), 1);
	return sources[0].sampled_at.ms;
}

static void the_metrics_know_since_when_the_sessions_are_unknown(void **state)
{
	struct service_metrics known, unknown;
	int64_t known_ms;

	(void)state;
	begin(running);
	pass_ms(MINUTE_MS);
	known = controller_metrics(world.controller);
	assert_true(known.is_count_known);
	assert_int_equal(known.sessions, SESSIONS);
	known_ms = sampled_ms();
	assert_int_equal(known.known_at.ms, known_ms);

	world.is_uncountable = true;
	pass_ms(MINUTE_MS);
	unknown = controller_metrics(world.controller);
	assert_false(unknown.is_count_known);
	assert_true(sampled_ms() >= known_ms + MINUTE_MS - TICK_MS);
	/* One tick may have counted them still. */
	assert_in_range(unknown.known_at.ms, known.known_at.ms,
			known.known_at.ms + TICK_MS);
	want(WANT_DRAINED);
	pass_ms(MINUTE_MS);
	assert_int_equal(controller_metrics(world.controller).known_at.ms,
			 unknown.known_at.ms);
	world.is_uncountable = false;
	pass_ms(2 * TICK_MS);
	assert_true(controller_metrics(world.controller).is_count_known);
	end();
}

static void the_metrics_count_drift_over_all_drains(void **state)
{
	(void)state;
	begin(running);
	for (int i = 1; i <= 3; i++) {
		drain();
		set_field("state", "running");
		reach(PHASE_DRAINED, true);
		assert_int_equal(controller_metrics(world.controller).drifts, i);
		resume();
		assert_int_equal(controller_metrics(world.controller).drifts, i);
	}
	end();
}

static void a_service_that_is_not_installed_gets_attention(void **state)
{
	(void)state;
	begin(running);
	world.scm.fail_at = 1;
	world.scm.fail_count = INT_MAX - 1;
	world.scm.code = ERR_SCM_MISSING;
	want(WANT_DRAINED);
	pass_ms(MINUTE_MS);
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	assert_true(says("not installed"));
	assert_int_equal(world.scm.changes, 0);
	world.scm.fail_at = 0;
	reach(PHASE_DRAINED, true);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_put_back_exactly),
		cmocka_unit_test(
			a_drained_service_stays_drained_and_is_left_in_peace),
		cmocka_unit_test(each_drain_has_its_own_peak),
		cmocka_unit_test(time_in_which_nobody_looked_is_no_settle_time),
		cmocka_unit_test(a_state_in_motion_is_saved_once_it_has_settled),
		cmocka_unit_test(one_that_is_being_restarted_is_no_stopped_one),
		cmocka_unit_test(
			while_the_machine_shuts_down_nothing_is_saved_or_done),
		cmocka_unit_test(a_drain_that_ends_on_the_way_out_is_put_back),
		cmocka_unit_test(
			a_refused_pause_gets_attention_and_changes_no_more),
		cmocka_unit_test(
			one_whose_startup_cannot_be_set_is_out_all_the_same),
		cmocka_unit_test(
			one_whose_startup_cannot_be_set_is_stopped_at_the_deadline),
		cmocka_unit_test(
			one_whose_startup_cannot_be_restored_runs_all_the_same),
		cmocka_unit_test(one_that_is_marked_for_deletion_while_out_says_so),
		cmocka_unit_test(
			a_service_that_does_not_accept_pause_is_left_as_it_is),
		cmocka_unit_test(
			a_pause_that_hangs_gets_attention_after_the_hint_and_goes_on),
		cmocka_unit_test(a_pause_that_makes_progress_is_not_late),
		cmocka_unit_test(
			a_pause_without_effect_gets_attention_and_is_asked_again),
		cmocka_unit_test(
			a_pause_that_comes_after_the_end_of_the_drain_is_undone),
		cmocka_unit_test(
			a_late_pause_of_one_that_was_stopped_is_undone_too),
		cmocka_unit_test(
			a_pause_of_a_process_that_has_ended_is_not_awaited),
		cmocka_unit_test(a_pause_that_an_earlier_poold_sent_is_undone_too),
		cmocka_unit_test(
			a_pause_that_never_comes_does_not_keep_a_drain_from_ending),
		cmocka_unit_test(
			not_now_for_long_is_a_failure_that_is_tried_at_a_distance),
		cmocka_unit_test(unknown_sessions_are_never_none),
		cmocka_unit_test(
			what_is_counted_for_a_list_is_what_the_phase_is_of),
		cmocka_unit_test(
			the_metrics_know_since_when_the_sessions_are_unknown),
		cmocka_unit_test(the_metrics_count_drift_over_all_drains),
		cmocka_unit_test(a_service_that_is_not_installed_gets_attention),
	};

	return cmocka_run_group_tests(tests, make_world, unmake_world);
}
