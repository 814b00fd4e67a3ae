/*
 * One service, out and back, with everything going wrong that can: SCM calls that fail or
 * fail after they worked, writes that fail, crashes, administrators, hanging services.
 *
 * The promises are checked from outside, at every call and after every step, against the
 * simulated SCM's file and what a second reader finds in the store.
 */
#include "controller.h"
#include "failing_disk.h"
#include "log.h"
#include "temp_folder.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

enum {
	TICK_MS = 1000,
	SETTLE_MS = 3000,
	HINT_MS = 5000,
	MINUTE_MS = 60000,
	PASS_MS = 30 * MINUTE_MS, /* the time that a whole way out or back may take */
	SESSIONS = 3,
	CHILD_CRASHED = 70,
	CHILD_ARRIVED,
};

static const char pool_yaml[] = "pools:\n"
				"  fe-pool01:\n"
				"    settle: 3s\n"
				"    services: {RTCSRV: {ports: 5061}}\n"
				"    servers: {frontend01: {address: 127.0.0.1}}\n";

static const char running[] = "{\"state\":\"running\",\"start_type\":\"automatic\","
			      "\"delayed_auto_start\":true,\"wait_hint_ms\":5000}";

/* An SCM around the simulated one, whose calls fail when told so. */
struct wrapper {
	struct scm base;
	struct scm *real;
	int calls;
	int fail_at, fail_count; /* the first that fails, from 1, and how many do */
	enum err_code code;
	bool spares_looks;  /* only what changes something fails */
	bool is_done_first; /* the failing call has its effect nevertheless */
	int crash_at;       /* the process ends in this call */
	int controls, changes;
};

/* One for all, because clock and count of struct tools take no argument. */
static struct {
	struct temp_folder folder;
	struct pool_config *config;
	struct wrapper scm;
	struct store *store;
	struct controller *controller;
	enum want want;
	int64_t now_ms;
	int64_t sessions;
	int64_t most_sessions; /* how many there are while it takes sessions */
	bool is_uncountable;
	int64_t quiet_since_ms; /* out and without sessions, as an onlooker sees it; or -1
				 */
	bool was_resumable;     /* it ran before the drain */
} world;

/* ---- the service as it truly is ---- */

static json_t *load_services(void)
{
	char *text = temp_folder_read(&world.folder, "scm.json");
	json_t *root = text ? json_loads(text, 0, NULL) : NULL;

	assert_non_null(root);
	free(text);
	return root;
}

static struct scm_status truth(void)
{
	struct scm_status status = {0};
	struct err err = {0};

	(void)world.scm.real->ops->observe(world.scm.real, "RTCSRV", &status, &err);
	assert_string_equal(err.text, "");
	return status;
}

static bool is_truly_out(void)
{
	return reconcile_is_out(truth().state);
}

static bool is_truly_held(void)
{
	enum start_type type = truth().start_type;

	return type == START_MANUAL || type == START_DISABLED;
}

/* As an administrator would, or the service itself; takes over the value. */
static void set_value(const char *key, json_t *value)
{
	json_t *root = load_services(), *services = json_object_get(root, "services");
	char *text;

	(void)json_object_set_new(json_object_get(services, "RTCSRV"), key, value);
	text = json_dumps(root, 0);
	assert_int_equal(temp_folder_write(&world.folder, "scm.json", text), 0);
	free(text);
	json_decref(root);
}

static void set_field(const char *key, const char *text)
{
	set_value(key, json_string(text));
}

static bool is_saved_on_disk(void)
{
	struct store *reader = store_open_reader(world.folder.path, NULL);
	struct saved saved;
	int got;

	assert_non_null(reader);
	got = store_get_saved(reader, "RTCSRV", &saved, NULL);
	store_close(reader);
	assert_true(got >= 0);
	return got;
}

/* ---- the tools ---- */

static struct mono fake_clock(void)
{
	return (struct mono){world.now_ms};
}

/* While it takes sessions there are some; then at each look one less. */
static int fake_count(const struct sessions_filter *filter, int64_t *count,
		      struct err *err)
{
	bool is_out = is_truly_out();

