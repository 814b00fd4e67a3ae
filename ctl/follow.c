#include "follow.h"

#include "event_text.h"
#include "mem.h"
#include "output_json.h"
#include "problem.h"
#include "request.h"
#include "sse.h"
#include "terminal.h"
#include "text.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum {
	STEP_MS = 100,
	SILENCE_MS = 45000, /* poold says something every 15 s */
	BACKOFF_MIN_MS = 200,
	BACKOFF_MAX_MS = 5000,
};

struct follow {
	const struct pool_server *server;
	struct client *client;
	bool is_table, has_headings;
	int widths[EVENT_TEXT_COLUMNS];
	struct sse sse;
	int64_t seen; /* the last event that was printed; negative: from now on */

	bool is_busy;   /* a request is under way */
	bool is_behind; /* too far for the stream: the pages come first */
	struct mono heard_at;
	bool was_there; /* it has answered at least once */
	bool is_lost;
	struct mono lost_at, retry_at;
	int64_t backoff_ms;
	struct err err;  /* in the stream */
	int exit_status; /* once there is no going on */
};

/* ---- printing ---- */

static void print_row(struct follow *follow, const json_t *event)
{
	struct table *table = table_new(EVENT_TEXT_COLUMNS);
	struct buf text = {0};

	if (!follow->has_headings)
		event_text_headings(table);
	follow->has_headings = true;
	event_text_row(table, event);
	table_render(table, 0, follow->widths, &text);
	(void)fputs(text.text, stdout);
	(void)fflush(stdout);
	buf_done(&text);
}

/* Nothing is printed twice, whatever a server sends. */
static void print(struct follow *follow, json_t *event)
{
	int64_t id = json_integer_value(json_object_get(event, "id"));

	if (id <= follow->seen)
		return;
	follow->seen = id;
	if (follow->is_table)
		print_row(follow, event);
	else
		output_json(json_incref(event));
}

/* ---- the connection ---- */

static const char *name_of(const struct follow *follow)
{
	return follow->server->named.name;
}

static void on_heard(struct follow *follow)
{
	char text[TEXT_DURATION_BYTES];

	follow->heard_at = clock_mono();
	follow->was_there = true;
	follow->backoff_ms = 0;
	if (!follow->is_lost)
		return;
	follow->is_lost = false;
	text_complain(
		"%s: connected again after %s", name_of(follow),
		text_duration(clock_since(follow->lost_at, follow->heard_at), text));
}

static void on_lost(struct follow *follow, const char *why)
{
	struct mono now = clock_mono();

	follow->is_busy = false;
	sse_reset(&follow->sse);
	if (!follow->is_lost) {
		text_complain("%s: the connection is lost, trying again: %s",
			      name_of(follow), why);
		follow->lost_at = now;
	}
	follow->is_lost = true;
	follow->backoff_ms = follow->backoff_ms ? follow->backoff_ms * 2 : BACKOFF_MIN_MS;
	if (follow->backoff_ms > BACKOFF_MAX_MS)
		follow->backoff_ms = BACKOFF_MAX_MS;
	follow->retry_at = clock_add(now, follow->backoff_ms);
}

/* What a server that was there says or does not say may be over in a moment. */
static void on_problem(struct follow *follow, const struct problem *problem)
{
	if (follow->was_there && (problem->is_silence || problem->is_retryable)) {
		on_lost(follow, problem->text);
		return;
	}
	text_complain("%s: %s", name_of(follow), problem->text);
	follow->exit_status = problem->exit_status;
}

/* ---- the stream ---- */

static int read_id(const char *text, int64_t *id)
{
	char *end;

	errno = 0;
	*id = strtoll(text, &end, 10);
	return errno || end == text || *end || *id < 0 ? -1 : 0;
}

/* The stream cannot go on from where we are. */
static void on_resync(struct follow *follow, int64_t last)
{
	if (last < follow->seen) {
		text_complain("%s: its record is another one now, and ends at event "
			      "%lld; going on from there",
			      name_of(follow), (long long)last);
		follow->seen = last;
		return;
	}
	if (follow->seen >= 0 && last > follow->seen) {
		text_complain("%s: %lld events behind, reading them first",
			      name_of(follow), (long long)(last - follow->seen));
		follow->is_behind = true;
		return;
	}
	follow->seen = last;
}

