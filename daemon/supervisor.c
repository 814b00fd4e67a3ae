#include "supervisor_private.h"

#include "system/log.h"
#include "mem.h"
#include "pool_digest.h"
#include "start_rules.h"
#include "text/duration.h"
#include "text/json_write.h"
#include "system/waker.h"

#include <stdlib.h>
#include <string.h>

enum {
	IDLE_MS = 1000, /* after a request, before the store is tidied */
	KEEP_MS = 60000,
	FOUND_TOLD_MOST = 3, /* drains in the event of a start; the log has all */
	EPOCH_BYTES = 8,
};

static void do_task(struct supervisor *s, struct task *task)
{
	json_t *json = supervisor_tasks_do(s, task);

	if (json)
		task->body = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	task->done(task);
}

/* True if the next round is due before the queue is empty: whoever asks again and
 * again must not keep poold from its services. */
static bool do_tasks(struct supervisor *s, struct mono due, struct mono *served_at)
{
	struct task *task;

	while ((task = task_queue_take(s->tasks))) {
		do_task(s, task);
		*served_at = s->deps.clock();
		if (clock_since(due, *served_at) >= 0)
			return true;
	}
	return false;
}

/* Saves how long sessions last, in a commit of its own: nothing waits for it, and
 * nothing else is lost if it fails. */
static void keep(struct supervisor *s, bool is_last)
{
	struct err err = {0};

	if (store_has_writes(s->deps.store))
		return;
	for (size_t i = 0; i < s->all.controller_count; i++)
		controller_keep(s->controllers[i], is_last);
	if (store_commit(s->deps.store, &err))
		log_warning("cannot save how long sessions last: %s", err.text);
}

static void on_changed(void *queue)
{
	task_queue_wake(queue);
}

/* What somebody changes is seen at once; the tick is for what nobody tells. */
static struct scm_watch *watch_services(const struct supervisor *s)
{
	size_t count = s->all.controller_count;
	const char **names = xcalloc(count, sizeof(*names));
	struct scm_watch *watch;

	for (size_t i = 0; i < count; i++)
		names[i] = controller_name(s->controllers[i]);
	watch = s->deps.scm->ops->watch(s->deps.scm, names, count, on_changed,
					s->tasks);
	free(names);
	return watch;
}

/* Until the next round is due, or there is a reason for one now. */
static void wait_for_work(struct supervisor *s, struct mono due)
{
	size_t count = s->all.controller_count;
	int64_t rest_ms, peek_ms;

	do {
		rest_ms = clock_since(s->deps.clock(), due);
		peek_ms = controllers_peek_in_ms(s->controllers, count);
		if (peek_ms < 0 || peek_ms >= rest_ms) {
			(void)task_queue_wait(s->tasks, rest_ms);
			return;
		}
	} while (!task_queue_wait(s->tasks, peek_ms) &&
		 !controllers_peek(s->controllers, count));
}

static void *run(void *arg)
{
	struct supervisor *s = arg;
	struct mono served_at = s->deps.clock(), kept_at = served_at;
	struct scm_watch *watch = watch_services(s);
	bool is_more = false;

	while (!task_queue_is_closed(s->tasks)) {
		int64_t next_ms = supervisor_step(s);
		struct mono due = clock_add(s->deps.clock(), next_ms);
		bool is_busy = clock_since(served_at, s->deps.clock()) < IDLE_MS;

		store_tidy(s->deps.store, is_busy);
		/* A client that asks each second must not keep it from the disk for
		 * ever.
		 */
		if (!is_busy || clock_since(kept_at, s->deps.clock()) > KEEP_MS) {
			keep(s, false);
			kept_at = s->deps.clock();
		}
		scm_watch_arm(watch);
		if (!is_more)
			wait_for_work(s, due);
		is_more = do_tasks(s, due, &served_at);
	}
	scm_watch_free(watch);
	keep(s, true);
	return NULL;
}

/* ---- life ---- */

/* One that is spelled in another way in pool.yaml now is the same. */
static void respell_drains(struct supervisor *s)
{
	json_t *name;
	size_t j;

	for (int i = 0; i < s->drains.count; i++)
		json_array_foreach (s->drains.items[i].services, j, name)
			(void)json_string_set(
				name, start_rules_find(s->all.pool, s->all.server,
						       json_string_value(name))
					      ->named.name);
}

/* A service with the role `leave` has no controller, so that nothing can touch it.
 */
