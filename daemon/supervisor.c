#include "supervisor_private.h"

#include "log.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

enum {
	IDLE_MS = 1000, /* after a request, before the store is tidied */
	KEEP_MS = 60000,
};

/* ---- snapshots ---- */

static void drop(struct snapshot *snapshot)
{
	if (!snapshot || --snapshot->references > 0)
		return;
	free(snapshot->server);
	free(snapshot->drains);
	free(snapshot->reserved);
	metrics_free(snapshot->metrics);
	free(snapshot);
}

struct snapshot *supervisor_snapshot(struct supervisor *s)
{
	struct snapshot *snapshot;

	pthread_mutex_lock(&s->snapshot_lock);
	snapshot = s->snapshot;
	if (snapshot)
		snapshot->references++;
	pthread_mutex_unlock(&s->snapshot_lock);
	return snapshot;
}

void supervisor_release(struct supervisor *s, struct snapshot *snapshot)
{
	pthread_mutex_lock(&s->snapshot_lock);
	drop(snapshot);
	pthread_mutex_unlock(&s->snapshot_lock);
}

/* Puts the snapshot's own fields before those of the body, an object in text form. */
static char *join(const struct supervisor *s, const char *body)
{
	char time[CLOCK_TEXT_BYTES];

	return xasprintf("{\"index\":%lld,\"epoch\":\"%s\",\"time\":\"%s\",%s\n",
			 (long long)s->index, s->epoch, clock_format(clock_wall(), time),
			 body + 1);
}

