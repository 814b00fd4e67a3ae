/*
 * A service that is held out, while others change it, uninstall it, or the deadline
 * is over.
 */
#include "services/controller_world.h"

/* ---- others change the service ---- */

static void a_new_poold_holds_what_the_last_one_took_out(void **state)
{
	(void)state;
	begin(running);
	drain();
	go_down();
	world.wanted.want = WANT_DRAINED;
	come_up();
	set_field("state", "running");
	step();
	assert_true(is_truly_out());
	reach(PHASE_DRAINED, true);
	resume();
	end();
}

static void drift_is_undone_at_the_next_step_and_recorded(void **state)
{
	(void)state;
	begin(running);
	drain();
	set_field("state", "running");
	world.sessions = 2;
	step();
	assert_true(is_truly_out());
	assert_int_equal(phase_now(), PHASE_DRAINING);
	is_recorded(
		"drift", 1,
		"{\"delayed_auto_start\":true,\"pid\":0,\"sessions\":0,"
		"\"start_type\":\"manual\",\"state\":\"paused\"}",
		"{\"delayed_auto_start\":true,\"pid\":0,\"sessions\":0,\"start_type\":"
		"\"manual\",\"state\":\"running\"}");
	is_recorded(
		"undone", 1, "{\"sessions\":0}",
		"{\"delayed_auto_start\":true,\"pid\":0,\"sessions\":2,\"start_type\":"
		"\"manual\",\"state\":\"paused\"}");
	reach(PHASE_DRAINED, true);

	set_field("start_type", "automatic");
	step();
	assert_true(is_truly_held());
	is_recorded("drift", 2, NULL, NULL);
	is_recorded("undone", 2, NULL, NULL);
	resume();
	assert_int_equal(truth().start_type, START_AUTOMATIC);
	assert_int_equal(truth().delayed_auto_start, SCM_FLAG_YES);
	end();
}

static void drift_while_the_scm_is_silent_is_recorded_too(void **state)
{
	(void)state;
	begin(running);
	drain();
	world.scm.fail_at = world.scm.calls + 1;
	world.scm.fail_count = 1;
	world.scm.code = ERR_SCM_FAILED;
	step();
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	assert_int_equal(events_of("drift"), 0);
	set_field("state", "running");
	step();
	assert_int_equal(events_of("drift"), 1);
	assert_true(is_truly_out());
	end();
}

static void a_startup_changed_while_poold_is_down_is_put_back_too(void **state)
{
	(void)state;
	begin(running);
	drain();
	go_down();
	set_field("start_type", "automatic");
	set_value("delayed_auto_start", json_false());
	world.wanted.want = WANT_SERVING;
	come_up();
	resume();
	assert_int_equal(truth().start_type, START_AUTOMATIC);
	assert_int_equal(truth().delayed_auto_start, SCM_FLAG_YES);
	end();
}

static void a_service_that_stops_while_out_is_no_drift_and_runs_afterwards(
	void **state)
{
	(void)state;
	begin(running);
	drain();
	set_field("state", "stopped");
	pass_ms(2 * TICK_MS);
	assert_int_equal(phase_now(), PHASE_DRAINED);
	assert_int_equal(events_of("drift"), 0);
	resume();
	assert_int_equal(truth().state, STATE_RUNNING);
	end();
}

/* A tool that starts the service whenever it is paused. */
static void keep_changing_back(int64_t ms)
{
	int64_t limit_ms = world.now_ms + ms;

	while (world.now_ms < limit_ms) {
		set_field("state", "running");
		step();
	}
}