static int make_controllers(struct supervisor *s, struct err *err)
{
	const struct list *services = pool_services(s->all.pool, s->all.server);

	s->controllers = xcalloc(services->count, sizeof(*s->controllers));
	s->all.controllers = s->controllers;
	LIST_EACH (struct pool_service, service, *services) {
		if (service->role == ROLE_LEAVE)
			continue;
		s->controllers[s->all.controller_count] = controller_new(
			s->all.pool, s->all.server, service, &s->deps, err);
		if (!s->controllers[s->all.controller_count])
			return -1;
		s->all.controller_count++;
	}
	return 0;
}

/* ---- the start ---- */

static const char *age_text(const struct supervisor *s, struct wall since,
			    char text[DURATION_BYTES])
{
	int64_t ms = s->deps.wall_clock().ms - since.ms;

	return duration_print(ms < 0 ? 0 : ms, text);
}

static int tell_saved(void *arg, const char *service, const struct saved *saved)
{
	struct buf text = {0};

	(void)arg;
	saved_text_add(service, saved, &text);
	log_info("the store holds what is to be put back: %s", text.text);
	buf_done(&text);
	return 0;
}

/* A store that somebody has put back from a copy holds drains that ended long ago:
 * whoever reads this sees it by their age. */
static json_t *tell_found(struct supervisor *s, struct buf *text)
{
	char age[DURATION_BYTES], time[CLOCK_TEXT_BYTES];
	json_t *found = json_array();
	struct wall written;

	for (int i = 0; i < s->drains.count; i++) {
		const struct drain *drain = &s->drains.items[i];
		json_t *one;

		(void)age_text(s, drain->created_at, age);
		log_info(
			"the store holds drain %s of %s, requested %s ago at %s: %s",
			drain->id, drain->owner, age,
			clock_format(drain->created_at, time), drain->reason);
		if (i == FOUND_TOLD_MOST)
			buf_printf(text, ", and %d more", s->drains.count - i);
		if (i >= FOUND_TOLD_MOST)
			continue;
		one = json_object();
		buf_printf(text, "%s %s of %s, %s old",
			   i ? "," : "; it goes on with", drain->id, drain->owner,
			   age);
		json_write_text(one, "id", drain->id);
		json_write_text(one, "created_at", time);
		(void)json_array_append_new(found, one);
	}
	if (store_each_saved(s->deps.store, tell_saved, NULL, NULL) > 0)
		saved_text_write(&s->saved_text, s->deps.store,
				 s->deps.wall_clock());
	if (s->drains.count && !store_get_written_at(s->deps.store, &written)) {
		(void)age_text(s, written, age);
		log_info("the last event in the store is of %s, %s ago",
			 clock_format(written, time), age);
		buf_printf(text, "; the last event before is %s old", age);
	}
	return json_pack("{so}", "drains", found);
}

/* The index and the event of the start are on disk before anything else is done;
 * if that fails, poold still holds what is out, and the event waits. */
static int note_start(struct supervisor *s, struct err *err)
{
	struct buf text = {0};
	json_t *found;
	int ret;

	buf_printf(&text, "poold %s, boot %s", s->all.version, s->boot_id);
	found = tell_found(s, &text);
	record_add(s->deps.record, &(struct line){.kind = EVENT_POOLD_STARTED,
						  .who = "poold",
						  .text = text.text,
						  .after = found});
	buf_done(&text);
	ret = store_next_index(s->deps.store, &s->index, NULL);
	if (record_commit(s->deps.record, NULL) || ret)
		return store_index_between(s->deps.store, s->deps.wall_clock(),
					   &s->index, err);
	return 0;
}

/* The names of the services that can be drained: those with a controller. */
static json_t *drainable(const struct supervisor *s)
{
	json_t *names = json_array();

	LIST_EACH (struct pool_service, service,
		   *pool_services(s->all.pool, s->all.server))
		if (service->role != ROLE_LEAVE)
			(void)json_array_append_new(
				names, json_string(service->named.name));
	return names;
}

/* Made while there is space, for the time when there is none. */
static void keep_spare_files(struct supervisor *s)
{
	char *losses = xasprintf("%s/poold.losses", s->state_dir);

	store_keep_reserve(s->deps.store);
	record_keep_losses(s->deps.record, losses);
	free(losses);
}

