#include "commands/server_report.h"

#include "api/view_text.h"
#include "exit_status.h"
#include "show/behind_balancer.h"
#include "show/gate_output.h"
#include "show/output.h"
#include "terminal/print.h"
#include "text/json_write.h"

/* ---- one server ---- */

static bool has_other_services(const struct server_report *report)
{
	return report->view && report->view->other_services.length;
}

static json_t *describe(const void *entry)
{
	struct buf other = {0};
	const struct server_report *report = entry;
	json_t *object = json_object();

	json_write_text(object, "server", report->server->named.name);
	report->kind->describe(report, object);
	json_write_value(object, "gates",
			 gate_output_to_json(report->gates, report->forced));
	json_write_value(object, "behind_balancer",
			 behind_balancer_to_json(report->pool, report->server));
	json_write_number(object, "exit_code", report->exit_status);
	if (has_other_services(report))
		view_text_other_config(&report->view->other_services, &other);
	json_write_text(object, "message",
			report->preflight ? other.text : report->problem->text);
	buf_done(&other);
	return object;
}

static void print(const void *entry)
{
	const struct server_report *report = entry;
	struct buf other = {0}, rest = {0};

	if (!report->preflight) {
		print_complaint("%s: %s", report->server->named.name,
				report->problem->text);
		return;
	}
	if (report->view) {
		view_text_other_config(&report->view->other_services, &other);
		view_text_other_config(&report->view->other_pool, &rest);
	}
	buf_join(&other, "; ", &rest);
	if (other.length)
		print_complaint("%s: %s", report->server->named.name, other.text);
	buf_done(&other);
	report->kind->print(report);
	behind_balancer_print(report->pool, report->server);
	gate_output_print(report->gates, report->forced,
			  report->kind->has_all_gates);
}

static bool needs_attention(const struct server_report *report)
{
	return report->view && report->view->phase == PHASE_ATTENTION;
}

static void print_attention(const struct server_report *report)
{
	struct buf text = {0};

	for (size_t i = 0; i < report->view->service_count; i++) {
		const struct service_view *service = &report->view->services[i];

		if (service->phase == PHASE_ATTENTION)
			buf_printf(&text, "; %s: %s", service->name,
				   service->message);
	}
	print_line(stdout, "%s: needs attention%s", report->server->named.name,
		   text.text ? text.text : "");
	buf_done(&text);
}

bool server_report_print_obstacle(const struct server_report *report)
{
	bool is_refused = report->preflight->is_possible &&
			  !gate_may_drain(report->gates, report->forced);
	struct buf refusing = {0};

	if (needs_attention(report)) {
		print_attention(report);
	} else if (is_refused) {
		gate_output_list_refusing(report->gates, report->forced, &refusing);
		print_line(stdout, "%s: a drain is refused by the gates: %s",
			   report->server->named.name, refusing.text);
	}
	buf_done(&refusing);
	return needs_attention(report) || is_refused;
}

static int exit_status_of(const struct server_report *report)
{
	if (!report->preflight)
		return report->problem->exit_status;
	if (needs_attention(report))
		return EXIT_NOT_VERIFIED;
	return report->kind->is_good(report) && !has_other_services(report) &&
			       gate_may_drain(report->gates, report->forced)
		       ? EXIT_REACHED
		       : EXIT_REFUSED;
}

/* ---- all of them ---- */

static int report_one(const struct server_report_kind *kind,
		      const struct drain_targets *targets, size_t i,
		      struct output *output)
{
	const struct exchange *exchange = &targets->snapshot->preflights[i];
	const struct pool_snapshot_target *target = &targets->snapshot->targets[i];
	struct server_report report = {
		.kind = kind,
		.server = exchange->server,
		.preflight = exchange->preflight,
		.view = target->pool->members[target->member].view,
		.problem = &exchange->problem,
		.forced = targets->forced,
	};

	(void)pool_find_server(targets->question.config, report.server->named.name,
			       &report.pool);
	pool_snapshot_ask_gates(targets->snapshot, i, report.gates);
	report.exit_status = exit_status_of(&report);
	output_entry(output, &report);
	gate_done(report.gates);
	return report.exit_status;
}

int server_report_all(const struct server_report_kind *kind,
		      const struct pool_config *config,
		      struct drain_targets *targets, const struct options *options,
		      struct err *err)
{
	static const struct output_kind server_report_output = {
		.describe = describe, .print = print};
	struct output output;
	int status = 0;

	if (drain_targets_survey(config, CLIENT_TIMEOUT_MS, targets, err))
		return -1;
	output_begin(&output, &server_report_output, options, false);
	for (size_t i = 0; i < targets->targets.count; i++) {
		int one = report_one(kind, targets, i, &output);

		status = i ? exit_status_combine(status, one) : one;
	}
	output_end(&output);
	return status;
}
