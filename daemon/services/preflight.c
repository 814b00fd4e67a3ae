#include "services/preflight.h"

#include "pool_advice.h"
#include "text/json_write.h"

#include <string.h>

enum level { LEVEL_NOTE, LEVEL_WARNING, LEVEL_REFUSAL, LEVEL__COUNT };

static const char *const level_names[LEVEL__COUNT] = {
	[LEVEL_NOTE] = "note",
	[LEVEL_WARNING] = "warning",
	[LEVEL_REFUSAL] = "refusal",
};

/* ---- what a service is ---- */

static bool is_missing(const struct preflight_input *in)
{
	return in->observe_error.code == ERR_SCM_MISSING;
}

static bool is_seen(const struct preflight_input *in)
{
	return in->observe_error.code == ERR_NONE;
}

static enum service_state state_of(const struct preflight_input *in)
{
	if (is_seen(in))
		return in->status.state;
	if (!is_missing(in))
		return STATE_UNKNOWN;
	return in->service->is_optional && !in->has_saved ? STATE_ABSENT
							  : STATE_MISSING;
}

/* Manual is what can be defeated: Disabled holds, and what is left starts anyway.
 */
static bool is_manual_planned(const struct preflight_input *in)
{
	return !in->is_startup_left && in->startup == START_MANUAL;
}

static bool is_startup_changed(const struct preflight_input *in)
{
	enum start_type now = in->status.start_type;

	return !in->is_startup_left && now != START_DISABLED && now != in->startup;
}

static const char *startup_text(const struct scm_status *status)
{
	return status->start_type == START_AUTOMATIC &&
			       status->delayed_auto_start == SCM_FLAG_YES
		       ? "automatic (delayed)"
		       : api_start_types[status->start_type];
}

/* ---- conditions: each adds to `detail` what the text ends with ---- */

static void add_word(struct buf *detail, const char *word)
{
	buf_printf(detail, "%s%s", detail->length ? ", " : "", word);
}

static bool is_not_installed(const struct preflight_input *in, unsigned which,
			     struct buf *detail)
{
	(void)detail;
	return state_of(in) == (enum service_state)which && !in->has_saved;
}

/* poold holds it out, or is about to put it back. */
static bool was_uninstalled(const struct preflight_input *in, unsigned which,
			    struct buf *detail)
{
	(void)which;
	(void)detail;
	return state_of(in) == STATE_MISSING && in->has_saved;
}

static bool cannot_be_asked(const struct preflight_input *in, unsigned which,
			    struct buf *detail)
{
	(void)which;
	buf_puts(detail, in->observe_error.text);
	return state_of(in) == STATE_UNKNOWN;
}

static bool has_method(const struct preflight_input *in, unsigned which,
		       struct buf *detail)
{
	(void)detail;
	return in->service->method == (int)which;
}

static bool takes_no_pause(const struct preflight_input *in, unsigned which,
			   struct buf *detail)
{
	(void)which;
	(void)detail;
	return in->service->method == METHOD_PAUSE && is_seen(in) &&
	       in->status.state == STATE_RUNNING && !in->status.accepts_pause;
}

/* A right that the plan does not need is not missed. */
static bool lacks_right(const struct preflight_input *in, unsigned which,
			struct buf *detail)
{
	bool is_needed = which == SCM_RIGHT_CONFIGURE ? !in->is_startup_left
			 : which == SCM_RIGHT_STOP    ? in->is_stop_planned
						      : true;

	(void)detail;
	return is_needed && (in->inspection.denied & 1u << which);
}

static bool is_in_motion(enum service_state state)
{
	return state == STATE_START_PENDING || state == STATE_STOP_PENDING ||
	       state == STATE_CONTINUE_PENDING || state == STATE_PAUSE_PENDING;
}

static bool is_pending(const struct preflight_input *in, unsigned which,
		       struct buf *detail)
{
	enum service_state state = state_of(in);

