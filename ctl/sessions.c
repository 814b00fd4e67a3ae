#include "commands.h"

#include "client.h"
#include "mem.h"
#include "output_json.h"
#include "output_text.h"
#include "problem.h"
#include "request.h"
#include "sources.h"
#include "targets.h"
#include "text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { RUN_MS = 1000, COLUMNS = 6 };

/* What was asked about one service, or the whole server, and what came back: a document,
 * or a problem. */
struct answer {
	const struct pool_server *server;
	const char *service;
	struct server_view *view;
	json_t *document;
	struct problem problem;
};

/* A session in the order in which it is shown. */
struct row {
	json_t *session;
	const char *service;
	size_t place;
};

/* ---- reading ---- */

static bool is_number(const json_t *object, const char *key, int64_t most)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) && json_integer_value(value) >= 0 &&
	       json_integer_value(value) <= most;
}

static bool is_text_or_null(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return !value || json_is_null(value) || json_is_string(value);
}

static bool is_number_or_null(const json_t *object, const char *key)
{
	return json_is_null(json_object_get(object, key)) ||
	       is_number(object, key, INT32_MAX);
}

/* A connection has a peer with a port; another kind of session may have a user. */
static bool is_session(const json_t *session)
{
	bool is_connection = json_is_string(json_object_get(session, "peer"));

	return json_is_string(json_object_get(session, "source")) &&
	       is_text_or_null(session, "peer") &&
	       (!is_connection || is_number(session, "peer_port", UINT16_MAX)) &&
	       is_text_or_null(session, "user") && is_text_or_null(session, "state") &&
	       is_number_or_null(session, "age_s") &&
	       json_is_boolean(json_object_get(session, "age_is_least")) &&
	       is_number_or_null(session, "idle_s") &&
	       json_is_boolean(json_object_get(session, "suspect"));
}

static bool is_good(const json_t *document, const char *service)
{
	const json_t *list = json_object_get(document, "sessions");
	const char *name = json_string_value(json_object_get(document, "service"));

	if (!name || strcmp(name, service) != 0 ||
	    !sources_are_good(json_object_get(document, "sources")))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!is_session(json_array_get(list, i)))
			return false;
	if (json_is_false(json_object_get(document, "known")))
		return json_is_string(json_object_get(document, "error"));
	return json_is_true(json_object_get(document, "known")) && json_is_array(list) &&
	       is_number(document, "count", INT64_MAX) &&
	       json_is_boolean(json_object_get(document, "whole"));
}

static void on_sessions(void *context, const struct reply *reply)
{
	struct answer *answer = context;
	const char *url = answer->server->url;
	struct err err = {0};

	if (problem_from_reply(reply, url, &answer->problem))
		return;
	answer->document =
		json_loadb(reply->body, reply->length, JSON_REJECT_DUPLICATES, NULL);
	if (is_good(answer->document, answer->service))
		return;
	(void)err_set(&err, ERR_BAD_REPLY, "the reply is not a list of sessions of %s",
		      answer->service);
	problem_from_err(&err, url, &answer->problem);
	json_decref(answer->document);
	answer->document = NULL;
}

static void on_view(void *context, const struct reply *reply)
{
	struct answer *answer = context;
	const char *url = answer->server->url;
	struct err err = {0};

	if (problem_from_reply(reply, url, &answer->problem))
		return;
	answer->view = request_read_view(answer->server, reply, &err);
	if (!answer->view)
		problem_from_err(&err, url, &answer->problem);
}

/* ---- printing ---- */

static int64_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* Less than any age if it is not known. */
static int64_t age_of(const json_t *session)
{
	return json_is_null(json_object_get(session, "age_s"))
		       ? -1
		       : number_of(session, "age_s");
}

/* The oldest first; those of one age in the order of the replies. */
static int compare_rows(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	int64_t ages[] = {age_of(a->session), age_of(b->session)};

	if (ages[0] != ages[1])
		return ages[0] > ages[1] ? -1 : 1;
	return a->place < b->place ? -1 : 1;
}

