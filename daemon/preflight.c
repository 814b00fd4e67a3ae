#include "preflight.h"

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
	return in->service->is_optional && !in->has_saved ? STATE_ABSENT : STATE_MISSING;
}

/* Manual is what can be defeated: Disabled holds, and what is left starts anyway. */
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
		       : start_type_name(status->start_type);
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
	return state_of(in) == (enum service_state)which;
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

static bool is_pending(const struct preflight_input *in, unsigned which,
		       struct buf *detail)
{
	enum service_state state = state_of(in);

	(void)which;
	buf_puts(detail, service_state_name(state));
	return state == STATE_START_PENDING || state == STATE_STOP_PENDING ||
	       state == STATE_CONTINUE_PENDING || state == STATE_PAUSE_PENDING;
}

static bool is_not_running(const struct preflight_input *in, unsigned which,
			   struct buf *detail)
{
	enum service_state state = state_of(in);

	(void)which;
	buf_puts(detail, service_state_name(state));
	if (in->status.is_start_due)
		buf_puts(detail, ", and this boot has yet to start it");
	return in->wanted == WANT_SERVING &&
	       (state == STATE_STOPPED || state == STATE_PAUSED);
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
		   start_type_name(found->policy_start_type));
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

static bool is_not_counted(const struct preflight_input *in, unsigned which,
			   struct buf *detail)
{
	(void)which;
	(void)detail;
	return in->has_sessions && !in->is_count_known && state_of(in) != STATE_ABSENT;
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
#define GIVE_RIGHTS                                                          \
	"run poold as LocalSystem, or give its account this right with 'sc " \
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
	{cannot_be_asked,
	 0,
	 {"cannot_be_asked", LEVEL_REFUSAL, "the SCM cannot be asked",
	  "run poold as LocalSystem or as a local administrator"}},
	{has_method,
	 METHOD_LOGON_MODE,
	 {"logon_mode", LEVEL_REFUSAL,
	  "it is drained by its logon mode, which this version cannot do",
	  "leave it out of pool.yaml"}},
	{takes_no_pause,
	 0,
	 {"no_pause", LEVEL_REFUSAL, "the service does not accept pause",
	  "stop it yourself when its sessions may end"}},
	{lacks_right,
	 SCM_RIGHT_PAUSE,
	 {"missing_right", LEVEL_REFUSAL,
	  "it cannot be paused: poold lacks the right SERVICE_PAUSE_CONTINUE",
	  GIVE_RIGHTS}},
	{lacks_right,
	 SCM_RIGHT_CONFIGURE,
	 {"missing_right", LEVEL_REFUSAL,
	  "its startup type cannot be set: poold lacks the right SERVICE_CHANGE_CONFIG",
	  GIVE_RIGHTS}},
	{lacks_right,
	 SCM_RIGHT_START,
	 {"missing_right", LEVEL_REFUSAL,
	  "it cannot be started again: poold lacks the right SERVICE_START",
	  GIVE_RIGHTS}},
	{lacks_right,
	 SCM_RIGHT_STOP,
	 {"missing_right", LEVEL_REFUSAL,
	  "it cannot be stopped at the deadline: poold lacks the right SERVICE_STOP",
	  GIVE_RIGHTS}},
	{is_pending,
	 0,
	 {"pending", LEVEL_WARNING, "its state is in motion",
	  "wait until it runs, or find out why it hangs"}},
	{has_triggers,
	 0,
	 {"start_triggers", LEVEL_WARNING,
	  "triggers start it although its startup type is Manual", USE_DISABLED}},
	{is_pulled_in,
	 0,
	 {"dependants_start", LEVEL_WARNING,
	  "services that start at boot depend on it and start it too", USE_DISABLED}},
	{has_recovery,
	 SCM_RECOVERY_RESTART,
	 {"recovery_restarts", LEVEL_WARNING,
	  "Windows starts it again after a crash, and then it takes sessions until poold "
	  "pauses it within a tick",
	  "set its recovery actions to none while it is drained"}},
	{has_recovery,
	 SCM_RECOVERY_REBOOT,
	 {"recovery_reboots", LEVEL_WARNING, "Windows reboots the server after its crash",
	  "set its recovery actions to none while it is drained"}},
	{has_recovery,
	 SCM_RECOVERY_RUN,
	 {"recovery_runs", LEVEL_WARNING, "Windows runs a program after its crash",
	  "make sure that the program does not start the service"}},
	{has_policy,
	 0,
	 {"group_policy", LEVEL_WARNING, "a group policy sets its startup type back",
	  "take the service out of the policy's System Services"}},
	{is_not_counted,
	 0,
	 {"sessions_unknown", LEVEL_WARNING,
	  "its sessions cannot be counted, so it would never be called drained",
	  "see the message of the service in GET /v1/server"}},
	{is_inspection_unknown,
	 0,
	 {"inspection_failed", LEVEL_WARNING, "what could start it again is not known",
	  "try again"}},
	{is_not_installed,
	 STATE_ABSENT,
	 {"absent", LEVEL_NOTE, "not installed here, and need not be", NULL}},
	{is_not_running,
	 0,
	 {"not_running", LEVEL_NOTE, "the service does not run", NULL}},
	{is_wanted,
	 WANT_DRAINED,
	 {"already_draining", LEVEL_NOTE, "a drain covers it already", NULL}},
	{has_saved_left,
	 0,
	 {"saved_left", LEVEL_NOTE, "it is still being put back after an earlier drain",
	  NULL}},
	{are_dependants_running,
	 0,
	 {"dependants_running", LEVEL_NOTE,
	  "the stop at the deadline fails while services run that depend on it",
	  "stop them before the deadline"}},
	{is_delayed,
	 SCM_FLAG_YES,
	 {"delayed_auto_start", LEVEL_NOTE,
	  "its delayed start is saved and put back with the startup type", NULL}},
	{is_delayed,
	 SCM_FLAG_UNSUPPORTED,
	 {"delayed_unknown", LEVEL_NOTE,
	  "this system does not tell whether its start is delayed; that is left as it is",
	  NULL}},
	{is_fact_unknown,
	 SCM_FACT_DEPENDANTS,
	 {"dependants_unknown", LEVEL_NOTE, "what depends on it is not known", NULL}},
	{is_fact_unknown,
	 SCM_FACT_TRIGGERS,
	 {"triggers_unknown", LEVEL_NOTE, "whether triggers start it is not known",
	  NULL}},
	{is_fact_unknown,
	 SCM_FACT_RECOVERY,
	 {"recovery_unknown", LEVEL_NOTE, "its recovery actions are not known", NULL}},
	{is_fact_unknown,
	 SCM_FACT_POLICY,
	 {"policy_unknown", LEVEL_NOTE,
	  "whether a group policy sets its startup type is not known", NULL}},
	{is_fact_unknown,
	 SCM_FACT_RIGHTS,
	 {"rights_unknown", LEVEL_NOTE, "what poold may do to it is not known", NULL}},
};

