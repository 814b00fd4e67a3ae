#include "services/controller_private.h"

#include "mem.h"
#include "text/json_write.h"
#include <stdlib.h>

#define MARKED_FOR_DELETION                                                             \
	"it is marked for deletion and will be gone once it stops; close services.msc " \
	"and other tools that show it, and install it again if that was not meant"

static json_t *flag_to_json(enum scm_flag flag)
{
	return flag == SCM_FLAG_UNSUPPORTED ? json_null()
					    : json_boolean(flag == SCM_FLAG_YES);
}

json_t *controller_seen_to_json(const struct controller *c)
{
	const struct scm_status *now = &c->observed;
	json_t *json = json_object();

	json_write_text(json, "state", api_service_states[c->state]);
	if (c->state >= STATE_MISSING)
		return json;
	json_write_text(json, "start_type", api_start_types[now->start_type]);
	json_write_value(json, "delayed_auto_start",
			 flag_to_json(now->delayed_auto_start));
	json_write_number(json, "pid", now->pid);
	json_write_value(json, "sessions", counting_count_to_json(&c->counting));
	return json;
}

json_t *controller_saved_to_json(const struct saved *saved)
{
	json_t *json = json_object();

	json_write_text(json, "state", api_service_states[saved->state]);
	json_write_text(json, "start_type", api_start_types[saved->start_type]);
	json_write_value(json, "delayed_auto_start",
			 flag_to_json(saved->delayed_auto_start));
	return json;
}

static json_t *observed_to_json(const struct controller *c)
{
	const struct scm_status *now = &c->observed;
	bool is_known = c->state < STATE_MISSING;
	json_t *json = json_object();

	json_write_text(json, "state", api_service_states[c->state]);
	json_write_text(json, "start_type",
			is_known ? api_start_types[now->start_type] : NULL);
	json_write_value(json, "delayed_auto_start",
			 is_known ? flag_to_json(now->delayed_auto_start) : NULL);
	json_write_value(json, "accepts_pause",
			 is_known ? json_boolean(now->accepts_pause) : NULL);
	json_write_value(json, "pid", is_known ? json_integer(now->pid) : NULL);
	return json;
}

char *controller_ended_text(const struct controller *c)
{
	const struct since_out *since = &c->counting.since_out;

	return xasprintf("%lld of %lld sessions ended within %lld s of the pause",
			 (long long)since->ended, (long long)since->before,
			 (long long)since->ended_within_s);
}

static bool has_ended(const struct controller *c)
{
	return c->wanted.want == WANT_DRAINED && c->has_saved &&
	       c->state == STATE_PAUSED && c->counting.since_out.is_ended_known;
}

static json_t *sessions_to_json(const struct controller *c)
{
	const struct progress *progress = &c->counting.progress;
	const struct since_out *since = &c->counting.since_out;
	bool is_known = has_ended(c);
	json_t *json = json_object();

	json_write_flag(json, "known", counting_is_known(&c->counting));
	json_write_value(json, "count", counting_count_to_json(&c->counting));
	json_write_count(json, "peak", progress->has_peak ? progress->peak : -1);
	json_write_number(json, "cut", controller_cut(c));
	json_write_number(json, "accepted_while_out", controller_accepted(c));
	json_write_count(json, "before_pause", is_known ? since->before : -1);
	json_write_count(json, "ended_with_pause", is_known ? since->ended : -1);
	json_write_text(json, "combine", progress->is_sum ? "sum" : "max");
	json_write_value(json, "sources", counting_sources_to_json(&c->counting));
	return json;
}

static json_t *uncounted_message(const struct controller *c)
{
	char *why = counting_explain(&c->counting);
	json_t *text = json_sprintf("%s: %s", c->decision.message, why);

	free(why);
	return text;
}

static json_t *decided_message(const struct controller *c)
{
	const struct err *trouble =
		c->trouble.code ? &c->trouble : &c->startup_trouble;
	bool has_detail = trouble->code && c->decision.phase == PHASE_ATTENTION;
	bool is_waiting = c->decision.phase == PHASE_DRAINING &&
			  c->decision.action == ACT_NONE &&
			  reconcile_is_out(c->state);

	if (is_waiting && !counting_is_known(&c->counting))
		return uncounted_message(c);
	if (is_waiting && c->counting.progress.last.count > 0)
		return json_sprintf("%lld sessions left",
				    (long long)c->counting.progress.last.count);
	return json_sprintf("%s%s%s%s", c->decision.message, has_detail ? " (" : "",
			    has_detail ? trouble->text : "", has_detail ? ")" : "");
}

/* Takes over the message. */
static json_t *add_to(json_t *message, const char *more)
{
	json_t *longer = json_sprintf("%s; %s", json_string_value(message), more);

	json_decref(message);
	return longer;
}

/* What nobody should find out from the record alone. */
static json_t *add_sessions(const struct controller *c, json_t *message)
{
	int64_t accepted = controller_accepted(c);
	char *text;

	if (accepted) {
		text = xasprintf("accepted %lld session%s while it was out",
				 (long long)accepted, accepted == 1 ? "" : "s");
		message = add_to(message, text);
		free(text);
	}
	if (has_ended(c) && since_out_has_ended_many(&c->counting.since_out)) {
		text = controller_ended_text(c);
		message = add_to(message, text);
		free(text);
	}
	return message;
}

static json_t *message_of(const struct controller *c)
{
	json_t *message = add_sessions(c, decided_message(c));

	if (!c->observed.is_deleted || c->state >= STATE_MISSING)
		return message;
	return add_to(message, MARKED_FOR_DELETION);
}

static json_t *components_to_json(const struct controller *c)
{
	json_t *components = json_array();

	LIST_EACH (char *, component, c->service->components)
		json_write_text_item(components, *component);
	return components;
}

json_t *controller_to_json(const struct controller *c)
{
	const char *name = c->service->named.name;
	const char *display = c->observed.display_name;
	json_t *json = json_object();

	if (!*display)
		display =
			c->service->display_name ? c->service->display_name : name;
	json_write_text(json, "name", name);
	json_write_text(json, "display_name", display);
	json_write_value(json, "components", components_to_json(c));
	json_write_text(json, "phase", api_phases[c->decision.phase]);
	json_write_text(json, "wanted", api_wants[c->wanted.want]);
	json_write_text(json, "method", "pause");
	json_write_value(json, "message", message_of(c));
	json_write_value(json, "observed", observed_to_json(c));
	json_write_value(json, "saved",
			 c->has_saved ? controller_saved_to_json(&c->saved) : NULL);
	json_write_value(json, "sessions", sessions_to_json(c));
	json_write_value(json, "probe", probe_to_json(&c->counting.probe));
	return json;
}