static struct row *sort_rows(const struct answer *answers, size_t count, size_t *rows)
{
	struct row *list;
	size_t i, j, all = 0;
	json_t *session;

	for (i = 0; i < count; i++)
		all += json_array_size(json_object_get(answers[i].document, "sessions"));
	list = xcalloc(all, sizeof(*list));
	*rows = 0;
	for (i = 0; i < count; i++)
		json_array_foreach (json_object_get(answers[i].document, "sessions"), j,
				    session) {
			list[*rows] = (struct row){session, answers[i].service, *rows};
			++*rows;
		}
	if (all)
		qsort(list, all, sizeof(*list), compare_rows);
	return list;
}

/* The user, where the source tells it, or the other end of the connection. */
static void add_who(struct table *table, const json_t *session)
{
	const char *peer = json_string_value(json_object_get(session, "peer"));
	const char *user = json_string_value(json_object_get(session, "user"));
	bool is_ipv6 = peer && strchr(peer, ':');
	char *text;

	if (!peer) {
		table_add(table, user ? user : "-", NULL);
		return;
	}
	text = xasprintf("%s%s%s:%lld", is_ipv6 ? "[" : "", peer, is_ipv6 ? "]" : "",
			 (long long)number_of(session, "peer_port"));
	table_add(table, text, NULL);
	free(text);
}

static void add_duration(struct table *table, const json_t *session, const char *key,
			 const char *sign)
{
	const json_t *seconds = json_object_get(session, key);
	char text[TEXT_DURATION_BYTES], *whole;

	if (json_is_null(seconds)) {
		table_add(table, "-", NULL);
		return;
	}
	whole = xasprintf("%s%s", text_duration(json_integer_value(seconds) * 1000, text),
			  sign);
	table_add(table, whole, NULL);
	free(whole);
}

static void add_row(struct table *table, const struct row *row)
{
	const json_t *session = row->session;
	const char *state = json_string_value(json_object_get(session, "state"));
	bool is_least = json_is_true(json_object_get(session, "age_is_least"));
	bool is_suspect = json_is_true(json_object_get(session, "suspect"));
	char *note =
		xasprintf("%s%s%s", state ? state : "", state && is_suspect ? ", " : "",
			  is_suspect ? "suspect" : "");

	add_who(table, session);
	table_add(table, row->service, NULL);
	table_add(table, json_string_value(json_object_get(session, "source")), NULL);
	add_duration(table, session, "age_s", is_least ? "+" : "");
	add_duration(table, session, "idle_s", "");
	table_add(table, note, NULL);
	free(note);
}

static void print_rows(const struct row *rows, size_t count)
{
	static const char *const headings[COLUMNS] = {"WHO", "SERVICE", "SOURCE",
						      "AGE", "IDLE",    "NOTE"};
	struct table *table = table_new(COLUMNS);

	for (size_t column = 0; column < COLUMNS; column++)
		table_add(table, headings[column], NULL);
	for (size_t i = 0; i < count; i++)
		add_row(table, &rows[i]);
	table_print(table);
}

static void print_sources(const struct answer *answers, size_t count, struct wall now)
{
	for (size_t i = 0; i < count; i++)
		sources_print(answers[i].service,
			      json_object_get(answers[i].document, "sources"), now);
}

static void print_documents(const struct answer *answers, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		if (answers[i].document)
			(void)json_array_append(list, answers[i].document);
	output_json(list);
}

static void print_lines(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_t *line = json_pack("{s:s}", "service", rows[i].service);

		(void)json_object_update(line, rows[i].session);
		output_json(line);
	}
}

/* Why not all that are counted are listed, and only those. */
static const char *explain_difference(const json_t *document, int64_t limit)
{
	int64_t listed = (int64_t)json_array_size(json_object_get(document, "sessions"));

	if (listed == limit)
		return "see --limit";
	if (listed > number_of(document, "count"))
		return "two sources may list the same one";
	return "a number does not tell whose they are";
}