	assert_int_equal(filter->port_count, 1);
	assert_int_equal(filter->ports[0], 5061);
	if (!is_out)
		world.sessions = world.most_sessions;
	if (!is_out || world.sessions)
		world.quiet_since_ms = -1;
	else if (world.quiet_since_ms < 0)
		world.quiet_since_ms = world.now_ms;
	*count = world.sessions;
	if (is_out && world.sessions)
		world.sessions--;
	return world.is_uncountable ? err_set(err, ERR_SESSIONS, "the kernel is silent")
				    : 0;
}

/* True if this call is to fail; `has_effect`: after it did its work. */
static bool call_fails(struct scm *base, bool *has_effect)
{
	struct wrapper *w = (struct wrapper *)base;

	w->calls++;
	if (w->calls == w->crash_at)
		_exit(CHILD_CRASHED);
	*has_effect = true;
	if (!w->fail_at || w->calls < w->fail_at ||
	    w->calls >= w->fail_at + w->fail_count)
		return false;
	*has_effect = w->is_done_first;
	return true;
}

static int failure(struct scm *base, struct err *err)
{
	enum err_code code = ((struct wrapper *)base)->code;

	return err_set_os(err, code, 5, "made to fail: %s", err_info(code)->title);
}

static int observe(struct scm *base, const char *service, struct scm_status *status,
		   struct err *err)
{
	struct wrapper *w = (struct wrapper *)base;
	bool has_effect, is_failing = call_fails(base, &has_effect);

	if (is_failing && !w->spares_looks)
		return failure(base, err);
	return w->real->ops->observe(w->real, service, status, err);
}

/* Promise 2: what it was is on disk before anything is changed. */
static void may_change(void)
{
	assert_true(is_saved_on_disk());
	world.scm.changes++;
}

static int set_startup(struct scm *base, const char *service, enum start_type type,
		       enum scm_flag flag, struct err *err)
{
	struct wrapper *w = (struct wrapper *)base;
	bool has_effect, is_failing = call_fails(base, &has_effect);

	may_change();
	if (world.want == WANT_DRAINED)
		assert_int_equal(type, START_MANUAL);
	if (has_effect && w->real->ops->set_startup(w->real, service, type, flag, err))
		return -1;
	return is_failing ? failure(base, err) : 0;
}

static int control(struct scm *base, const char *service, enum scm_control control,
		   struct err *err)
{
	struct wrapper *w = (struct wrapper *)base;
	bool has_effect, is_failing = call_fails(base, &has_effect);

	may_change();
	w->controls++;
	/* Promise 1: a reboot right after the pause must not bring it back. */
	if (control == SCM_PAUSE)
		assert_true(is_truly_held());
	else
		assert_true(world.was_resumable);
	assert_int_equal(control, world.want == WANT_DRAINED ? SCM_PAUSE : SCM_CONTINUE);
	if (has_effect && w->real->ops->control(w->real, service, control, err))
		return -1;
	return is_failing ? failure(base, err) : 0;
}

static int start(struct scm *base, const char *service, struct err *err)
{
	struct wrapper *w = (struct wrapper *)base;
	bool has_effect, is_failing = call_fails(base, &has_effect);

	may_change();
	assert_true(world.was_resumable && world.want == WANT_SERVING);
	if (has_effect && w->real->ops->start(w->real, service, err))
		return -1;
	return is_failing ? failure(base, err) : 0;
}

static const struct scm_ops wrapper_ops = {observe, set_startup, control,
					   start,   NULL,        NULL};

/* ---- life of a poold ---- */

static void want(enum want want)
{
	world.want = want;
	controller_want(world.controller, want, "a test");
}

/* A new poold on what an earlier one left on disk. */
static void come_up(void)
{
	const struct pool *pool = world.config->pools.items;
	struct tools tools = {.scm = &world.scm.base,
			      .count_sessions = fake_count,
			      .clock = fake_clock,
			      .tick_ms = TICK_MS};
	struct err err = {0};

	world.store = store_open(world.folder.path, &err);
	assert_string_equal(err.text, "");
	tools.store = world.store;
	world.controller = controller_new(pool, pool->servers.items, pool->services.items,
					  &tools, &err);
	assert_string_equal(err.text, "");
	want(world.want);
}

static void go_down(void)
{
	controller_free(world.controller);
	store_close(world.store);
	world.controller = NULL;
	world.store = NULL;
}

