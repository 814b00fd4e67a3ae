/*
 * Drains from request to service, through the supervisor's thread, with the
 * simulated SCM.
 */
#include "failing_disk.h"
#include "system/log.h"
#include "pool.h"
#include "store/store.h"
#include "supervisor.h"
#include "temp_folder.h"
#include "utf8.h"
#include "pool_config.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { TICK_MS = 20, LIMIT_S = 20 };

/* Port 1 has no sessions. */
static const char pool_yaml[] = "pools:\n"
				"  fe-pool01:\n"
				"    settle: 0s\n"
				"    services: {A: {ports: 1}, B: {ports: 1}}\n"
				"    servers: {frontend01: {address: 127.0.0.1}}\n";

static const char services_json[] =
	"{\"services\":{\"A\":{\"state\":\"running\",\"start_type\":\"automatic\"},"
	"\"B\":{\"state\":\"running\",\"start_type\":\"automatic\"}}}";

/* One for all; what the supervisor's thread calls back with has the lock. */
static struct {
	struct temp_folder folder;
	struct pool_config *config;
	struct task_queue tasks;
	struct snapshot_shelf snapshots;
	struct supervisor *supervisor;
	pthread_mutex_t lock;
	pthread_cond_t changed;
} world = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void on_published(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&world.lock);
	pthread_cond_broadcast(&world.changed);
	pthread_mutex_unlock(&world.lock);
}

static struct supervisor *try_new(struct err *err)
{
	const struct pool *pool = world.config->pools.items;
	char *path = temp_folder_file(&world.folder, "scm.json");
	struct supervisor_setup setup = {
		.pool = pool,
		.server = pool->servers.items,
		.state_dir = world.folder.path,
		.version = "test",
		.tick_ms = TICK_MS,
		.scm = scm_simulated_new(path, NULL),
		.tasks = &world.tasks,
		.snapshots = &world.snapshots,
		.published = on_published,
	};

	assert_non_null(setup.scm);
	free(path);
	task_queue_init(&world.tasks, "frontend01");
	snapshot_shelf_init(&world.snapshots);
	return supervisor_new(&setup, err);
}

static void come_up(void)
{
	struct err err = {0};

	world.supervisor = try_new(&err);
	assert_string_equal(err.text, "");
	assert_non_null(world.supervisor);
	assert_int_equal(supervisor_start(world.supervisor, &err), 0);
}

static void go_down(void)
{
	supervisor_free(world.supervisor);
	snapshot_shelf_done(&world.snapshots);
	task_queue_done(&world.tasks);
}

static void load_pool(const char *yaml)
{
	char *path = temp_folder_file(&world.folder, "pool.yaml");
	struct buf mistakes = {0};

	pool_config_free(world.config);
	assert_int_equal(temp_folder_write(&world.folder, "pool.yaml", yaml), 0);
	world.config = pool_config_load(path, pool_config_remedy, &mistakes, NULL);
	assert_non_null(world.config);
	buf_done(&mistakes);
	free(path);
}

static int begin(void **state)
{
	(void)state;
	if (temp_folder_make(&world.folder) ||
	    temp_folder_write(&world.folder, "scm.json", services_json))
		return -1;
	failing_disk_set(0, 0);
	load_pool(pool_yaml);
	come_up();
	return 0;
}

static int end(void **state)
{
	(void)state;
	go_down();
	pool_config_free(world.config);
	world.config = NULL;
	temp_folder_remove(&world.folder);
	return 0;
}

/* ---- calls ---- */

static void on_done(struct task *task)
{
	pthread_mutex_lock(&world.lock);
	*(bool *)task->arg = true;
	pthread_cond_broadcast(&world.changed);
	pthread_mutex_unlock(&world.lock);
}

static struct timespec limit(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_REALTIME, &at);
	at.tv_sec += LIMIT_S;
	return at;
}

