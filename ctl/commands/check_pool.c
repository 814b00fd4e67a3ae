#include "commands/check_pool.h"

#include "api/view_text.h"
#include "exit_status.h"
#include "gates/pool_state.h"
#include "show/dns_view_text.h"
#include "show/gate_output.h"
#include "show/nagios.h"
#include "show/output.h"
#include "terminal/print.h"
#include "text/json_write.h"
#include "text/text.h"

/* A pool, and which of the snapshot's targets is its first server. */
struct report {
	const struct pool_snapshot *snapshot;
	const struct pool_snapshot_pool *pool;
	size_t first_target;
	unsigned forced;
	struct table_style style;
	struct pool_state state;
};

static const char *const state_verdicts[GATE_VERDICT__COUNT] = {
	[GATE_REFUSED] = "fault",
	[GATE_PASSED] = "good",
	[GATE_NOT_ASKED] = "not_asked",
};

/* If no server answered, the state of the pool is unknown. */
static int exit_status_of(const struct report *report)
{
	const struct pool_snapshot_pool *pool = report->pool;

	for (size_t i = 0; i < pool->member_count; i++)
		if (pool->members[i].view)
			return report->state.faults ? EXIT_REFUSED : EXIT_REACHED;
	return EXIT_UNREACHABLE;
}

/* ---- for people ---- */

static const char *dns_word(const struct report *report, size_t i)
{
	const struct dns_view *view = report->pool->dns;

	if (view->balance == DNS_VIEW_NOT_ASKED)
		return "-";
	if (report->pool->standings[i].is_in_dns)
		return "in";
	for (size_t r = 0; r < view->resolver_count; r++)
		if (view->servers[i].ttl_s[r] == DNS_TTL_ABSENT)
			return "missing";
	return "?";
}

static void add_row(const struct report *report, size_t i, struct table *table)
{
	const struct gate_member *member = &report->pool->standings[i];
	const struct server_view *view = report->pool->members[i].view;
	struct gate_result gates[GATE__COUNT];
	struct buf sessions = {0}, may_leave = {0};

	pool_snapshot_ask_gates(report->snapshot, report->first_target + i, gates);
	text_add_count(&sessions, member->sessions);
	gate_output_summarize(gates, report->forced, &may_leave);
	table_add(table, member->server->named.name);
	table_printf(table, print_color(view ? view->phase : PHASE_ATTENTION), "%s",
		     gate_standing_name(member->standing));
	table_add(table, sessions.text);
	table_add(table, dns_word(report, i));
	table_add(table, may_leave.text);
	buf_done(&sessions);
	buf_done(&may_leave);
	gate_done(gates);
}

static void print_members(const struct report *report)
{
	static const char *const headings[] = {"SERVER", "PHASE",     "SESSIONS",
					       "DNS",    "MAY LEAVE", NULL};
	struct table *table = table_new(headings, report->style);

	for (size_t i = 0; i < report->pool->member_count; i++)
		add_row(report, i, table);
	table_print(table);
}

static void complain_of_members(const struct report *report)
{
	for (size_t i = 0; i < report->pool->member_count; i++) {
		const struct exchange *member = &report->pool->members[i];
		struct buf other = {0};

		if (!member->view)
			buf_puts(&other, member->problem.text);
		else
			view_text_other_config(&member->view->other_pool, &other);
		if (other.length)
			print_complaint("%s: %s", member->server->named.name,
					other.text);
		buf_done(&other);
	}
}

static void print_check(const struct gate_result *result, int check)
{
	static const char *const words[GATE_VERDICT__COUNT] = {
		[GATE_REFUSED] = "fault",
		[GATE_PASSED] = "good",
		[GATE_NOT_ASKED] = "not asked",
	};

	print_line(stdout, "%s: %s: %s",
		   pool_state_check_name((enum pool_state_check)check),
		   words[result->verdict], result->text.text);
	if (result->remedy.text)
		print_line(stdout, "  remedy: %s", result->remedy.text);
}

static const char *title_of(const void *entry)
{
	const struct report *report = entry;

	return report->pool->pool->named.name;
}

static void print(const void *entry)
{
	const struct report *report = entry;
	size_t faults = report->state.faults;
	struct buf dns = {0};

	dns_view_text_explain(report->pool->dns, &dns);
	print_lines(stdout, dns.text);
	buf_done(&dns);
	print_members(report);
	for (int i = 0; i < POOL_CHECK__COUNT; i++)
		print_check(&report->state.results[i], i);
	if (faults)
		print_line(stdout, "%s: %zu fault%s", title_of(report), faults,
			   faults == 1 ? "" : "s");
	else
		print_line(stdout, "%s: as it should be", title_of(report));
	complain_of_members(report);
}

