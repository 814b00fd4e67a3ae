/* `poolctl check`: whether a pool is as it should be; whether a drain of a server is
 * possible, fits into the time there is, and may be. */
#include "commands.h"

#include "answers.h"
#include "behind_balancer.h"
#include "check_pool.h"
#include "finding.h"
#include "gates_output.h"
#include "mem.h"
#include "output_json.h"
#include "survey.h"
#include "targets.h"
#include "terms.h"
#include "text.h"

#include <stdlib.h>

enum { EXIT_REFUSED = 4 };

static enum fit fit_of(const struct finding *finding)
{
	return answers_fit(finding->answer->document, finding->terms->deadline_ms > 0);
}

/* Only what is possible, sure enough and allowed is good. */
static int exit_status_of(const struct finding *finding)
{
	if (!finding->answer->document)
		return finding->answer->problem.exit_status;
	return fit_of(finding) <= FIT_YES &&
			       gates_may_drain(finding->gates, finding->forced)
		       ? 0
		       : EXIT_REFUSED;
}

/* What cannot be has no forecast. */
static json_t *describe(const struct finding *finding)
{
	const struct answer *answer = finding->answer;
	const char *name = answer->server->named.name;
	int status = exit_status_of(finding);
	bool is_possible = answers_is_possible(answer->document);
	json_t *gates = gates_describe(finding->gates, finding->forced);
	json_t *behind = behind_balancer_to_json(finding->pool, answer->server);

	if (!answer->document)
		return json_pack("{s:s, s:n, s:n, s:n, s:o, s:o, s:i, s:s}", "server",
				 name, "possible", "fits", "forecast", "gates", gates,
				 "behind_balancer", behind, "exit_code", status,
				 "message", answer->problem.text);
	return json_pack(
		"{s:s, s:b, s:s, s:O?, s:o, s:o, s:i, s:n}", "server", name, "possible",
		is_possible, "fits", answers_fit_name(fit_of(finding)), "forecast",
		is_possible ? json_object_get(answer->document, "forecast") : NULL,
		"gates", gates, "behind_balancer", behind, "exit_code", status,
		"message");
}

static void add_verdict(const struct finding *finding, struct buf *line)
{
	static const char *const words[FIT__COUNT] = {
		[FIT_NO_DEADLINE] = "a drain is possible",
		[FIT_YES] = "a drain is possible, and fits",
		[FIT_NO] = "a drain is possible, and does not fit",
		[FIT_NOT_KNOWN] = "a drain is possible; whether it fits is not known",
		[FIT_NOT_POSSIBLE] = "a drain is not possible; drain --dry-run says why",
	};
	const struct answer *answer = finding->answer;
	struct buf out = {0};

	if (answers_tell_out(answer->document, &out))
		buf_printf(line, "out of service already (%s)%s", out.text,
			   answers_is_possible(answer->document) ? "" : "; ");
	if (!out.length || !answers_is_possible(answer->document))
		buf_puts(line, words[fit_of(finding)]);
	buf_done(&out);
}

static void print_table(const struct finding *finding)
{
	const struct answer *answer = finding->answer;
	const char *name = answer->server->named.name;
	struct buf line = {0};

	if (!answer->document) {
		text_complain("%s: %s", name, answer->problem.text);
		return;
	}
	buf_printf(&line, "%s: ", name);
	add_verdict(finding, &line);
	text_print(stdout, line.text);
	buf_done(&line);
	if (answers_is_possible(answer->document)) {
		buf_puts(&line, "  ");
		answers_explain(answer->document, &line);
		text_print(stdout, line.text);
		buf_done(&line);
	}
	behind_balancer_print(finding->pool, answer->server);
	gates_print(finding->gates, finding->forced, false);
}

static const struct finding_report report = {exit_status_of, describe, print_table};

static int check(struct survey_question *question, bool is_about_pools,
		 const struct options *options, struct err *err)
{
	struct client *client = NULL;
	struct survey *survey = NULL;
	unsigned forced;
	int status = -1;

	if (gates_forced(options, &forced, err))
		return -1;
	client = client_new(err);
	if (client)
		survey = survey_take(question, client, err);
	if (survey)
		status = is_about_pools ? check_pools(survey, forced, options)
					: finding_report_all(survey, forced,
							     options->output, &report);
	survey_free(survey);
	client_free(client);
	return status;
}

/* No name at all means all pools. */
static int find_kind(const struct pool_config *config, const struct options *options,
		     bool *is_about_pools, struct err *err)
{
	size_t pools = 0, count = options->words.count - 1;

	for (size_t i = 1; i <= count; i++)
		pools += pool_find(config, options->words.items[i]) != NULL;
	*is_about_pools = pools == count;
	if (pools && pools < count)
		return err_set(err, ERR_USAGE,
			       "'check' takes pools or servers, not both at once");
	if (*is_about_pools && options->deadline_ms >= 0)
		return err_set(err, ERR_USAGE, "--deadline is for a check of servers");
	return 0;
}

int command_check(const struct options *options, const struct pool_config *config,
		  struct err *err)
{
	const char **services = NULL;
	struct terms *terms = NULL;
	struct targets targets = {0};
	bool is_about_pools;
	int ret = -1;

	if (find_kind(config, options, &is_about_pools, err) ||
	    targets_find(config, options, NULL, &targets, err))
		goto out;
	services = targets_spell_services(config, &targets, options, err);
	terms = terms_find(config, &targets, options, err);
	if (services && terms) {
		struct survey_question question = {
			.config = config,
			.targets = &targets,
			.terms = terms,
			.services = services,
			.service_count = options->services.count,
			.preflight_ms =
				is_about_pools ? SURVEY_LIMIT_MS : CLIENT_TIMEOUT_MS,
		};

		ret = check(&question, is_about_pools, options, err);
	}
out:
	targets_done(&targets);
	free(terms);
	free(services);
	return ret;
}
