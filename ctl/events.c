#include "commands.h"

#include "client.h"
#include "output_json.h"
#include "output_text.h"
#include "problem.h"
#include "request.h"
#include "targets.h"
#include "text.h"
#include "verify.h"
#include "view_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { RUN_MS = 1000 };

/* What came back: a list of events, or a problem. */
struct answer {
	const struct pool_server *server;
	json_t *events;
	json_int_t last_id; /* of the whole record */
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

static int read_events(struct answer *answer, const struct reply *reply, struct err *err)
{
	json_t *document =
		json_loadb(reply->body, reply->length, JSON_REJECT_DUPLICATES, NULL);
	json_t *last = json_object_get(document, "last"), *event;
	bool is_good = json_is_integer(last);
	size_t i;

	answer->events = json_incref(json_object_get(document, "events"));
	answer->last_id = json_integer_value(last);
	is_good = is_good && json_is_array(answer->events);
	json_array_foreach (answer->events, i, event)
		is_good = is_good && is_event(event);
	json_decref(document);
	if (is_good)
		return 0;
	json_decref(answer->events);
	answer->events = NULL;
	return err_set(err, ERR_BAD_REPLY, "the reply is not a list of events");
}

static void on_reply(void *context, const struct reply *reply)
{
	struct answer *answer = context;
	const char *url = answer->server->url;
	struct err err = {0};

	if (problem_from_reply(reply, url, &answer->problem))
		return;
	if (read_events(answer, reply, &err))
		problem_from_err(&err, url, &answer->problem);
}

/* What of a drain is worth a person's time; a `usual` value is not. */
static const struct fact {
	const char *key, *prefix, *usual;
} facts[] = {
	{"deadline_at", "deadline ", ""},
	{"on_deadline", "then ", "hold"},
	{"until", "until ", "resume"},
};

static char *describe(const json_t *side)
{
	const char *state = json_string_value(json_object_get(side, "state"));
	struct buf text = {0};

	if (state) {
		buf_puts(&text, state);
		view_text_startup(side, &text);
	}
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		const char *value =
			json_string_value(json_object_get(side, facts[i].key));

		if (!value || !strcmp(value, facts[i].usual))
			continue;
		buf_printf(&text, "%s%s%s", text.length ? ", " : "", facts[i].prefix,
			   value);
	}
	if (!text.length)
		buf_puts(&text, "-");
	return text.text;
}

/* "running, automatic (delayed) -> paused, manual", or one side if they are the same, or
 * one is not told. */
static void add_change(struct table *table, const json_t *event)
{
	const json_t *sides[] = {json_object_get(event, "before"),
				 json_object_get(event, "after")};
	char *before = describe(sides[0]), *after = describe(sides[1]);
	bool has_both = json_is_object(sides[0]) && json_is_object(sides[1]);
	struct buf change = {0};

	if (has_both && strcmp(before, after) != 0)
		buf_printf(&change, "%s -> %s", before, after);
	else
		buf_puts(&change, json_is_object(sides[1]) ? after : before);
	table_add(table, change.text, NULL);
	buf_done(&change);
	free(after);
	free(before);
}

static void print_table(const json_t *events)
{
	struct table *table = table_new(COLUMNS_COUNT + 1);
	json_t *event;
	size_t i, column;

	for (column = 0; column < COLUMNS_COUNT; column++)
		table_add(table, columns[column].heading, NULL);
	table_add(table, "CHANGE", NULL);
	json_array_foreach (events, i, event) {
		for (column = 0; column < COLUMNS_COUNT; column++) {
			const json_t *value = json_object_get(event, columns[column].key);

			table_add(table,
				  json_is_string(value) ? json_string_value(value) : "-",
				  NULL);
		}
		add_change(table, event);
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

/* Fetches events into the answer, or a problem. */
static void fetch(struct client *client, struct answer *answer, int64_t after,
		  int64_t limit)
{
	json_decref(answer->events);
	answer->events = NULL;
	request_events(client, answer->server, after, limit, on_reply, answer);
	while (client_run(client, RUN_MS))
		;
}

static int show(struct client *client, struct answer *answer,
		const struct options *options)
{
	fetch(client, answer, options->after, options->limit);
	if (!answer->events) {
		text_complain("%s: %s", answer->server->named.name, answer->problem.text);
		return answer->problem.exit_status;
	}
	print(answer->events, options);
	return 0;
}

/* Page after page; the record may grow meanwhile. */
static int verify_all(struct client *client, struct answer *answer, struct verify *verify,
		      struct err *err)
{
	size_t i, count;

	do {
		fetch(client, answer, verify->id, API_EVENTS_LIMIT);
		if (!answer->events)
			return -1;
		count = json_array_size(answer->events);
		for (i = 0; i < count; i++)
			if (verify_event(verify, json_array_get(answer->events, i), err))
				return -1;
	} while (count && verify->id < answer->last_id);
	return verify_end(verify, answer->last_id, err);
}

static void print_verified(const struct answer *answer, const struct verify *verify,
			   const struct options *options, int status)
{
	const char *name = answer->server->named.name;
	const char *message = status ? answer->problem.text : NULL;

	if (options->output != OUTPUT_TABLE)
		output_json(json_pack("{s:s, s:b, s:i, s:s?, s:I, s:s?}", "server", name,
				      "verified", status == 0, "exit_code", status,
				      "message", message, "last", (json_int_t)verify->id,
				      "head", status ? NULL : verify->hash));
	else if (!status)
		(void)printf("%s: %lld events, chain unbroken, head %s (id %lld)\n", name,
			     (long long)verify->id, verify->hash, (long long)verify->id);
	if (status)
		text_complain("%s: %s", name, message);
}

static int verify(struct client *client, struct answer *answer,
		  const struct options *options)
{
	struct verify state;
	struct err err = {0};
	int status = 0;

	verify_init(&state, options->head);
	if (verify_all(client, answer, &state, &err)) {
		if (err.code)
			problem_from_err(&err, answer->server->url, &answer->problem);
		status = answer->problem.exit_status;
	}
	print_verified(answer, &state, options, status);
	return status;
}

static int check_options(const struct options *options, struct err *err)
{
	bool is_part = options->after || options->limit != API_EVENTS_LIMIT;

	if (options->limit < 1 || options->limit > API_EVENTS_LIMIT)
		return err_set(err, ERR_USAGE, "--limit must be from 1 to %d",
			       API_EVENTS_LIMIT);
	if (options->is_verify && is_part)
		return err_set(err, ERR_USAGE,
			       "--verify reads all events: it goes without --after and "
			       "--limit");
	if (options->head && !options->is_verify)
		return err_set(err, ERR_USAGE, "--head goes with --verify");
	return 0;
}

int command_events(const struct options *options, const struct pool_config *config,
		   struct err *err)
{
	struct client *client = NULL;
	struct answer answer = {0};
	struct targets targets;
	int ret = -1;

	if (check_options(options, err))
		return -1;
	if (!targets_find(config, options, "this command takes a server", &targets, err))
		client = client_new(err);
	if (!client)
		goto out;
	answer.server = targets.servers[0];
	ret = options->is_verify ? verify(client, &answer, options)
				 : show(client, &answer, options);
out:
	json_decref(answer.events);
	client_free(client);
	targets_done(&targets);
	return ret;
}
