#include "controller_private.h"

#include "mem.h"

#include <stdlib.h>

static json_t *flag_to_json(enum scm_flag flag)
{
	return flag == SCM_FLAG_UNSUPPORTED ? json_null()
					    : json_boolean(flag == SCM_FLAG_YES);
}

json_t *controller_seen_to_json(const struct controller *c)
{
	const struct scm_status *now = &c->observed;

	if (c->state >= STATE_MISSING)
		return json_pack("{ss}", "state", service_state_name(c->state));
	return json_pack("{ss ss so sI so}", "state", service_state_name(c->state),
			 "start_type", start_type_name(now->start_type),
			 "delayed_auto_start", flag_to_json(now->delayed_auto_start),
			 "pid", (json_int_t)now->pid, "sessions",
			 counting_count_to_json(&c->counting));
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

static json_t *sessions_to_json(const struct controller *c, bool with_times)
{
	const struct progress *progress = &c->counting.progress;

	return json_pack("{sb so so sI ss so}", "known", counting_is_known(&c->counting),
			 "count", counting_count_to_json(&c->counting), "peak",
			 progress->has_peak ? json_integer(progress->peak) : json_null(),
			 "cut", (json_int_t)controller_cut(c), "combine",
			 progress->is_sum ? "sum" : "max", "sources",
			 counting_sources_to_json(&c->counting, with_times));
}

static json_t *uncounted_message(const struct controller *c)
{
	char *why = counting_explain(&c->counting);
	json_t *text = json_sprintf("%s: %s", c->decision.message, why);

	free(why);
	return text;
}

static json_t *message_of(const struct controller *c)
{
	bool has_detail = c->trouble.code && c->decision.phase == PHASE_ATTENTION;
	bool is_waiting = c->decision.phase == PHASE_DRAINING &&
			  c->decision.action == ACT_NONE && reconcile_is_out(c->state);

	if (is_waiting && !counting_is_known(&c->counting))
		return uncounted_message(c);
	if (is_waiting && c->counting.progress.last.count > 0)
		return json_sprintf("%lld sessions left",
				    (long long)c->counting.progress.last.count);
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
	input.is_count_known = counting_is_known(&c->counting);
	input.count = c->counting.progress.last.count;
	preflight_look(c->tools.scm, &input);
	json = preflight_service_to_json(&input);
	preflight_done(&input);
	return json;
}

json_t *controller_sessions(struct controller *c, size_t limit)
{
	return counting_list(&c->counting, limit);
}

static json_t *components_to_json(const struct controller *c)
{
	json_t *components = json_array();

	LIST_EACH (char *, component, c->service->components)
		(void)json_array_append_new(components, json_string(*component));
	return components;
}

json_t *controller_to_json(const struct controller *c, bool with_times)
{
	const char *name = c->service->named.name;
	const char *display = c->observed.display_name;

	if (!*display && c->service->display_name)
		display = c->service->display_name;

	return json_pack("{ss ss so ss ss ss so so so so so}", "name", name,
			 "display_name", *display ? display : name, "components",
			 components_to_json(c), "phase", phase_name(c->decision.phase),
			 "wanted", want_name(c->wanted.want), "method", "pause",
			 "message", message_of(c), "observed", observed_to_json(c),
			 "saved", c->has_saved ? saved_to_json(&c->saved) : json_null(),
			 "sessions", sessions_to_json(c, with_times), "probe",
			 probe_to_json(&c->counting.probe, with_times));
}
