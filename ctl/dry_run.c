#include "dry_run.h"

#include "answers.h"
#include "output_json.h"
#include "text.h"
#include "view_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_REFUSED = 4, EXIT_SEVERAL = 8 };

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

static int exit_status_of(const struct answer *answer)
{
	if (!answer->document)
		return answer->problem.exit_status;
	return answers_is_possible(answer->document) ? 0 : EXIT_REFUSED;
}

static json_t *describe(const struct answer *answer)
{
	const char *name = answer->server->named.name;

	if (!answer->document)
		return json_pack("{s:s, s:n, s:i, s:s}", "server", name, "preflight",
				 "exit_code", answer->problem.exit_status, "message",
				 answer->problem.text);
	return json_pack("{s:s, s:O}", "server", name, "preflight", answer->document);
}

static void print_table(const struct answer *answer)
{
	const char *name = answer->server->named.name;
	struct buf report = {0};

	if (!answer->document) {
		text_complain("%s: %s", name, answer->problem.text);
		return;
	}
	(void)dry_run_report(name, answer->document, &report, NULL);
	for (char *line = report.text, *end; *line; line = end) {
		end = line + strcspn(line, "\n");
		*end++ = '\0';
		text_print(stdout, line);
	}
	buf_done(&report);
}

static void print(const struct answer *answers, size_t count, int output)
{
	json_t *list = output == OUTPUT_JSON ? json_array() : NULL;

	for (size_t i = 0; i < count; i++) {
		if (output == OUTPUT_TABLE)
			print_table(&answers[i]);
		else if (list)
			(void)json_array_append_new(list, describe(&answers[i]));
		else
			output_json(describe(&answers[i]));
	}
	if (list)
		output_json(list);
}

int dry_run_ask(const struct order *order, const struct targets *targets,
		const struct options *options, struct client *client)
{
	struct answer *answers =
		answers_ask(targets, order->terms, order->aim.services,
			    order->aim.service_count, CLIENT_TIMEOUT_MS, client);
	int status = 0;

	print(answers, targets->count, options->output);
	for (size_t i = 0; i < targets->count; i++) {
		int one = exit_status_of(&answers[i]);

		status = i == 0 || one == status ? one : EXIT_SEVERAL;
	}
	answers_free(answers, targets->count);
	return status;
}