/* What the list of a service does not show; the exit status. */
static int complain(const struct answer *answer, int64_t limit)
{
	const json_t *document = answer->document;

	if (!document) {
		text_complain("%s: %s: %s", answer->server->named.name, answer->service,
			      answer->problem.text);
		return answer->problem.exit_status;
	}
	if (json_is_false(json_object_get(document, "known"))) {
		text_complain("%s: how many sessions it has is not known: %s",
			      answer->service,
			      json_string_value(json_object_get(document, "error")));
		return err_info(ERR_SESSIONS)->exit_status;
	}
	if (json_is_false(json_object_get(document, "whole")))
		text_complain("%s: %zu of its %lld sessions are listed (%s)",
			      answer->service,
			      json_array_size(json_object_get(document, "sessions")),
			      (long long)number_of(document, "count"),
			      explain_difference(document, limit));
	return 0;
}

static bool has_document(const struct answer *answers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (answers[i].document)
			return true;
	return false;
}

static void print(const struct answer *answers, size_t count, struct wall now, int output)
{
	size_t row_count;
	struct row *rows = sort_rows(answers, count, &row_count);

	if (output == OUTPUT_JSON) {
		print_documents(answers, count);
	} else if (output == OUTPUT_JSONL) {
		print_lines(rows, row_count);
	} else {
		print_rows(rows, row_count);
		print_sources(answers, count, now);
	}
	free(rows);
}

/* Shows what there is, and complains of the rest; the exit status, that of the first
 * service that failed before one of a count that is not known. */
static int report(const struct answer *answers, size_t count, struct wall now,
		  const struct options *options)
{
	int failed = 0, unknown = 0;

	if (has_document(answers, count))
		print(answers, count, now, options->output);
	for (size_t i = 0; i < count; i++) {
		int status = complain(&answers[i], options->limit);

		if (!answers[i].document)
			failed = failed ? failed : status;
		else
			unknown = unknown ? unknown : status;
	}
	return failed ? failed : unknown;
}

static void run(struct client *client)
{
	while (client_run(client, RUN_MS))
		;
}

/* The services by name, or all that poold shows if there are none. */
static int show(struct client *client, const struct pool_server *server,
		const char *const *names, const struct options *options)
{
	struct answer whole = {.server = server}, *answers = NULL;
	size_t count = options->services.count;
	int status;

	request_view(client, server, NULL, 0, on_view, &whole);
	run(client);
	if (!whole.view) {
		text_complain("%s: %s", server->named.name, whole.problem.text);
		return whole.problem.exit_status;
	}
	if (!count)
		count = whole.view->service_count;
	answers = xcalloc(count, sizeof(*answers));
	for (size_t i = 0; i < count; i++) {
		answers[i].server = server;
		answers[i].service =
			options->services.count ? names[i] : whole.view->services[i].name;
		request_sessions(client, server, answers[i].service, options->limit,
				 on_sessions, &answers[i]);
	}
	run(client);
	status = report(answers, count, whole.view->time, options);
	for (size_t i = 0; i < count; i++)
		json_decref(answers[i].document);
	free(answers);
	server_view_free(whole.view);
	return status;
}

int command_sessions(const struct options *options, const struct pool_config *config,
		     struct err *err)
{
	struct client *client = NULL;
	const char **names = NULL;
	struct targets targets;
	int ret = -1;

	if (options->limit < 1 || options->limit > API_SESSIONS_LIMIT)
		return err_set(err, ERR_USAGE, "--limit must be from 1 to %d",
			       API_SESSIONS_LIMIT);
	if (!targets_find(config, options, "this command takes a server", &targets, err))
		names = targets_spell_services(config, &targets, options, err);
	if (names)
		client = client_new(err);
	if (client)
		ret = show(client, targets.servers[0], names, options);
	client_free(client);
	free(names);
	targets_done(&targets);
	return ret;
}