	(void)which;
	buf_puts(detail, api_service_states[state]);
	return is_in_motion(state);
}

static bool is_not_running(const struct preflight_input *in, unsigned which,
			   struct buf *detail)
{
	enum service_state state = state_of(in);

	(void)which;
	buf_puts(detail, api_service_states[state]);
	if (in->status.is_start_due)
		buf_puts(detail, ", and Windows has not started it yet since boot");
	return in->wanted == WANT_SERVING &&
	       (state == STATE_STOPPED || state == STATE_PAUSED);
}

static bool is_protected(const struct preflight_input *in, unsigned which,
			 struct buf *detail)
{
	(void)which;
	(void)detail;
	return in->inspection.is_protected;
}

static bool is_deleted(const struct preflight_input *in, unsigned which,
		       struct buf *detail)
{
	(void)which;
	(void)detail;
	return is_seen(in) && in->status.is_deleted;
}

static bool has_triggers(const struct preflight_input *in, unsigned which,
			 struct buf *detail)
{
	(void)which;
	buf_printf(detail, "%u", in->inspection.trigger_count);
	return is_manual_planned(in) && in->inspection.trigger_count;
}

static bool is_pulled_in(const struct preflight_input *in, unsigned which,
			 struct buf *detail)
{
	const struct scm_inspection *found = &in->inspection;

	(void)which;
	for (size_t i = 0; i < found->dependant_count; i++)
		if (found->dependants[i].start_type == START_AUTOMATIC)
			add_word(detail, found->dependants[i].name);
	return is_manual_planned(in) && detail->length;
}

static bool are_dependants_running(const struct preflight_input *in, unsigned which,
				   struct buf *detail)
{
	const struct scm_inspection *found = &in->inspection;

	(void)which;
	for (size_t i = 0; i < found->dependant_count; i++)
		if (found->dependants[i].state != STATE_STOPPED)
			add_word(detail, found->dependants[i].name);
	return in->is_stop_planned && detail->length;
}

static bool has_recovery(const struct preflight_input *in, unsigned which,
			 struct buf *detail)
{
	if (in->inspection.recovery & SCM_RECOVERY_ON_ERROR)
		buf_puts(detail, "also when it stops with an error");
	return in->inspection.recovery & which;
}

static bool is_delayed(const struct preflight_input *in, unsigned which,
		       struct buf *detail)
{
	(void)detail;
	return is_seen(in) && is_startup_changed(in) &&
	       in->status.start_type == START_AUTOMATIC &&
	       in->status.delayed_auto_start == (enum scm_flag)which;
}

/* A policy that sets what poold sets does no harm. */
static bool has_policy(const struct preflight_input *in, unsigned which,
		       struct buf *detail)
{
	const struct scm_inspection *found = &in->inspection;

	(void)which;
	buf_printf(detail, "%s sets %s", found->policy,
		   api_start_types[found->policy_start_type]);
	return *found->policy && !in->is_startup_left &&
	       found->policy_start_type != in->startup;
}

static bool is_fact_unknown(const struct preflight_input *in, unsigned which,
			    struct buf *detail)
{
	buf_puts(detail, in->inspection.unknown[which]);
	return detail->length;
}

static bool is_inspection_unknown(const struct preflight_input *in, unsigned which,
				  struct buf *detail)
{
	(void)which;
	buf_puts(detail, in->inspect_error.text);
	return in->inspect_error.code;
}

static bool lacks_counter(const struct preflight_input *in, unsigned which,
			  struct buf *detail)
{
	(void)which;
	pool_advice_add_line(in->service, detail);
	return state_of(in) != STATE_ABSENT &&
	       pool_lacks_count(in->service, in->has_command);
}

static bool is_not_counted(const struct preflight_input *in, unsigned which,
			   struct buf *detail)
{
	(void)which;
	(void)detail;
	return in->has_sessions && !in->is_count_known &&
	       state_of(in) != STATE_ABSENT &&
	       !pool_lacks_count(in->service, in->has_command);
}