/* A fresh machine with this service. */
static void begin(const char *service)
{
	char *path = temp_folder_file(&world.folder, "scm.json");
	char *text = xasprintf("{\"services\":{\"RTCSRV\":%s}}", service);

	temp_folder_empty(&world.folder);
	assert_int_equal(temp_folder_write(&world.folder, "scm.json", text), 0);
	world.scm = (struct wrapper){.base = {&wrapper_ops}};
	world.scm.real = scm_simulated_new(path, NULL);
	assert_non_null(world.scm.real);
	world.want = WANT_SERVING;
	world.sessions = SESSIONS;
	world.most_sessions = SESSIONS;
	world.is_uncountable = false;
	world.quiet_since_ms = -1;
	world.was_resumable = truth().state == STATE_RUNNING;
	failing_disk_set(0, false);
	come_up();
	free(path);
	free(text);
}

static void end(void)
{
	go_down();
	world.scm.real->ops->free(world.scm.real);
}

static void check_promises(void)
{
	enum phase phase = controller_phase(world.controller);

	if (phase == PHASE_DRAINED) {
		assert_int_equal(world.want, WANT_DRAINED);
		assert_true(is_truly_out() && is_truly_held());
		assert_int_equal(world.sessions, 0);
		assert_false(world.is_uncountable);
		assert_true(world.quiet_since_ms >= 0);
		assert_true(world.now_ms - world.quiet_since_ms >= SETTLE_MS);
		assert_true(is_saved_on_disk());
	}
	if (phase == PHASE_SERVING) {
		assert_int_equal(world.want, WANT_SERVING);
		assert_int_equal(truth().state, STATE_RUNNING);
		assert_false(is_saved_on_disk());
	}
}

/* One step as the supervisor does it; the time passes that it asked for. */
static void step(void)
{
	int64_t next_ms = controller_step(world.controller);

	(void)store_commit(world.store, NULL);
	check_promises();
	assert_in_range(next_ms, 1, TICK_MS);
	world.now_ms += next_ms;
}

static enum phase phase_now(void)
{
	return controller_phase(world.controller);
}

/* Steps until then; fails after PASS_MS. */
static void reach(enum phase phase, bool has_saved)
{
	int64_t limit_ms = world.now_ms + PASS_MS;

	do
		step();
	while (world.now_ms < limit_ms &&
	       (phase_now() != phase ||
		controller_has_saved(world.controller) != has_saved));
	if (world.now_ms >= limit_ms)
		fail_msg("not %s within its time, but %s", phase_name(phase),
			 phase_name(phase_now()));
}

static void pass_ms(int64_t ms)
{
	int64_t limit_ms = world.now_ms + ms;

	while (world.now_ms < limit_ms)
		step();
}

static void drain(void)
{
	want(WANT_DRAINED);
	reach(PHASE_DRAINED, true);
}

/* Back; what did not run before is left alone, which poold calls attention. */
static void resume(void)
{
	want(WANT_SERVING);
	reach(world.was_resumable ? PHASE_SERVING : PHASE_ATTENTION, false);
}

/* ---- what is on record ---- */

struct tally_of_events {
	const char *kind;
	int count;
};

static void count_event(void *arg, const struct event *event)
{
	struct tally_of_events *tally = arg;

	tally->count += !strcmp(event->kind, tally->kind);
}

static int events_of(const char *kind)
{
	struct tally_of_events tally = {.kind = kind};

	assert_int_equal(
		store_each_event(world.store, 0, 100000, count_event, &tally, NULL), 0);
	return tally.count;
}

static bool says(const char *words)
{
	json_t *json = controller_to_json(world.controller);
	const char *message = json_string_value(json_object_get(json, "message"));
	bool has_words = message && strstr(message, words);

	if (!has_words)
		print_message("the message is: %s\n", message ? message : "none");
	json_decref(json);
	return has_words;
}

/* ---- whole passes ---- */

static const char *const origins[] = {
	running,
	"{\"state\":\"running\",\"start_type\":\"automatic\",\"delayed_auto_start\":false}",
	"{\"state\":\"running\",\"start_type\":\"automatic\"}",
	"{\"state\":\"running\",\"start_type\":\"manual\",\"delayed_auto_start\":true}",
	"{\"state\":\"running\",\"start_type\":\"disabled\",\"delayed_auto_start\":false}",
	"{\"state\":\"paused\",\"start_type\":\"automatic\",\"delayed_auto_start\":true}",
	"{\"state\":\"stopped\",\"start_type\":\"automatic\",\"delayed_auto_start\":true}",
	"{\"state\":\"stopped\",\"start_type\":\"manual\",\"delayed_auto_start\":false}",
	"{\"state\":\"stopped\",\"start_type\":\"disabled\",\"delayed_auto_start\":false}",
};

