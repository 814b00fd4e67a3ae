#include "commands/commands.h"

#include "api/chain_verify.h"
#include "api/exchange.h"
#include "show/event_text.h"
#include "commands/events_follow.h"
#include "event_kind.h"
#include "line/targets.h"
#include "terminal/print.h"
#include "text/json_write.h"

#include <stdlib.h>
#include <string.h>

static void print(const struct events_reply *events, const struct options *options)
{
	bool is_page = options->after >= 0;
	struct output output;

	output_begin(&output, &event_text_kind, options, false);
	for (size_t i = 0; i < events->count; i++) {
		output_entry(&output, &events->items[i]);
		output_row(&output, &events->items[i]);
	}
	output_end(&output);
	if (is_page && events->count == (size_t)options->limit)
		print_complaint("there may be more events: add --after %lld",
				(long long)events->items[events->count - 1].id);
	if (!is_page && events->count && events->items[0].id > 1)
		print_complaint(
			"there are older events: add --after 0 to begin with the "
			"first");
}

static int ask(struct exchange *exchange, const struct request *request,
	       struct client *client)
{
	exchange_send(exchange, request, client);
	client_finish(client);
	return exchange->is_good ? 0 : -1;
}

/* A record does not say whose it is, so that is asked for first. */
static int check_server(struct exchange *exchange, struct client *client)
{
	return ask(exchange, &(struct request){.kind = REQUEST_VIEW}, client);
}

static int fetch(struct exchange *exchange, int64_t after_id, int64_t limit,
		 struct client *client)
{
	return ask(exchange,
		   &(struct request){.kind = REQUEST_EVENTS,
				     .after_id = after_id,
				     .limit = limit},
		   client);
}

/* The newest events, unless --after says where a page begins.  Ids have no gaps, so
 * the last one tells where the newest begin. */
static int fetch_wanted(struct exchange *exchange, const struct options *options,
			struct client *client)
{
	int64_t after_id = options->after;

	if (after_id < 0) {
		if (fetch(exchange, 0, 1, client))
			return -1;
		after_id = exchange->events->last_id - options->limit;
	}
	return fetch(exchange, after_id < 0 ? 0 : after_id, options->limit, client);
}

static int show(struct client *client, struct exchange *exchange,
		const struct options *options)
{
	if (check_server(exchange, client) ||
	    fetch_wanted(exchange, options, client)) {
		print_complaint("%s: %s", exchange->server->named.name,
				exchange->problem.text);
		return exchange->problem.exit_status;
	}
	print(exchange->events, options);
	return 0;
}

/* How many events are not in the record, as the record itself says. */
static int64_t count_lost(const json_t *event)
{
	const char *kind = json_string_value(json_object_get(event, "kind"));
	const char *text = json_string_value(json_object_get(event, "text"));
	bool is_lost = kind && text && !strcmp(kind, event_kind_name(EVENT_LOST));
	int64_t count = is_lost ? strtoll(text, NULL, 10) : 0;

	return count > 0 ? count : 0;
}

/* Page after page; the record may grow meanwhile. */
static int verify_all(struct client *client, struct exchange *exchange,
		      struct chain_verify *verify, int64_t *lost, struct err *err)
{
	int64_t last_id;
	size_t count;

	if (check_server(exchange, client))
		return -1;
	if (exchange->view->unwritten > 0 && exchange->view->store_problem)
		return err_set(
			err, ERR_NOT_VERIFIED,
			"%lld events are missing, as poold cannot write its store: "
			"%s",
			(long long)exchange->view->unwritten,
			exchange->view->store_problem);
	do {
		if (fetch(exchange, verify->id, API_EVENTS_LIMIT, client))
			return -1;
		count = exchange->events->count;
		last_id = exchange->events->last_id;
		if (count && !verify->id)
			chain_verify_begin(verify,
					   exchange->events->items[0].document,
					   last_id);
		for (size_t i = 0; i < count; i++) {
			const json_t *event = exchange->events->items[i].document;

			if (chain_verify_event(verify, event, err))
				return -1;
			*lost += count_lost(event);
		}
	} while (count && verify->id < last_id);
	return chain_verify_end(verify, last_id, err);
}

