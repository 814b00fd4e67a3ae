#include "supervisor.h"

#include "controller.h"
#include "host.h"
#include "log.h"
#include "mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct supervisor {
	/* Owned by the supervisor's thread alone. */
	const struct pool_server *server;
	const struct pool *pool;
	const char *version;
	struct tools tools;
	struct controller **controllers;
	size_t controller_count;
	struct drain drains[API_DRAINS_LIMIT];
	int drain_count;
	char epoch[HOST_ID_BYTES], boot_id[HOST_ID_BYTES];
	int64_t index;
	char *last_facts; /* what the last snapshot said, without its time */
	void (*published)(void *arg);
	void *published_arg;

	pthread_t thread;
	bool is_started;
	struct waker *waker;

	/* The message queue. */
	pthread_mutex_t queue_lock;
	struct call *first, **last;
	bool is_stopping;

	/* The snapshot. */
	pthread_mutex_t snapshot_lock;
	struct snapshot *snapshot;
};

/* ---- snapshots ---- */

static void drop(struct snapshot *snapshot)
{
	if (!snapshot || --snapshot->references > 0)
		return;
	free(snapshot->server);
	free(snapshot->drains);
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

/* The worst of its services.  With one out and another serving, the server is not
 * drained: whoever reads that word may reboot it. */
static enum phase server_phase(const struct supervisor *s)
{
	enum phase highest = PHASE_SERVING;
	bool has_serving = false;

	for (size_t i = 0; i < s->controller_count; i++) {
		enum phase phase = controller_phase(s->controllers[i]);

		has_serving = has_serving || (phase == PHASE_SERVING &&
					      !controller_is_absent(s->controllers[i]));
		if (phase > highest)
			highest = phase;
	}
	return highest == PHASE_DRAINED && has_serving ? PHASE_DRAINING : highest;
}

static bool is_out(const struct supervisor *s, const struct drain *drain)
{
	bool covers_some = false;

	for (size_t i = 0; i < s->controller_count; i++) {
		if (!drain_covers(drain, controller_name(s->controllers[i])))
			continue;
		if (!controller_is_out(s->controllers[i]))
			return false;
		covers_some = true;
	}
	return covers_some;
}

static json_t *drain_json(const struct supervisor *s, const struct drain *drain)
{
	json_t *services = json_array(), *json;

	for (size_t i = 0; i < s->controller_count; i++)
		if (drain_covers(drain, controller_name(s->controllers[i])))
			(void)json_array_append_new(
				services,
				json_string(controller_name(s->controllers[i])));
	json = drain_to_json(drain, services, !drain->is_ended && is_out(s, drain));
	json_decref(services);
	return json;
}

static json_t *drains_json(const struct supervisor *s)
{
	json_t *drains = json_array();

	for (int i = 0; i < s->drain_count; i++)
		(void)json_array_append_new(drains, drain_json(s, &s->drains[i]));
	return drains;
}

static bool is_covered(const struct supervisor *s, const char *service)
{
	for (int i = 0; i < s->drain_count; i++)
		if (drain_covers(&s->drains[i], service))
			return true;
	return false;
}

/* Of the services that are being taken out, or of all while none is. */
static json_t *progress_json(const struct supervisor *s)
{
	int64_t sessions = 0, peak = 0;
	double rate = 0, one;
	bool is_known = true, has_rate = true;

	for (size_t i = 0; i < s->controller_count; i++) {
		const struct progress *progress = controller_progress(s->controllers[i]);

		if (s->drain_count && !is_covered(s, controller_name(s->controllers[i])))
			continue;
		is_known = is_known && progress->has_sample && progress->last.is_known;
		sessions += progress->last.count;
		peak += progress->peak;
		has_rate = has_rate && progress_rate(progress, &one);
		rate += has_rate ? one : 0;
	}
	/* Rounded, so that a steady rate is no change to those who wait for one. */
	rate = (double)(int64_t)(rate * 10 + 0.5) / 10;
	return json_pack("{sb so sI so si so sn}", "known", is_known, "sessions",
			 is_known ? json_integer(sessions) : json_null(), "peak",
			 (json_int_t)peak, "ended",
			 is_known ? json_integer(peak - sessions) : json_null(), "cut", 0,
			 "rate_per_min",
			 has_rate && is_known ? json_real(rate) : json_null(), "eta_s");
}

static json_t *facts_json(const struct supervisor *s)
{
	json_t *services = json_array();

	for (size_t i = 0; i < s->controller_count; i++)
		(void)json_array_append_new(services,
					    controller_to_json(s->controllers[i]));
	return json_pack("{ss ss ss ss ss ss sn so so so}", "server",
			 s->server->named.name, "pool", s->pool->named.name, "version",
			 s->version, "boot_id", s->boot_id, "phase",
			 phase_name(server_phase(s)), "wanted",
			 want_name(s->drain_count ? WANT_DRAINED : WANT_SERVING),
			 "reservation", "drains", drains_json(s), "progress",
			 progress_json(s), "services", services);
}

/* Puts the snapshot's own fields before those of the facts, which is an object in text
 * form. */
static char *join(const struct supervisor *s, const char *facts)
{
	char time[CLOCK_TEXT_BYTES];

	return xasprintf("{\"index\":%lld,\"epoch\":\"%s\",\"time\":\"%s\",%s\n",
			 (long long)s->index, s->epoch, clock_format(clock_wall(), time),
			 facts + 1);
}

static void publish(struct supervisor *s)
{
	json_t *json = facts_json(s), *drains = json_object_get(json, "drains");
	struct snapshot *fresh = xcalloc(1, sizeof(*fresh)), *old;
	char *facts = json_dumps(json, JSON_COMPACT),
	     *list = json_dumps(drains, JSON_COMPACT);

	if (!s->last_facts || strcmp(facts, s->last_facts))
		s->index++;
	free(s->last_facts);
	s->last_facts = facts;
	fresh->references = 1;
	fresh->index = s->index;
	/* Weak: `time` may differ between two bodies that say the same. */
	(void)snprintf(fresh->etag, sizeof(fresh->etag), "W/\"%.20s-%lld\"", s->epoch,
		       (long long)s->index);
	fresh->server = join(s, facts);
	fresh->server_length = strlen(fresh->server);
	fresh->drains = xasprintf("{\"drains\":%s}\n", list);
	fresh->is_serving = server_phase(s) == PHASE_SERVING;
	fresh->at = s->tools.clock();
	free(list);
	json_decref(json);
	pthread_mutex_lock(&s->snapshot_lock);
	old = s->snapshot;
	s->snapshot = fresh;
	drop(old);
	pthread_mutex_unlock(&s->snapshot_lock);
	s->published(s->published_arg);
}

/* ---- drains ---- */

static struct drain *find_drain(struct supervisor *s, const char *id)
{
	for (int i = 0; i < s->drain_count; i++)
		if (!strcmp(s->drains[i].id, id))
			return &s->drains[i];
	return NULL;
}

/* Tells each service what is wanted of it now, and why. */
static void apply_wants(struct supervisor *s)
{
	for (size_t i = 0; i < s->controller_count; i++) {
		const char *name = controller_name(s->controllers[i]);
		const struct drain *cover = NULL;
		char *why;

		for (int j = 0; j < s->drain_count && !cover; j++)
			if (drain_covers(&s->drains[j], name))
				cover = &s->drains[j];
		why = cover ? xasprintf("drain %s of %s: %s", cover->id, cover->owner,
					cover->reason)
			    : xstrdup("no drain covers it");
		controller_want(s->controllers[i], cover ? WANT_DRAINED : WANT_SERVING,
				why);
		free(why);
	}
}

/* Checks the services of a drain, and spells each once, as pool.yaml does. */
static int check_services(const struct supervisor *s, struct drain *drain,
			  struct err *err)
{
	const struct list *services = pool_services(s->pool, s->server);
	struct drain spelled = {.services = json_array()};
	json_t *name;
	size_t i;

	json_array_foreach (drain->services, i, name) {
		const struct pool_service *known = pool_resolve_service(
			services, json_string_value(name), false, err);

		if (!known) {
			drain_done(&spelled);
			return err_prefix(err, "%s", s->server->named.name);
		}
		if (!json_array_size(spelled.services) ||
		    !drain_covers(&spelled, known->named.name))
			(void)json_array_append_new(spelled.services,
						    json_string(known->named.name));
	}
	drain_done(drain);
	drain->services = spelled.services;
	return 0;
}

/* A request for a drain must not put anything back into service. */
static int check_not_narrower(const struct supervisor *s, const struct drain *known,
			      const struct drain *asked, struct err *err)
{
	for (size_t i = 0; i < s->controller_count; i++) {
		const char *name = controller_name(s->controllers[i]);

		if (drain_covers(known, name) && !drain_covers(asked, name))
			return err_set(
				err, ERR_HELD,
				"drain '%s' covers %s too, and asking again does not "
				"resume it; name all services, choose another id, or "
				"end the drain",
				known->id, name);
	}
	return 0;
}

static int record_drain(struct supervisor *s, const char *kind, const struct drain *drain,
			const char *who, const char *from, struct err *err)
{
	char text[API_ID_BYTES + 64];
	struct event event = {.time = clock_wall(),
			      .kind = kind,
			      .who = who,
			      .from = from,
			      .why = drain->reason,
			      .text = text};

	(void)snprintf(text, sizeof(text), "drain %s", drain->id);
	log_info("%s: %s by %s from %s: %s", kind, drain->id, who, from, drain->reason);
	return store_add_event(s->tools.store, &event, err);
}

/* Nothing in memory changes before the disk has it. */
static int write_drain(struct supervisor *s, const char *kind, const struct drain *drain,
		       const char *who, const char *from, struct err *err)
{
	int ret = store_put_drain(s->tools.store, drain, err);

	if (!ret)
		ret = record_drain(s, kind, drain, who, from, err);
	/* After a failed write the commit only closes what is open. */
	if (store_commit(s->tools.store, ret ? NULL : err))
		ret = -1;
	return ret;
}

static struct drain *put_drain(struct supervisor *s, struct call *call)
{
	struct drain *asked = &call->drain, *known = find_drain(s, asked->id);
	struct err *err = &call->err;

	if (check_services(s, asked, err))
		return NULL;
	if (known && strcmp(known->owner, asked->owner)) {
		(void)err_set(err, ERR_HELD,
			      "drain '%s' is held by %s: %s; choose another id",
			      known->id, known->owner, known->reason);
		return NULL;
	}
	if (known && check_not_narrower(s, known, asked, err))
		return NULL;
	call->http_status = known ? 200 : 201;
	if (known && drain_asks_the_same(known, asked))
		return known;
	if (!known && s->drain_count == API_DRAINS_LIMIT) {
		(void)err_set(err, ERR_BUSY, "%d drains are active; end some first",
			      API_DRAINS_LIMIT);
		return NULL;
	}
	asked->created_at = known ? known->created_at : clock_wall();
	if (write_drain(s, known ? "drain_changed" : "drain_created", asked, asked->owner,
			call->from, err))
		return NULL;
	if (known)
		drain_done(known);
	else
		known = &s->drains[s->drain_count++];
	drain_copy(known, asked);
	return known;
}

static json_t *end_drain(struct supervisor *s, struct call *call)
{
	struct drain *known = find_drain(s, call->drain.id), ended = {0};
	json_t *json;
	int got;

	call->http_status = 200;
	if (!known) {
		got = store_get_drain(s->tools.store, call->drain.id, &ended, &call->err);
		json = got == 1 ? drain_json(s, &ended) : NULL;
		if (got == 1)
			drain_done(&ended);
		if (got == 0)
			(void)err_set(&call->err, ERR_UNKNOWN_DRAIN,
				      "no drain '%s' on %s", call->drain.id,
				      s->server->named.name);
		return json;
	}
	ended = *known;
	ended.is_ended = true;
	ended.ended_at = clock_wall();
	if (write_drain(s, "drain_ended", &ended, call->who, call->from, &call->err))
		return NULL;
	json = drain_json(s, &ended);
	drain_done(known);
	memmove(known, known + 1,
		(size_t)(s->drains + s->drain_count - (known + 1)) * sizeof(*known));
	s->drain_count--;
	return json;
}

/* ---- the thread ---- */

static int64_t step_all(struct supervisor *s)
{
	int64_t next_ms = s->tools.tick_ms;
	struct err err = {0};

	for (size_t i = 0; i < s->controller_count; i++) {
		int64_t due_ms = controller_step(s->controllers[i]);

		if (due_ms < next_ms)
			next_ms = due_ms;
	}
	if (store_commit(s->tools.store, &err))
		log_error("%s", err.text);
	publish(s);
	return next_ms;
}

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

/* The first round of a change is part of its answer: what the answer says of the services
 * was seen after they were told. */
static void serve(struct supervisor *s, struct call *call)
{
	json_t *json = NULL;
	struct drain *drain = NULL;

	if (call->kind == CALL_PUT_DRAIN)
		drain = put_drain(s, call);
	else
		json = end_drain(s, call);
	if (!call->err.code) {
		apply_wants(s);
		publish(s);
		(void)step_all(s);
	}
	if (drain)
		json = drain_json(s, drain);
	if (json)
		call->body = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	call->done(call);
}

static void refuse(const struct supervisor *s, struct call *call)
{
	(void)err_set(&call->err, ERR_STOPPING, "poold on %s is stopping",
		      s->server->named.name);
	call->done(call);
}

static void *run(void *arg)
{
	struct supervisor *s = arg;
	bool is_stopping = false;

	while (!is_stopping) {
		int64_t next_ms = step_all(s);
		struct call *call;

		waker_wait(s->waker, next_ms);
		while ((call = next_call(s, &is_stopping)))
			if (is_stopping)
				refuse(s, call);
			else
				serve(s, call);
	}
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

	for (size_t i = 0; i < s->controller_count; i++)
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
	const struct list *services = pool_services(s->pool, s->server);
	json_t *name;
	size_t j;

	for (int i = 0; i < s->drain_count; i++)
		json_array_foreach (s->drains[i].services, j, name)
			if (!pool_resolve_service(services, json_string_value(name), true,
						  NULL))
				return err_set(
					err, ERR_CONFIG,
					"drain '%s' of %s covers the service %s, which "
					"pool.yaml does not drain any more; put it back "
					"until the drain has ended",
					s->drains[i].id, s->drains[i].owner,
					json_string_value(name));
	return 0;
}

/* Services that must be left running have no controller, so that nothing can touch them.
 */
static int make_controllers(struct supervisor *s, struct err *err)
{
	const struct list *services = pool_services(s->pool, s->server);

	s->controllers = xcalloc(services->count, sizeof(*s->controllers));
	LIST_EACH (struct pool_service, service, *services) {
		if (service->role == ROLE_LEAVE)
			continue;
		if (service->method != METHOD_PAUSE)
			return err_set(
				err, ERR_CONFIG,
				"%s is drained by its logon mode, which this poold "
				"cannot do yet",
				service->named.name);
		s->controllers[s->controller_count] =
			controller_new(s->pool, s->server, service, &s->tools, err);
		if (!s->controllers[s->controller_count])
			return -1;
		s->controller_count++;
	}
	return 0;
}

static int load(struct supervisor *s, const struct supervisor_setup *setup,
		struct err *err)
{
	unsigned char random[8];

	s->tools.store = store_open(setup->state_dir, err);
	if (!s->tools.store || host_boot_id(s->boot_id, err) ||
	    host_random(random, sizeof(random), err) ||
	    store_next_index(s->tools.store, &s->index, err))
		return -1;
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(s->epoch + 2 * i, 3, "%02x", random[i]);
	s->drain_count =
		store_get_active_drains(s->tools.store, s->drains, API_DRAINS_LIMIT, err);
	if (s->drain_count < 0) {
		s->drain_count = 0;
		return -1;
	}
	if (make_controllers(s, err))
		return -1;
	return check_saved(s, err) || check_drains(s, err) ? -1 : 0;
}

struct supervisor *supervisor_new(const struct supervisor_setup *setup, struct err *err)
{
	struct supervisor *s = xcalloc(1, sizeof(*s));

	s->pool = setup->pool;
	s->server = setup->server;
	s->version = setup->version;
	s->tools = (struct tools){.scm = setup->scm,
				  .count_sessions = sessions_tcp_count,
				  .clock = clock_mono,
				  .tick_ms = setup->tick_ms};
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
	for (size_t i = 0; i < s->controller_count; i++)
		controller_free(s->controllers[i]);
	free(s->controllers);
	for (int i = 0; i < s->drain_count; i++)
		drain_done(&s->drains[i]);
	store_close(s->tools.store);
	s->tools.scm->ops->free(s->tools.scm);
	drop(s->snapshot);
	waker_free(s->waker);
	free(s->last_facts);
	pthread_mutex_destroy(&s->queue_lock);
	pthread_mutex_destroy(&s->snapshot_lock);
	free(s);
}