enum { ORIGINS = sizeof(origins) / sizeof(origins[0]) };

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

static void a_state_in_motion_is_saved_as_where_it_leads(void **state)
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
		step();
		assert_int_equal(world.scm.controls, 0);
		json = controller_to_json(world.controller);
		saved = json_object_get(json, "saved");
		assert_string_equal(json_string_value(json_object_get(saved, "state")),
				    cases[i].saved);
		json_decref(json);
		set_field("state", cases[i].saved);
		drain();
		resume();
		assert_string_equal(service_state_name(truth().state), cases[i].saved);
		end();
	}
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

/* Out and back with what is set to fail; true if the failure was met. */
static bool pass_with_failure(const char *origin, int fail_at, int fail_count,
			      enum err_code code, bool is_done_first)
{
	json_t *before, *after;
	bool is_met;

	begin(origin);
	before = load_services();
	world.scm.fail_at = fail_at;
	world.scm.fail_count = fail_count;
	world.scm.code = code;
	world.scm.is_done_first = is_done_first;
	drain();
	resume();
	is_met = world.scm.calls >= fail_at;
	after = load_services();
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
	end();
	return is_met;
}

static void fail_each_call(const char *origin, int fail_count, enum err_code code,
			   bool is_done_first)
{
	int fail_at = 1;

	while (pass_with_failure(origin, fail_at, fail_count, code, is_done_first))
		fail_at++;
	assert_true(fail_at > 10);
}

static void every_failing_call_keeps_the_promises(void **state)
{
	static const enum err_code codes[] = {ERR_SCM_NOT_NOW, ERR_SCM_REFUSED,
					      ERR_SCM_DENIED, ERR_SCM_FAILED,
					      ERR_SCM_MISSING};

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		fail_each_call(running, 1, codes[i], false);
	fail_each_call(origins[ORIGINS - 3], 1, ERR_SCM_FAILED, false);
}

static void every_call_that_fails_for_long_keeps_the_promises(void **state)
{
	(void)state;
	fail_each_call(running, 7, ERR_SCM_FAILED, false);
	fail_each_call(running, 200, ERR_SCM_NOT_NOW, false);
}

static void every_call_that_works_and_says_it_failed_keeps_the_promises(void **state)
{
	(void)state;
	fail_each_call(running, 1, ERR_SCM_FAILED, true);
	fail_each_call(running, 3, ERR_SCM_NOT_NOW, true);
}

static void every_failing_write_keeps_the_promises(void **state)
{
	bool is_met = true;

	(void)state;
	for (int fail_at = 1; is_met; fail_at++) {
		json_t *before, *after;

		begin(running);
		before = load_services();
		failing_disk_set(fail_at, false);
		drain();
		resume();
		is_met = failing_disk.calls >= fail_at;
		after = load_services();
		assert_true(json_equal(before, after));
		json_decref(before);
		json_decref(after);
		end();
	}
}

static void nothing_is_changed_while_the_disk_is_full(void **state)
{
	(void)state;
	begin(running);
	failing_disk_set(1, true);
	want(WANT_DRAINED);
	pass_ms(MINUTE_MS);
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	assert_true(says("cannot be written down"));
	assert_int_equal(world.scm.changes, 0);
	failing_disk_set(0, false);
	reach(PHASE_DRAINED, true);
	end();
}

/* ---- crashes ---- */

/* A child goes this way and dies in a call; true if it came so far. */
static bool crash_on_the_way(enum want to, int crash_at)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		come_up();
		world.scm.calls = 0;
		world.scm.crash_at = crash_at;
		if (to == WANT_DRAINED)
			drain();
		else
			resume();
		_exit(CHILD_ARRIVED);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	/* Any other status is that of a failed assertion, or of a sanitizer. */
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == CHILD_CRASHED ||
					  WEXITSTATUS(status) == CHILD_ARRIVED));
	/* The clock starts anew with the machine, and sessions may have come or gone. */
	world.now_ms = 0;
	world.quiet_since_ms = -1;
	world.sessions = SESSIONS;
	return WEXITSTATUS(status) == CHILD_CRASHED;
}