/* Submits and waits for the answer. */
static void answer(struct task *task)
{
	struct timespec at = limit();
	bool is_done = false;
	int late = 0;

	task->from = "192.0.2.77";
	task->done = on_done;
	task->arg = &is_done;
	task_queue_submit(&world.tasks, task);
	pthread_mutex_lock(&world.lock);
	while (!is_done && !late)
		late = pthread_cond_timedwait(&world.changed, &world.lock, &at);
	pthread_mutex_unlock(&world.lock);
	assert_int_equal(late, 0);
}

/* What a call came to: its status, or 0 and the error; the body as JSON or NULL. */
struct result {
	int status;
	struct err err;
	json_t *body;
};

static struct result finish(struct task *task)
{
	struct result result = {.err = task->err};

	if (!task->err.code) {
		result.status = task->http_status;
		assert_non_null(task->body);
		result.body = json_loads(task->body, 0, NULL);
		assert_non_null(result.body);
	} else {
		assert_null(task->body);
	}
	free(task->body);
	return result;
}

static struct result put_with(enum task_kind kind, const char *id, const char *body,
			      const char *token)
{
	struct task task = {.kind = kind};

	assert_int_equal(drain_parse(body, strlen(body), &task.drain, NULL), 0);
	utf8_copy(task.drain.id, sizeof(task.drain.id), id);
	utf8_copy(task.drain.reservation, sizeof(task.drain.reservation), token);
	answer(&task);
	drain_done(&task.drain);
	return finish(&task);
}

static void reserve(const char *id, const char *body, char token[API_TOKEN_BYTES])
{
	struct result result = put_with(TASK_RESERVE, id, body, "");
	json_t *reservation = json_object_get(result.body, "reservation");
	const char *text = json_string_value(json_object_get(reservation, "token"));

	assert_string_equal(result.err.text, "");
	assert_non_null(text);
	utf8_copy(token, API_TOKEN_BYTES, text);
	json_decref(result.body);
}

/* With a reservation, where it takes one. */
static struct result put(const char *id, const char *body)
{
	struct result result = put_with(TASK_PUT_DRAIN, id, body, "");
	char token[API_TOKEN_BYTES];

	if (result.err.code != ERR_NOT_RESERVED)
		return result;
	reserve(id, body, token);
	return put_with(TASK_PUT_DRAIN, id, body, token);
}

static struct result end_drain(const char *id)
{
	struct task task = {.kind = TASK_END_DRAIN,
			    .caller = {.role = ROLE_ADMIN},
			    .who = "me"};

	utf8_copy(task.drain.id, sizeof(task.drain.id), id);
	answer(&task);
	return finish(&task);
}

static const char *field(const struct result *result, const char *name)
{
	const char *text = json_string_value(json_object_get(result->body, name));

	assert_non_null(text);
	return text;
}

static void succeeds(struct result result, int status)
{
	assert_string_equal(result.err.text, "");
	assert_int_equal(result.status, status);
	json_decref(result.body);
}

static void fails(struct result result, enum err_code code, const char *words)
{
	assert_int_equal(result.err.code, code);
	if (!strstr(result.err.text, words))
		fail_msg("'%s' should say '%s'", result.err.text, words);
}

/* ---- what readers see ---- */

static json_t *server_json(void)
{
	struct snapshot *snapshot = snapshot_take(&world.snapshots);
	json_t *json = snapshot ? json_loads(snapshot->server, 0, NULL) : NULL;

	if (snapshot)
		snapshot_release(snapshot);
	return json;
}

/* "phase/state/startup" of a service, in the caller's buffer. */
static void describe(const char *service, char text[128])
{
	json_t *server = server_json(), *services, *one;
	size_t i;

	utf8_copy(text, 128, "nothing");
	services = json_object_get(server, "services");
	json_array_foreach (services, i, one) {
		json_t *observed = json_object_get(one, "observed");
		const char *type =
			json_string_value(json_object_get(observed, "start_type"));

		if (!strcmp(json_string_value(json_object_get(one, "name")),
			    service))
			(void)snprintf(
				text, 128, "%s/%s/%s",
				json_string_value(json_object_get(one, "phase")),
				json_string_value(
					json_object_get(observed, "state")),
				type ? type : "-");
	}
	json_decref(server);
}

