/*
 * One service between a simulated SCM and a controller, for tests: everything can
 * be made to fail, and the promises are checked from outside, at every call and
 * after every step, against the SCM's file and what a second reader finds in the
 * store.
 */
#ifndef POOLCTL_CONTROLLER_WORLD_H
#define POOLCTL_CONTROLLER_WORLD_H

#include "services/controller.h"
#include "failing_disk.h"
#include "system/log.h"
#include "temp_folder.h"
#include "utf8.h"
#include "pool_config.h"

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
	PASS_MS =
		30 * MINUTE_MS, /* the time that a whole way out or back may take */
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
	int controls, pauses, changes;
};

/* One for all, because clock and count of struct tools take no argument. */
static struct {
	struct temp_folder folder;
	struct pool_config *config;
	struct wrapper scm;
	struct store *store, *reader;
	struct record *record;
	struct controller *controller;
	struct wanted wanted;
	int64_t now_ms;
	int64_t sessions;
	int64_t most_sessions; /* how many there are while it takes sessions */
	bool is_uncountable,
		are_lasting;       /* sessions that do not end by themselves */
	int counts, fail_count_at; /* the count that fails, from 1 */
	int crash_at_count;        /* the process ends in this one */
	int64_t last_count;        /* -1: it could not be counted */
	int64_t quiet_since_ms; /* out and without sessions, as an onlooker sees it;
				 * or -1
				 */
	bool was_resumable;     /* it ran before the drain */
	bool is_startup_stuck;  /* it could not be set when that was tried last */
	bool is_ending;         /* the machine shuts down */
} world;

/* ---- the service as it truly is ---- */

static inline json_t *load_services(void)
{
	char *text = temp_folder_read(&world.folder, "scm.json");
	json_t *root = text ? json_loads(text, 0, NULL) : NULL;

	assert_non_null(root);
	free(text);
	return root;
}

static inline struct scm_status truth(void)
{
	struct scm_status status = {0};
	struct err err = {0};

	(void)world.scm.real->ops->observe(world.scm.real, "RTCSRV", &status, &err);
	assert_string_equal(err.text, "");
	return status;
}

static inline bool truth_is(enum service_state state)
{
	struct scm_status status;

	return !world.scm.real->ops->observe(world.scm.real, "RTCSRV", &status,
					     NULL) &&
	       status.state == state;
}

/* What is not installed has no sessions either. */
static inline bool is_truly_out(void)
{
	struct scm_status status;

	return world.scm.real->ops->observe(world.scm.real, "RTCSRV", &status,
					    NULL) ||
	       reconcile_is_out(status.state);
}

/* As an administrator would, or the service itself; takes over the value. */
static inline void set_value(const char *key, json_t *value)
{
	json_t *root = load_services(),
	       *services = json_object_get(root, "services");
	char *text;

	(void)json_object_set_new(json_object_get(services, "RTCSRV"), key, value);
	text = json_dumps(root, 0);
	assert_int_equal(temp_folder_write(&world.folder, "scm.json", text), 0);
	free(text);
	json_decref(root);
}

static inline void set_field(const char *key, const char *text)
{
	set_value(key, json_string(text));
}

static inline bool is_saved_on_disk(struct saved *saved)
{
	int got = store_get_saved(world.reader, "RTCSRV", saved, NULL);

	assert_true(got >= 0);
	return got;
}

/* The startup type has to be this one now, after what is saved. */
static inline enum start_type rightful_type(const struct saved *saved)
{
	bool is_held =
		world.wanted.want == WANT_DRAINED && !world.wanted.leaves_startup;

	return is_held && saved->start_type != START_DISABLED ? START_MANUAL
							      : saved->start_type;
}

/* What is disabled is held too; until the next boot it is left alone. */
static inline bool is_truly_held(void)
{
	struct saved saved;

	return is_saved_on_disk(&saved) &&
	       (truth().start_type == rightful_type(&saved) ||
		(world.wanted.want == WANT_DRAINED &&
		 (truth().start_type == START_DISABLED ||
		  world.wanted.leaves_startup)));
}

/* ---- the tools ---- */

static inline bool fake_is_machine_ending(void)
{
	return world.is_ending;
}

static inline struct mono fake_clock(void)
{
	return (struct mono){world.now_ms};
}

