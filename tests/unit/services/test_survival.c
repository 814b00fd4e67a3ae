/*
 * Whole ways out and back, in which every call to the SCM, the store and the
 * session source fails once, for a while, or only seemingly, and in which the
 * process ends at every call.
 */
#include "services/controller_world.h"
#include "survive_counts.h"

static int crashes, faults, finished;

/* ---- the ways ---- */

static const char never_started[] =
	"{\"state\":\"stopped\",\"start_type\":\"automatic\",\"never_started\":true}";
static const char unpausable[] =
	"{\"state\":\"running\",\"start_type\":\"automatic\","
	"\"accepts_pause\":false}";

static const struct way {
	const char *origin;
	struct wanted wanted;
	bool cuts; /* sessions last, so that they are cut */
} ways[] = {
	{running, {.want = WANT_DRAINED}, false},
	{running, {.want = WANT_DRAINED, .may_cut = true}, true},
	{running, {.want = WANT_DRAINED, .leaves_startup = true}, false},
	{running,
	 {.want = WANT_DRAINED, .may_cut = true, .leaves_startup = true},
	 true},
	{unpausable, {.want = WANT_DRAINED, .may_cut = true}, true},
	{never_started, {.want = WANT_DRAINED}, false},
	{"{\"state\":\"running\",\"start_type\":\"disabled\"}",
	 {.want = WANT_DRAINED},
	 false},
	{"{\"state\":\"stopped\",\"start_type\":\"automatic\",\"delayed_auto_start\":"
	 "true}",
	 {.want = WANT_DRAINED},
	 false},
	{"{\"state\":\"paused\",\"start_type\":\"manual\"}",
	 {.want = WANT_DRAINED},
	 false},
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static void set_off(const struct way *way)
{
	begin(way->origin);
	world.are_lasting = way->cuts;
}

/* What the SCM's file must say in the end. */
static json_t *load_expected(const struct way *way)
{
	json_t *root = load_services();
	json_t *service =
		json_object_get(json_object_get(root, "services"), "RTCSRV");

	if (way->origin == never_started) {
		(void)json_object_set_new(service, "state", json_string("running"));
		(void)json_object_set_new(service, "never_started", json_false());
	}
	return root;
}

static void is_out_as_promised(const struct way *way)
{
	assert_int_equal(phase_now(), PHASE_DRAINED);
	assert_int_equal(controller_cut(world.controller) > 0, way->cuts);
	/* What the disk did not take comes with the next commit. */
	pass_ms(5 * TICK_MS);
	assert_int_equal(events_of("cut"), way->cuts);
}

/* Everything is back, was recorded, and once. */
static void is_back_as_promised(json_t *expected, bool may_drift)
{
	json_t *after = load_services();

	assert_true(json_equal(expected, after));
	is_recorded("saved", 1, NULL, NULL);
	is_recorded("restored", 1, NULL, NULL);
	if (!may_drift)
		is_recorded("drift", 0, NULL, NULL);
	json_decref(after);
	json_decref(expected);
}

/* ---- calls that fail ---- */

/* Arms the failure of call N; then says if it was met. */
struct trouble {
	void (*arm)(const struct trouble *trouble, int at);
	bool (*is_met)(int at);
	int count;
	enum err_code code;
	bool is_done_first;
};

static void arm_scm(const struct trouble *trouble, int at)
{
	world.scm.fail_at = at;
	world.scm.fail_count = trouble->count;
	world.scm.code = trouble->code;
	world.scm.is_done_first = trouble->is_done_first;
}

static bool is_scm_met(int at)
{
	return world.scm.calls >= at;
}

static void arm_disk(const struct trouble *trouble, int at)
{
	failing_disk_set(at, trouble->count);
}

static bool is_disk_met(int at)
{
	return failing_disk.calls >= at;
}

static void arm_count(const struct trouble *trouble, int at)
{
	(void)trouble;
	world.fail_count_at = at;
}

static bool is_count_met(int at)
{
	return world.counts >= at;
}

/* True if the trouble was met. */
static bool go_with(const struct way *way, const struct trouble *trouble, int at)
{
	json_t *expected;
	bool is_met;

	set_off(way);
	expected = load_expected(way);
	trouble->arm(trouble, at);
	drain_as(way->wanted);
	is_out_as_promised(way);
	resume();
	is_met = trouble->is_met(at);
	/* What seems to be uninstalled has drifted. */
	is_back_as_promised(expected, trouble->code == ERR_SCM_MISSING);
	end();
	return is_met;
}

static void go_through(const struct trouble *trouble)
{
	for (int i = 0; i < WAYS; i++) {
		int at = 1;

		while (go_with(&ways[i], trouble, at))
			at++;
		assert_true(at > 2);
		faults += at - 1;
	}
}

static void every_scm_call_that_fails_keeps_the_promises(void **state)
{
	static const enum err_code codes[] = {ERR_SCM_NOT_NOW, ERR_SCM_REFUSED,
					      ERR_SCM_DENIED, ERR_SCM_FAILED,
					      ERR_SCM_MISSING};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		go_through(&(struct trouble){.arm = arm_scm,
					     .is_met = is_scm_met,
					     .count = 1,
					     .code = codes[i]});
	finished++;
}

static void every_scm_call_that_fails_for_long_keeps_the_promises(void **state)
{
	(void)state;
	go_through(&(struct trouble){.arm = arm_scm,
				     .is_met = is_scm_met,
				     .count = 7,
				     .code = ERR_SCM_FAILED});
	go_through(&(struct trouble){.arm = arm_scm,
				     .is_met = is_scm_met,
				     .count = 200,
				     .code = ERR_SCM_NOT_NOW});
	finished++;
}

static void every_scm_call_that_works_and_says_it_failed_keeps_the_promises(
	void **state)
{
	(void)state;
	go_through(&(struct trouble){.arm = arm_scm,
				     .is_met = is_scm_met,
				     .count = 1,
				     .code = ERR_SCM_FAILED,
				     .is_done_first = true});
	go_through(&(struct trouble){.arm = arm_scm,
				     .is_met = is_scm_met,
				     .count = 3,
				     .code = ERR_SCM_NOT_NOW,
				     .is_done_first = true});
	finished++;
}

static void every_write_that_fails_keeps_the_promises(void **state)
{
	(void)state;
	go_through(&(struct trouble){
		.arm = arm_disk, .is_met = is_disk_met, .count = 1});
	go_through(&(struct trouble){
		.arm = arm_disk, .is_met = is_disk_met, .count = 12});
	finished++;
}

static void every_count_that_fails_keeps_the_promises(void **state)
{
	(void)state;
	go_through(&(struct trouble){.arm = arm_count, .is_met = is_count_met});
	finished++;
}

static void nothing_is_changed_while_the_disk_is_full(void **state)
{
	(void)state;
	begin(running);
	failing_disk_set(1, INT_MAX);
	want(WANT_DRAINED);
	pass_ms(MINUTE_MS);
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	assert_true(says("cannot be written"));
	assert_int_equal(world.scm.changes, 0);
	failing_disk_set(0, 0);
	reach(PHASE_DRAINED, true);
	end();
}

/* What was taken out stays out, and comes back, though nothing can be written. */
static void a_disk_that_fails_for_long_keeps_the_service_out(void **state)
{
	(void)state;
	begin(running);
	drain();
	failing_disk_set(1, INT_MAX);
	set_field("state", "running");
	step();
	assert_true(is_truly_out());
	pass_ms(MINUTE_MS);
	assert_int_equal(phase_now(), PHASE_DRAINED);
	want(WANT_SERVING);
	pass_ms(MINUTE_MS);
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	assert_int_equal(truth().state, STATE_RUNNING);
	failing_disk_set(0, 0);
	reach(PHASE_SERVING, false);
	/* The record waited in memory. */
	is_recorded("drift", 1, NULL, NULL);
	is_recorded("undone", 1, NULL, NULL);
	is_recorded("lost", 0, NULL, NULL);
	end();
}

/* ---- crashes ---- */

static void crash_in_scm(int at)
{
	world.scm.calls = 0;
	world.scm.crash_at = at;
}

static void crash_in_disk(int at)
{
	failing_disk_crash(at, CHILD_CRASHED);
}

static void crash_in_count(int at)
{
	world.counts = 0;
	world.crash_at_count = at;
}

/* A child goes this way and dies in a call; true if it came so far. */
static bool crash_on(const struct wanted *to, void (*arm)(int at), int at)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		come_up();
		arm(at);
		if (to->want == WANT_DRAINED)
			drain_as(*to);
		else
			resume();
		_exit(CHILD_ARRIVED);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	/* Any other status is that of a failed assertion, or of a sanitizer. */
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == CHILD_CRASHED ||
					  WEXITSTATUS(status) == CHILD_ARRIVED));
	/* The clock starts anew with the machine, and sessions may have come or
	 * gone. */
	world.now_ms = 0;
	world.quiet_since_ms = -1;
	world.sessions = world.was_resumable ? SESSIONS : 0;
	return WEXITSTATUS(status) == CHILD_CRASHED;
}