static void what_keeps_coming_back_gets_attention_and_few_pauses(void **state)
{
	int pauses;

	(void)state;
	begin(running);
	drain();
	keep_changing_back(10 * TICK_MS);
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	assert_true(says("somebody keeps changing the service back"));
	pauses = world.scm.pauses;
	keep_changing_back(10 * MINUTE_MS);
	/* At a distance of half a minute, for which it runs. */
	assert_in_range(world.scm.pauses - pauses, 10, 30);
	assert_int_equal(events_of("undone"), world.scm.pauses - 1);

	pass_ms(MINUTE_MS);
	assert_true(is_truly_out());
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	assert_true(says("takes no new sessions now"));
	pass_ms(2 * MINUTE_MS);
	assert_int_equal(phase_now(), PHASE_DRAINED);
	resume();
	end();
}

static void drift_while_poold_was_away_is_recorded_and_undone(void **state)
{
	static const struct {
		const char *key, *value;
	} cases[] = {{"state", "running"}, {"start_type", "automatic"}};

	(void)state;
	for (int i = 0; i < 2; i++) {
		begin(running);
		drain();
		go_down();
		set_field(cases[i].key, cases[i].value);
		come_up();
		step();
		assert_true(is_truly_out() && is_truly_held());
		is_recorded("drift", 1, NULL, NULL);
		is_recorded("undone", 1, NULL, NULL);
		reach(PHASE_DRAINED, true);
		resume();
		end();
	}
}

/* As installers do. */
static void what_is_disabled_while_out_is_recorded_and_left(void **state)
{
	(void)state;
	for (int is_away = 0; is_away < 2; is_away++) {
		begin(running);
		drain();
		if (is_away)
			go_down();
		set_field("start_type", "disabled");
		if (is_away)
			come_up();
		pass_ms(MINUTE_MS);
		assert_int_equal(truth().start_type, START_DISABLED);
		assert_int_equal(phase_now(), PHASE_DRAINED);
		is_recorded("drift", 1, NULL, NULL);
		is_recorded("undone", 0, NULL, NULL);
		set_field("start_type", "manual");
		pass_ms(MINUTE_MS);
		is_recorded("drift", 2, NULL, NULL);
		set_field("start_type", "disabled");
		set_field("state", "stopped");
		pass_ms(MINUTE_MS);
		resume();
		assert_int_equal(truth().start_type, START_AUTOMATIC);
		assert_int_equal(truth().delayed_auto_start, SCM_FLAG_YES);
		assert_int_equal(truth().state, STATE_RUNNING);
		end();
	}
}

/* By whomever, and by a reboot. */
static void an_orderly_stop_is_no_drift(void **state)
{
	(void)state;
	begin(running);
	drain();
	set_field("state", "stop_pending");
	pass_ms(2 * TICK_MS);
	go_down();
	come_up();
	pass_ms(2 * TICK_MS);
	set_field("state", "stopped");
	reach(PHASE_DRAINED, true);
	is_recorded("drift", 0, NULL, NULL);
	is_recorded("undone", 0, NULL, NULL);
	resume();

	/* One that ends in running is decided then. */
	drain();
	set_field("state", "stop_pending");
	pass_ms(2 * TICK_MS);
	set_field("state", "running");
	step();
	assert_true(is_truly_out());
	is_recorded("drift", 1, NULL, NULL);
	is_recorded("undone", 1, NULL, NULL);

	/* So is the startup type, at once. */
	set_field("state", "stop_pending");
	set_field("start_type", "automatic");
	step();
	assert_int_equal(truth().start_type, START_MANUAL);
	is_recorded("drift", 2, NULL, NULL);
	end();
}

static void what_poold_does_itself_is_no_drift(void **state)
{
	(void)state;
	begin(running);
	drain();
	want_as((struct wanted){.want = WANT_DRAINED, .leaves_startup = true});
	reach(PHASE_DRAINED, true);
	go_down();
	come_up();
	reach(PHASE_DRAINED, true);
	want_as((struct wanted){.want = WANT_DRAINED});
	reach(PHASE_DRAINED, true);
	resume();
	drain();
	resume();
	assert_int_equal(events_of("drift"), 0);
	end();
}

