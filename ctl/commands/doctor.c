/* `poolctl doctor`: whether poolctl can work from this machine, and with which
 * role; one line for each server. */
#include "api/exchange.h"
#include "api/view_text.h"
#include "commands/commands.h"
#include "exit_status.h"
#include "gates/gate.h"
#include "line/config.h"
#include "line/targets.h"
#include "mem.h"
#include "show/output.h"
#include "terminal/print.h"
#include "text/json_write.h"

#include <stdlib.h>

struct patient {
	struct exchange view, caller;
	struct buf findings;
	int exit_status;
};

/* ---- asking ---- */

/* Who does not tell its state, need not be asked more. */
static void ask_caller(void *context)
{
	const struct request caller = {.kind = REQUEST_CALLER};
	struct patient *patient = context;

	if (patient->view.view)
		exchange_send(&patient->caller, &caller, patient->view.client);
}

/* With all the time that a drain has too: slow is not unreachable. */
static int ask(struct patient *patients, size_t count, struct err *err)
{
	const struct request view = {.kind = REQUEST_VIEW};
	struct exchange **exchanges = xcalloc(count, sizeof(*exchanges));
	int ret;

	for (size_t i = 0; i < count; i++)
		exchanges[i] = &patients[i].view;
	ret = exchange_ask_all(exchanges, count, &view, err);
	free(exchanges);
	return ret;
}

/* ---- judging ---- */

static void add_clock(const struct exchange *exchange, struct buf *findings)
{
	int64_t ahead_ms = exchange->clock_ahead_ms;
	struct buf text = {0};

	if (llabs(ahead_ms) <= GATE_CLOCK_LIMIT_MS)
		return;
	buf_printf(&text,
		   "its clock is %lld s %s the clock of this machine; mend the one "
		   "that is wrong",
		   llabs(ahead_ms) / 1000, ahead_ms > 0 ? "ahead of" : "behind");
	buf_join(findings, "; ", &text);
}

static void add_certificate(const struct server_view *view, struct buf *findings)
{
	struct buf soon = {0}, text = {0};

	if (view_text_certificate(view->certificate_expires_at, clock_wall(),
				  &soon))
		buf_printf(&text,
			   "its certificate %s; renew it there, poold uses the new "
			   "files by itself",
			   soon.text);
	buf_join(findings, "; ", &text);
	buf_done(&soon);
}

static void add_config(const struct server_view *view, struct buf *findings)
{
	struct buf services = {0}, pool = {0}, text = {0};

	view_text_other_config(&view->other_services, &services);
	view_text_other_config(&view->other_pool, &pool);
	buf_join(findings, "; ", &services);
	buf_join(findings, "; ", &pool);
	if (view->config_problem)
		buf_printf(&text, "poold does not use its files: %s",
			   view->config_problem);
	buf_join(findings, "; ", &text);
}

/* A poold that does not know the question is older, and does all the rest. */
static void judge(struct patient *patient)
{
	const struct exchange *view = &patient->view, *caller = &patient->caller;

	if (!view->view) {
		buf_puts(&patient->findings, view->problem.text);
		patient->exit_status = view->problem.exit_status;
		return;
	}
	add_clock(view, &patient->findings);
	add_certificate(view->view, &patient->findings);
	add_config(view->view, &patient->findings);
	patient->exit_status =
		patient->findings.length ? EXIT_REFUSED : EXIT_REACHED;
	if (!caller->caller && caller->problem.code != ERR_UNKNOWN_PATH) {
		buf_printf(&patient->findings, "%s%s",
			   patient->findings.length ? "; " : "",
			   caller->problem.text);
		patient->exit_status = caller->problem.exit_status;
	}
}

/* ---- telling ---- */

static const char *hint(const struct patient *patient, const char *name)
{
	return reply_read_hint(patient->caller.caller, name);
}

/* "role operator by token 'ci' from POOLCTL_TOKEN" */
static void add_role(const struct patient *patient, struct buf *text)
{
	const char *role = hint(patient, "role"), *name = hint(patient, "name");
	const char *credential = hint(patient, "credential");

	buf_printf(text, "role %s", role ? role : "unknown");
	if (credential)
		buf_printf(text, " by %s", credential);
	if (name)
		buf_printf(text, " '%s'", name);
	if (name && *patient->view.used.source)
		buf_printf(text, " from %s", patient->view.used.source);
}

