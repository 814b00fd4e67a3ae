#include "commands.h"

#include "client.h"
#include "output_json.h"
#include "output_text.h"
#include "problem.h"
#include "request.h"
#include "targets.h"
#include "text.h"

#include <jansson.h>

enum { RUN_MS = 1000 };

/* What came back: a list of events, or a problem. */
struct answer {
	const struct pool_server *server;
	json_t *events;
	struct problem problem;
};

static const struct column {
	const char *heading, *key;
} columns[] = {
	{"TIME", "time"}, {"KIND", "kind"}, {"SERVICE", "service"},
	{"WHO", "who"},   {"TEXT", "text"},
};

enum { COLUMNS_COUNT = sizeof(columns) / sizeof(columns[0]) };

static bool is_event(const json_t *event)
{
	for (size_t i = 0; i < COLUMNS_COUNT; i++) {
		const json_t *value = json_object_get(event, columns[i].key);

		if (!json_is_string(value) && !json_is_null(value))
			return false;
	}
	return json_is_integer(json_object_get(event, "id"));
}

static json_t *read_events(const struct reply *reply, struct err *err)
{
	json_t *document =
		json_loadb(reply->body, reply->length, JSON_REJECT_DUPLICATES, NULL);
	json_t *events = json_incref(json_object_get(document, "events")), *event;
	bool is_good = json_is_array(events);
	size_t i;

	json_decref(document);
	json_array_foreach (events, i, event)
		is_good = is_good && is_event(event);
	if (is_good)
		return events;
	json_decref(events);
	(void)err_set(err, ERR_BAD_REPLY, "the reply is not a list of events");
	return NULL;
}

static void on_reply(void *context, const struct reply *reply)
{
	struct answer *answer = context;
	const char *url = answer->server->url;
	struct err err = {0};

	if (problem_from_reply(reply, url, &answer->problem))
		return;
	answer->events = read_events(reply, &err);
	if (!answer->events)
		problem_from_err(&err, url, &answer->problem);
}

static void print_table(const json_t *events)
{
	struct table *table = table_new(COLUMNS_COUNT);
	json_t *event;
	size_t i, column;

	for (column = 0; column < COLUMNS_COUNT; column++)
		table_add(table, columns[column].heading, NULL);
	json_array_foreach (events, i, event)
		for (column = 0; column < COLUMNS_COUNT; column++) {
			const json_t *value = json_object_get(event, columns[column].key);

			table_add(table,
				  json_is_string(value) ? json_string_value(value) : "-",
				  NULL);
		}
	table_print(table);
}

static void print(json_t *events, const struct options *options)
{
	size_t i, count = json_array_size(events);
	json_t *event;

	if (options->output == OUTPUT_TABLE)
		print_table(events);
	else if (options->output == OUTPUT_JSON)
		output_json(json_incref(events));
	for (i = 0; options->output == OUTPUT_JSONL && i < count; i++)
		output_json(json_incref(json_array_get(events, i)));
	if (count < (size_t)options->limit)
		return;
	event = json_array_get(events, count - 1);
	text_complain("there may be more: --after %lld",
		      (long long)json_integer_value(json_object_get(event, "id")));
}

int command_events(const struct options *options, const struct pool_config *config,
		   struct err *err)
{
	struct client *client = NULL;
	struct answer answer = {0};
	struct targets targets;
	int ret = -1;

	if (options->limit < 1 || options->limit > API_EVENTS_LIMIT)
		return err_set(err, ERR_USAGE, "--limit must be from 1 to %d",
			       API_EVENTS_LIMIT);
	if (!targets_find(config, options, "this command takes a server", &targets, err))
		client = client_new(err);
	if (!client)
		goto out;
	answer.server = targets.servers[0];
	request_events(client, answer.server, options->after, options->limit, on_reply,
		       &answer);
	while (client_run(client, RUN_MS))
		;
	if (answer.events)
		print(answer.events, options);
	else
		text_complain("%s: %s", answer.server->named.name, answer.problem.text);
	ret = answer.events ? 0 : answer.problem.exit_status;
out:
	json_decref(answer.events);
	client_free(client);
	targets_done(&targets);
	return ret;
}