static void becomes(const char *service, const char *expected)
{
	struct timespec at = limit();
	char text[128];
	int late = 0;

	pthread_mutex_lock(&world.lock);
	for (describe(service, text); strcmp(text, expected) && !late;
	     describe(service, text))
		late = pthread_cond_timedwait(&world.changed, &world.lock, &at);
	pthread_mutex_unlock(&world.lock);
	assert_string_equal(text, expected);
}

static const char mine[] = "{\"reason\":\"r\",\"owner\":\"me\"}";
static const char out[] = "drained/paused/manual";
static const char in[] = "serving/running/automatic";

/* ---- tests ---- */

static void a_drain_takes_all_services_out_until_it_ends(void **state)
{
	struct result result;

	(void)state;
	result = put("kb1", mine);
	assert_int_equal(result.status, 201);
	assert_string_equal(field(&result, "id"), "kb1");
	assert_string_equal(field(&result, "owner"), "me");
	assert_int_equal(json_array_size(json_object_get(result.body, "services")),
			 2);
	/* The answer comes after the services were told. */
	assert_true(json_is_true(json_object_get(result.body, "out")));
	json_decref(result.body);
	becomes("A", out);
	becomes("B", out);

	result = end_drain("kb1");
	assert_int_equal(result.status, 200);
	assert_string_equal(field(&result, "phase"), "ended");
	json_decref(result.body);
	becomes("A", in);
	becomes("B", in);
}

static void add_event(void *arg, const struct event *event)
{
	if (!strncmp(event->kind, "drain_", 6))
		buf_printf(arg, "%s %s from %s: %s, %s\n", event->kind, event->who,
			   event->from, event->text, event->why);
}

static void every_change_is_recorded_once_with_who_from_where_and_why(void **state)
{
	const char *body = "{\"reason\":\"patch\",\"owner\":\"ci\"}";
	struct result first = put("kb1", body), again, changed;
	struct buf events = {0};
	struct store *reader;

	(void)state;
	again = put("kb1", body);
	assert_int_equal(again.status, 200);
	assert_true(json_equal(first.body, again.body));
	json_decref(again.body);
	changed = put("kb1", "{\"reason\":\"more\",\"owner\":\"ci\"}");
	assert_string_equal(field(&changed, "created_at"),
			    field(&first, "created_at"));
	json_decref(first.body);
	json_decref(changed.body);
	fails(put("kb1", mine), ERR_HELD, "belongs to ci: more");
	first = end_drain("kb1");
	again = end_drain("kb1");
	assert_int_equal(again.status, 200);
	assert_true(json_equal(first.body, again.body));
	json_decref(first.body);
	json_decref(again.body);
	go_down();
	come_up();
	succeeds(end_drain("kb1"), 200);
	reader = store_open_reader(world.folder.path, NULL, NULL);
	assert_int_equal(
		store_each_event(reader, 0, 1000, add_event, &events, NULL), 0);
	assert_string_equal(
		events.text,
		"drain_created ci from 192.0.2.77: drain kb1: requested, patch\n"
		"drain_changed ci from 192.0.2.77: drain kb1: changed, more\n"
		"drain_ended me from 192.0.2.77: drain kb1: ended on request, more\n");
	buf_done(&events);
	store_close(reader);
}

static void a_long_owner_and_reason_fit_into_the_refusal(void **state)
{
	char *body, wide[513] = "";
	struct result result;
	json_t *text;

	(void)state;
	for (int i = 0; i < 256; i++)
		memcpy(wide + 2 * i, "ü", 3);
	body = xasprintf("{\"reason\":\"%s\",\"owner\":\"%s\"}", wide, wide);
	succeeds(put("k", body), 201);
	free(body);
	result = put("k", mine);
	fails(result, ERR_HELD, "belongs to ü");
	text = json_string(result.err.text);
	assert_non_null(text);
	json_decref(text);
}

