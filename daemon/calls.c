#include "supervisor_private.h"

#include "log.h"
#include "mem.h"

#include <string.h>

/* One that has ended. */
static json_t *stored_drain(const struct supervisor *s, const char *id, struct err *err)
{
	struct drain drain;
	int got = store_get_drain(s->tools.store, id, &drain, err);
	json_t *json = got == 1 ? picture_drain_to_json(&s->all, &drain) : NULL;

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

/* A request for a drain must not put anything back into service. */
static int check_not_narrower(const struct supervisor *s, const struct drain *known,
			      const struct drain *asked, struct err *err)
{
	for (size_t i = 0; i < s->all.controller_count; i++) {
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

/* What must be so whether a drain is reserved or put. */
static int check_asked(const struct supervisor *s, struct drain *asked, struct err *err)
{
	const struct drain *known = drains_find(&s->drains, asked->id);

	if (check_services(s, asked, err))
		return -1;
	if (known && strcmp(known->owner, asked->owner))
		return err_set(err, ERR_HELD,
			       "drain '%s' is held by %s: %s; choose another id",
			       known->id, known->owner, known->reason);
	return known ? check_not_narrower(s, known, asked, err) : 0;
}

static json_t *reserve(struct supervisor *s, struct call *call)
{
	const struct drain *asked = &call->drain, *held = &s->reservation.drain;
	int is_new;

	if (check_asked(s, &call->drain, &call->err))
		return NULL;
	is_new = reservation_reserve(&s->reservation, asked, s->all.server->named.name,
				     s->epoch, s->tools.clock(), s->tools.wall_clock(),
				     &call->err);
	if (is_new < 0)
		return NULL;
	if (is_new)
		log_info("reservation %lld by %s from %s: drain %s (%s)",
			 (long long)s->reservation.number, held->owner, call->from,
			 held->id, held->reason);
	/* Everybody who looks from the reply on sees it. */
	supervisor_publish(s);
	call->http_status = is_new ? 201 : 200;
	return picture_reserved_to_json(&s->all, true);
}

/* Only what was out before, through other drains or this one, may stay so without a
 * reservation: a request that is repeated, or changes a drain and adds nothing. */
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

/* Makes the drain durable and the reservation a thing of the past, in one step: whoever
 * looks sees one of them. */
static int commit(struct supervisor *s, struct call *call)
{
	struct drain *asked = &call->drain;
	const struct drain *known = drains_find(&s->drains, asked->id);
	bool needs = needs_reservation(s, known, asked), has;

	has = !reservation_check(&s->reservation, asked, s->all.server->named.name,
				 s->tools.clock(), needs ? &call->err : NULL);
	if (needs && !has)
		return -1;
	if (!has)
		*asked->reservation = '\0';
	call->http_status = known ? 200 : 201;
	if (!(known && drain_asks_the_same(known, asked) &&
	      drains_is_in_force(&s->drains, known)) &&
	    drains_put(&s->drains, asked, call->from, &call->err))
		return -1;
	if (has)
		reservation_commit(&s->reservation);
	return 0;
}

static json_t *put_drain(struct supervisor *s, struct call *call)
{
	struct drain *asked = &call->drain;
	struct err *err = &call->err;
	const struct drain *known;

	if (check_asked(s, asked, err) || commit(s, call))
		return NULL;
	supervisor_step_after_change(s);
	/* A deadline of a second may be over by now; then it has just ended. */
	known = drains_find(&s->drains, asked->id);
	return known ? picture_drain_to_json(&s->all, known)
		     : stored_drain(s, asked->id, err);
}

/* Without a token, whichever reservation the drain has. */
static bool withdraw(struct supervisor *s, const struct call *call, const char *token)
{
	if (!reservation_withdraw(&s->reservation, call->drain.id, token))
		return false;
	log_info("reservation %lld is withdrawn by %s from %s",
		 (long long)s->reservation.number, call->who, call->from);
	return true;
}

/* Never ends a drain, so that a withdrawal that comes late cannot undo a commit. */
static json_t *withdraw_only(struct supervisor *s, struct call *call)
{
	bool is_done = withdraw(s, call, call->drain.reservation);

	supervisor_publish(s);
	call->http_status = 200;
	return json_pack("{ss sb}", "id", call->drain.id, "withdrawn", is_done);
}

/* One that was only reserved is over, and leaves nothing behind. */
static json_t *end_reserved(struct supervisor *s, struct call *call)
{
	struct drain ended;
	json_t *json;

	drain_copy(&ended, &s->reservation.drain);
	ended.is_ended = true;
	ended.ended_at = s->tools.wall_clock();
	copy_text(ended.ended_by, sizeof(ended.ended_by), call->who);
	json = picture_drain_to_json(&s->all, &ended);
	drain_done(&ended);
	(void)withdraw(s, call, NULL);
	supervisor_publish(s);
	return json;
}

static bool is_reserved(const struct supervisor *s, const char *id)
{
	return s->reservation.is_held && !strcmp(s->reservation.drain.id, id);
}

static json_t *end_drain(struct supervisor *s, struct call *call)
{
	const char *id = call->drain.id;
	struct drain ended;
	json_t *json;

	call->http_status = 200;
	if (!drains_find(&s->drains, id))
		return is_reserved(s, id) ? end_reserved(s, call)
					  : stored_drain(s, id, &call->err);
	if (drains_end(&s->drains, id, call->who, call->from, &ended, &call->err))
		return NULL;
	(void)withdraw(s, call, NULL);
	json = picture_drain_to_json(&s->all, &ended);
	drain_done(&ended);
	supervisor_step_after_change(s);
	return json;
}

/* What the drain of the call would do. */
static json_t *preflight(struct supervisor *s, struct call *call)
{
	const struct list *services = pool_services(s->all.pool, s->all.server);
	struct preflight_machine machine = {.server = s->all.server->named.name};
	struct forecast *forecast;
	json_t *found = json_array(), *json;

	if (check_services(s, &call->drain, &call->err)) {
		json_decref(found);
		return NULL;
	}
	forecast = forecast_new();
	for (size_t i = 0; i < s->all.controller_count; i++) {
		const char *name = controller_name(s->controllers[i]);
		struct preflight_input plan =
			preflight_plan(s->all.pool, s->all.server,
				       pool_resolve_service(services, name, true, NULL));

		if (!drain_covers(&call->drain, name))
			continue;
		plan.is_startup_left = call->drain.until == UNTIL_REBOOT;
		if (call->has_on_deadline)
			plan.is_stop_planned =
				call->drain.on_deadline == ON_DEADLINE_STOP;
		(void)json_array_append_new(
			found, controller_preflight(s->controllers[i], &plan));
		if (!controller_is_absent(s->controllers[i]))
			controller_forecast(s->controllers[i], forecast);
	}
	preflight_look_at_machine(s->tools.scm, &machine);
	call->http_status = 200;
	json = preflight_to_json(&machine, found);
	(void)json_object_set_new(json, "forecast",
				  outlook_forecast(forecast, call->drain.deadline_s));
	forecast_free(forecast);
	return json;
}

/* A component is in the process of its service, and so are its sessions. */
static json_t *sessions(struct supervisor *s, struct call *call)
{
	const struct pool_service *service =
		pool_resolve_service(pool_services(s->all.pool, s->all.server),
				     call->service, true, &call->err);
	size_t i = 0;

	if (!service) {
		(void)err_prefix(&call->err, "%s", s->all.server->named.name);
		return NULL;
	}
	/* Whatever may be resolved has a controller. */
	while (strcmp(controller_name(s->controllers[i]), service->named.name) != 0)
		i++;
	call->http_status = 200;
	return controller_sessions(s->controllers[i], call->limit);
}

json_t *calls_answer(struct supervisor *s, struct call *call)
{
	static json_t *(*const answers[CALL__COUNT])(struct supervisor *,
						     struct call *) = {
		[CALL_PUT_DRAIN] = put_drain, [CALL_RESERVE] = reserve,
		[CALL_END_DRAIN] = end_drain, [CALL_WITHDRAW] = withdraw_only,
		[CALL_PREFLIGHT] = preflight, [CALL_SESSIONS] = sessions,
	};

	return answers[call->kind](s, call);
}