static bool crash_on_the_way_out(const struct way *way, void (*arm)(int at), int at)
{
	json_t *expected;
	bool is_crashed;

	set_off(way);
	expected = load_expected(way);
	go_down();
	is_crashed = crash_on(&way->wanted, arm, at);
	world.wanted = way->wanted;
	come_up();
	reach(PHASE_DRAINED, true);
	is_out_as_promised(way);
	resume();
	is_back_as_promised(expected, false);
	end();
	return is_crashed;
}

static bool crash_on_the_way_back(const struct way *way, void (*arm)(int at),
				  int at)
{
	static const struct wanted back = {.want = WANT_SERVING};
	json_t *expected;
	bool is_crashed;

	set_off(way);
	expected = load_expected(way);
	drain_as(way->wanted);
	go_down();
	is_crashed = crash_on(&back, arm, at);
	world.wanted = back;
	come_up();
	resume();
	is_back_as_promised(expected, false);
	end();
	return is_crashed;
}

static void crash_everywhere(bool (*go)(const struct way *, void (*)(int), int))
{
	static void (*const arms[])(int at) = {crash_in_scm, crash_in_disk,
					       crash_in_count};

	for (int i = 0; i < WAYS; i++)
		for (int j = 0; j < 3; j++) {
			int at = 1;

			while (go(&ways[i], arms[j], at))
				at++;
			crashes += at - 1;
		}
	finished++;
}