/* ---- for programs ---- */

static json_t *describe_checks(const struct pool_state *state)
{
	json_t *list = json_array();

	for (int i = 0; i < POOL_CHECK__COUNT; i++) {
		const struct gate_result *result = &state->results[i];
		json_t *object = json_object();

		json_write_text(object, "check",
				pool_state_check_name((enum pool_state_check)i));
		json_write_text(object, "verdict", state_verdicts[result->verdict]);
		gate_output_write_texts(result, object);
		json_write_item(list, object);
	}
	return list;
}

static json_t *in_dns(const struct report *report, size_t i)
{
	const char *word = dns_word(report, i);

	return *word == '-' || *word == '?'
		       ? NULL
		       : json_boolean(report->pool->standings[i].is_in_dns);
}

static json_t *describe_member(const struct report *report, size_t i)
{
	const struct gate_member *member = &report->pool->standings[i];
	const struct exchange *exchange = &report->pool->members[i];
	const struct server_view *view = exchange->view;
	struct gate_result gates[GATE__COUNT];
	char since[CLOCK_TEXT_BYTES];
	json_t *object = json_object();

	pool_snapshot_ask_gates(report->snapshot, report->first_target + i, gates);
	json_write_text(object, "server", member->server->named.name);
	json_write_flag(object, "answers", view != NULL);
	json_write_text(object, "standing", gate_standing_name(member->standing));
	json_write_text(object, "phase", view ? api_phases[view->phase] : NULL);
	json_write_count(object, "sessions", member->sessions);
	json_write_value(object, "in_dns", in_dns(report, i));
	json_write_text(object, "holder", member->holder);
	json_write_text(object, "since",
			member->since.is_given
				? clock_format(member->since.at, since)
				: NULL);
	json_write_value(object, "clock_ahead_ms",
			 member->has_clock ? json_integer(member->clock_ahead_ms)
					   : NULL);
	json_write_flag(object, "may_leave", gate_may_drain(gates, report->forced));
	json_write_value(object, "gates",
			 gate_output_to_json(gates, report->forced));
	json_write_text(object, "message", view ? NULL : exchange->problem.text);
	gate_done(gates);
	return object;
}

static json_t *describe(const void *entry)
{
	const struct report *report = entry;
	json_t *object = json_object(), *members = json_array();

	for (size_t i = 0; i < report->pool->member_count; i++)
		json_write_item(members, describe_member(report, i));
	json_write_text(object, "pool", title_of(report));
	json_write_value(object, "dns", dns_view_text_to_json(report->pool->dns));
	json_write_value(object, "servers", members);
	json_write_value(object, "checks", describe_checks(&report->state));
	json_write_number(object, "exit_code", exit_status_of(report));
	return object;
}

/* ---- all of them ---- */

/* For Nagios, all pools take one line. */
static int report_nagios(struct report *report)
{
	struct nagios line = {0};

	for (size_t i = 0; i < report->snapshot->pool_count; i++) {
		struct gate_input input;

		report->pool = &report->snapshot->pools[i];
		input = pool_snapshot_input(report->pool);
		pool_state_check(&input, report->pool->dns, &report->state);
		nagios_add(&line, report->pool, &report->state);
		pool_state_done(&report->state);
	}
	return nagios_print(&line);
}

static int report_one(struct report *report, struct output *output)
{
	struct gate_input input = pool_snapshot_input(report->pool);
	int status;

	pool_state_check(&input, report->pool->dns, &report->state);
	status = exit_status_of(report);
	output_entry(output, report);
	pool_state_done(&report->state);
	return status;
}

int check_pools(const struct pool_config *config, struct drain_targets *targets,
		const struct options *options, struct err *err)
{
	static const struct output_kind kind = {.list = "pools",
						.title = title_of,
						.print = print,
						.describe = describe};
	struct report report = {.forced = targets->forced};
	struct output output;
	int status = 0;

	if (drain_targets_survey(config, POOL_SNAPSHOT_LIMIT_MS, targets, err))
		return -1;
	report.snapshot = targets->snapshot;
	if (options->is_nagios)
		return report_nagios(&report);
	output_begin(&output, &kind, options, false);
	report.style = output.style;
	for (size_t i = 0; i < targets->snapshot->pool_count; i++) {
		int one;

		report.pool = &targets->snapshot->pools[i];
		one = report_one(&report, &output);
		status = i ? exit_status_combine(status, one) : one;
		report.first_target += report.pool->member_count;
	}
	output_end(&output);
	return status;
}