static void the_owner_may_drain_more_but_not_less_by_asking_again(void **state)
{
	(void)state;
	succeeds(
		put("kb1",
		    "{\"reason\":\"r\",\"owner\":\"me\",\"services\":[\"A\",\"a\"]}"),
		201);
	becomes("A", out);
	fails(put("kb1",
		  "{\"reason\":\"r\",\"owner\":\"me\",\"services\":[\"B\"]}"),
	      ERR_HELD, "also covers A");
	becomes("B", in);
	succeeds(
		put("kb1",
		    "{\"reason\":\"r\",\"owner\":\"me\",\"services\":[\"A\",\"B\"]}"),
		200);
	becomes("B", out);
	becomes("A", out);
	fails(put("kb1",
		  "{\"reason\":\"r\",\"owner\":\"me\",\"services\":[\"A\"]}"),
	      ERR_HELD, "also covers B");
	becomes("B", out);
}

static void a_service_that_is_not_there_is_refused_by_name(void **state)
{
	(void)state;
	fails(put("kb1",
		  "{\"reason\":\"r\",\"owner\":\"me\",\"services\":[\"A\",\"C\"]}"),
	      ERR_UNKNOWN_SERVICE,
	      "frontend01: unknown service or component 'C'; known services: A, B");
	fails(end_drain("kb1"), ERR_UNKNOWN_DRAIN, "'kb1' on frontend01");
	becomes("A", in);
}

static void a_restart_keeps_every_drain(void **state)
{
	json_t *server, *drains;

	(void)state;
	succeeds(put("one",
		     "{\"reason\":\"r\",\"owner\":\"me\",\"services\":[\"A\"]}"),
		 201);
	succeeds(put("two", "{\"reason\":\"s\",\"owner\":\"you\"}"), 201);
	go_down();
	come_up();
	becomes("A", out);
	becomes("B", out);
	server = server_json();
	drains = json_object_get(server, "drains");
	assert_int_equal(json_array_size(drains), 2);
	json_decref(server);
	fails(put("one", "{\"reason\":\"r\",\"owner\":\"else\"}"), ERR_HELD, "me");
	succeeds(end_drain("two"), 200);
	becomes("B", in);
	succeeds(end_drain("one"), 200);
	becomes("A", in);
}

static void the_index_grows_with_changes_and_restarts(void **state)
{
	struct snapshot *snapshot;
	int64_t before, drained;

	(void)state;
	becomes("A", in);
	snapshot = snapshot_take(&world.snapshots);
	before = snapshot->index;
	assert_true(snapshot->is_serving);
	snapshot_release(snapshot);

	succeeds(put("one", mine), 201);
	becomes("A", out);
	snapshot = snapshot_take(&world.snapshots);
	drained = snapshot->index;
	assert_false(snapshot->is_serving);
	snapshot_release(snapshot);
	assert_true(drained > before);

	go_down();
	come_up();
	becomes("A", out);
	snapshot = snapshot_take(&world.snapshots);
	assert_true(snapshot->index > drained);
	snapshot_release(snapshot);
}

static void a_service_that_left_the_pool_while_out_is_refused(void **state)
{
	struct err err = {0};

	(void)state;
	succeeds(put("one", mine), 201);
	becomes("B", out);
	go_down();
	load_pool("pools:\n"
		  "  fe-pool01:\n"
		  "    settle: 0s\n"
		  "    services: {A: {ports: 1}}\n"
		  "    servers: {frontend01: {address: 127.0.0.1}}\n");
	world.supervisor = try_new(&err);
	assert_null(world.supervisor);
	assert_int_equal(err.code, ERR_CONFIG);
	assert_non_null(strstr(err.text, "service B, which pool.yaml no longer"));
	go_down();
	load_pool(pool_yaml);
	come_up();
	succeeds(end_drain("one"), 200);
	becomes("B", in);
}

static void more_drains_than_the_limit_are_refused(void **state)
{
	(void)state;
	for (int i = 0; i < API_DRAINS_LIMIT; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "d%d", i);
		succeeds(put(id, mine), 201);
	}
	fails(put("more", mine), ERR_HELD, "end some");
	succeeds(put("d0", mine), 200);
	succeeds(end_drain("d63"), 200);
	succeeds(put("more", mine), 201);
}

