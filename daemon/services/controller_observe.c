#include "services/controller_private.h"

#include "system/log.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

enum { PHASES_AT_ONCE = 20, PHASE_EVERY_MS = 60000 };

void controller_record(struct controller *c, struct line line)
{
	line.service = c->service->named.name;
	line.who = "poold";
	line.why = c->why;
	record_add(c->deps.record, &line);
}

/* A service that nobody has taken out may change as often as it likes. */
static bool may_tell_phase(struct controller *c)
{
	if (c->wanted.want == WANT_DRAINED || c->has_saved)
		return true;
	return rate_take(&c->phases, PHASES_AT_ONCE, PHASE_EVERY_MS,
			 c->deps.clock());
}

static void tell_phase(struct controller *c)
{
	char *more =
		c->phase_changes > 1
			? xasprintf("; %d changes between were left out, as there "
				    "were too many",
				    c->phase_changes - 1)
			: xstrdup("");
	char *text =
		xasprintf("%s -> %s, reason: %s%s", api_phases[c->told_phase],
			  api_phases[c->decision.phase], c->decision.message, more);

	log_info("%s: %s", c->service->named.name, text);
	controller_record(c, (struct line){.kind = EVENT_PHASE, .text = text});
	c->told_phase = c->decision.phase;
	c->phase_changes = 0;
	free(text);
	free(more);
}

void controller_set_decision(struct controller *c, struct decision decision)
{
	enum phase before = c->decision.phase;
	bool is_first = !c->decision.message;

	c->decision = decision;
	if (is_first)
		c->told_phase = decision.phase;
	else if (before != decision.phase)
		c->phase_changes++;
	if (c->told_phase != decision.phase && may_tell_phase(c))
		tell_phase(c);
}

/* A service that poold took out and that is gone now is never taken for one that
 * need not be there. */
static enum service_state state_of_failure(const struct controller *c,
					   const struct err *err)
{
	if (err->code != ERR_SCM_MISSING)
		return STATE_UNKNOWN;
	return c->service->is_optional && !c->has_saved ? STATE_ABSENT
							: STATE_MISSING;
}

void controller_observe(struct controller *c)
{
	enum service_state before = c->state;
	uint32_t pid = c->observed.pid;
	struct scm_status status = {0};
	struct err err = {0};

	c->looked_at = c->deps.clock();
	if (c->deps.scm->ops->observe(c->deps.scm, c->service->named.name, &status,
				      &err)) {
		c->state = state_of_failure(c, &err);
		c->trouble = err;
	} else {
		c->state = status.state;
		c->observed = status;
		if (c->attempt.asked == ACT_NONE)
			c->trouble = (struct err){0};
		if (pid && status.pid && pid != status.pid)
			control_attempt_process_ended(&c->attempt, c->deps.clock());
		if (controller_startup(c) == STARTUP_RIGHT) {
			control_attempt_turn(&c->startup_attempt);
			c->startup_trouble = (struct err){0};
		}
	}
	control_attempt_looked(&c->attempt, before, c->state, status.checkpoint,
			       c->deps.clock());
	if (c->state != STATE_UNKNOWN)
		counting_see_missing(&c->counting,
				     c->state == STATE_MISSING ||
					     c->state == STATE_ABSENT);
	counting_see(&c->counting, reconcile_is_out(c->state),
		     c->state == STATE_STOPPED);
}

const char *controller_name(const struct controller *c)
{
	return c->service->named.name;
}

struct mono controller_looked_at(const struct controller *c)
{
	return c->looked_at;
}

enum phase controller_phase(const struct controller *c)
{
	return c->decision.phase;
}

bool controller_is_absent(const struct controller *c)
{
	return c->state == STATE_ABSENT;
}

bool controller_is_out(const struct controller *c)
{
	/* A boot would end it while the startup type is as it was. */
	return reconcile_is_out(c->state) &&
	       (c->wanted.want != WANT_DRAINED ||
		controller_startup(c) == STARTUP_RIGHT);
}

bool controller_has_saved(const struct controller *c)
{
	return c->has_saved;
}

int64_t controller_cut(const struct controller *c)
{
	return c->has_saved ? c->saved.cut : 0;
}

int64_t controller_accepted(const struct controller *c)
{
	return c->has_saved && c->wanted.want == WANT_DRAINED
		       ? c->counting.since_out.accepted
		       : 0;
}
