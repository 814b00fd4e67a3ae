#include "services/controller_private.h"

#include "system/log.h"

/* Whatever takes longer goes on beside the rounds.  A reply to a request can tell
 * of what was done until then.  One that hangs leaves a moment for each of the
 * others.
 */
enum { PATIENCE_MS = 1000, PATIENCE_LEAST_MS = 50, LATE_MS = 10000 };

static int pause_service(struct scm *scm, const char *service, struct err *err)
{
	return scm->ops->control(scm, service, SCM_PAUSE, err);
}

static int stop_service(struct scm *scm, const char *service, struct err *err)
{
	return scm->ops->control(scm, service, SCM_STOP, err);
}

static int continue_service(struct scm *scm, const char *service, struct err *err)
{
	return scm->ops->control(scm, service, SCM_CONTINUE, err);
}

static int start_service(struct scm *scm, const char *service, struct err *err)
{
	return scm->ops->start(scm, service, err);
}

static const struct {
	int (*make)(struct scm *scm, const char *service, struct err *err);
	const char *unanswered;
} calls[ACT__COUNT] = {
	[ACT_PAUSE] =
		{pause_service,
		 "poold has asked the service to pause; it has not answered yet"},
	[ACT_STOP] =
		{stop_service,
		 "poold has asked the service to stop; it has not answered yet"},
	[ACT_CONTINUE] = {continue_service,
			  "poold has asked the service to continue; "
			  "it has not answered yet"},
	[ACT_START] =
		{start_service,
		 "poold has asked the service to start; it has not answered yet"},
};

void controllers_be_patient(struct controller *const *controllers, size_t count)
{
	struct mono until = clock_add(controllers[0]->deps.clock(), PATIENCE_MS);

	for (size_t i = 0; i < count; i++)
		controllers[i]->patient_until = until;
}

static int64_t patience_ms(const struct controller *c)
{
	int64_t rest_ms = clock_since(c->deps.clock(), c->patient_until);

	return rest_ms < PATIENCE_LEAST_MS ? PATIENCE_LEAST_MS : rest_ms;
}

static struct scm_call *begin(struct controller *c, enum action action)
{
	const struct scm_call_order order = {
		.scm = c->deps.scm,
		.service = c->service->named.name,
		.make = calls[action].make,
		.returned = c->deps.wake,
		.arg = c->deps.wake_arg,
	};

	return c->deps.has_no_threads ? NULL : scm_call_begin(&order);
}

bool controller_call(struct controller *c, enum action action)
{
	json_t *before = controller_seen_to_json(c);
	struct scm_call *call = begin(c, action);
	struct err err = {0};

	if (!call) {
		(void)calls[action].make(c->deps.scm, c->service->named.name, &err);
		return controller_acted(c, action, before, &err);
	}
	c->under_way = (struct under_way){.call = call,
					  .action = action,
					  .before = before,
					  .pid = c->observed.pid,
					  .since = c->deps.clock()};
	c->is_cut_written = false;
	control_attempt_begun(&c->attempt);
	if (scm_call_wait(call, patience_ms(c)))
		return controller_take_answer(c);
	log_warning("%s: %s; poold goes on with the others", c->service->named.name,
		    calls[action].unanswered);
	controller_set_decision(c, controller_decide(c));
	return false;
}

bool controller_take_answer(struct controller *c)
{
	struct under_way was = c->under_way;
	struct err err = {0};
	bool is_going_on;

	if (!was.call || !scm_call_wait(was.call, 0))
		return false;
	c->under_way = (struct under_way){0};
	(void)scm_call_end(was.call, &err);
	is_going_on = controller_acted(c, was.action, was.before, &err);
	/* The process that was asked has ended meanwhile. */
	if (c->observed.pid != was.pid)
		control_attempt_process_ended(&c->attempt, c->deps.clock());
	return is_going_on;
}

bool controller_is_calling(const struct controller *c)
{
	return c->under_way.call != NULL;
}

bool controller_leave_call(struct controller *c)
{
	const struct under_way was = c->under_way;

	c->under_way = (struct under_way){0};
	json_decref(was.before);
	if (!scm_call_leave(was.call))
		return false;
	log_warning("%s: %s; the call is left behind", c->service->named.name,
		    calls[was.action].unanswered);
	return true;
}

/* The table knows of nothing that blocks.  A service that does what is wanted needs
 * no word about it. */
struct decision controller_tell_unanswered(const struct controller *c,
					   struct decision decision)
{
	const struct under_way *now = &c->under_way;

	if (!now->call || decision.action == ACT_NONE)
		return decision;
	decision.message = calls[now->action].unanswered;
	if (clock_since(now->since, c->deps.clock()) > LATE_MS)
		decision.phase = PHASE_ATTENTION;
	return decision;
}
