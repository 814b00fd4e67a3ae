#include "services/controller_private.h"

#include "system/log.h"
#include "mem.h"
#include "text/json_write.h"

#include <stdlib.h>

static void record_drift(struct controller *c, const char *text, json_t *before)
{
	log_warning("%s: %s", c->service->named.name, text);
	controller_record(c, (struct line){.kind = EVENT_DRIFT,
					   .text = text,
					   .before = json_incref(before),
					   .after = controller_seen_to_json(c)});
}

static void note_drift(struct controller *c, json_t *before)
{
	char *text =
		xasprintf("somebody else changed the service: it is %s, startup %s",
			  api_service_states[c->state],
			  api_start_types[c->observed.start_type]);

	record_drift(c, text, before);
	free(text);
}

void controller_note_taken(struct controller *c)
{
	char *text = xasprintf(
		"the service accepted a test session on port %lld although it is %s",
		(long long)c->service->probe.port, api_service_states[c->state]);

	c->drift.count++;
	record_drift(c, text, NULL);
	free(text);
}

static void note_accepted(struct controller *c)
{
	const struct since_out *since = &c->counting.since_out;
	const struct sessions_connection *session = &since->connection;
	char peer[NET_ADDRESS_TEXT_BYTES];
	char *text = xasprintf(
		"the service accepted a session on port %d although it is %s: from "
		"%s port %d, %lld s after the service was out",
		session->local_port, api_service_states[c->state],
		net_address_format(&session->peer, peer), session->peer_port,
		(long long)since->after_ms / 1000);

	c->drift.count++;
	record_drift(c, text, NULL);
	free(text);
}

static void note_ended(struct controller *c)
{
	char *text = controller_ended_text(c);

	log_warning("%s: %s", c->service->named.name, text);
	controller_record(c, (struct line){.kind = EVENT_ENDED,
					   .text = text,
					   .after = controller_seen_to_json(c)});
	free(text);
}

void controller_note_sessions(struct controller *c)
{
	unsigned news = since_out_take_news(&c->counting.since_out);

	if (c->wanted.want != WANT_DRAINED || !c->has_saved)
		return;
	if (news & SINCE_OUT_ACCEPTED)
		note_accepted(c);
	if ((news & SINCE_OUT_ENDED) && c->state == STATE_PAUSED)
		note_ended(c);
}

/* Which sessions came meanwhile is seen now, and not at the next tick. */
static void note_undone(struct controller *c)
{
	long long took_ms = clock_since(c->drift.seen_at, c->deps.clock());
	char *text =
		xasprintf("out again %lld ms after the change was seen", took_ms);
	json_t *before = c->drift.sessions < 0 ? NULL : json_object();

	if (before)
		json_write_number(before, "sessions", c->drift.sessions);
	counting_count(&c->counting, false);
	log_info("%s: %s", c->service->named.name, text);
	controller_record(c, (struct line){.kind = EVENT_UNDONE,
					   .text = text,
					   .before = before,
					   .after = controller_seen_to_json(c)});
	free(text);
}

static void note_left(struct controller *c, json_t *before)
{
	char *text =
		xasprintf("somebody else set the startup type to %s; that keeps "
			  "the service out too, so poold leaves it until its "
			  "drains have ended",
			  api_start_types[c->observed.start_type]);

	record_drift(c, text, before);
	free(text);
}

static void compare(struct controller *c, json_t *before)
{
	const struct counting *counting = &c->counting;
	enum startup startup = controller_startup(c);
	struct drift_view view = {
		/* A stop, as of a reboot, is decided when it has ended. */
		.is_out = reconcile_is_out(c->state) ||
			  (c->state == STATE_STOP_PENDING && c->saved.was_out),
		/* One that cannot be set is as right as it was. */
		.is_startup_right = startup == STARTUP_RIGHT ||
				    (startup != STARTUP_WRONG &&
				     c->observed.start_type == c->saved.out_type),
		.start_type = startup == STARTUP_RIGHT && c->wanted.leaves_startup
				      ? c->saved.start_type
				      : c->observed.start_type,
		.sessions = counting_is_known(counting)
				    ? counting->progress.last.count
				    : -1,
		.at = c->deps.clock(),
	};
	unsigned changes;

	/* In an unknown state it may have changed all the same: the next one tells.
	 */
	if (c->wanted.want != WANT_DRAINED || !c->has_saved ||
	    c->state == STATE_UNKNOWN)
		return;
	if (!c->saved.was_out && !c->wanted.leaves_startup &&
	    c->observed.start_type == controller_wanted_startup(c))
		c->saved.out_type = c->observed.start_type;
	changes = drift_compare(&c->drift, &c->saved, &view);
	if (changes & DRIFT_SEEN)
		note_drift(c, before);
	if (changes & DRIFT_LEFT)
		note_left(c, before);
	if (changes & DRIFT_UNDONE)
		note_undone(c);
	/* On disk, so that a change while poold is away is seen. */
	if (changes & DRIFT_SAVED)
		c->is_saved_stale = true;
}

void controller_forget_cutting(struct controller *c)
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
	/* One that was refused says nothing of one that was sent before. */
	if (c->is_stop_refused && !c->attempt.is_stop_sent &&
	    !control_attempt_is_pending(c->state) && c->state < STATE_MISSING &&
	    c->state != STATE_STOPPED)
		controller_forget_cutting(c);
	if (c->state != STATE_STOPPED)
		return;
	text = is_known
		       ? xasprintf(
				 "%lld sessions were cut by the stop at the deadline",
				 (long long)c->saved.cutting)
		       : xstrdup("the stop at the deadline cut sessions; their number is "
				 "unknown");
	controller_record(c, (struct line){.kind = EVENT_CUT,
					   .text = text,
					   .after = controller_seen_to_json(c)});
	free(text);
	c->saved.cut += is_known ? c->saved.cutting : 1;
	c->saved.cutting = 0;
	c->is_saved_stale = true;
}

void controller_note_change(struct controller *c, json_t *before)
{
	compare(c, before);
	note_cut(c);
}