static void add_finding(json_t *findings, const struct finding *finding,
			const struct buf *detail)
{
	json_t *text = detail->length
			       ? json_sprintf("%s: %s", finding->text, detail->text)
			       : json_string(finding->text);

	(void)json_array_append_new(findings,
				    json_pack("{ss ss so ss?}", "code", finding->code,
					      "level", level_names[finding->level],
					      "text", text, "remedy", finding->remedy));
}

static json_t *find_in_service(const struct preflight_input *in, bool *is_possible)
{
	json_t *findings = json_array();

	*is_possible = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf detail = {0};

		if (rows[i].applies(in, rows[i].which, &detail)) {
			add_finding(findings, &rows[i].finding, &detail);
			if (rows[i].finding.level == LEVEL_REFUSAL)
				*is_possible = false;
		}
		buf_done(&detail);
	}
	return findings;
}

/* ---- the document ---- */

static json_t *observed_to_json(const struct preflight_input *in)
{
	const struct scm_status *now = &in->status;
	const char *state = service_state_name(state_of(in));

	if (!is_seen(in))
		return json_pack("{ss sn sn sn}", "state", state, "start_type",
				 "delayed_auto_start", "accepts_pause");
	return json_pack("{ss ss so sb}", "state", state, "start_type",
			 start_type_name(now->start_type), "delayed_auto_start",
			 now->delayed_auto_start == SCM_FLAG_UNSUPPORTED
				 ? json_null()
				 : json_boolean(now->delayed_auto_start == SCM_FLAG_YES),
			 "accepts_pause", now->accepts_pause);
}

