#include "held.h"

#include "log.h"
#include "mem.h"

#include <stdlib.h>

bool held_is_to_be_enabled(const struct controller *c)
{
	return c->wanted.want == WANT_SERVING && c->saved.start_type == START_DISABLED &&
	       c->saved.state == STATE_RUNNING && c->saved.cut &&
	       (c->state == STATE_STOPPED || c->state == STATE_START_PENDING);
}

enum start_type held_wanted_startup(const struct controller *c)
{
	bool is_held = c->wanted.want == WANT_DRAINED && !c->wanted.leaves_startup;

	if (held_is_to_be_enabled(c))
		return START_MANUAL;
	return is_held && c->saved.start_type != START_DISABLED ? c->held_type
								: c->saved.start_type;
}

enum startup held_startup(const struct controller *c)
{
	const struct scm_status *now = &c->observed;
	bool is_flag_same = c->saved.delayed_auto_start == SCM_FLAG_UNSUPPORTED ||
			    now->delayed_auto_start == SCM_FLAG_UNSUPPORTED ||
			    now->start_type != START_AUTOMATIC ||
			    c->saved.delayed_auto_start == now->delayed_auto_start;

	return !c->has_saved ||
			       (now->start_type == held_wanted_startup(c) && is_flag_same)
		       ? STARTUP_RIGHT
		       : STARTUP_WRONG;
}

static void note_drift(struct controller *c, json_t *before)
{
	char *text = xasprintf("somebody else changed the service: it is %s, startup %s",
			       service_state_name(c->state),
			       start_type_name(c->observed.start_type));

	log_warning("%s: %s", c->service->named.name, text);
	c->is_adrift = true;
	c->drift_at = c->tools.clock();
	c->drift_sessions =
		counting_is_known(&c->counting) ? c->counting.progress.last.count : -1;
	drift_seen(&c->drift, c->drift_at);
	c->drifts++;
	controller_record(c, (struct line){.kind = EVENT_DRIFT,
					   .text = text,
					   .before = json_incref(before),
					   .after = controller_seen_to_json(c)});
	free(text);
}

void held_note_taken(struct controller *c)
{
	char *text = xasprintf(
		"a new session was taken on port %lld although the service "
		"is %s",
		(long long)c->service->probe.port, service_state_name(c->state));

	log_warning("%s: %s", c->service->named.name, text);
	c->drifts++;
	controller_record(c, (struct line){.kind = EVENT_DRIFT,
					   .text = text,
					   .after = controller_seen_to_json(c)});
	free(text);
}

/* Which sessions came meanwhile is seen now, and not at the next tick. */
static void note_undone(struct controller *c)
{
	long long took_ms = clock_since(c->drift_at, c->tools.clock());
	char *text = xasprintf("out again %lld ms after that was seen", took_ms);

	c->is_adrift = false;
	counting_count(&c->counting, false);
	log_info("%s: %s", c->service->named.name, text);
	controller_record(
		c, (struct line){
			   .kind = EVENT_UNDONE,
			   .text = text,
			   .before = c->drift_sessions < 0
					     ? NULL
					     : json_pack("{sI}", "sessions",
							 (json_int_t)c->drift_sessions),
			   .after = controller_seen_to_json(c)});
	free(text);
}

/* Out, with the startup type that is wanted: from then on, anything else is drift.  That
 * it was held is on disk, so that a change while poold was away is seen. */
static void note_held(struct controller *c, json_t *before)
{
	bool is_out = reconcile_is_out(c->state);
	bool is_held = is_out && held_startup(c) == STARTUP_RIGHT;
	/* What is wanted now may be another startup type than the one that was held. */
	bool is_as_held = is_out && c->observed.start_type == c->saved.held_type;

	/* What cannot be seen now may have changed all the same: the next look tells. */
	if (c->wanted.want != WANT_DRAINED || !c->has_saved || c->state == STATE_UNKNOWN)
		return;
	/* A stop of poold's own is under way. */
	if (c->state == STATE_STOP_PENDING && c->saved.cutting)
		return;
	if (is_held == c->saved.is_held && (!is_held || is_as_held))
		return;
	if (c->saved.is_held && !is_as_held)
		note_drift(c, before);
	if (is_held && c->is_adrift)
		note_undone(c);
	c->saved.is_held = is_held;
	c->saved.held_type = c->observed.start_type;
	c->is_saved_stale = true;
}

void held_forget_cutting(struct controller *c)
{
	c->saved.cutting = 0;
	c->is_saved_stale = true;
}

/* A stop has ended the sessions that it was to end; also one that the SCM says it
 * refused. */
static void note_cut(struct controller *c)
{
	bool is_known = c->saved.cutting > 0;
	char *text;

	if (!c->has_saved || !c->saved.cutting)
		return;
	if (c->is_stop_refused && !asking_is_pending(c->state) &&
	    c->state < STATE_MISSING && c->state != STATE_STOPPED)
		held_forget_cutting(c);
	if (c->state != STATE_STOPPED)
		return;
	text = is_known
		       ? xasprintf("%lld sessions were cut by the stop at the deadline",
				   (long long)c->saved.cutting)
		       : xstrdup("the stop at the deadline cut sessions; how many is not "
				 "known");
	controller_record(c, (struct line){.kind = EVENT_CUT,
					   .text = text,
					   .after = controller_seen_to_json(c)});
	free(text);
	c->saved.cut += is_known ? c->saved.cutting : 1;
	c->saved.cutting = 0;
	c->is_saved_stale = true;
}

void held_note_change(struct controller *c, json_t *before)
{
	note_held(c, before);
	note_cut(c);
}
