#include "controller_private.h"

#include "mem.h"

#include <stdlib.h>

static json_t *flag_to_json(enum scm_flag flag)
{
	return flag == SCM_FLAG_UNSUPPORTED ? json_null()
					    : json_boolean(flag == SCM_FLAG_YES);
}

static json_t *count_to_json(const struct controller *c)
{
	return c->progress.has_sample && c->progress.last.is_known
		       ? json_integer(c->progress.last.count)
		       : json_null();
}

json_t *controller_seen_to_json(const struct controller *c)
{
	const struct scm_status *now = &c->observed;

	if (c->state >= STATE_MISSING)
		return json_pack("{ss}", "state", service_state_name(c->state));
	return json_pack("{ss ss so sI so}", "state", service_state_name(c->state),
			 "start_type", start_type_name(now->start_type),
			 "delayed_auto_start", flag_to_json(now->delayed_auto_start),
			 "pid", (json_int_t)now->pid, "sessions", count_to_json(c));
}

json_t *saved_to_json(const struct saved *saved)
{
	return json_pack("{ss ss so}", "state", service_state_name(saved->state),
			 "start_type", start_type_name(saved->start_type),
			 "delayed_auto_start", flag_to_json(saved->delayed_auto_start));
}

static json_t *observed_to_json(const struct controller *c)
{
	const struct scm_status *now = &c->observed;

	if (c->state >= STATE_MISSING)
		return json_pack("{ss sn sn sn sn}", "state",
				 service_state_name(c->state), "start_type",
				 "delayed_auto_start", "accepts_pause", "pid");
	return json_pack("{ss ss so sb sI}", "state", service_state_name(c->state),
			 "start_type", start_type_name(now->start_type),
			 "delayed_auto_start", flag_to_json(now->delayed_auto_start),
			 "accepts_pause", now->accepts_pause, "pid",
			 (json_int_t)now->pid);
}

static json_t *sessions_to_json(const struct controller *c)
{
	bool is_known = c->progress.has_sample && c->progress.last.is_known;
	json_t *source = json_pack("{ss so}", "kind", "tcp", "count", count_to_json(c));

	if (!is_known && c->uncounted.code)
		(void)json_object_set_new(source, "error",
					  json_string(c->uncounted.text));
	return json_pack("{sb so sI sI s[o]}", "known", is_known, "count",
			 count_to_json(c), "peak", (json_int_t)c->progress.peak, "cut",
			 (json_int_t)controller_cut(c), "sources", source);
}

static json_t *message_of(const struct controller *c)
{
	bool has_detail = c->trouble.code && c->decision.phase == PHASE_ATTENTION;
	bool is_waiting = c->decision.phase == PHASE_DRAINING &&
			  c->decision.action == ACT_NONE && reconcile_is_out(c->state);

	if (is_waiting && c->progress.last.is_known && c->progress.last.count > 0)
		return json_sprintf("%lld sessions left",
				    (long long)c->progress.last.count);
	if (is_waiting && !c->progress.last.is_known)
		return json_sprintf("%s: %s", c->decision.message, c->uncounted.text);
	return json_sprintf("%s%s%s%s", c->decision.message, has_detail ? " (" : "",
			    has_detail ? c->trouble.text : "", has_detail ? ")" : "");
}

json_t *controller_preflight(const struct controller *c,
			     const struct preflight_input *plan)
{
	struct preflight_input input = *plan;
	json_t *json;

	input.wanted = c->wanted.want;
	input.has_saved = c->has_saved;
	input.has_sessions = true;
	input.is_count_known = c->progress.has_sample && c->progress.last.is_known;
	input.count = c->progress.last.count;
	preflight_look(c->tools.scm, &input);
	json = preflight_service_to_json(&input);
	preflight_done(&input);
	return json;
}

static json_t *session_to_json(const struct tracked *session, struct mono now)
{
	const struct sessions_connection *connection = &session->connection;
	char peer[NET_ADDRESS_TEXT_BYTES], local[NET_ADDRESS_TEXT_BYTES];
	char since[CLOCK_TEXT_BYTES];

	return json_pack("{ss si ss si ss ss sI sb so sb}", "peer",
			 net_address_format(&connection->peer, peer), "peer_port",
			 connection->peer_port, "local",
			 net_address_format(&connection->local, local), "local_port",
			 connection->local_port, "source", "tcp", "since",
			 clock_format(session->since_wall, since), "age_s",
			 (json_int_t)(clock_since(session->since, now) / 1000),
			 "age_is_least", session->is_least, "idle_s",
			 connection->idle_ms < 0
				 ? json_null()
				 : json_integer(connection->idle_ms / 1000),
			 "suspect", tracker_is_suspect(session, now));
}

static json_t *oldest_to_json(const struct controller *c, size_t limit)
{
	const struct tracked **oldest = xcalloc(limit, sizeof(const struct tracked *));
	size_t count = tracker_oldest(&c->tracker, oldest, limit);
	struct mono now = c->tools.clock();
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, session_to_json(oldest[i], now));
	free(oldest);
	return list;
}

json_t *controller_sessions(struct controller *c, size_t limit)
{
	const char *name = c->service->named.name;
	struct err err = {0};

	if (controller_track(c, true, &err))
		return json_pack("{ss sb ss sn sb sn}", "service", name, "known", 0,
				 "error", err.text, "count", "whole", 0, "sessions");
	return json_pack("{ss sb sI sb so}", "service", name, "known", 1, "count",
			 (json_int_t)c->tracker.seen, "whole",
			 c->tracker.is_whole && c->tracker.count <= limit, "sessions",
			 oldest_to_json(c, limit));
}

static json_t *components_to_json(const struct controller *c)
{
	json_t *components = json_array();

	LIST_EACH (char *, component, c->service->components)
		(void)json_array_append_new(components, json_string(*component));
	return components;
}

json_t *controller_to_json(const struct controller *c)
{
	const char *name = c->service->named.name;
	const char *display = c->observed.display_name;

	if (!*display && c->service->display_name)
		display = c->service->display_name;

	return json_pack("{ss ss so ss ss ss so so so so}", "name", name, "display_name",
			 *display ? display : name, "components", components_to_json(c),
			 "phase", phase_name(c->decision.phase), "wanted",
			 want_name(c->wanted.want), "method", "pause", "message",
			 message_of(c), "observed", observed_to_json(c), "saved",
			 c->has_saved ? saved_to_json(&c->saved) : json_null(),
			 "sessions", sessions_to_json(c));
}
