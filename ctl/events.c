#include "commands.h"

#include "client.h"
#include "event_text.h"
#include "follow.h"
#include "output_json.h"
#include "problem.h"
#include "request.h"
#include "targets.h"
#include "text.h"
#include "verify.h"

#include <jansson.h>
#include <stdlib.h>

enum { RUN_MS = 1000 };

/* What came back: a list of events, or a problem. */
struct answer {
	const struct pool_server *server;
	bool is_checked; /* it is the server that is meant */
	json_t *events;
	int64_t last_id; /* of the whole record */
	struct problem problem;
};

static void on_view(void *context, const struct reply *reply)
{
	struct answer *answer = context;
	const char *url = answer->server->url;
	struct server_view *view;
	struct err err = {0};

	if (problem_from_reply(reply, url, &answer->problem))
		return;
	view = request_read_view(answer->server, reply, &err);
	answer->is_checked = view;
	if (!view)
		problem_from_err(&err, url, &answer->problem);
	server_view_free(view);
}

static void on_reply(void *context, const struct reply *reply)
{
	struct answer *answer = context;
	const char *url = answer->server->url;
	struct err err = {0};

	if (problem_from_reply(reply, url, &answer->problem))
		return;
	answer->events = event_text_read(reply, &answer->last_id, &err);
	if (!answer->events)
		problem_from_err(&err, url, &answer->problem);
}

static void print_table(const json_t *events)
{
	struct table *table = table_new(EVENT_TEXT_COLUMNS);

	event_text_headings(table);
	for (size_t i = 0; i < json_array_size(events); i++)
		event_text_row(table, json_array_get(events, i));
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

static void run(struct client *client)
{
	while (client_run(client, RUN_MS))
		;
}

/* A record does not say whose it is, so that is asked for first. */
static int check_server(struct client *client, struct answer *answer)
{
	request_view(client, answer->server, NULL, 0, on_view, answer);
	run(client);
	return answer->is_checked ? 0 : -1;
}

/* Fetches events into the answer, or a problem. */
static void fetch(struct client *client, struct answer *answer, int64_t after,
		  int64_t limit)
{
	json_decref(answer->events);
	answer->events = NULL;
	request_events(client, answer->server, after, limit, on_reply, answer);
	run(client);
}

static int show(struct client *client, struct answer *answer,
		const struct options *options)
{
	if (!check_server(client, answer))
		fetch(client, answer, options->after < 0 ? 0 : options->after,
		      options->limit);
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

	if (check_server(client, answer))
		return -1;
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
	bool is_part = options->after >= 0 || options->limit != API_EVENTS_LIMIT;

	if (options->limit < 1 || options->limit > API_EVENTS_LIMIT)
		return err_set(err, ERR_USAGE, "--limit must be from 1 to %d",
			       API_EVENTS_LIMIT);
	if (options->is_verify && is_part)
		return err_set(err, ERR_USAGE,
			       "--verify reads all events: it goes without --after and "
			       "--limit");
	if (options->is_follow &&
	    (options->is_verify || options->limit != API_EVENTS_LIMIT))
		return err_set(err, ERR_USAGE,
			       "--follow goes on for ever: it goes without --verify and "
			       "--limit");
	if (options->is_follow && options->output == OUTPUT_JSON)
		return err_set(
			err, ERR_USAGE,
			"--follow prints a line for each event: -o table or jsonl");
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
	if (options->is_follow)
		ret = follow_events(client, answer.server, options);
	else
		ret = options->is_verify ? verify(client, &answer, options)
					 : show(client, &answer, options);
out:
	json_decref(answer.events);
	client_free(client);
	targets_done(&targets);
	return ret;
}