static void a_crash_and_a_restart_by_the_scm_are_undone(void **state)
{
	(void)state;
	begin(running);
	drain();
	set_field("state", "stopped");
	pass_ms(2 * TICK_MS);
	set_field("state", "start_pending");
	pass_ms(2 * TICK_MS);
	assert_int_equal(phase_now(), PHASE_DRAINING);
	assert_int_equal(world.scm.pauses, 1);
	set_field("state", "running");
	step();
	assert_true(is_truly_out());
	assert_int_equal(world.scm.pauses, 2);
	is_recorded("drift", 1, NULL, NULL);
	is_recorded("undone", 1, NULL, NULL);
	reach(PHASE_DRAINED, true);
	resume();
	end();
}

/* ---- uninstalled and installed again ---- */

static void uninstall(void)
{
	assert_int_equal(
		temp_folder_write(&world.folder, "scm.json", "{\"services\":{}}"),
		0);
}

static void install(void)
{
	char *text = xasprintf("{\"services\":{\"RTCSRV\":%s}}", running);

	assert_int_equal(temp_folder_write(&world.folder, "scm.json", text), 0);
	free(text);
}

static void one_that_is_uninstalled_while_out_is_forgotten_after_a_minute(
	void **state)
{
	(void)state;
	begin(running);
	drain();
	uninstall();
	pass_ms(10 * MINUTE_MS);
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	assert_true(says("uninstalled while it was drained"));
	assert_true(controller_has_saved(world.controller));
	want(WANT_SERVING);
	pass_ms(TICK_MS);
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	assert_false(controller_has_saved(world.controller));
	is_recorded("forgotten", 1,
		    "{\"delayed_auto_start\":true,\"start_type\":\"automatic\","
		    "\"state\":\"running\"}",
		    "{\"state\":\"missing\"}");
	end();
}

/* Whatever poold was about to do when it went away. */
static void one_that_is_back_within_the_minute_is_put_back(void **state)
{
	(void)state;
	for (int fail_at = 1; fail_at < 6; fail_at++) {
		begin(running);
		drain();
		want(WANT_SERVING);
		world.scm.fail_at = world.scm.calls + fail_at;
		world.scm.fail_count = 1;
		world.scm.code = ERR_SCM_MISSING;
		if (fail_at < 4)
			step();
		uninstall();
		pass_ms(MINUTE_MS / 2);
		if (!controller_has_saved(world.controller)) {
			/* It was put back before. */
			assert_int_equal(events_of("restored"), 1);
			end();
			continue;
		}
		assert_int_equal(phase_now(), PHASE_ATTENTION);
		assert_true(says("for a minute"));
		install();
		set_field("state", "stopped");
		set_field("start_type", "manual");
		reach(PHASE_SERVING, false);
		assert_int_equal(truth().start_type, START_AUTOMATIC);
		assert_int_equal(events_of("forgotten"), 0);
		end();
	}
}

/* ---- deadlines, and until the next boot ---- */

static const struct wanted overdue = {.want = WANT_DRAINED, .may_cut = true};

static void sessions_are_cut_only_when_that_is_wanted_and_are_counted(void **state)
{
	(void)state;
	begin(running);
	world.are_lasting = true;
	want(WANT_DRAINED);
	pass_ms(MINUTE_MS);
	assert_int_equal(phase_now(), PHASE_DRAINING);
	assert_int_equal(controller_cut(world.controller), 0);
	drain_as(overdue);
	assert_int_equal(truth().state, STATE_STOPPED);
	assert_int_equal(controller_cut(world.controller), SESSIONS);
	is_recorded("cut", 1, NULL, NULL);
	go_down();
	come_up();
	reach(PHASE_DRAINED, true);
	assert_int_equal(controller_cut(world.controller), SESSIONS);
	resume();
	assert_int_equal(truth().state, STATE_RUNNING);
	assert_int_equal(events_of("drift"), 0);
	end();
}

