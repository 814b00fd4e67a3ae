#include "check_pool.h"

#include "dns_view_text.h"
#include "gates_output.h"
#include "output_json.h"
#include "output_text.h"
#include "pool_state.h"
#include "terminal.h"
#include "text.h"

#include <jansson.h>

enum { EXIT_FAULT = 4, EXIT_SEVERAL = 8 };
enum { COLUMNS = 5 };

/* A pool, and which of the survey's targets is its first. */
struct report {
	const struct survey *survey;
	const struct survey_pool *pool;
	size_t first_target;
	unsigned forced;
	bool has_color;
	struct pool_state state;
};

static const char *const state_verdicts[GATE_VERDICT__COUNT] = {
	[GATE_REFUSED] = "fault",
	[GATE_PASSED] = "good",
	[GATE_NOT_ASKED] = "not_asked",
};

/* Where nobody answered, it is not known what the pool is. */
static int exit_status_of(const struct report *report)
{
	const struct survey_pool *pool = report->pool;

	for (size_t i = 0; i < pool->member_count; i++)
		if (pool->members[i].view)
			return report->state.faults ? EXIT_FAULT : 0;
	return err_info(ERR_UNREACHABLE)->exit_status;
}

/* ---- for people ---- */

static const char *dns_word(const struct report *report, size_t i)
{
	const struct dns_view *view = report->pool->dns;

	if (view->verdict == DNS_VIEW_NOT_ASKED)
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

	survey_ask_gates(report->survey, report->first_target + i, gates);
	text_add_count(&sessions, member->sessions);
	gates_summarize(gates, report->forced, &may_leave);
	table_add(table, member->server->named.name, NULL);
	table_add(table, gate_standing_name(member->standing),
		  report->has_color ? text_color(view ? view->phase : PHASE_ATTENTION)
				    : NULL);
	table_add(table, sessions.text, NULL);
	table_add(table, dns_word(report, i), NULL);
	table_add(table, may_leave.text, NULL);
	buf_done(&sessions);
	buf_done(&may_leave);
	gates_done(gates);
}

static void print_members(const struct report *report)
{
	static const char *const headings[COLUMNS] = {"SERVER", "PHASE", "SESSIONS",
						      "DNS", "MAY LEAVE"};
	struct table *table = table_new(COLUMNS);

	for (size_t i = 0; i < COLUMNS; i++)
		table_add(table, headings[i], NULL);
	for (size_t i = 0; i < report->pool->member_count; i++)
		add_row(report, i, table);
	table_print(table);
}

static void print_problems(const struct report *report)
{
	for (size_t i = 0; i < report->pool->member_count; i++) {
		const struct survey_member *member = &report->pool->members[i];

		if (!member->view)
			text_complain("%s: %s", member->server->named.name,
				      member->problem.text);
	}
}

static void print_check(const struct gate_result *result, int check)
{
	static const char *const words[GATE_VERDICT__COUNT] = {
		[GATE_REFUSED] = "fault",
		[GATE_PASSED] = "good",
		[GATE_NOT_ASKED] = "not asked",
	};
	struct buf line = {0};

	buf_printf(&line, "%s: %s: %s", pool_check_name((enum pool_check)check),
		   words[result->verdict], result->text.text);
	text_print(stdout, line.text);
	buf_done(&line);
	if (!result->remedy.text)
		return;
	buf_printf(&line, "  remedy: %s", result->remedy.text);
	text_print(stdout, line.text);
	buf_done(&line);
}

static void print_screen(const struct report *report, bool is_first)
{
	struct buf text = {0};
	size_t faults = report->state.faults;

	if (!is_first)
		text_print(stdout, "");
	buf_printf(&text, "%s\n", report->pool->pool->named.name);
	dns_view_explain(report->pool->dns, &text);
	text_print_lines(stdout, text.text);
	buf_done(&text);
	print_members(report);
	for (int i = 0; i < POOL_CHECK__COUNT; i++)
		print_check(&report->state.results[i], i);
	buf_printf(&text, "%s: ", report->pool->pool->named.name);
	if (faults)
		buf_printf(&text, "%zu fault%s", faults, faults == 1 ? "" : "s");
	else
		buf_puts(&text, "as it should be");
	text_print(stdout, text.text);
	buf_done(&text);
	print_problems(report);
}