static void a_crash_at_any_call_on_the_way_out_ends_the_same(void **state)
{
	bool is_crashed = true;

	(void)state;
	for (int crash_at = 1; is_crashed; crash_at++) {
		json_t *before, *after;

		begin(running);
		before = load_services();
		go_down();
		is_crashed = crash_on_the_way(WANT_DRAINED, crash_at);
		come_up();
		drain();
		resume();
		after = load_services();
		assert_true(json_equal(before, after));
		json_decref(before);
		json_decref(after);
		end();
	}
}

static void a_crash_at_any_call_on_the_way_back_ends_the_same(void **state)
{
	bool is_crashed = true;

	(void)state;
	for (int crash_at = 1; is_crashed; crash_at++) {
		json_t *before, *after;

		begin(running);
		before = load_services();
		drain();
		go_down();
		is_crashed = crash_on_the_way(WANT_SERVING, crash_at);
		come_up();
		resume();
		after = load_services();
		assert_true(json_equal(before, after));
		json_decref(before);
		json_decref(after);
		end();
	}
}

static void a_new_poold_holds_what_the_last_one_took_out(void **state)
{
	(void)state;
	begin(running);
	drain();
	go_down();
	world.want = WANT_DRAINED;
	come_up();
	set_field("state", "running");
	step();
	assert_true(is_truly_out());
	reach(PHASE_DRAINED, true);
	resume();
	end();
}

/* ---- others change the service ---- */

static void drift_is_undone_at_the_next_step_and_recorded(void **state)
{
	(void)state;
	begin(running);
	drain();
	set_field("state", "running");
	step();
	assert_true(is_truly_out());
	assert_int_equal(phase_now(), PHASE_DRAINING);
	assert_int_equal(events_of("drift"), 1);
	reach(PHASE_DRAINED, true);

	set_field("start_type", "automatic");
	step();
	assert_true(is_truly_held());
	assert_int_equal(events_of("drift"), 2);
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
	world.want = WANT_SERVING;
	come_up();
	resume();
	assert_int_equal(truth().start_type, START_AUTOMATIC);
	assert_int_equal(truth().delayed_auto_start, SCM_FLAG_YES);
	end();
}

static void a_service_that_stops_while_out_is_no_drift_and_runs_afterwards(void **state)
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

static void what_somebody_else_paused_is_reported_and_not_resumed(void **state)
{
	(void)state;
	begin(running);
	set_field("state", "paused");
	pass_ms(MINUTE_MS);
	assert_int_equal(phase_now(), PHASE_ATTENTION);
	assert_true(says("somebody else paused"));
	assert_int_equal(world.scm.changes, 0);
	end();
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

static void a_pause_that_hangs_gets_attention_after_the_hint_and_goes_on(void **state)
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
		assert_true(says("hangs while it pauses"));
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

/* The service got the pause, in time or after the SCM gave up, the drain ends, and only
 * then it pauses. */
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
		pass_ms(2 * TICK_MS);
		assert_true(controller_has_saved(world.controller));
		set_field("state", "paused");
		reach(PHASE_SERVING, false);
		assert_int_equal(truth().state, STATE_RUNNING);
		end();
	}
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
	assert_int_equal(events_of("failed"), 1);
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

/* ---- by chance ---- */

enum { ROUNDS = 40, MISCHIEFS = 40 };

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
	static const char *const states[] = {"stopped",       "running",       "paused",
					     "pause_pending", "start_pending", NULL};
	static const char *const types[] = {"automatic", "manual", "disabled", NULL};
	static const char *const behaviours[] = {"pause",  "hang", "ignore",
						 "refuse", "fail", NULL};

	switch (rand() % 10) {
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
		failing_disk_set(1 + rand() % 8, false);
		break;
	case 6:
		world.is_uncountable = rand() % 2;
		world.now_ms += TICK_MS;
		break;
	case 7:
		failing_disk_set(0, false);
		go_down();
		come_up();
		break;
	case 8:
		want(world.want == WANT_DRAINED ? WANT_SERVING : WANT_DRAINED);
		break;
	default:
		world.now_ms += rand() % MINUTE_MS;
	}
}