/* While it takes sessions there are some; then at each look one less. */
static inline int fake_list(const struct sessions_filter *filter,
			    const struct sessions_taker *taker, struct err *err)
{
	struct sessions_connection connection = {.idle_ms = -1};
	bool is_out = is_truly_out(), is_failing;

	assert_int_equal(filter->port_count, 1);
	assert_int_equal(filter->ports[0], 5061);
	is_failing = ++world.counts == world.fail_count_at || world.is_uncountable;
	if (world.counts == world.crash_at_count)
		_exit(CHILD_CRASHED);
	if (!is_out)
		world.sessions = world.most_sessions;
	else if (truth_is(STATE_STOPPED))
		world.sessions = 0;
	if (!is_out || world.sessions)
		world.quiet_since_ms = -1;
	else if (world.quiet_since_ms < 0)
		world.quiet_since_ms = world.now_ms;
	while (connection.peer_port < world.sessions) {
		connection.peer_port++;
		taker->take(taker->arg, &connection);
	}
	world.last_count = is_failing ? -1 : world.sessions;
	if (is_out && world.sessions && !world.are_lasting)
		world.sessions--;
	return is_failing ? err_set(err, ERR_SESSIONS, "the kernel is silent") : 0;
}

/* True if this call is to fail; `has_effect`: after it did its work. */
static inline bool call_fails(struct scm *base, bool *has_effect)
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

static inline int failure(struct scm *base, struct err *err)
{
	enum err_code code = ((struct wrapper *)base)->code;

	return err_set_os(err, code, 5, "made to fail: %s", err_info(code)->title);
}

static inline int observe(struct scm *base, const char *service,
			  struct scm_status *status, struct err *err)
{
	struct wrapper *w = (struct wrapper *)base;
	bool has_effect, is_failing = call_fails(base, &has_effect);

	if (is_failing && !w->spares_looks)
		return failure(base, err);
	return w->real->ops->observe(w->real, service, status, err);
}

/* Promise 2: what it was is on disk before anything is changed. */
static inline struct saved may_change(void)
{
	struct saved saved = {0};

	assert_true(is_saved_on_disk(&saved));
	world.scm.changes++;
	return saved;
}

static inline int set_startup(struct scm *base, const char *service,
			      enum start_type type, enum scm_flag flag,
			      struct err *err)
{
	struct wrapper *w = (struct wrapper *)base;
	bool has_effect, is_failing = call_fails(base, &has_effect);
	struct saved saved = may_change();

	/* What is disabled cannot be started, also by whoever stopped it. */
	if (world.wanted.want == WANT_SERVING && saved.cut &&
	    (truth().state == STATE_STOPPED ||
	     truth().state == STATE_START_PENDING) &&
	    saved.start_type == START_DISABLED)
		assert_int_equal(type, START_MANUAL);
	else
		assert_int_equal(type, rightful_type(&saved));
	world.is_startup_stuck = true;
	if (has_effect &&
	    w->real->ops->set_startup(w->real, service, type, flag, err))
		return -1;
	world.is_startup_stuck = is_failing || truth().start_type != type;
	return is_failing ? failure(base, err) : 0;
}

/* Sessions are cut only if that is wanted, and how many is on disk before. */
static inline void may_stop(const struct saved *saved)
{
	assert_true(world.wanted.may_cut);
	assert_int_equal(saved->cutting,
			 world.last_count < 0 ? -1 : world.last_count);
}

static inline int control(struct scm *base, const char *service,
			  enum scm_control control, struct err *err)
{
	struct wrapper *w = (struct wrapper *)base;
	bool has_effect, is_failing = call_fails(base, &has_effect);
	struct saved saved = may_change();

	w->controls++;
	w->pauses += control == SCM_PAUSE;
	/* Promise 1: a reboot right after the pause must not bring it back, if the
	 * startup type can be set. */
	if (control == SCM_CONTINUE)
		assert_true(world.was_resumable);
	else
		assert_true(is_truly_held() || world.is_startup_stuck);
	if (control == SCM_STOP)
		may_stop(&saved);
	assert_int_equal(world.wanted.want,
			 control == SCM_CONTINUE ? WANT_SERVING : WANT_DRAINED);
	if (has_effect && w->real->ops->control(w->real, service, control, err))
		return -1;
	return is_failing ? failure(base, err) : 0;
}