/* A drain is acknowledged only if it is on disk. */
static void a_drain_that_cannot_be_written_is_refused_and_not_there(void **state)
{
	(void)state;
	becomes("A", in);
	failing_disk_set(1, INT_MAX);
	fails(put("one", mine), ERR_STORE, "store");
	failing_disk_set(0, 0);
	/* What ends is its reservation. */
	succeeds(end_drain("one"), 200);
	fails(end_drain("one"), ERR_UNKNOWN_DRAIN, "one");
	becomes("A", in);

	succeeds(put("two", mine), 201);
	becomes("A", out);
	failing_disk_set(1, INT_MAX);
	fails(end_drain("two"), ERR_STORE, "store");
	failing_disk_set(0, 0);
	go_down();
	come_up();
	becomes("A", out);
}

static void a_commit_that_cannot_be_written_keeps_its_reservation(void **state)
{
	char token[API_TOKEN_BYTES];

	(void)state;
	reserve("one", mine, token);
	failing_disk_set(1, INT_MAX);
	fails(put_with(TASK_PUT_DRAIN, "one", mine, token), ERR_STORE, "store");
	failing_disk_set(0, 0);
	becomes("A", in);
	succeeds(put_with(TASK_PUT_DRAIN, "one", mine, token), 201);
	becomes("A", out);
}

static void a_restart_ends_the_reservation(void **state)
{
	char token[API_TOKEN_BYTES], again[API_TOKEN_BYTES];

	(void)state;
	reserve("one", mine, token);
	go_down();
	come_up();
	fails(put_with(TASK_PUT_DRAIN, "one", mine, token), ERR_NOT_RESERVED,
	      "no longer valid");
	fails(end_drain("one"), ERR_UNKNOWN_DRAIN, "one");
	becomes("A", in);
	/* The first of this start is not the first of that. */
	reserve("one", mine, again);
	assert_string_not_equal(token, again);
	succeeds(put_with(TASK_PUT_DRAIN, "one", mine, again), 201);
}

static void a_display_name_is_cut_where_json_can_carry_it(void **state)
{
	struct buf text = {0};

	(void)state;
	buf_puts(&text,
		 "{\"services\":{\"A\":{\"state\":\"running\",\"start_type\":"
		 "\"automatic\",\"display_name\":\"x");
	for (int i = 0; i < 200; i++)
		buf_puts(&text, "ü");
	buf_puts(&text, "\"}}}");
	go_down();
	assert_int_equal(temp_folder_write(&world.folder, "scm.json", text.text),
			 0);
	buf_done(&text);
	come_up();
	becomes("A", in);
	becomes("B", "attention/missing/-");
}

static void who_comes_after_the_end_is_told_so(void **state)
{
	(void)state;
	supervisor_stop(world.supervisor);
	fails(put("one", mine), ERR_STOPPING, "frontend01 is stopping");
}

static int set_up(void **state)
{
	struct temp_folder folder;
	char *path;

	(void)state;
	failing_disk_install();
	if (temp_folder_make(&folder))
		return -1;
	path = temp_folder_file(&folder, "log");
	(void)log_to_file(path, NULL);
	free(path);
	temp_folder_remove(&folder);
	return 0;
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_drain_takes_all_services_out_until_it_ends),
		TEST(every_change_is_recorded_once_with_who_from_where_and_why),
		TEST(a_long_owner_and_reason_fit_into_the_refusal),
		TEST(the_owner_may_drain_more_but_not_less_by_asking_again),
		TEST(a_service_that_is_not_there_is_refused_by_name),
		TEST(a_restart_keeps_every_drain),
		TEST(the_index_grows_with_changes_and_restarts),
		TEST(a_service_that_left_the_pool_while_out_is_refused),
		TEST(more_drains_than_the_limit_are_refused),
		TEST(a_drain_that_cannot_be_written_is_refused_and_not_there),
		TEST(a_commit_that_cannot_be_written_keeps_its_reservation),
		TEST(a_restart_ends_the_reservation),
		TEST(a_display_name_is_cut_where_json_can_carry_it),
		TEST(who_comes_after_the_end_is_told_so),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
