#include "supervisor_private.h"

#include "drains/drain_store.h"
#include "mem.h"
#include "start_rules.h"
#include "system/log.h"
#include "text/json_write.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

enum { TOKEN_RANDOM_BYTES = 16 };

/* A drain that has ended. */
static json_t *stored_drain(const struct supervisor *s, const char *id,
			    struct err *err)
{
	struct drain drain;
	int got = drain_store_get(s->deps.store, id, &drain, err);
	json_t *json =
		got == 1 ? server_status_drain_to_json(&s->all, &drain) : NULL;

	if (got == 1)
		drain_done(&drain);
	if (got == 0)
		(void)err_set(err, ERR_UNKNOWN_DRAIN, "no drain '%s' on %s", id,
			      s->all.server->named.name);
	return json;
}

/* Checks the services of a drain, and spells each once, as pool.yaml does. */
static int check_services(const struct supervisor *s, struct drain *drain,
			  struct err *err)
{
	const struct list *services = pool_services(s->all.pool, s->all.server);
	struct drain spelled = {.services = json_array()};
	json_t *name;
	size_t i;

	json_array_foreach (drain->services, i, name) {
		const struct pool_service *known = pool_resolve_service(
			services, json_string_value(name), false, err);

		if (!known) {
			drain_done(&spelled);
			return err_prefix(err, "%s", s->all.server->named.name);
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

/* A PUT must not put anything back into service. */
static int check_not_narrower(const struct supervisor *s, const struct drain *known,
			      const struct drain *asked, struct err *err)
{
	for (size_t i = 0; i < s->all.controller_count; i++) {
		const char *name = controller_name(s->controllers[i]);

		if (drain_covers(known, name) && !drain_covers(asked, name))
			return err_set(
				err, ERR_HELD,
				"drain '%s' also covers %s, and a PUT never puts a "
				"service back; name %s too, choose another id, or end "
				"the drain",
				known->id, name, name);
	}
	return 0;
}

/* Checks a drain that is to be reserved or put. */
static int check_asked(const struct supervisor *s, struct drain *asked,
		       struct err *err)
{
	const struct drain *known = drains_find(&s->drains, asked->id);

	if (check_services(s, asked, err))
		return -1;
	if (known && !drain_is_of_same(known, asked))
		return err_set(
			err, ERR_HELD,
			"drain '%s' belongs to %.250s%s%.250s: %s; choose another "
			"id",
			known->id, known->owner, *known->acts_for ? " for " : "",
			known->acts_for, known->reason);
	return known ? check_not_narrower(s, known, asked, err) : 0;
}

static json_t *reserve(struct supervisor *s, struct task *task)
{
	const struct drain *asked = &task->drain, *reserved = &s->reservation.drain;
	char token[API_TOKEN_BYTES];
	int is_new;

	if (check_asked(s, &task->drain, &task->err) ||
	    supervisor_random(TOKEN_RANDOM_BYTES, token, &task->err))
		return NULL;
	is_new = reservation_reserve(
		&s->reservation, asked, s->all.server->named.name, token,
		s->deps.clock(), s->deps.wall_clock(), &task->err);
	if (is_new < 0)
		return NULL;
	if (is_new)
		log_request("reservation %lld by %s from %s: drain %s (%s)",
			    (long long)s->reservation.number, reserved->owner,
			    task->from, reserved->id, reserved->reason);
	/* Before the reply: from then on everybody sees it. */
	supervisor_publish(s);
	task->http_status = is_new ? 201 : 200;
	return server_status_reserved_to_json(&s->all, true);
}

/* A PUT needs no reservation if it takes nothing more out: it is repeated, or it
 * changes a drain and all that it covers is out already. */
static bool needs_reservation(const struct supervisor *s, const struct drain *known,
			      const struct drain *asked)
{
	if (!known || !drains_is_in_force(&s->drains, known))
		return true;
	for (size_t i = 0; i < s->all.controller_count; i++) {
		const char *name = controller_name(s->controllers[i]);

		if (drain_covers(asked, name) &&
		    drains_want(&s->drains, name).want != WANT_DRAINED)
			return true;
	}
	return false;
}

/* Makes the drain durable and ends its reservation in one step, so that every
 * snapshot has exactly one of them. */
static int commit(struct supervisor *s, struct task *task)
{
	struct drain *asked = &task->drain;
	const struct drain *known = drains_find(&s->drains, asked->id);
	bool needs = needs_reservation(s, known, asked), has;

	has = !reservation_check(&s->reservation, asked, s->all.server->named.name,
				 s->deps.clock(), needs ? &task->err : NULL);
	if (needs && (!has || record_verify(s->deps.record, &task->err)))
		return -1;
	if (!has)
		*asked->reservation = '\0';
	task->http_status = known ? 200 : 201;
	if (!(known && drain_asks_the_same(known, asked) &&
	      drains_is_in_force(&s->drains, known)) &&
	    drains_put(&s->drains, asked, task->from, &task->err))
		return -1;
	if (has)
		reservation_commit(&s->reservation);
	return 0;
}

static json_t *put_drain(struct supervisor *s, struct task *task)
{
	struct drain *asked = &task->drain;
	struct err *err = &task->err;
	const struct drain *known;

	if (check_asked(s, asked, err) || commit(s, task))
		return NULL;
	/* Also if nothing else changes: an end that was asked for before is void.
	 */
	drains_note_asked(&s->drains, asked->id, ++s->index);
	supervisor_step_after_change(s);
	/* With a deadline of a second it may have ended by now. */
	known = drains_find(&s->drains, asked->id);
	return known ? server_status_drain_to_json(&s->all, known)
		     : stored_drain(s, asked->id, err);
}

/* Without a token: the reservation of the drain, whatever its token. */
static bool withdraw(struct supervisor *s, const struct task *task,
		     const char *token)
{
	if (!reservation_withdraw(&s->reservation, task->drain.id, token))
		return false;
	log_request("reservation %lld was withdrawn by %s from %s",
		    (long long)s->reservation.number, task->who, task->from);
	return true;
}

/* Never ends a drain, so that a withdrawal that comes late cannot undo a commit. */
static json_t *withdraw_only(struct supervisor *s, struct task *task)
{
	bool is_done = withdraw(s, task, task->drain.reservation);
	json_t *json;

	supervisor_publish(s);
	task->http_status = 200;
	json = json_object();
	json_write_text(json, "id", task->drain.id);
	json_write_flag(json, "withdrawn", is_done);
	return json;
}

/* With a role below admin, a credential ends its own drains alone, for whomever
 * they are.  Administrators of this machine may do all. */
static int check_may_end(const struct task *task, const struct drain *drain,
			 struct err *err)
{
	if (task->caller.role >= ROLE_ADMIN ||
	    (task->caller.role == ROLE_OPERATOR &&
	     !strcmp(task->caller.name, drain->owner)))
		return 0;
	return err_set(
		err, ERR_FORBIDDEN,
		"drain '%s' belongs to %.250s, and '%s' has the role %s: ending "
		"the drain of another needs the role admin",
		drain->id, drain->owner, task->caller.name,
		caller_roles[task->caller.role]);
}

/* Who asked, for the record: whatever the event itself does not say. */
static json_t *asked_by(const struct task *task)
{
	const char *credential = caller_credentials[task->caller.kind];
	json_t *json;

	if (!credential)
		return NULL;
	json = json_object();
	json_write_text(json, "credential", credential);
	if (task->acts_for && *task->acts_for)
		json_write_text(json, "for", task->acts_for);
	return json;
}

/* Ends a drain that was only reserved; it leaves nothing behind. */
static json_t *end_reserved(struct supervisor *s, struct task *task)
{
	struct drain ended;
	json_t *json;

	if (check_may_end(task, &s->reservation.drain, &task->err))
		return NULL;
	drain_copy(&ended, &s->reservation.drain);
	ended.is_ended = true;
	ended.ended_at = s->deps.wall_clock();
	utf8_copy(ended.ended_by, sizeof(ended.ended_by), task->who);
	json = server_status_drain_to_json(&s->all, &ended);
	drain_done(&ended);
	(void)withdraw(s, task, NULL);
	supervisor_publish(s);
	return json;
}

static bool is_reserved(const struct supervisor *s, const char *id)
{
	return s->reservation.is_active && !strcmp(s->reservation.drain.id, id);
}

static json_t *end_drain(struct supervisor *s, struct task *task)
{
	const char *id = task->drain.id;
	const struct drain *known = drains_find(&s->drains, id);
	struct drain ended;
	json_t *json;

	task->http_status = 200;
	if (known && task->seen_index && task->seen_index < known->asked_index) {
		(void)err_set(
			&task->err, ERR_HELD,
			"drain '%s' was asked for again after this request to end "
			"it was made; nothing was changed",
			id);
		return NULL;
	}
	if (!known)
		return is_reserved(s, id) ? end_reserved(s, task)
					  : stored_drain(s, id, &task->err);
	if (check_may_end(task, known, &task->err) ||
	    drains_end(&s->drains, id, task->who, task->from, asked_by(task),
		       &ended, &task->err))
		return NULL;
	(void)withdraw(s, task, NULL);
	json = server_status_drain_to_json(&s->all, &ended);
	drain_done(&ended);
	supervisor_step_after_change(s);
	return json;
}

/* What the drain of the task would do. */
static json_t *preflight(struct supervisor *s, struct task *task)
{
	const struct list *services = pool_services(s->all.pool, s->all.server);
	struct preflight_machine machine = {.server = s->all.server->named.name,
					    .pool = s->all.pool->named.name};
	struct forecast *forecast;
	json_t *found = json_array(), *json;
	char *certificate;

	if (check_services(s, &task->drain, &task->err)) {
		json_decref(found);
		return NULL;
	}
	record_check(s->deps.record);
	machine.store_failure = record_failure(s->deps.record);
	forecast = forecast_new();
	for (size_t i = 0; i < s->all.controller_count; i++) {
		const char *name = controller_name(s->controllers[i]);
		struct preflight_input plan = preflight_plan(
			s->all.pool, s->all.server,
			pool_resolve_service(services, name, true, NULL));

		if (!drain_covers(&task->drain, name))
			continue;
		plan.is_startup_left = task->drain.until == UNTIL_REBOOT;
		if (task->has_on_deadline)
			plan.is_stop_planned =
				task->drain.on_deadline == ON_DEADLINE_STOP;
		(void)json_array_append_new(
			found, controller_preflight(s->controllers[i], &plan));
		if (!controller_is_absent(s->controllers[i]))
			controller_forecast(s->controllers[i], forecast);
	}
	preflight_look_at_machine(s->deps.scm, &machine);
	certificate = certificate_warn(tls_expires_at(s->all.tls), clock_wall());
	machine.certificate = certificate;
	task->http_status = 200;
	json = preflight_to_json(&machine, found);
	free(certificate);
	(void)json_object_set_new(json, "forecast",
				  eta_forecast(forecast, task->drain.deadline_s));
	forecast_free(forecast);
	return json;
}

/* The sessions of a component are those of its service: they share a process. */
static json_t *list_sessions(struct supervisor *s, struct task *task)
{
	const struct pool_service *service =
		pool_resolve_service(pool_services(s->all.pool, s->all.server),
				     task->service, true, &task->err);
	size_t i = 0;

	if (!service) {
		(void)err_prefix(&task->err, "%s", s->all.server->named.name);
		return NULL;
	}
	/* Whatever may be resolved has a controller. */
	while (utf8_compare_names(controller_name(s->controllers[i]),
				  service->named.name))
		i++;
	task->http_status = 200;
	return controller_sessions(s->controllers[i], task->limit);
}

static void note_config_problem(struct supervisor *s, const char *problem)
{
	free(s->config_problem);
	s->config_problem = xstrdup(problem);
	s->all.config_problem = s->config_problem;
	supervisor_publish(s);
}

static int ignore_saved(void *arg, const char *service, const struct saved *saved)
{
	(void)arg;
	(void)service;
	(void)saved;
	return 0;
}

/* While something is out, or is about to be, only an admin who restarts poold may
 * change what it covers. */
static bool is_idle(const struct supervisor *s)
{
	return !s->drains.count && !s->reservation.is_active &&
	       !store_each_saved(s->deps.store, ignore_saved, NULL, NULL) &&
	       !store_has_writes(s->deps.store);
}

/* A restart would refuse files that miss what is out. */
static void refuse_reload(struct supervisor *s, struct task *task)
{
	struct err why = {0};
	char *held;

	if (start_rules_check_store(task->pool, task->pool_server, s->deps.store,
				    &why))
		held = xasprintf(
			"poold uses the change of %s once nothing is "
			"drained; do not restart poold before: it would not "
			"start (%s)",
			task->what, why.text);
	else
		held = xasprintf("poold uses the change of %s once nothing is "
				 "drained, or after a restart",
				 task->what);
	note_config_problem(s, held);
	(void)err_set(&task->err, ERR_HELD, "%s", held);
	free(held);
}

static json_t *reload(struct supervisor *s, struct task *task)
{
	task->http_status = 200;
	if (task->problem) {
		note_config_problem(s, task->problem);
	} else if (!is_idle(s)) {
		refuse_reload(s, task);
	} else {
		task_queue_close(s->tasks);
	}
	return NULL;
}

/* On disk at once: whoever tries doors may also end poold. */
static json_t *note(struct supervisor *s, struct task *task)
{
	record_add(s->deps.record, &(struct line){.kind = task->note_kind,
						  .who = task->who,
						  .from = task->from,
						  .text = task->note});
	(void)record_commit(s->deps.record, NULL);
	supervisor_publish(s);
	return NULL;
}

json_t *supervisor_tasks_do(struct supervisor *s, struct task *task)
{
	static json_t *(*const kinds[TASK__COUNT])(struct supervisor *,
						   struct task *) = {
		[TASK_PUT_DRAIN] = put_drain, [TASK_RESERVE] = reserve,
		[TASK_END_DRAIN] = end_drain, [TASK_WITHDRAW] = withdraw_only,
		[TASK_PREFLIGHT] = preflight, [TASK_LIST_SESSIONS] = list_sessions,
		[TASK_RELOAD] = reload,       [TASK_NOTE] = note,
	};

	return kinds[task->kind](s, task);
}