static inline int start(struct scm *base, const char *service, struct err *err)
{
	struct wrapper *w = (struct wrapper *)base;
	bool has_effect, is_failing = call_fails(base, &has_effect);

	(void)may_change();
	assert_true(world.was_resumable && world.wanted.want == WANT_SERVING);
	if (has_effect && w->real->ops->start(w->real, service, err))
		return -1;
	return is_failing ? failure(base, err) : 0;
}

static const struct scm_ops wrapper_ops = {
	.observe = observe,
	.set_startup = set_startup,
	.control = control,
	.start = start,
};

/* ---- life of a poold ---- */

static inline void want_as(struct wanted wanted)
{
	world.wanted = wanted;
	controller_want(world.controller, &wanted);
}

static inline void want(enum want want)
{
	want_as((struct wanted){.want = want});
}

/* A new poold on what an earlier one left on disk. */
static inline void come_up(void)
{
	const struct pool *pool = world.config->pools.items;
	struct deps deps = {.scm = &world.scm.base,
			    .list_sessions = fake_list,
			    .clock = fake_clock,
			    .wall_clock = clock_wall,
			    .tick_ms = TICK_MS,
			    .has_no_threads = true,
			    .is_machine_ending = fake_is_machine_ending};
	struct err err = {0};

	world.store = store_open(world.folder.path, &err);
	assert_string_equal(err.text, "");
	world.reader = store_open_reader(world.folder.path, NULL, NULL);
	assert_non_null(world.reader);
	world.record = record_open(world.store, clock_wall, &err);
	assert_non_null(world.record);
	deps.store = world.store;
	deps.record = world.record;
	world.controller = controller_new(pool, pool->servers.items,
					  pool->services.items, &deps, &err);
	assert_string_equal(err.text, "");
	want_as(world.wanted);
}

static inline void go_down(void)
{
	controller_free(world.controller);
	record_close(world.record);
	store_close(world.reader);
	store_close(world.store);
	world.controller = NULL;
	world.store = NULL;
}

/* A fresh machine with this service. */
static inline void begin(const char *service)
{
	char *path = temp_folder_file(&world.folder, "scm.json");
	char *text = xasprintf("{\"services\":{\"RTCSRV\":%s}}", service);

	temp_folder_empty(&world.folder);
	assert_int_equal(temp_folder_write(&world.folder, "scm.json", text), 0);
	world.scm = (struct wrapper){.base = {&wrapper_ops}};
	world.scm.real = scm_simulated_new(path, NULL);
	assert_non_null(world.scm.real);
	world.wanted = (struct wanted){.want = WANT_SERVING};
	world.are_lasting = false;
	world.counts = world.fail_count_at = world.crash_at_count = 0;
	world.sessions = SESSIONS;
	world.most_sessions = SESSIONS;
	world.is_uncountable = false;
	world.quiet_since_ms = -1;
	world.is_startup_stuck = world.is_ending = false;
	world.was_resumable =
		truth().state == STATE_RUNNING || truth().is_start_due;
	failing_disk_set(0, 0);
	come_up();
	free(path);
	free(text);
}

struct chain {
	int64_t last;
	char head[CHAIN_HASH_BYTES];
};

static inline void follow_chain(void *arg, const struct event *event)
{
	struct chain *chain = arg;

	assert_int_equal(event->id, ++chain->last);
	event_hash(event, chain->head, chain->head);
	assert_string_equal(event->hash, chain->head);
}

static inline void end(void)
{
	struct chain chain = {0};

	utf8_copy(chain.head, sizeof(chain.head), chain_start);
	assert_int_equal(store_each_event(world.store, 0, 100000, follow_chain,
					  &chain, NULL),
			 0);
	go_down();
	world.scm.real->ops->free(world.scm.real);
}

static inline void check_promises(void)
{
	enum phase phase = controller_phase(world.controller);
	struct saved saved;

	if (phase == PHASE_DRAINED) {
		assert_int_equal(world.wanted.want, WANT_DRAINED);
		assert_true(is_truly_out() && is_truly_held());
		assert_int_equal(world.sessions, 0);
		assert_int_equal(world.last_count, 0);
		assert_true(world.quiet_since_ms >= 0);
		assert_true(world.now_ms - world.quiet_since_ms >= SETTLE_MS);
	}
	if (phase == PHASE_SERVING) {
		assert_int_equal(world.wanted.want, WANT_SERVING);
		assert_int_equal(truth().state, STATE_RUNNING);
		assert_false(is_saved_on_disk(&saved));
	}
}