/* The outcome of --verify. */
struct verified {
	const struct exchange *exchange;
	const struct chain_verify *chain;
	int64_t lost;
	int exit_status;
};

static json_t *describe_verified(const void *entry)
{
	const struct verified *verified = entry;
	int status = verified->exit_status;
	json_t *object = json_object();

	json_write_text(object, "server", verified->exchange->server->named.name);
	json_write_flag(object, "verified", status == 0);
	json_write_number(object, "exit_code", status);
	json_write_text(object, "message",
			status ? verified->exchange->problem.text : NULL);
	json_write_number(object, "last", verified->chain->id);
	json_write_text(object, "head", status ? NULL : verified->chain->hash);
	json_write_number(object, "lost", verified->lost);
	json_write_number(object, "first", verified->chain->first);
	return object;
}

static void print_verified(const void *entry)
{
	const struct verified *verified = entry;
	long long id = (long long)verified->chain->id;

	if (!verified->exit_status)
		print_line(stdout,
			   "%s: %lld events, chain unbroken, head %s (id %lld)",
			   verified->exchange->server->named.name,
			   id - (long long)verified->chain->first + 1,
			   verified->chain->hash, id);
	if (!verified->exit_status && verified->lost)
		print_line(
			stdout,
			"%s: the record says that %lld events were lost, as poold "
			"could not write them (events of the kind 'lost')",
			verified->exchange->server->named.name,
			(long long)verified->lost);
}

static int verify(struct client *client, struct exchange *exchange,
		  const struct options *options)
{
	static const struct output_kind kind = {.is_single = true,
						.describe = describe_verified,
						.print = print_verified};
	struct chain_verify state;
	struct err err = {0};
	int64_t lost = 0;
	int status = 0;

	chain_verify_init(&state, options->head);
	if (verify_all(client, exchange, &state, &lost, &err)) {
		if (err.code)
			problem_from_err(&err, exchange->server->url,
					 &exchange->problem);
		status = exchange->problem.exit_status;
	}
	output_single(&kind, &(struct verified){exchange, &state, lost, status},
		      options);
	if (status)
		print_complaint("%s: %s", exchange->server->named.name,
				exchange->problem.text);
	return status;
}

static int check_options(const struct options *options, struct err *err)
{
	bool is_part = options->after >= 0 || options->limit != API_EVENTS_LIMIT;

	if (options->limit < 1 || options->limit > API_EVENTS_LIMIT)
		return err_set(err, ERR_USAGE, "--limit must be from 1 to %d",
			       API_EVENTS_LIMIT);
	if (options->is_verify && is_part)
		return err_set(
			err, ERR_USAGE,
			"--verify reads all events: it cannot be combined with "
			"--after or --limit");
	if (options->is_follow &&
	    (options->is_verify || options->limit != API_EVENTS_LIMIT))
		return err_set(
			err, ERR_USAGE,
			"--follow cannot be combined with --verify or --limit");
	if (options->is_follow && output_check_live(options, "--follow", err))
		return -1;
	if (options->head && !options->is_verify)
		return err_set(err, ERR_USAGE, "--head needs --verify");
	if (options->head && !strcmp(options->head, chain_start))
		return err_set(
			err, ERR_USAGE,
			"--head: 64 zeros come before the first event of every "
			"record, so they prove nothing; give the head that an "
			"earlier --verify printed");
	return 0;
}

int command_events(const struct options *options, const struct pool_config *config,
		   struct err *err)
{
	struct client *client = NULL;
	struct exchange exchange = {0};
	struct targets targets;
	int ret = -1;

	if (check_options(options, err))
		return -1;
	if (!targets_find(config, options, "name one of its servers", &targets,
			  err))
		client = client_new(err);
	if (!client)
		goto out;
	exchange.server = targets.servers[0];
	if (options->is_follow)
		ret = events_follow(client, exchange.server, options);
	else
		ret = options->is_verify ? verify(client, &exchange, options)
					 : show(client, &exchange, options);
out:
	exchange_done(&exchange);
	client_free(client);
	targets_done(&targets);
	return ret;
}