static void a_crash_at_any_call_on_the_way_out_ends_the_same(void **state)
{
	(void)state;
	crash_everywhere(crash_on_the_way_out);
}

static void a_crash_at_any_call_on_the_way_back_ends_the_same(void **state)
{
	(void)state;
	crash_everywhere(crash_on_the_way_back);
}

static void every_point_was_survived(void **state)
{
	enum { LOOPS = 7 };

	(void)state;
	assert_int_equal(finished, LOOPS);
	print_message("%d crashes, %d faults\n", crashes, faults);
	survive_counts_add("test_survival", crashes, faults);
}

/* ---- by chance ---- */

enum { ROUNDS = 40, MISCHIEFS = 60 };

static const char *pick(const char *const *texts)
{
	int count = 0;

	while (texts[count])
		count++;
	return texts[rand() % count];
}

/* Something happens that nobody asked for. */
static void do_mischief(void)
{
	static const char *const states[] = {"stopped",       "running",
					     "paused",        "pause_pending",
					     "start_pending", NULL};
	static const char *const types[] = {"automatic", "manual", "disabled",
					    NULL};
	static const char *const behaviours[] = {"pause",  "hang", "ignore",
						 "refuse", "fail", NULL};
	static const char *const stops[] = {"stop", "ignore", "refuse", NULL};
	static const struct wanted wishes[] = {
		{.want = WANT_SERVING},
		{.want = WANT_DRAINED},
		{.want = WANT_DRAINED, .may_cut = true},
		{.want = WANT_DRAINED, .leaves_startup = true},
		{.want = WANT_DRAINED, .may_cut = true, .leaves_startup = true},
	};

	switch (rand() % 12) {
	case 0:
		set_field("state", pick(states));
		break;
	case 1:
		set_field("start_type", pick(types));
		break;
	case 2:
		set_field("on_pause", pick(behaviours));
		break;
	case 3:
		set_value("accepts_pause", json_boolean(rand() % 2));
		break;
	case 4:
		world.scm.fail_at = world.scm.calls + 1 + rand() % 4;
		world.scm.fail_count = 1 + rand() % 3;
		world.scm.code = (enum err_code)(ERR_SCM_MISSING + rand() % 5);
		world.scm.is_done_first = rand() % 2;
		break;
	case 5:
		failing_disk_set(1 + rand() % 8, 1 + rand() % 4);
		break;
	case 6:
		world.is_uncountable = rand() % 2;
		world.now_ms += TICK_MS;
		break;
	case 7:
		failing_disk_set(0, 0);
		go_down();
		come_up();
		break;
	case 8:
		want_as(wishes[rand() % 5]);
		break;
	case 9:
		set_field("on_stop", pick(stops));
		break;
	case 10:
		world.are_lasting = rand() % 2;
		break;
	default:
		world.now_ms += rand() % MINUTE_MS;
	}
}