static bool has_own(const struct preflight_input *in, unsigned counts_own,
		    struct buf *detail)
{
	char text[NET_ADDRESS_TEXT_BYTES];

	if (!in->own_count || in->counts_own != (bool)counts_own)
		return false;
	buf_printf(detail, "%zu from %s", in->own_count,
		   net_address_format(&in->own_peer, text));
	return true;
}

static bool is_wanted(const struct preflight_input *in, unsigned which,
		      struct buf *detail)
{
	(void)detail;
	return in->wanted == (enum want)which;
}

static bool has_saved_left(const struct preflight_input *in, unsigned which,
			   struct buf *detail)
{
	(void)which;
	(void)detail;
	return in->has_saved && in->wanted == WANT_SERVING;
}

/* ---- the findings ---- */

struct finding {
	const char *code;
	enum level level;
	const char *text;
	const char *remedy; /* NULL: nothing needs to be done */
};

#define USE_DISABLED "set 'startup_while_drained: disabled' in pool.yaml"
#define GIVE_RIGHTS                                                              \
	"run poold as LocalSystem, or give its account this right with 'sc.exe " \
	"sdset'"

/* `which` is the right, the state and so on that the condition asks about. */
static const struct {
	bool (*applies)(const struct preflight_input *in, unsigned which,
			struct buf *detail);
	unsigned which;
	struct finding finding;
} rows[] = {
	{is_not_installed,
	 STATE_MISSING,
	 {"not_installed", LEVEL_REFUSAL, "the service is not installed",
	  "check its name in pool.yaml, or say 'optional: true' there"}},
	{was_uninstalled,
	 0,
	 {"not_installed", LEVEL_REFUSAL,
	  "the service was uninstalled while it was out",
	  "install it again; or wait, as poold forgets it a minute after its drains have "
	  "ended"}},
	{cannot_be_asked,
	 0,
	 {"cannot_be_asked", LEVEL_REFUSAL,
	  "the Service Control Manager cannot be queried",
	  "run poold as LocalSystem or as a local administrator"}},
	{has_method,
	 METHOD_LOGON_MODE,
	 {"logon_mode", LEVEL_REFUSAL,
	  "it must be drained by its logon mode, which this version cannot do",
	  "remove it from pool.yaml"}},
	{takes_no_pause,
	 0,
	 {"no_pause", LEVEL_REFUSAL, "the service does not accept pause",
	  "stop it yourself when its sessions may end"}},
	{lacks_right,
	 SCM_RIGHT_PAUSE,
	 {"missing_right", LEVEL_REFUSAL,
	  "poold may not pause it: it lacks the right SERVICE_PAUSE_CONTINUE",
	  GIVE_RIGHTS}},
	{lacks_right,
	 SCM_RIGHT_CONFIGURE,
	 {"missing_right", LEVEL_REFUSAL,
	  "poold may not set its startup type: it lacks the right "
	  "SERVICE_CHANGE_CONFIG",
	  GIVE_RIGHTS}},
	{lacks_right,
	 SCM_RIGHT_START,
	 {"missing_right", LEVEL_REFUSAL,
	  "poold may not start it again: it lacks the right SERVICE_START",
	  GIVE_RIGHTS}},
	{lacks_right,
	 SCM_RIGHT_STOP,
	 {"missing_right", LEVEL_REFUSAL,
	  "poold may not stop it at the deadline: it lacks the right "
	  "SERVICE_STOP",
	  GIVE_RIGHTS}},
	{is_deleted,
	 0,
	 {"marked_for_deletion", LEVEL_WARNING,
	  "the service is marked for deletion: its startup type cannot be set, and it "
	  "will be gone once it stops",
	  "close services.msc and other tools that show it, and install it again"}},
	{is_protected,
	 0,
	 {"protected", LEVEL_WARNING,
	  "Windows protects the service against changes, so poold may be unable to set "
	  "its startup type, to pause it or to stop it",
	  "try a drain before you need it; a protected service obeys protected "
	  "programs alone"}},
	{is_pending,
	 0,
	 {"pending", LEVEL_WARNING, "the service is changing state",
	  "wait until it runs, or find out why it hangs"}},
	{has_triggers,
	 0,
	 {"start_triggers", LEVEL_WARNING,
	  "Windows triggers can start it although its startup type "
	  "will be Manual",
	  USE_DISABLED}},
	{is_pulled_in,
	 0,
	 {"dependants_start", LEVEL_WARNING,
	  "services that start at boot depend on it and will start it too",
	  USE_DISABLED}},
	{has_recovery,
	 SCM_RECOVERY_RESTART,
	 {"recovery_restarts", LEVEL_WARNING,
	  "Windows starts it again after a crash; it then takes "
	  "sessions until poold pauses it, within a tick",
	  "set its recovery actions to 'Take No Action' while it is drained"}},
	{has_recovery,
	 SCM_RECOVERY_REBOOT,
	 {"recovery_reboots", LEVEL_WARNING,
	  "Windows reboots the server if the service crashes",
	  "set its recovery actions to 'Take No Action' while it is drained"}},
	{has_recovery,
	 SCM_RECOVERY_RUN,
	 {"recovery_runs", LEVEL_WARNING,
	  "Windows runs a program if the service crashes",
	  "make sure that the program does not start the service"}},
	{has_policy,
	 0,
	 {"group_policy", LEVEL_WARNING,
	  "a group policy sets its startup type back",
	  "remove the service from the policy's System Services"}},
	{lacks_counter,
	 0,
	 {"no_counter", LEVEL_WARNING,
	  "no counter of its sessions is known, so poold would never report it as "
	  "drained; this line in pool.yaml would count its connections alone",
	  "write that line, or give it the counter that 'poold counters' shows"}},
	{is_not_counted,
	 0,
	 {"sessions_unknown", LEVEL_WARNING,
	  "its sessions cannot be counted, so poold would never report "
	  "it as drained",
	  "see the service's message in 'poolctl status'"}},
	{has_own,
	 true,
	 {"own_connections", LEVEL_WARNING,
	  "connections of the server to itself count as sessions, so it may never be "
	  "drained",
	  "set 'count_own: false' for the pool in pool.yaml, if they are no "
	  "sessions"}},
	{has_own,
	 false,
	 {"own_not_counted", LEVEL_NOTE,
	  "connections of the server to itself are not counted as sessions "
	  "(count_own: false)",
	  NULL}},
	{is_inspection_unknown,
	 0,
	 {"inspection_failed", LEVEL_WARNING,
	  "what could start it again is unknown", "try again"}},
	{is_not_installed,
	 STATE_ABSENT,
	 {"absent", LEVEL_NOTE,
	  "not installed on this server; pool.yaml says that it is optional",
	  NULL}},
	{is_not_running,
	 0,
	 {"not_running", LEVEL_NOTE, "the service is not running", NULL}},
	{is_wanted,
	 WANT_DRAINED,
	 {"already_draining", LEVEL_NOTE, "a drain already covers it", NULL}},
	{has_saved_left,
	 0,
	 {"saved_left", LEVEL_NOTE,
	  "poold is still putting it back after an earlier drain", NULL}},
	{are_dependants_running,
	 0,
	 {"dependants_running", LEVEL_NOTE,
	  "the stop at the deadline fails while services that depend "
	  "on it are running",
	  "stop them before the deadline"}},
	{is_delayed,
	 SCM_FLAG_YES,
	 {"delayed_auto_start", LEVEL_NOTE,
	  "its delayed start is saved and restored with the startup type", NULL}},
	{is_delayed,
	 SCM_FLAG_UNSUPPORTED,
	 {"delayed_unknown", LEVEL_NOTE,
	  "this system does not tell whether its start is delayed; "
	  "poold does not change that",
	  NULL}},
	{is_fact_unknown,
	 SCM_FACT_DEPENDANTS,
	 {"dependants_unknown", LEVEL_NOTE,
	  "which services depend on it is unknown", NULL}},
	{is_fact_unknown,
	 SCM_FACT_TRIGGERS,
	 {"triggers_unknown", LEVEL_NOTE,
	  "whether triggers can start it is unknown", NULL}},
	{is_fact_unknown,
	 SCM_FACT_RECOVERY,
	 {"recovery_unknown", LEVEL_NOTE, "its recovery actions are unknown",
	  NULL}},
	{is_fact_unknown,
	 SCM_FACT_POLICY,
	 {"policy_unknown", LEVEL_NOTE,
	  "whether a group policy sets its startup type is unknown", NULL}},
	{is_fact_unknown,
	 SCM_FACT_RIGHTS,
	 {"rights_unknown", LEVEL_NOTE,
	  "the rights that poold has on it are unknown", NULL}},
	{is_fact_unknown,
	 SCM_FACT_PROTECTION,
	 {"protection_unknown", LEVEL_NOTE,
	  "whether Windows protects it against changes is unknown", NULL}},
};

