#include "dry_run.h"

#include "mem.h"
#include "output_json.h"
#include "text.h"
#include "view_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_REFUSED = 4, EXIT_SEVERAL = 8, RUN_MS = 1000 };

/* What one server answered: a document, or a problem. */
struct answer {
	const struct pool_server *server;
	json_t *document;
	struct buf report;
	struct problem problem;
};

/* In the order in which a person should read them. */
static const char *const levels[] = {"refusal", "warning", "note"};

/* ---- reading: what is printed below is there, and of its type ---- */

static bool is_text(const json_t *object, const char *key)
{
	return json_is_string(json_object_get(object, key));
}

static bool is_text_or_null(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_string(value) || json_is_null(value);
}

static bool is_flag(const json_t *object, const char *key)
{
	return json_is_boolean(json_object_get(object, key));
}

static bool is_level(const char *level)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (level && !strcmp(level, levels[i]))
			return true;
	return false;
}

static bool is_finding(const json_t *finding)
{
	return is_level(json_string_value(json_object_get(finding, "level"))) &&
	       is_text(finding, "code") && is_text(finding, "text") &&
	       is_text_or_null(finding, "remedy");
}

static bool is_dependant(const json_t *dependant)
{
	return is_text(dependant, "name") && is_text_or_null(dependant, "start_type") &&
	       is_text(dependant, "state");
}

static bool is_change(const json_t *change)
{
	return json_is_string(change);
}

/* True if it is a list, and all of it is good. */
static bool is_list(const json_t *object, const char *key,
		    bool (*is_good)(const json_t *item))
{
	const json_t *list = json_object_get(object, key);

	for (size_t i = 0; i < json_array_size(list); i++)
		if (!is_good(json_array_get(list, i)))
			return false;
	return json_is_array(list);
}

static bool is_service(const json_t *service)
{
	const json_t *observed = json_object_get(service, "observed");
	const json_t *sessions = json_object_get(service, "sessions");

	return is_text(service, "name") && is_text(service, "display_name") &&
	       is_flag(service, "possible") && is_text(observed, "state") &&
	       is_text_or_null(observed, "start_type") && is_flag(sessions, "known") &&
	       (json_is_false(json_object_get(sessions, "known")) ||
		json_is_integer(json_object_get(sessions, "count"))) &&
	       is_list(service, "dependants", is_dependant) &&
	       is_list(service, "changes", is_change) &&
	       is_list(service, "findings", is_finding);
}

static int check(const char *server, const json_t *document, struct err *err)
{
	const char *name = json_string_value(json_object_get(document, "server"));

	if (!name || !is_flag(document, "possible") ||
	    !is_list(document, "findings", is_finding) ||
	    !is_list(document, "services", is_service))
		return err_set(err, ERR_BAD_REPLY,
			       "the reply is not the report of a preflight");
	if (strcmp(name, server) != 0)
		return err_set(err, ERR_CONFIG,
			       "it is server '%.100s' that answers there, not '%s'", name,
			       server);
	return 0;
}

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
	bool is_possible = json_is_true(json_object_get(document, "possible"));

	if (check(server, document, err))
		return -1;
	buf_printf(text, "%s: a drain is %spossible\n", server,
		   is_possible ? "" : "not ");
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

/* ---- asking ---- */

static void on_reply(void *context, const struct reply *reply)
{
	struct answer *answer = context;
	const char *url = answer->server->url;
	struct err err = {0};

	if (problem_from_reply(reply, url, &answer->problem))
		return;
	answer->document =
		json_loadb(reply->body, reply->length, JSON_REJECT_DUPLICATES, NULL);
	if (!dry_run_report(answer->server->named.name, answer->document, &answer->report,
			    &err))
		return;
	problem_from_err(&err, url, &answer->problem);
	json_decref(answer->document);
	answer->document = NULL;
}

static int exit_status_of(const struct answer *answer)
{
	if (!answer->document)
		return answer->problem.exit_status;
	return json_is_true(json_object_get(answer->document, "possible")) ? 0
									   : EXIT_REFUSED;
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

	if (!answer->document) {
		text_complain("%s: %s", name, answer->problem.text);
		return;
	}
	for (char *line = answer->report.text, *end; *line; line = end) {
		end = line + strcspn(line, "\n");
		*end++ = '\0';
		text_print(stdout, line);
	}
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
	struct answer *answers = xcalloc(targets->count, sizeof(*answers));
	int status = 0;

	for (size_t i = 0; i < targets->count; i++) {
		answers[i].server = targets->servers[i];
		request_preflight(client, answers[i].server, &order->terms[i],
				  order->aim.services, order->aim.service_count, on_reply,
				  &answers[i]);
	}
	while (client_run(client, RUN_MS))
		;
	print(answers, targets->count, options->output);
	for (size_t i = 0; i < targets->count; i++) {
		int one = exit_status_of(&answers[i]);

		status = i == 0 || one == status ? one : EXIT_SEVERAL;
		json_decref(answers[i].document);
		buf_done(&answers[i].report);
	}
	free(answers);
	return status;
}