/* One step as the supervisor does it; the time passes that it asked for. */
static inline void step(void)
{
	int64_t next_ms = controllers_step(&world.controller, 1);

	check_promises();
	assert_in_range(next_ms, 1, TICK_MS);
	world.now_ms += next_ms;
}

static inline enum phase phase_now(void)
{
	return controller_phase(world.controller);
}

/* Steps until then; fails after PASS_MS. */
static inline void reach(enum phase phase, bool has_saved)
{
	int64_t limit_ms = world.now_ms + PASS_MS;

	do
		step();
	while (world.now_ms < limit_ms &&
	       (phase_now() != phase ||
		controller_has_saved(world.controller) != has_saved));
	if (world.now_ms >= limit_ms)
		fail_msg("not %s within its time, but %s", api_phases[phase],
			 api_phases[phase_now()]);
}

static inline void pass_ms(int64_t ms)
{
	int64_t limit_ms = world.now_ms + ms;

	while (world.now_ms < limit_ms)
		step();
}

static inline void drain(void)
{
	want(WANT_DRAINED);
	reach(PHASE_DRAINED, true);
}

/* Back; what did not run before is left alone, which poold calls attention. */
static inline void resume(void)
{
	want(WANT_SERVING);
	reach(world.was_resumable ? PHASE_SERVING : PHASE_ATTENTION, false);
}

static inline void drain_as(struct wanted wanted)
{
	want_as(wanted);
	reach(PHASE_DRAINED, true);
}

/* ---- what is on record ---- */

struct finding {
	const char *kind;
	int count;
	char *text, *before, *after; /* of the last one */
};

static inline void see_event(void *arg, const struct event *event)
{
	struct finding *finding = arg;

	if (strcmp(event->kind, finding->kind))
		return;
	finding->count++;
	free(finding->text);
	free(finding->before);
	free(finding->after);
	finding->text = xstrdup(event->text);
	finding->before = xstrdup(event->before ? event->before : "");
	finding->after = xstrdup(event->after ? event->after : "");
}

static inline struct finding find_events(const char *kind)
{
	struct finding finding = {.kind = kind};

	assert_int_equal(
		store_each_event(world.store, 0, 100000, see_event, &finding, NULL),
		0);
	return finding;
}

static inline void finding_done(struct finding *finding)
{
	free(finding->text);
	free(finding->before);
	free(finding->after);
}

static inline int events_of(const char *kind)
{
	struct finding finding = find_events(kind);

	finding_done(&finding);
	return finding.count;
}

/* There are so many, and the last one says this, if that matters. */
static inline void is_recorded(const char *kind, int count, const char *before,
			       const char *after)
{
	struct finding finding = find_events(kind);

	assert_int_equal(finding.count, count);
	if (before)
		assert_string_equal(finding.before, before);
	if (after)
		assert_string_equal(finding.after, after);
	finding_done(&finding);
}

static inline bool says(const char *words)
{
	json_t *json = controller_to_json(world.controller);
	const char *message = json_string_value(json_object_get(json, "message"));
	bool has_words = message && strstr(message, words);

	if (!has_words)
		print_message("the message is: %s\n", message ? message : "none");
	json_decref(json);
	return has_words;
}

/* ---- */

static inline int make_world(void **state)
{
	struct buf mistakes = {0};
	char *path, *log;

	(void)state;
	if (temp_folder_make(&world.folder) ||
	    temp_folder_write(&world.folder, "pool.yaml", pool_yaml))
		return -1;
	path = temp_folder_file(&world.folder, "pool.yaml");
	log = temp_folder_file(&world.folder, "log");
	world.config = pool_config_load(path, pool_config_remedy, &mistakes, NULL);
	failing_disk_install();
	(void)log_to_file(log, NULL);
	free(path);
	free(log);
	buf_done(&mistakes);
	return world.config ? 0 : -1;
}

static inline int unmake_world(void **state)
{
	(void)state;
	pool_config_free(world.config);
	temp_folder_remove(&world.folder);
	return 0;
}

#endif
