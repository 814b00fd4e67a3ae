#include "dry_run.h"

#include "answers.h"
#include "behind_balancer.h"
#include "finding.h"
#include "gates_output.h"
#include "output_json.h"
#include "survey.h"
#include "text.h"
#include "view_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_REFUSED = 4 };

/* In the order in which a person should read them. */
static const char *const levels[] = {"refusal", "warning", "note"};

/* ---- writing ---- */

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void add_findings(const json_t *list, const char *level, const char *service,
			 struct buf *text)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *finding = json_array_get(list, i);
		const char *remedy = text_of(finding, "remedy");

		if (strcmp(text_of(finding, "level"), level) != 0)
			continue;
		buf_printf(text, "  %s: %s%s%s\n", level, service, *service ? ": " : "",
			   text_of(finding, "text"));
		if (remedy)
			buf_printf(text, "    remedy: %s\n", remedy);
	}
}

static void add_state(const json_t *observed, struct buf *text)
{
	buf_puts(text, text_of(observed, "state"));
	view_text_startup(observed, text);
}

static void add_sessions(const json_t *sessions, struct buf *text)
{
	if (json_is_true(json_object_get(sessions, "known")))
		text_add_count(text,
			       json_integer_value(json_object_get(sessions, "count")));
	else
		text_add_count(text, COUNT_UNKNOWN);
	buf_puts(text, " sessions");
}

static void add_service(const json_t *service, struct buf *text)
{
	const json_t *dependants = json_object_get(service, "dependants");
	const json_t *changes = json_object_get(service, "changes");

	buf_printf(text, "  %s (%s): ", text_of(service, "name"),
		   text_of(service, "display_name"));
	add_state(json_object_get(service, "observed"), text);
	buf_puts(text, ", ");
	add_sessions(json_object_get(service, "sessions"), text);
	buf_puts(text, json_array_size(changes) ? "\n" : "; nothing would change\n");
	for (size_t i = 0; i < json_array_size(changes); i++)
		buf_printf(text, "    step: %s\n",
			   json_string_value(json_array_get(changes, i)));
	for (size_t i = 0; i < json_array_size(dependants); i++) {
		const json_t *dependant = json_array_get(dependants, i);

		buf_printf(text, "    needed by %s: ", text_of(dependant, "name"));
		add_state(dependant, text);
		buf_puts(text, "\n");
	}
}

int dry_run_report(const char *server, const json_t *document, struct buf *text,
		   struct err *err)
{
	const json_t *services = json_object_get(document, "services");

	if (answers_check(server, document, err))
		return -1;
	buf_printf(text, "%s: a drain is %spossible\n", server,
		   answers_is_possible(document) ? "" : "not ");
	for (size_t level = 0; level < sizeof(levels) / sizeof(levels[0]); level++) {
		add_findings(json_object_get(document, "findings"), levels[level], "",
			     text);
		for (size_t i = 0; i < json_array_size(services); i++) {
			const json_t *service = json_array_get(services, i);

			add_findings(json_object_get(service, "findings"), levels[level],
				     text_of(service, "name"), text);
		}
	}
	for (size_t i = 0; i < json_array_size(services); i++)
		add_service(json_array_get(services, i), text);
	return 0;
}

static int exit_status_of(const struct finding *finding)
{
	if (!finding->answer->document)
		return finding->answer->problem.exit_status;
	return answers_is_possible(finding->answer->document) &&
			       gates_may_drain(finding->gates, finding->forced)
		       ? 0
		       : EXIT_REFUSED;
}

static json_t *describe(const struct finding *finding)
{
	const struct answer *answer = finding->answer;

	return json_pack("{s:s, s:O?, s:o, s:o, s:i, s:s?}", "server",
			 answer->server->named.name, "preflight", answer->document,
			 "gates", gates_describe(finding->gates, finding->forced),
			 "behind_balancer",
			 behind_balancer_to_json(finding->pool, answer->server),
			 "exit_code", exit_status_of(finding), "message",
			 answer->document ? NULL : answer->problem.text);
}

static void print_table(const struct finding *finding)
{
	const struct answer *answer = finding->answer;
	const char *name = answer->server->named.name;
	struct buf report = {0};

	if (!answer->document) {
		text_complain("%s: %s", name, answer->problem.text);
		return;
	}
	(void)dry_run_report(name, answer->document, &report, NULL);
	text_print_lines(stdout, report.text);
	behind_balancer_print(finding->pool, answer->server);
	gates_print(finding->gates, finding->forced, true);
	buf_done(&report);
}

static const struct finding_report report = {exit_status_of, describe, print_table};

int dry_run_ask(const struct order *order, const struct targets *targets,
		const struct options *options, const struct pool_config *config,
		struct client *client, struct err *err)
{
	const struct survey_question question = {
		.config = config,
		.targets = targets,
		.terms = order->terms,
		.services = order->aim.services,
		.service_count = order->aim.service_count,
		.preflight_ms = CLIENT_TIMEOUT_MS,
	};
	struct survey *survey;
	unsigned forced;
	int status;

	if (gates_forced(options, &forced, err))
		return -1;
	survey = survey_take(&question, client, err);
	if (!survey)
		return -1;
	status = finding_report_all(survey, forced, options->output, &report);
	survey_free(survey);
	return status;
}