static void add_finding(json_t *findings, const struct finding *finding,
			const char *detail)
{
	json_t *json = json_object();

	json_write_text(json, "code", finding->code);
	json_write_text(json, "level", level_names[finding->level]);
	json_write_value(
		json, "text",
		json_sprintf("%s%s%s", finding->text, *detail ? ": " : "", detail));
	json_write_text(json, "remedy", finding->remedy);
	json_write_item(findings, json);
}

static json_t *find_in_service(const struct preflight_input *in, bool *is_possible)
{
	json_t *findings = json_array();

	*is_possible = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf detail = {0};

		if (rows[i].applies(in, rows[i].which, &detail)) {
			add_finding(findings, &rows[i].finding,
				    detail.text ? detail.text : "");
			if (rows[i].finding.level == LEVEL_REFUSAL)
				*is_possible = false;
		}
		buf_done(&detail);
	}
	return findings;
}

/* ---- the document ---- */

static json_t *flag_to_json(enum scm_flag flag)
{
	return flag == SCM_FLAG_UNSUPPORTED ? NULL
					    : json_boolean(flag == SCM_FLAG_YES);
}

static json_t *observed_to_json(const struct preflight_input *in)
{
	const struct scm_status *now = &in->status;
	json_t *json = json_object();

	json_write_text(json, "state", api_service_states[state_of(in)]);
	json_write_text(json, "start_type",
			is_seen(in) ? api_start_types[now->start_type] : NULL);
	json_write_value(json, "delayed_auto_start",
			 is_seen(in) ? flag_to_json(now->delayed_auto_start)
				     : NULL);
	json_write_value(json, "accepts_pause",
			 is_seen(in) ? json_boolean(now->accepts_pause) : NULL);
	return json;
}