static void sessions_that_end_by_themselves_are_not_cut(void **state)
{
	(void)state;
	begin(running);
	world.are_lasting = true;
	want_as(overdue);
	set_field("on_stop", "refuse");
	pass_ms(MINUTE_MS);
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	assert_true(says("does not stop"));
	assert_in_range(world.scm.controls, 3, 10);
	assert_int_equal(controller_cut(world.controller), 0);
	world.are_lasting = false;
	reach(PHASE_DRAINED, true);
	assert_int_equal(truth().state, STATE_PAUSED);
	assert_int_equal(controller_cut(world.controller), 0);
	/* Nor are they when it is stopped by whomever later. */
	go_down();
	set_field("state", "stopped");
	come_up();
	reach(PHASE_DRAINED, true);
	assert_int_equal(controller_cut(world.controller), 0);
	assert_int_equal(events_of("cut"), 0);
	resume();
	end();
}

static void a_disabled_one_that_was_stopped_is_started_again(void **state)
{
	(void)state;
	begin("{\"state\":\"running\",\"start_type\":\"disabled\","
	      "\"delayed_auto_start\":false}");
	world.are_lasting = true;
	drain_as(overdue);
	assert_int_equal(truth().state, STATE_STOPPED);
	resume();
	assert_int_equal(truth().state, STATE_RUNNING);
	assert_int_equal(truth().start_type, START_DISABLED);
	end();
}

static void one_without_sessions_is_not_stopped(void **state)
{
	(void)state;
	begin(running);
	world.most_sessions = world.sessions = 0;
	want_as(overdue);
	step();
	go_down();
	come_up();
	reach(PHASE_DRAINED, true);
	assert_int_equal(truth().state, STATE_PAUSED);
	resume();
	end();
}

/* As a service does that takes its time. */
static void its_own_stop_is_no_drift(void **state)
{
	(void)state;
	begin(running);
	world.are_lasting = true;
	set_field("on_stop", "ignore");
	want_as(overdue);
	pass_ms(2 * TICK_MS);
	set_field("state", "stop_pending");
	pass_ms(2 * TICK_MS);
	set_field("state", "stopped");
	reach(PHASE_DRAINED, true);
	assert_int_equal(events_of("drift"), 0);
	assert_int_equal(controller_cut(world.controller), SESSIONS);
	resume();
	end();
}

static void a_stop_that_comes_after_the_end_of_the_drain_is_undone(void **state)
{
	(void)state;
	begin(running);
	world.are_lasting = true;
	set_field("on_stop", "ignore");
	want_as(overdue);
	pass_ms(2 * TICK_MS);
	want(WANT_SERVING);
	pass_ms(TICK_MS);
	assert_int_equal(truth().state, STATE_RUNNING);
	assert_true(controller_has_saved(world.controller));
	set_field("state", "stopped");
	reach(PHASE_SERVING, false);
	assert_int_equal(events_of("cut"), 1);
	end();
}

static void drift_of_one_drain_is_no_concern_of_the_next(void **state)
{
	(void)state;
	begin(running);
	drain();
	for (int i = 0; i < 8; i++) {
		set_field("state", "running");
		pass_ms(2 * TICK_MS);
	}
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	resume();
	want(WANT_DRAINED);
	step();
	assert_true(is_truly_out());
	reach(PHASE_DRAINED, true);
	end();
}

static void another_startup_type_that_is_wanted_is_no_drift(void **state)
{
	(void)state;
	begin(running);
	drain();
	go_down();
	world.wanted.leaves_startup = true;
	come_up();
	reach(PHASE_DRAINED, true);
	assert_int_equal(truth().start_type, START_AUTOMATIC);
	assert_int_equal(events_of("drift"), 0);
	resume();
	end();
}

static void one_that_cannot_be_paused_is_stopped_at_the_deadline(void **state)
{
	(void)state;
	begin("{\"state\":\"running\",\"start_type\":\"automatic\","
	      "\"accepts_pause\":false}");
	want(WANT_DRAINED);
	pass_ms(MINUTE_MS);
	assert_int_equal(world.scm.changes, 0);
	drain_as(overdue);
	assert_int_equal(truth().state, STATE_STOPPED);
	assert_int_equal(world.scm.pauses, 0);
	resume();
	end();
}