/* The drain that is only reserved; NULL if there is none. */
static char *reserved_text(const struct supervisor *s)
{
	json_t *json = picture_reserved_to_json(&s->all, false);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

void supervisor_publish(struct supervisor *s)
{
	struct snapshot *fresh = xcalloc(1, sizeof(*fresh)), *old;
	json_t *json, *whole;
	char *facts, *body, *list;

	fresh->at = s->all.now = s->tools.clock();
	json = picture_to_json(&s->all, false);
	whole = picture_to_json(&s->all, true);
	facts = json_dumps(json, JSON_COMPACT);
	body = json_dumps(whole, JSON_COMPACT);
	list = json_dumps(json_object_get(json, "drains"), JSON_COMPACT);

	if (!s->last_facts || strcmp(facts, s->last_facts))
		s->index++;
	free(s->last_facts);
	s->last_facts = facts;
	fresh->references = 1;
	fresh->index = s->index;
	fresh->last_event = record_last(s->tools.record);
	/* Weak: `time` may differ between two bodies that say the same. */
	(void)snprintf(fresh->etag, sizeof(fresh->etag), "W/\"%.20s-%lld\"", s->epoch,
		       (long long)s->index);
	fresh->server = join(s, body);
	fresh->server_length = strlen(fresh->server);
	fresh->drains = xasprintf("{\"drains\":%s}\n", list);
	fresh->reserved = reserved_text(s);
	fresh->metrics = picture_metrics(&s->all);
	fresh->is_serving = picture_phase(&s->all) == PHASE_SERVING;
	free(list);
	free(body);
	json_decref(json);
	json_decref(whole);
	pthread_mutex_lock(&s->snapshot_lock);
	old = s->snapshot;
	s->snapshot = fresh;
	drop(old);
	pthread_mutex_unlock(&s->snapshot_lock);
	s->published(s->published_arg);
}

/* ---- a round ---- */

/* Tells each service what is wanted of it now. */
static void apply_wants(struct supervisor *s)
{
	for (size_t i = 0; i < s->all.controller_count; i++) {
		struct controller *controller = s->controllers[i];
		struct wanted wanted =
			drains_want(&s->drains, controller_name(controller));

		controller_want(controller, &wanted);
	}
}

/* A deadline that is met asks for nothing more. */
static void note_drained(struct supervisor *s)
{
	bool is_changed = false;

	for (int i = 0; i < s->drains.count; i++) {
		const struct drain *drain = &s->drains.items[i];

		if (drain->drained_at.ms || !picture_is_drained(&s->all, drain))
			continue;
		drains_note_drained(&s->drains, drain->id);
		is_changed = true;
	}
	if (is_changed)
		apply_wants(s);
}

static int64_t step(struct supervisor *s)
{
	int64_t next_ms, rest_ms;

	if (drains_look_at_clock(&s->drains))
		apply_wants(s);
	next_ms = controllers_step(s->controllers, s->all.controller_count);
	if (reservation_expire(&s->reservation, s->tools.clock()))
		log_info("reservation %lld has expired",
			 (long long)s->reservation.number);
	rest_ms = reservation_rest_ms(&s->reservation, s->tools.clock());
	if (rest_ms >= 0 && rest_ms < next_ms)
		next_ms = rest_ms;
	note_drained(s);
	outlook_update(&s->all.outlook, s->controllers, s->all.controller_count,
		       s->tools.clock());
	supervisor_publish(s);
	return next_ms;
}

void supervisor_step_after_change(struct supervisor *s)
{
	apply_wants(s);
	supervisor_publish(s);
	(void)step(s);
}

/* ---- the thread ---- */

static struct call *next_call(struct supervisor *s, bool *is_stopping)
{
	struct call *call;

	pthread_mutex_lock(&s->queue_lock);
	*is_stopping = s->is_stopping;
	call = s->first;
	if (call) {
		s->first = call->next;
		if (!s->first)
			s->last = &s->first;
	}
	pthread_mutex_unlock(&s->queue_lock);
	return call;
}

static void serve(struct supervisor *s, struct call *call)
{
	json_t *json = calls_answer(s, call);

	if (json)
		call->body = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	call->done(call);
}

static void refuse(const struct supervisor *s, struct call *call)
{
	(void)err_set(&call->err, ERR_STOPPING, "poold on %s is stopping",
		      s->all.server->named.name);
	call->done(call);
}

/* What was learned of the sessions is written in a commit of its own: nothing waits for
 * it, and nothing but it is lost if it fails. */
static void keep(struct supervisor *s, bool is_last)
{
	struct err err = {0};

	if (store_has_writes(s->tools.store))
		return;
	for (size_t i = 0; i < s->all.controller_count; i++)
		controller_keep(s->controllers[i], is_last);
	if (store_commit(s->tools.store, &err))
		log_warning("what was learned of the sessions is not kept: %s", err.text);
}

static void *run(void *arg)
{
	struct supervisor *s = arg;
	struct mono served_at = s->tools.clock(), kept_at = served_at;
	bool is_stopping = false, is_more = false, is_busy;

	while (!is_stopping) {
		int64_t next_ms = step(s);
		struct mono due = clock_add(s->tools.clock(), next_ms);
		struct call *call;

		is_busy = clock_since(served_at, s->tools.clock()) < IDLE_MS;
		store_tidy(s->tools.store, is_busy);
		/* Who asks each second must not keep it from the disk for ever. */
		if (!is_busy || clock_since(kept_at, s->tools.clock()) > KEEP_MS) {
			keep(s, false);
			kept_at = s->tools.clock();
		}
		if (!is_more)
			waker_wait(s->waker, clock_since(s->tools.clock(), due));
		is_more = false;
		/* Whoever asks again and again must not keep poold from looking. */
		while (!is_more && (call = next_call(s, &is_stopping))) {
			if (is_stopping) {
				refuse(s, call);
				continue;
			}
			serve(s, call);
			served_at = s->tools.clock();
			is_more = clock_since(due, s->tools.clock()) >= 0;
		}
	}
	keep(s, true);
	return NULL;
}

void supervisor_submit(struct supervisor *s, struct call *call)
{
	bool is_stopping;

	call->next = NULL;
	pthread_mutex_lock(&s->queue_lock);
	is_stopping = s->is_stopping;
	if (!is_stopping) {
		*s->last = call;
		s->last = &call->next;
	}
	pthread_mutex_unlock(&s->queue_lock);
	if (is_stopping)
		refuse(s, call);
	else
		waker_wake(s->waker);
}

/* ---- life ---- */

/* A service that left pool.yaml while it was out would stay out for good. */
static int check_saved(const struct supervisor *s, struct err *err)
{
	int known = 0, saved = store_count_saved(s->tools.store, err);

	for (size_t i = 0; i < s->all.controller_count; i++)
		known += controller_has_saved(s->controllers[i]) ? 1 : 0;
	if (saved <= known)
		return saved < 0 ? -1 : 0;
	return err_set(err, ERR_CONFIG,
		       "%d service(s) that poold took out are no longer in pool.yaml; "
		       "put them back until they are resumed",
		       saved - known);
}

/* A drain of what is no longer in pool.yaml would cover nothing and say it is out. */
static int check_drains(const struct supervisor *s, struct err *err)
{
	const struct list *services = pool_services(s->all.pool, s->all.server);
	json_t *name;
	size_t j;

	for (int i = 0; i < s->drains.count; i++)
		json_array_foreach (s->drains.items[i].services, j, name)
			if (!pool_resolve_service(services, json_string_value(name), true,
						  NULL))
				return err_set(
					err, ERR_CONFIG,
					"drain '%s' of %s covers the service %s, which "
					"pool.yaml does not drain any more; put it back "
					"until the drain has ended",
					s->drains.items[i].id, s->drains.items[i].owner,
					json_string_value(name));
	return 0;
}

/* Services that must be left running have no controller, so that nothing can touch them.
 */
static int make_controllers(struct supervisor *s, struct err *err)
{
	const struct list *services = pool_services(s->all.pool, s->all.server);

	s->controllers = xcalloc(services->count, sizeof(*s->controllers));
	s->all.controllers = s->controllers;
	LIST_EACH (struct pool_service, service, *services) {
		if (service->role == ROLE_LEAVE)
			continue;
		if (service->method != METHOD_PAUSE)
			return err_set(
				err, ERR_CONFIG,
				"%s is drained by its logon mode, which this poold "
				"cannot do yet",
				service->named.name);
		s->controllers[s->all.controller_count] = controller_new(
			s->all.pool, s->all.server, service, &s->tools, err);
		if (!s->controllers[s->all.controller_count])
			return -1;
		s->all.controller_count++;
	}
	return 0;
}

/* The index and the event of the start are on disk before anything else is done. */
static int note_start(struct supervisor *s, struct err *err)
{
	char *text = xasprintf("poold %s, boot %s", s->all.version, s->boot_id);

	record_add(s->tools.record, &(struct line){.kind = EVENT_POOLD_STARTED,
						   .who = "poold",
						   .text = text});
	free(text);
	return store_next_index(s->tools.store, &s->index, err) ||
			       record_commit(s->tools.record, err)
		       ? -1
		       : 0;
}

/* The names of the services that have controllers. */
static json_t *drainable(const struct supervisor *s)
{
	json_t *names = json_array();

	LIST_EACH (struct pool_service, service,
		   *pool_services(s->all.pool, s->all.server))
		if (service->role != ROLE_LEAVE)
			(void)json_array_append_new(names,
						    json_string(service->named.name));
	return names;
}

static int load_state(struct supervisor *s, struct err *err)
{
	s->tools.record = record_open(s->tools.store, s->tools.wall_clock, err);
	if (!s->tools.record)
		return -1;
	s->drains = (struct drains){.store = s->tools.store,
				    .record = s->tools.record,
				    .boot_id = s->boot_id,
				    .all = drainable(s),
				    .clock = s->tools.clock,
				    .wall_clock = s->tools.wall_clock};
	if (drains_open(&s->drains, err) || make_controllers(s, err) ||
	    check_saved(s, err) || check_drains(s, err))
		return -1;
	return note_start(s, err);
}

static int load(struct supervisor *s, const struct supervisor_setup *setup,
		struct err *err)
{
	unsigned char random[8];

	if (host_boot_id(s->boot_id, err) || host_random(random, sizeof(random), err))
		return -1;
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(s->epoch + 2 * i, 3, "%02x", random[i]);
	s->tools.store = store_open(setup->state_dir, err);
	if (!s->tools.store)
		return -1;
	if (!load_state(s, err))
		return 0;
	/* What cannot be read or written now is no passing trouble. */
	if (err->code == ERR_STORE) {
		(void)err_prefix(err, "%s/poold.sqlite", setup->state_dir);
		err->code = ERR_STATE_DIR;
	}
	return -1;
}

struct supervisor *supervisor_new(const struct supervisor_setup *setup, struct err *err)
{
	struct supervisor *s = xcalloc(1, sizeof(*s));

	s->all = (struct picture){.pool = setup->pool,
				  .server = setup->server,
				  .version = setup->version,
				  .boot_id = s->boot_id,
				  .started_at = clock_wall(),
				  .drains = &s->drains,
				  .reservation = &s->reservation};
	s->tools = (struct tools){.scm = setup->scm,
				  .list_sessions = sessions_tcp_list,
				  .clock = clock_mono,
				  .wall_clock = clock_wall,
				  .tick_ms = setup->tick_ms,
				  .commands = setup->commands};
	s->waker = waker_new();
	s->last = &s->first;
	pthread_mutex_init(&s->queue_lock, NULL);
	pthread_mutex_init(&s->snapshot_lock, NULL);
	if (!load(s, setup, err)) {
		apply_wants(s);
		return s;
	}
	supervisor_free(s);
	return NULL;
}

int supervisor_start(struct supervisor *s, void (*published)(void *arg), void *arg,
		     struct err *err)
{
	s->published = published;
	s->published_arg = arg;
	if (pthread_create(&s->thread, NULL, run, s))
		return err_set(err, ERR_INTERNAL, "cannot start a thread");
	s->is_started = true;
	return 0;
}

void supervisor_stop(struct supervisor *s)
{
	if (!s->is_started)
		return;
	pthread_mutex_lock(&s->queue_lock);
	s->is_stopping = true;
	pthread_mutex_unlock(&s->queue_lock);
	waker_wake(s->waker);
	pthread_join(s->thread, NULL);
	s->is_started = false;
}

void supervisor_free(struct supervisor *s)
{
	if (!s)
		return;
	supervisor_stop(s);
	for (size_t i = 0; i < s->all.controller_count; i++)
		controller_free(s->controllers[i]);
	free(s->controllers);
	drains_close(&s->drains);
	reservation_done(&s->reservation);
	record_close(s->tools.record);
	store_close(s->tools.store);
	s->tools.scm->ops->free(s->tools.scm);
	drop(s->snapshot);
	waker_free(s->waker);
	free(s->last_facts);
	pthread_mutex_destroy(&s->queue_lock);
	pthread_mutex_destroy(&s->snapshot_lock);
	free(s);
}