/* What is not known is null; what is known of it is there all the same. */
static json_t *dependant_to_json(const struct scm_dependant *dependant)
{
	json_t *json = json_object();

	json_write_text(json, "name", dependant->name);
	json_write_text(json, "start_type",
			dependant->start_type < 0
				? NULL
				: api_start_types[dependant->start_type]);
	json_write_text(json, "state", api_service_states[dependant->state]);
	return json;
}

static json_t *dependants_to_json(const struct preflight_input *in)
{
	const struct scm_inspection *found = &in->inspection;
	json_t *list;

	if (!found->dependant_count && (!is_seen(in) || in->inspect_error.code ||
					*found->unknown[SCM_FACT_DEPENDANTS]))
		return NULL;
	list = json_array();
	for (size_t i = 0; i < found->dependant_count; i++)
		json_write_item(list, dependant_to_json(&found->dependants[i]));
	return list;
}

/* As controller_act.c saves it. */
static const char *state_to_save(const struct scm_status *now)
{
	if (is_in_motion(now->state))
		return "its state once that has settled";
	return api_service_states[now->is_start_due ? STATE_RUNNING : now->state];
}

static json_t *changes_to_json(const struct preflight_input *in)
{
	const struct scm_status *now = &in->status;
	json_t *changes = json_array();

	if (!is_seen(in))
		return changes;
	if (!in->has_saved)
		json_write_item(changes,
				json_sprintf("save: %s, %s", state_to_save(now),
					     startup_text(now)));
	if (is_startup_changed(in))
		json_write_item(changes,
				json_sprintf("startup type: %s -> %s",
					     startup_text(now),
					     api_start_types[in->startup]));
	if (now->state == STATE_RUNNING || now->state == STATE_START_PENDING ||
	    now->state == STATE_CONTINUE_PENDING)
		json_write_text_item(changes, "pause");
	return changes;
}