static void sessions_that_cannot_be_counted_are_cut_too(void **state)
{
	(void)state;
	begin(running);
	world.is_uncountable = true;
	want_as(overdue);
	pass_ms(MINUTE_MS);
	assert_int_equal(truth().state, STATE_STOPPED);
	assert_int_equal(phase_now(), PHASE_DRAINING);
	is_recorded("cut", 1, NULL, NULL);
	world.is_uncountable = false;
	reach(PHASE_DRAINED, true);
	resume();
	end();
}

static void until_the_next_boot_the_startup_type_is_left_alone(void **state)
{
	static const struct wanted until_reboot = {.want = WANT_DRAINED,
						   .leaves_startup = true};

	(void)state;
	begin(running);
	drain_as(until_reboot);
	assert_int_equal(truth().start_type, START_AUTOMATIC);
	assert_int_equal(world.scm.changes, 1);
	for (int i = 0; i < 6; i++) {
		set_field("start_type", i % 2 ? "disabled" : "manual");
		pass_ms(MINUTE_MS);
		if (i == 3) {
			go_down();
			come_up();
		}
		assert_int_equal(truth().start_type,
				 i % 2 ? START_DISABLED : START_MANUAL);
	}
	set_field("start_type", "automatic");
	set_value("delayed_auto_start", json_false());
	pass_ms(MINUTE_MS);
	assert_int_equal(truth().delayed_auto_start, SCM_FLAG_NO);
	assert_int_equal(world.scm.changes, 1);
	is_recorded("drift", 0, NULL, NULL);
	is_recorded("undone", 0, NULL, NULL);
	resume();
	assert_int_equal(truth().delayed_auto_start, SCM_FLAG_YES);

	/* A boot starts it, and the drain is over. */
	drain_as(until_reboot);
	go_down();
	set_field("state", "running");
	world.wanted = (struct wanted){.want = WANT_SERVING};
	come_up();
	reach(PHASE_SERVING, false);
	end();
}

/* Also before it was seen out. */
static void what_poold_set_is_put_back_when_only_the_next_boot_counts(void **state)
{
	static const struct wanted until_reboot = {.want = WANT_DRAINED,
						   .leaves_startup = true};

	(void)state;
	for (int is_restarted = 0; is_restarted < 2; is_restarted++) {
		begin(running);
		set_field("on_pause", "hang");
		want(WANT_DRAINED);
		pass_ms(TICK_MS);
		assert_int_equal(truth().start_type, START_MANUAL);
		if (is_restarted) {
			go_down();
			world.wanted = until_reboot;
			come_up();
		} else {
			want_as(until_reboot);
		}
		pass_ms(TICK_MS);
		assert_int_equal(truth().start_type, START_AUTOMATIC);
		set_field("state", "paused");
		reach(PHASE_DRAINED, true);
		is_recorded("drift", 0, NULL, NULL);
		resume();
		end();
	}
}

/* A delayed start comes minutes after the boot that ended the drain. */
static void a_start_that_windows_makes_is_waited_for(void **state)
{
	(void)state;
	for (int is_made = 0; is_made < 2; is_made++) {
		begin(running);
		drain_as((struct wanted){.want = WANT_DRAINED,
					 .leaves_startup = true});
		go_down();
		set_field("state", "stopped");
		set_value("never_started", json_true());
		world.wanted = (struct wanted){.want = WANT_SERVING};
		come_up();
		pass_ms(11 * MINUTE_MS);
		assert_int_equal(truth().state, STATE_STOPPED);
		assert_int_equal(phase_now(), PHASE_RESUMING);
		assert_true(says("Windows has not started it yet"));
		if (is_made) {
			set_field("state", "running");
			set_value("never_started", json_false());
		}
		reach(PHASE_SERVING, false);
		is_recorded("drift", 0, NULL, NULL);
		end();
	}
}

