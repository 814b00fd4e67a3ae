/* `poolctl check`: whether a pool is as it should be; or whether a drain of a
 * server is possible and allowed, and fits into the time there is. */
#include "commands/check_pool.h"
#include "commands/commands.h"
#include "commands/server_report.h"
#include "terminal/print.h"
#include "text/json_write.h"

#include <string.h>

static bool is_good(const struct server_report *report)
{
	return preflight_reply_fit(report->preflight) <= FIT_YES;
}

/* A drain that is not possible has no forecast. */
static void describe(const struct server_report *report, json_t *object)
{
	const struct preflight_reply *preflight = report->preflight;
	bool is_possible = preflight && preflight->is_possible;

	json_write_value(object, "possible",
			 preflight ? json_boolean(is_possible) : NULL);
	json_write_text(
		object, "fits",
		preflight ? preflight_reply_fit_name(preflight_reply_fit(preflight))
			  : NULL);
	json_write_copy(object, "forecast",
			is_possible
				? json_object_get(preflight->document, "forecast")
				: NULL);
}

/* "out of service already (…)", whether a drain is possible, or both. */
static void print_verdict(const struct server_report *report)
{
	static const char *const words[FIT__COUNT] = {
		[FIT_NO_DEADLINE] = "a drain is possible",
		[FIT_YES] = "a drain is possible, and fits into the deadline",
		[FIT_NO] =
			"a drain is possible, but does not fit into the deadline",
		[FIT_NOT_KNOWN] = "a drain is possible; unknown whether it fits",
		[FIT_NOT_POSSIBLE] =
			"a drain is not possible (drain --dry-run says why)",
	};
	enum fit fit = preflight_reply_fit(report->preflight);
	struct buf out = {0};

	if (!preflight_reply_tell_out(report->preflight, &out)) {
		if (!server_report_print_obstacle(report))
			print_line(stdout, "%s: %s", report->server->named.name,
				   words[fit]);
	} else
		print_line(stdout, "%s: out of service already (%s)%s%s",
			   report->server->named.name, out.text,
			   fit == FIT_NOT_POSSIBLE ? "; " : "",
			   fit == FIT_NOT_POSSIBLE ? words[fit] : "");
	buf_done(&out);
}

/* What would keep the drain from ever being over. */
static void print_uncounted(const struct preflight_reply *preflight)
{
	for (size_t i = 0; i < preflight->finding_count; i++) {
		const struct preflight_finding *finding = &preflight->findings[i];

		if (finding->service && !strcmp(finding->code, "no_counter"))
			print_line(stdout, "  %s: %s", finding->service,
				   finding->text);
	}
}

static void print(const struct server_report *report)
{
	struct buf forecast = {0};

	print_verdict(report);
	if (!report->preflight->is_possible)
		return;
	preflight_reply_explain(report->preflight, &forecast);
	print_line(stdout, "  %s", forecast.text);
	buf_done(&forecast);
	print_uncounted(report->preflight);
}

/* No name at all means all pools. */
static int find_kind(const struct pool_config *config,
		     const struct options *options, bool *is_about_pools,
		     struct err *err)
{
	size_t pools = 0, count = options->given.words.count - 1;

	for (size_t i = 1; i <= count; i++)
		pools += pool_find(config, options->given.words.items[i]) != NULL;
	*is_about_pools = pools == count;
	if (pools && pools < count)
		return err_set(err, ERR_USAGE,
			       "'check' takes pools or servers, not both at once");
	if (options->is_nagios && !*is_about_pools)
		return err_set(err, ERR_USAGE, "--nagios is for a check of pools");
	if (options->is_nagios && options->output != OUTPUT_TABLE)
		return err_set(err, ERR_USAGE,
			       "--nagios has its own format: leave out -o");
	if (*is_about_pools && options->deadline_ms >= 0)
		return err_set(
			err, ERR_USAGE,
			"--deadline is for a check of servers, not of pools");
	return 0;
}

int command_check(const struct options *options, const struct pool_config *config,
		  struct err *err)
{
	static const struct server_report_kind kind = {
		.is_good = is_good, .describe = describe, .print = print};
	struct drain_targets targets;
	bool is_about_pools;
	int ret = -1;

	if (find_kind(config, options, &is_about_pools, err))
		return -1;
	if (!drain_targets_find(config, options, NULL, &targets, err))
		ret = is_about_pools ? check_pools(config, &targets, options, err)
				     : server_report_all(&kind, config, &targets,
							 options, err);
	drain_targets_done(&targets);
	return ret;
}