static int load_state(struct supervisor *s, struct err *err)
{
	/* A store that is new, or lost a part, knows less than the file. */
	if (saved_text_check_store(s->saved_text.path, s->deps.store, err))
		return -1;
	s->deps.record = record_open(s->deps.store, s->deps.wall_clock, err);
	if (!s->deps.record)
		return -1;
	keep_spare_files(s);
	s->drains = (struct drains){.store = s->deps.store,
				    .record = s->deps.record,
				    .boot_id = s->boot_id,
				    .all = drainable(s),
				    .clock = s->deps.clock,
				    .wall_clock = s->deps.wall_clock};
	if (start_rules_check_files(s->all.pool, s->all.server, s->deps.commands,
				    err) ||
	    start_rules_check_store(s->all.pool, s->all.server, s->deps.store,
				    err) ||
	    drains_open(&s->drains, err))
		return -1;
	respell_drains(s);
	if (make_controllers(s, err))
		return -1;
	return note_start(s, err);
}

int supervisor_random(size_t bytes, char *hex, struct err *err)
{
	unsigned char byte;

	for (size_t i = 0; i < bytes; i++) {
		if (host_random(&byte, 1, err))
			return -1;
		(void)snprintf(hex + 2 * i, 3, "%02x", byte);
	}
	return 0;
}

static int load(struct supervisor *s, const struct supervisor_setup *setup,
		struct err *err)
{
	if (host_boot_id(s->boot_id, err) ||
	    supervisor_random(EPOCH_BYTES, s->epoch, err))
		return -1;
	s->state_dir = setup->state_dir;
	s->saved_text.path = xasprintf("%s/saved.txt", setup->state_dir);
	s->deps.saved_text = &s->saved_text;
	s->deps.store = store_open(setup->state_dir, err);
	if (!s->deps.store)
		return -1;
	if (!load_state(s, err))
		return 0;
	/* A store that fails at the start needs an admin. */
	if (err->code == ERR_STORE) {
		(void)err_prefix(err, "%s/poold.sqlite", setup->state_dir);
		err->code = ERR_STATE_DIR;
	}
	return -1;
}

struct supervisor *supervisor_new(const struct supervisor_setup *setup,
				  struct err *err)
{
	struct supervisor *s = xcalloc(1, sizeof(*s));

	s->store_checked_at = clock_mono();
	s->all = (struct server_status){
		.pool = setup->pool,
		.server = setup->server,
		.config = pool_digest(setup->pool, setup->server),
		.version = setup->version,
		.tls = setup->tls,
		.boot_id = s->boot_id,
		.started_at = clock_wall(),
		.drains = &s->drains,
		.reservation = &s->reservation};
	s->deps = (struct deps){.scm = setup->scm,
				.list_sessions = sessions_tcp_list,
				.is_there = sessions_tcp_is_there,
				.clock = clock_mono,
				.wall_clock = clock_wall,
				.tick_ms = setup->tick_ms,
				.commands = setup->commands,
				.wake = on_changed,
				.wake_arg = setup->tasks,
				.is_machine_ending = setup->is_machine_ending};
	s->tasks = setup->tasks;
	s->snapshots = setup->snapshots;
	s->published = setup->published;
	s->published_arg = setup->published_arg;
	if (!load(s, setup, err)) {
		supervisor_apply_wants(s);
		return s;
	}
	supervisor_free(s);
	return NULL;
}

struct store *supervisor_open_reader(struct supervisor *s, struct err *err)
{
	return store_open_reader(s->state_dir, s->deps.store, err);
}

int supervisor_start(struct supervisor *s, struct err *err)
{
	if (pthread_create(&s->thread, NULL, run, s))
		return err_set(err, ERR_INTERNAL, "cannot start a thread");
	s->is_started = true;
	return 0;
}

void supervisor_stop(struct supervisor *s)
{
	task_queue_close(s->tasks);
	if (s->is_started)
		pthread_join(s->thread, NULL);
	s->is_started = false;
	/* Those that still wait fail. */
	(void)task_queue_take(s->tasks);
}

void supervisor_free(struct supervisor *s)
{
	bool is_scm_used = false;

	if (!s)
		return;
	supervisor_stop(s);
	for (size_t i = 0; i < s->all.controller_count; i++) {
		is_scm_used |= controller_is_calling(s->controllers[i]);
		controller_free(s->controllers[i]);
	}
	free(s->controllers);
	drains_close(&s->drains);
	reservation_done(&s->reservation);
	record_close(s->deps.record);
	store_close(s->deps.store);
	if (!is_scm_used)
		s->deps.scm->ops->free(s->deps.scm);
	json_decref(s->all.config);
	free(s->last_facts);
	saved_text_done(&s->saved_text);
	free(s->config_problem);
	free(s);
}