static void on_event(struct follow *follow, const char *data)
{
	json_t *event =
		data ? json_loads(data, JSON_REJECT_DUPLICATES, NULL) : json_null();

	if (event_text_is_event(event))
		print(follow, event);
	else
		(void)err_set(&follow->err, ERR_BAD_REPLY,
			      "the stream has something that is no event");
	json_decref(event);
}

static void on_message(void *arg, const struct sse_message *message)
{
	struct follow *follow = arg;
	int64_t id = 0;

	/* What follows belongs to a stream that is given up. */
	if (follow->is_behind || follow->err.code)
		return;
	if (message->id && read_id(message->id, &id))
		(void)err_set(&follow->err, ERR_BAD_REPLY,
			      "the stream has an id that is no number");
	else if (message->event && !strcmp(message->event, "resync"))
		on_resync(follow, id);
	else if (message->event)
		on_event(follow, message->data);
	else if (message->id && follow->seen < 0)
		follow->seen = id;
}

static bool on_data(void *context, const char *bytes, size_t length)
{
	struct follow *follow = context;

	on_heard(follow);
	(void)sse_read(&follow->sse, bytes, length, on_message, follow, &follow->err);
	return !follow->is_behind && !follow->err.code;
}

static void on_stream_end(void *context, const struct reply *reply)
{
	struct follow *follow = context;
	struct problem problem;
	struct err err = follow->err;

	follow->is_busy = false;
	sse_reset(&follow->sse);
	if (follow->is_behind)
		return;
	if (!err.code && problem_from_reply(reply, follow->server->url, &problem)) {
		on_problem(follow, &problem);
		return;
	}
	if (!err.code && reply->length)
		(void)err_set(&err, ERR_BAD_REPLY, "this poold has no stream of events");
	if (!err.code) {
		on_lost(follow, "the server ended it");
		return;
	}
	problem_from_err(&err, follow->server->url, &problem);
	on_problem(follow, &problem);
}

/* ---- pages, for who is too far behind ---- */

static void on_page(void *context, const struct reply *reply)
{
	struct follow *follow = context;
	struct problem problem;
	struct err err = {0};
	json_t *events;
	int64_t last;
	size_t count;

	follow->is_busy = false;
	if (problem_from_reply(reply, follow->server->url, &problem)) {
		on_problem(follow, &problem);
		return;
	}
	on_heard(follow);
	events = event_text_read(reply, &last, &err);
	if (!events) {
		problem_from_err(&err, follow->server->url, &problem);
		on_problem(follow, &problem);
		return;
	}
	count = json_array_size(events);
	for (size_t i = 0; i < count; i++)
		print(follow, json_array_get(events, i));
	follow->is_behind = count && follow->seen < last;
	json_decref(events);
}

/* ---- the loop ---- */

static void send_next(struct follow *follow)
{
	follow->is_busy = true;
	follow->heard_at = clock_mono();
	if (follow->is_behind)
		request_events(follow->client, follow->server, follow->seen,
			       API_EVENTS_LIMIT, on_page, follow);
	else
		request_stream(follow->client, follow->server, follow->seen, on_data,
			       on_stream_end, follow);
}

/* A connection may die without a word. */
static void check_silence(struct follow *follow)
{
	struct problem problem;
	struct err err = {0};

	if (!follow->is_busy || clock_since(follow->heard_at, clock_mono()) < SILENCE_MS)
		return;
	client_drop(follow->client);
	follow->is_busy = false;
	(void)err_set(&err, ERR_UNREACHABLE, "nothing came for %d s", SILENCE_MS / 1000);
	problem_from_err(&err, follow->server->url, &problem);
	on_problem(follow, &problem);
}

static int run(struct follow *follow)
{
	while (!follow->exit_status) {
		if (terminal_is_interrupted())
			return err_info(ERR_INTERRUPTED)->exit_status;
		/* Nobody reads what is printed. */
		if (ferror(stdout))
			return err_info(ERR_INTERNAL)->exit_status;
		if (!follow->is_busy &&
		    (!follow->is_lost ||
		     clock_since(follow->retry_at, clock_mono()) >= 0))
			send_next(follow);
		(void)client_run(follow->client, STEP_MS);
		check_silence(follow);
	}
	return follow->exit_status;
}

int follow_events(struct client *client, const struct pool_server *server,
		  const struct options *options)
{
	struct follow follow = {
		.server = server,
		.client = client,
		.is_table = options->output == OUTPUT_TABLE,
		.seen = options->after,
	};
	int status;

	terminal_catch_interrupts();
	status = run(&follow);
	sse_reset(&follow.sse);
	client_drop(client);
	return status;
}