/* Windows starts nothing that was Manual when it booted. */
static void one_that_was_held_over_a_boot_is_started_at_once(void **state)
{
	(void)state;
	begin(running);
	drain();
	go_down();
	set_field("state", "stopped");
	set_value("never_started", json_true());
	come_up();
	reach(PHASE_DRAINED, true);
	want(WANT_SERVING);
	step();
	assert_int_equal(truth().state, STATE_RUNNING);
	end();
}

static void one_that_this_boot_has_not_started_yet_runs_afterwards(void **state)
{
	json_t *json;

	(void)state;
	begin("{\"state\":\"stopped\",\"start_type\":\"automatic\","
	      "\"never_started\":true}");
	drain();
	assert_int_equal(world.scm.controls, 0);
	json = controller_to_json(world.controller);
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(json, "saved"), "state")),
			    "running");
	json_decref(json);
	resume();
	assert_int_equal(truth().state, STATE_RUNNING);
	end();
}

static void what_somebody_else_paused_is_reported_and_not_resumed(void **state)
{
	(void)state;
	begin(running);
	set_field("state", "paused");
	pass_ms(MINUTE_MS);
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	assert_true(says("poold did not pause it"));
	assert_int_equal(world.scm.changes, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_poold_holds_what_the_last_one_took_out),
		cmocka_unit_test(drift_is_undone_at_the_next_step_and_recorded),
		cmocka_unit_test(drift_while_the_scm_is_silent_is_recorded_too),
		cmocka_unit_test(
			a_startup_changed_while_poold_is_down_is_put_back_too),
		cmocka_unit_test(
			a_service_that_stops_while_out_is_no_drift_and_runs_afterwards),
		cmocka_unit_test(
			what_keeps_coming_back_gets_attention_and_few_pauses),
		cmocka_unit_test(drift_while_poold_was_away_is_recorded_and_undone),
		cmocka_unit_test(what_is_disabled_while_out_is_recorded_and_left),
		cmocka_unit_test(an_orderly_stop_is_no_drift),
		cmocka_unit_test(what_poold_does_itself_is_no_drift),
		cmocka_unit_test(a_crash_and_a_restart_by_the_scm_are_undone),
		cmocka_unit_test(
			one_that_is_uninstalled_while_out_is_forgotten_after_a_minute),
		cmocka_unit_test(one_that_is_back_within_the_minute_is_put_back),
		cmocka_unit_test(
			sessions_are_cut_only_when_that_is_wanted_and_are_counted),
		cmocka_unit_test(sessions_that_end_by_themselves_are_not_cut),
		cmocka_unit_test(a_disabled_one_that_was_stopped_is_started_again),
		cmocka_unit_test(one_without_sessions_is_not_stopped),
		cmocka_unit_test(its_own_stop_is_no_drift),
		cmocka_unit_test(
			a_stop_that_comes_after_the_end_of_the_drain_is_undone),
		cmocka_unit_test(drift_of_one_drain_is_no_concern_of_the_next),
		cmocka_unit_test(another_startup_type_that_is_wanted_is_no_drift),
		cmocka_unit_test(
			one_that_cannot_be_paused_is_stopped_at_the_deadline),
		cmocka_unit_test(sessions_that_cannot_be_counted_are_cut_too),
		cmocka_unit_test(
			until_the_next_boot_the_startup_type_is_left_alone),
		cmocka_unit_test(
			what_poold_set_is_put_back_when_only_the_next_boot_counts),
		cmocka_unit_test(a_start_that_windows_makes_is_waited_for),
		cmocka_unit_test(one_that_was_held_over_a_boot_is_started_at_once),
		cmocka_unit_test(
			one_that_this_boot_has_not_started_yet_runs_afterwards),
		cmocka_unit_test(
			what_somebody_else_paused_is_reported_and_not_resumed),
	};

	return cmocka_run_group_tests(tests, make_world, unmake_world);
}