static void add_transport(const struct patient *patient, struct buf *text)
{
	struct moment ends = patient->view.view->certificate_expires_at;
	char end[CLOCK_TEXT_BYTES];

	if (ends.is_given)
		buf_printf(text, ", certificate good until %s",
			   clock_print(ends.at, end));
	else
		buf_puts(text, ", no TLS");
}

static void print(const void *entry)
{
	const struct patient *patient = entry;
	struct buf text = {0};

	buf_printf(&text, "%s: %s", patient->view.server->named.name,
		   patient->exit_status ? "fault" : "good");
	if (patient->view.view) {
		buf_puts(&text, ": ");
		add_role(patient, &text);
		add_transport(patient, &text);
	}
	if (patient->findings.length)
		buf_printf(&text, ": %s", patient->findings.text);
	print_line(stdout, "%s", text.text);
	buf_done(&text);
}

static json_t *describe(const void *entry)
{
	const struct patient *patient = entry;
	const struct server_view *view = patient->view.view;
	json_t *object = json_object();
	char end[CLOCK_TEXT_BYTES];
	bool has_end = view && view->certificate_expires_at.is_given;

	json_write_text(object, "server", patient->view.server->named.name);
	json_write_text(object, "url", patient->view.server->url);
	json_write_flag(object, "answers", view != NULL);
	json_write_text(object, "role", hint(patient, "role"));
	json_write_text(object, "credential", hint(patient, "credential"));
	json_write_text(object, "name", hint(patient, "name"));
	json_write_text(object, "source",
			*patient->view.used.source ? patient->view.used.source
						   : NULL);
	json_write_text(object, "certificate_expires_at",
			has_end ? clock_format(view->certificate_expires_at.at, end)
				: NULL);
	json_write_value(object, "clock_ahead_ms",
			 view ? json_integer(patient->view.clock_ahead_ms) : NULL);
	json_write_number(object, "exit_code", patient->exit_status);
	json_write_text(object, "message", patient->findings.text);
	return object;
}

/* ---- all of it ---- */

static void print_file(const struct options *options)
{
	char standard[HOST_PATH_BYTES];

	if (options->output == OUTPUT_TABLE)
		print_line(stdout, "%s: good", config_path(options, standard));
}

static int tell(struct patient *patients, size_t count,
		const struct options *options)
{
	static const struct output_kind kind = {.describe = describe,
						.print = print};
	struct output output;
	int status = 0;

	output_begin(&output, &kind, options, false);
	for (size_t i = 0; i < count; i++) {
		judge(&patients[i]);
		output_entry(&output, &patients[i]);
		status = i ? exit_status_combine(status, patients[i].exit_status)
			   : patients[i].exit_status;
	}
	output_end(&output);
	return status;
}

static struct patient *list_patients(const struct targets *targets)
{
	struct patient *patients = xcalloc(targets->count, sizeof(*patients));

	for (size_t i = 0; i < targets->count; i++)
		patients[i] = (struct patient){
			.view = {.server = targets->servers[i],
				 .on_over = ask_caller,
				 .context = &patients[i]},
			.caller.server = targets->servers[i],
		};
	return patients;
}

int command_doctor(const struct options *options, const struct pool_config *config,
		   struct err *err)
{
	struct targets targets;
	struct patient *patients;
	int ret = -1;

	if (targets_find(config, options, NULL, &targets, err)) {
		targets_done(&targets);
		return -1;
	}
	patients = list_patients(&targets);
	if (!ask(patients, targets.count, err)) {
		print_file(options);
		ret = tell(patients, targets.count, options);
	}
	for (size_t i = 0; i < targets.count; i++) {
		exchange_done(&patients[i].view);
		exchange_done(&patients[i].caller);
		buf_done(&patients[i].findings);
	}
	free(patients);
	targets_done(&targets);
	return ret;
}