/* ---- for programs ---- */

static json_t *describe_checks(const struct pool_state *state)
{
	json_t *list = json_array();

	for (int i = 0; i < POOL_CHECK__COUNT; i++) {
		const struct gate_result *result = &state->results[i];

		(void)json_array_append_new(
			list, json_pack("{s:s, s:s, s:o, s:o}", "check",
					pool_check_name((enum pool_check)i), "verdict",
					state_verdicts[result->verdict], "text",
					gates_text_to_json(&result->text), "remedy",
					gates_text_to_json(&result->remedy)));
	}
	return list;
}

static json_t *in_dns(const struct report *report, size_t i)
{
	const char *word = dns_word(report, i);

	return *word == '-' || *word == '?'
		       ? json_null()
		       : json_boolean(report->pool->standings[i].is_in_dns);
}

static json_t *describe_member(const struct report *report, size_t i)
{
	const struct gate_member *member = &report->pool->standings[i];
	const struct survey_member *seen = &report->pool->members[i];
	const struct server_view *view = seen->view;
	struct gate_result gates[GATE__COUNT];
	char since[CLOCK_TEXT_BYTES];
	json_t *object;

	survey_ask_gates(report->survey, report->first_target + i, gates);
	object = json_pack(
		"{s:s, s:b, s:s, s:s?, s:o, s:o, s:s?, s:s?, s:o, s:b, s:o, s:s?}",
		"server", member->server->named.name, "answers", view != NULL, "standing",
		gate_standing_name(member->standing), "phase",
		view ? phase_name(view->phase) : NULL, "sessions",
		member->sessions < 0 ? json_null() : json_integer(member->sessions),
		"in_dns", in_dns(report, i), "holder", member->holder, "since",
		member->since.is_given ? clock_format(member->since.at, since) : NULL,
		"clock_ahead_ms",
		member->has_clock ? json_integer(member->clock_ahead_ms) : json_null(),
		"may_leave", gates_may_drain(gates, report->forced), "gates",
		gates_describe(gates, report->forced), "message",
		view ? NULL : seen->problem.text);
	gates_done(gates);
	return object;
}

static json_t *describe(const struct report *report)
{
	json_t *members = json_array();

	for (size_t i = 0; i < report->pool->member_count; i++)
		(void)json_array_append_new(members, describe_member(report, i));
	return json_pack(
		"{s:s, s:o, s:o, s:o, s:i}", "pool", report->pool->pool->named.name,
		"dns", dns_view_to_json(report->pool->dns), "servers", members, "checks",
		describe_checks(&report->state), "exit_code", exit_status_of(report));
}

/* ---- all of them ---- */

static int report_one(struct report *report, const struct options *options, json_t *list)
{
	struct gates_input input = survey_input(report->pool);
	int status;

	pool_state_check(&input, report->pool->dns, &report->state);
	status = exit_status_of(report);
	if (options->output == OUTPUT_TABLE)
		print_screen(report, report->first_target == 0);
	else if (list)
		(void)json_array_append_new(list, describe(report));
	else
		output_json(describe(report));
	pool_state_done(&report->state);
	return status;
}

int check_pools(const struct survey *survey, unsigned forced,
		const struct options *options)
{
	json_t *list = options->output == OUTPUT_JSON ? json_array() : NULL;
	struct report report = {
		.survey = survey,
		.forced = forced,
		.has_color = !options->has_no_color && terminal_can_draw(stdout),
	};
	int status = 0;

	for (size_t i = 0; i < survey->pool_count; i++) {
		int one;

		report.pool = &survey->pools[i];
		one = report_one(&report, options, list);
		status = i == 0 || one == status ? one : EXIT_SEVERAL;
		report.first_target += report.pool->member_count;
	}
	if (list)
		output_json(json_pack("{s:o}", "pools", list));
	return status;
}
