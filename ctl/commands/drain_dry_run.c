#include "commands/drain_dry_run.h"

#include "api/view_text.h"
#include "terminal/print.h"
#include "text/json_write.h"
#include "text/text.h"

static void add_findings(const struct preflight_reply *preflight,
			 enum preflight_level level, struct buf *text)
{
	for (size_t i = 0; i < preflight->finding_count; i++) {
		const struct preflight_finding *finding = &preflight->findings[i];

		if (finding->level != level)
			continue;
		buf_printf(text, "  %s: %s%s%s\n",
			   preflight_reply_level_name(level),
			   finding->service ? finding->service : "",
			   finding->service ? ": " : "", finding->text);
		if (finding->remedy)
			buf_printf(text, "    remedy: %s\n", finding->remedy);
	}
}

static void add_state(const struct preflight_state *is, struct buf *text)
{
	buf_puts(text, is->state);
	view_text_startup(is->start_type, is->is_delayed, text);
}

static void add_service(const struct preflight_service *service, struct buf *text)
{
	buf_printf(text, "  %s (%s): ", service->is.name, service->display_name);
	add_state(&service->is, text);
	buf_puts(text, ", ");
	text_add_count(text, service->sessions);
	buf_puts(text, " sessions");
	buf_puts(text, service->change_count ? "\n" : "; nothing would change\n");
	for (size_t i = 0; i < service->change_count; i++)
		buf_printf(text, "    step: %s\n", service->changes[i]);
	for (size_t i = 0; i < service->dependant_count; i++) {
		buf_printf(text, "    needed by %s: ", service->dependants[i].name);
		add_state(&service->dependants[i], text);
		buf_puts(text, "\n");
	}
}

void drain_dry_run_explain(const struct preflight_reply *preflight,
			   struct buf *text)
{
	for (int level = 0; level < PREFLIGHT_LEVEL__COUNT; level++)
		add_findings(preflight, (enum preflight_level)level, text);
	for (size_t i = 0; i < preflight->service_count; i++)
		add_service(&preflight->services[i], text);
}

/* ---- for a server's report ---- */

static bool is_good(const struct server_report *report)
{
	return report->preflight->is_possible;
}

static void describe(const struct server_report *report, json_t *object)
{
	json_write_copy(object, "preflight",
			report->preflight ? report->preflight->document : NULL);
}

static void print(const struct server_report *report)
{
	struct buf text = {0};

	if (!server_report_print_obstacle(report))
		print_line(stdout, "%s: a drain is %spossible",
			   report->server->named.name,
			   report->preflight->is_possible ? "" : "not ");
	drain_dry_run_explain(report->preflight, &text);
	print_lines(stdout, text.text);
	buf_done(&text);
}

const struct server_report_kind drain_dry_run_kind = {
	.is_good = is_good,
	.describe = describe,
	.print = print,
	.has_all_gates = true,
};