/* The trouble is over: the service does as it is told again. */
static void end_mischief(void)
{
	world.scm.fail_at = 0;
	failing_disk_set(0, false);
	world.is_uncountable = false;
	set_field("on_pause", "pause");
	set_value("accepts_pause", json_true());
	set_field("state", "running");
	pass_ms(MINUTE_MS);
}

static void resume_as_saved(void)
{
	json_t *json = controller_to_json(world.controller);
	json_t *saved = json_object_get(json, "saved");
	const char *start_type = json_string_value(json_object_get(saved, "start_type"));
	const char *run_state = json_string_value(json_object_get(saved, "state"));
	bool was_running = !strcmp(run_state, "running");

	want(WANT_SERVING);
	reach(was_running ? PHASE_SERVING : PHASE_ATTENTION, false);
	assert_string_equal(start_type_name(truth().start_type), start_type);
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

/* ---- */

static int set_up(void **state)
{
	struct buf mistakes = {0};
	char *path, *log;

	(void)state;
	if (temp_folder_make(&world.folder) ||
	    temp_folder_write(&world.folder, "pool.yaml", pool_yaml))
		return -1;
	path = temp_folder_file(&world.folder, "pool.yaml");
	log = temp_folder_file(&world.folder, "log");
	world.config = pool_config_load(path, &mistakes, NULL);
	failing_disk_install();
	(void)log_to_file(log, NULL);
	free(path);
	free(log);
	buf_done(&mistakes);
	return world.config ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	pool_config_free(world.config);
	temp_folder_remove(&world.folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_put_back_exactly),
		cmocka_unit_test(a_drained_service_stays_drained_and_is_left_in_peace),
		cmocka_unit_test(each_drain_has_its_own_peak),
		cmocka_unit_test(time_in_which_nobody_looked_is_no_settle_time),
		cmocka_unit_test(a_state_in_motion_is_saved_as_where_it_leads),
		cmocka_unit_test(a_drain_that_ends_on_the_way_out_is_put_back),
		cmocka_unit_test(every_failing_call_keeps_the_promises),
		cmocka_unit_test(every_call_that_fails_for_long_keeps_the_promises),
		cmocka_unit_test(
			every_call_that_works_and_says_it_failed_keeps_the_promises),
		cmocka_unit_test(every_failing_write_keeps_the_promises),
		cmocka_unit_test(nothing_is_changed_while_the_disk_is_full),
		cmocka_unit_test(a_crash_at_any_call_on_the_way_out_ends_the_same),
		cmocka_unit_test(a_crash_at_any_call_on_the_way_back_ends_the_same),
		cmocka_unit_test(a_new_poold_holds_what_the_last_one_took_out),
		cmocka_unit_test(drift_is_undone_at_the_next_step_and_recorded),
		cmocka_unit_test(drift_while_the_scm_is_silent_is_recorded_too),
		cmocka_unit_test(a_startup_changed_while_poold_is_down_is_put_back_too),
		cmocka_unit_test(
			a_service_that_stops_while_out_is_no_drift_and_runs_afterwards),
		cmocka_unit_test(what_somebody_else_paused_is_reported_and_not_resumed),
		cmocka_unit_test(a_refused_pause_gets_attention_and_changes_no_more),
		cmocka_unit_test(a_service_that_does_not_accept_pause_is_left_as_it_is),
		cmocka_unit_test(
			a_pause_that_hangs_gets_attention_after_the_hint_and_goes_on),
		cmocka_unit_test(a_pause_that_makes_progress_is_not_late),
		cmocka_unit_test(
			a_pause_without_effect_gets_attention_and_is_asked_again),
		cmocka_unit_test(a_pause_that_comes_after_the_end_of_the_drain_is_undone),
		cmocka_unit_test(
			a_pause_that_never_comes_does_not_keep_a_drain_from_ending),
		cmocka_unit_test(
			not_now_for_long_is_a_failure_that_is_tried_at_a_distance),
		cmocka_unit_test(unknown_sessions_are_never_none),
		cmocka_unit_test(a_service_that_is_not_installed_gets_attention),
		cmocka_unit_test(
			whatever_happens_the_promises_hold_and_there_is_a_way_back),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