static json_t *sessions_to_json(const struct preflight_input *in)
{
	json_t *json = json_object();

	json_write_flag(json, "known", in->is_count_known);
	json_write_count(json, "count", in->is_count_known ? in->count : -1);
	return json;
}

json_t *preflight_service_to_json(const struct preflight_input *in)
{
	const char *name = in->service->named.name;
	const char *display = in->status.display_name;
	bool is_possible;
	json_t *findings = find_in_service(in, &is_possible), *json = json_object();

	if (!*display)
		display = in->service->display_name ? in->service->display_name
						    : name;
	json_write_text(json, "name", name);
	json_write_text(json, "display_name", display);
	json_write_flag(json, "possible", is_possible);
	json_write_value(json, "observed", observed_to_json(in));
	json_write_value(json, "dependants", dependants_to_json(in));
	json_write_value(json, "changes", changes_to_json(in));
	json_write_value(json, "findings", findings);
	if (in->has_sessions)
		json_write_value(json, "sessions", sessions_to_json(in));
	return json;
}

static json_t *find_in_machine(const struct preflight_machine *machine)
{
	static const struct finding
		reboot = {"reboot_pending", LEVEL_NOTE, "a reboot is pending",
			  NULL},
		unknown = {"reboot_unknown", LEVEL_NOTE,
			   "whether a reboot is pending is unknown", NULL},
		agent = {"configuration_agent", LEVEL_WARNING,
			 "a tool that sets startup types back is installed",
			 "make sure that it does not change these services while they "
			 "are drained"},
		store = {"store_failing", LEVEL_REFUSAL,
			 "poold cannot write its store",
			 "free space on its disk, or repair what is named; poold tries "
			 "again by itself"},
		certificate = {"certificate_ends", LEVEL_WARNING,
			       "poolctl will not accept the server's certificate "
			       "for long",
			       "renew it; poold uses the new files by itself"};
	json_t *findings = json_array();

	if (machine->store_failure)
		add_finding(findings, &store, machine->store_failure);
	if (machine->certificate)
		add_finding(findings, &certificate, machine->certificate);
	if (machine->reboot_error.code)
		add_finding(findings, &unknown, machine->reboot_error.text);
	else if (machine->reboot)
		add_finding(findings, &reboot, machine->reboot);
	for (size_t i = 0; i < machine->agent_count; i++)
		add_finding(findings, &agent, machine->agents[i]);
	return findings;
}

json_t *preflight_to_json(const struct preflight_machine *machine, json_t *services)
{
	json_t *json = json_object(), *service;
	bool is_possible = !machine->store_failure;
	size_t i;

	json_array_foreach (services, i, service)
		if (!json_is_true(json_object_get(service, "possible")))
			is_possible = false;
	json_write_text(json, "server", machine->server);
	json_write_text(json, "pool", machine->pool);
	json_write_flag(json, "possible", is_possible);
	json_write_value(
		json, "reboot_pending",
		machine->reboot_error.code ? NULL : json_boolean(machine->reboot));
	json_write_value(json, "findings", find_in_machine(machine));
	json_write_value(json, "services", services);
	return json;
}