/* What is not known is null; what is known of it is there all the same. */
static json_t *dependants_to_json(const struct preflight_input *in)
{
	const struct scm_inspection *found = &in->inspection;
	json_t *list;

	if (!found->dependant_count && (!is_seen(in) || in->inspect_error.code ||
					*found->unknown[SCM_FACT_DEPENDANTS]))
		return json_null();
	list = json_array();
	for (size_t i = 0; i < found->dependant_count; i++) {
		const struct scm_dependant *each = &found->dependants[i];
		const char *start_type =
			each->start_type < 0
				? NULL
				: start_type_name((enum start_type)each->start_type);

		(void)json_array_append_new(list,
					    json_pack("{ss ss? ss}", "name", each->name,
						      "start_type", start_type, "state",
						      service_state_name(each->state)));
	}
	return list;
}

static json_t *changes_to_json(const struct preflight_input *in)
{
	const struct scm_status *now = &in->status;
	json_t *changes = json_array();

	if (!is_seen(in))
		return changes;
	if (!in->has_saved)
		(void)json_array_append_new(changes,
					    json_sprintf("save: %s, %s",
							 service_state_name(now->state),
							 startup_text(now)));
	if (is_startup_changed(in))
		(void)json_array_append_new(
			changes, json_sprintf("startup type: %s -> %s", startup_text(now),
					      start_type_name(in->startup)));
	if (now->state == STATE_RUNNING || now->state == STATE_START_PENDING ||
	    now->state == STATE_CONTINUE_PENDING)
		(void)json_array_append_new(changes, json_string("pause"));
	return changes;
}

json_t *preflight_service_to_json(const struct preflight_input *in)
{
	const char *name = in->service->named.name;
	const char *display = in->status.display_name;
	bool is_possible;
	json_t *findings = find_in_service(in, &is_possible);
	json_t *service;

	if (!*display)
		display = in->service->display_name ? in->service->display_name : name;
	service = json_pack("{ss ss sb so so so so}", "name", name, "display_name",
			    display, "possible", is_possible, "observed",
			    observed_to_json(in), "dependants", dependants_to_json(in),
			    "changes", changes_to_json(in), "findings", findings);
	if (in->has_sessions)
		(void)json_object_set_new(
			service, "sessions",
			json_pack("{sb so}", "known", in->is_count_known, "count",
				  in->is_count_known ? json_integer(in->count)
						     : json_null()));
	return service;
}

static json_t *find_in_machine(const struct preflight_machine *machine)
{
	static const struct finding
		reboot = {"reboot_pending", LEVEL_NOTE, "a reboot is pending", NULL},
		unknown = {"reboot_unknown", LEVEL_NOTE,
			   "whether a reboot is pending is not known", NULL},
		agent = {"configuration_agent", LEVEL_WARNING,
			 "a tool that sets startup types back is installed",
			 "see that it leaves these services alone while they are "
			 "drained"};
	json_t *findings = json_array();
	struct buf detail = {0};

	if (machine->reboot_error.code) {
		buf_puts(&detail, machine->reboot_error.text);
		add_finding(findings, &unknown, &detail);
	} else if (machine->reboot) {
		buf_puts(&detail, machine->reboot);
		add_finding(findings, &reboot, &detail);
	}
	buf_done(&detail);
	for (size_t i = 0; i < machine->agent_count; i++) {
		struct buf name = {0};

		buf_puts(&name, machine->agents[i]);
		add_finding(findings, &agent, &name);
		buf_done(&name);
	}
	return findings;
}

json_t *preflight_to_json(const struct preflight_machine *machine, json_t *services)
{
	bool is_possible = true;

	for (size_t i = 0; i < json_array_size(services); i++)
		if (!json_is_true(
			    json_object_get(json_array_get(services, i), "possible")))
			is_possible = false;
	return json_pack("{ss sb so so so}", "server", machine->server, "possible",
			 is_possible, "reboot_pending",
			 machine->reboot_error.code ? json_null()
						    : json_boolean(machine->reboot),
			 "findings", find_in_machine(machine), "services", services);
}