/* The trouble is over: the service does as it is told again. */
static void end_mischief(void)
{
	world.scm.fail_at = 0;
	failing_disk_set(0, 0);
	world.is_uncountable = false;
	world.are_lasting = false;
	set_field("on_pause", "pause");
	set_field("on_stop", "stop");
	set_value("accepts_pause", json_true());
	set_field("state", "running");
	pass_ms(MINUTE_MS);
}

static void resume_as_saved(void)
{
	json_t *json = controller_to_json(world.controller);
	json_t *saved = json_object_get(json, "saved");
	const char *start_type =
		json_string_value(json_object_get(saved, "start_type"));
	const char *run_state = json_string_value(json_object_get(saved, "state"));
	/* What is disabled and stopped nobody can start; what poold stopped it
	 * starts. */
	bool is_unstartable = !strcmp(start_type, "disabled") &&
			      truth_is(STATE_STOPPED) &&
			      !controller_cut(world.controller);
	bool runs_again = (!strcmp(run_state, "running") && !is_unstartable) ||
			  (!strcmp(run_state, "stopped") && truth_is(STATE_PAUSED));

	want(WANT_SERVING);
	reach(runs_again ? PHASE_SERVING : PHASE_ATTENTION, false);
	assert_string_equal(api_start_types[truth().start_type], start_type);
	json_decref(json);
}

static void whatever_happens_the_promises_hold_and_there_is_a_way_back(void **state)
{
	const char *given = getenv("POOLCTL_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 20260501;

	(void)state;
	print_message("POOLCTL_SEED=%u\n", seed);
	srand(seed);
	for (int round = 0; round < ROUNDS; round++) {
		begin(running);
		for (int i = 0; i < MISCHIEFS; i++) {
			do_mischief();
			for (int steps = rand() % 4; steps > 0; steps--)
				step();
		}
		end_mischief();
		drain();
		resume_as_saved();
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scm_call_that_fails_keeps_the_promises),
		cmocka_unit_test(
			every_scm_call_that_fails_for_long_keeps_the_promises),
		cmocka_unit_test(
			every_scm_call_that_works_and_says_it_failed_keeps_the_promises),
		cmocka_unit_test(every_write_that_fails_keeps_the_promises),
		cmocka_unit_test(every_count_that_fails_keeps_the_promises),
		cmocka_unit_test(nothing_is_changed_while_the_disk_is_full),
		cmocka_unit_test(a_disk_that_fails_for_long_keeps_the_service_out),
		cmocka_unit_test(a_crash_at_any_call_on_the_way_out_ends_the_same),
		cmocka_unit_test(a_crash_at_any_call_on_the_way_back_ends_the_same),
		cmocka_unit_test(
			whatever_happens_the_promises_hold_and_there_is_a_way_back),
		cmocka_unit_test(every_point_was_survived),
	};

	return cmocka_run_group_tests(tests, make_world, unmake_world);
}
