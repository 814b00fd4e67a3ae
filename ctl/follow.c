#include "follow.h"

#include "event_text.h"
#include "mem.h"
#include "output_json.h"
#include "problem.h"
#include "request.h"
#include "sse.h"
#include "terminal.h"
#include "text.h"
#include "verify.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum {
	STEP_MS = 100,
	SILENCE_MS = 45000, /* poold says something every 15 s */
	STOOD_MS = 10000,   /* a connection that lasted so long was a good one */
	BACKOFF_MIN_MS = 200,
	BACKOFF_MAX_MS = 5000,
};

/* What is asked for, one after the other. */
enum stage {
	STAGE_WHOSE,  /* which server it is; again after each lost connection */
	STAGE_PLACE,  /* the event that was seen last: the record may be another one */
	STAGE_PAGES,  /* what is too far behind for the stream */
	STAGE_STREAM, /* everything from there on */
};

struct follow {
	const struct pool_server *server;
	struct client *client;
	bool is_table, has_headings;
	int widths[EVENT_TEXT_COLUMNS];
	struct sse sse;
	int64_t seen; /* the last event that was printed; negative: from now on */
	char hash[CHAIN_HASH_BYTES]; /* of it; empty: not known */
	bool is_broken;              /* it did not match what came before it */

	enum stage stage;
	bool is_busy;      /* a request is under way */
	int64_t behind_to; /* where the pages end */
	struct mono heard_at;
	bool was_there; /* it has answered at least once */
	bool is_lost;
	struct mono connected_at, lost_at, retry_at;
	int64_t backoff_ms;
	struct err err;  /* in the stream */
	int exit_status; /* once there is no going on */
};

static const char *name_of(const struct follow *follow)
{
	return follow->server->named.name;
}

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

/* What is missing or was changed since is said, once for all that does not match. */
static void check_chain(struct follow *follow, const json_t *event, int64_t id)
{
	long long first = (long long)follow->seen + 1, last = (long long)id - 1;
	bool is_next = last < first;

	if (!is_next)
		text_complain("%s: the events with the ids %lld to %lld are missing",
			      name_of(follow), first, last);
	if (!is_next || !*follow->hash || verify_follows(follow->hash, event)) {
		follow->is_broken = false;
		return;
	}
	if (!follow->is_broken)
		text_complain("%s: the hash of the event with id %lld does not match: it "
			      "was changed, or what came before it",
			      name_of(follow), (long long)id);
	follow->is_broken = true;
}

static void keep_hash(struct follow *follow, const json_t *event)
{
	const char *hash = json_string_value(json_object_get(event, "hash"));

	copy_text(follow->hash, sizeof(follow->hash), hash ? hash : "");
}

/* Nothing is printed twice, whatever a server sends. */
static void print(struct follow *follow, json_t *event)
{
	int64_t id = json_integer_value(json_object_get(event, "id"));

	if (id <= follow->seen)
		return;
	check_chain(follow, event, id);
	keep_hash(follow, event);
	follow->seen = id;
	follow->backoff_ms = 0;
	if (follow->is_table)
		print_row(follow, event);
	else
		output_json(json_incref(event));
}

/* ---- the connection ---- */

static void on_heard(struct follow *follow)
{
	char text[TEXT_DURATION_BYTES];

	follow->heard_at = clock_mono();
	if (!follow->was_there || follow->is_lost)
		follow->connected_at = follow->heard_at;
	follow->was_there = true;
	if (!follow->is_lost)
		return;
	follow->is_lost = false;
	text_complain(
		"%s: connected again after %s", name_of(follow),
		text_duration(clock_since(follow->lost_at, follow->heard_at), text));
}

/* Who is lost as soon as it is there, without an event, is tried less and less often. */
static void on_lost(struct follow *follow, const char *why)
{
	struct mono now = clock_mono();

	follow->is_busy = false;
	follow->stage = STAGE_WHOSE;
	sse_reset(&follow->sse);
	if (!follow->is_lost) {
		if (clock_since(follow->connected_at, now) >= STOOD_MS)
			follow->backoff_ms = 0;
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
	if (follow->was_there && problem->may_pass) {
		on_lost(follow, problem->text);
		return;
	}
	text_complain("%s: %s", name_of(follow), problem->text);
	follow->exit_status = problem->exit_status;
}

static void fail(struct follow *follow, const struct err *err)
{
	struct problem problem;

	problem_from_err(err, follow->server->url, &problem);
	on_problem(follow, &problem);
}

/* ---- whose record it is, and where we are in it ---- */

static void on_view(void *context, const struct reply *reply)
{
	struct follow *follow = context;
	struct server_view *view;
	struct problem problem;
	struct err err = {0};

	follow->is_busy = false;
	if (problem_from_reply(reply, follow->server->url, &problem)) {
		on_problem(follow, &problem);
		return;
	}
	view = request_read_view(follow->server, reply, &err);
	follow->stage = STAGE_PLACE;
	if (!view)
		fail(follow, &err);
	server_view_free(view);
}

static void go_on_from(struct follow *follow, int64_t id)
{
	follow->seen = id;
	follow->is_broken = false;
	copy_text(follow->hash, sizeof(follow->hash), id ? "" : chain_start);
}

/* There is no event that was seen last. */
static void on_short_record(struct follow *follow, int64_t last)
{
	follow->stage = STAGE_STREAM;
	if (follow->was_there) {
		text_complain("%s: its record is another one now, and ends at event "
			      "%lld; going on from its beginning",
			      name_of(follow), (long long)last);
		go_on_from(follow, 0);
		return;
	}
	text_complain("%s: its record ends at event %lld; going on from there",
		      name_of(follow), (long long)last);
	go_on_from(follow, last);
}

/* The hash covers all events up to it, hence is in no other record. */
static void compare_place(struct follow *follow, const json_t *event, int64_t last)
{
	const char *hash = json_string_value(json_object_get(event, "hash"));

	if (*follow->hash && hash && strcmp(hash, follow->hash) != 0) {
		on_short_record(follow, last);
		return;
	}
	keep_hash(follow, event);
	follow->stage = STAGE_STREAM;
}

static json_t *read_page(struct follow *follow, const struct reply *reply, int64_t *last)
{
	struct problem problem;
	struct err err = {0};
	json_t *events;

	follow->is_busy = false;
	if (problem_from_reply(reply, follow->server->url, &problem)) {
		on_problem(follow, &problem);
		return NULL;
	}
	events = event_text_read(reply, last, &err);
	if (!events)
		fail(follow, &err);
	return events;
}

static void on_place(void *context, const struct reply *reply)
{
	struct follow *follow = context;
	struct err err = {0};
	int64_t last, id;
	json_t *events = read_page(follow, reply, &last);
	const json_t *first = json_array_get(events, 0);

	if (!events)
		return;
	id = json_integer_value(json_object_get(first, "id"));
	if (follow->seen < 0)
		go_on_from(follow, last);
	else if (first && id == follow->seen)
		compare_place(follow, first, last);
	else if (!first && last < follow->seen)
		on_short_record(follow, last);
	else {
		(void)err_set(&err, ERR_BAD_REPLY,
			      "the event with id %lld is missing in its record",
			      (long long)follow->seen);
		fail(follow, &err);
	}
	json_decref(events);
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
	if (last < follow->seen)
		follow->stage = STAGE_WHOSE;
	if (last <= follow->seen)
		return;
	text_complain("%s: %lld events behind, reading them first", name_of(follow),
		      (long long)(last - follow->seen));
	follow->stage = STAGE_PAGES;
	follow->behind_to = last;
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
	if (follow->stage != STAGE_STREAM || follow->err.code)
		return;
	if (message->id && read_id(message->id, &id))
		(void)err_set(&follow->err, ERR_BAD_REPLY,
			      "the stream has an id that is no number");
	else if (message->event && strcmp(message->event, "resync") != 0)
		on_event(follow, message->data);
	else if (message->event && message->id)
		on_resync(follow, id);
	else if (message->event)
		(void)err_set(&follow->err, ERR_BAD_REPLY,
			      "the stream has a 'resync' without an id");
}

static bool on_data(void *context, const char *bytes, size_t length)
{
	struct follow *follow = context;

	on_heard(follow);
	(void)sse_read(&follow->sse, bytes, length, on_message, follow, &follow->err);
	return follow->stage == STAGE_STREAM && !follow->err.code;
}

static void on_stream_end(void *context, const struct reply *reply)
{
	struct follow *follow = context;
	struct problem problem;
	struct err err = follow->err;

	follow->is_busy = false;
	sse_reset(&follow->sse);
	if (follow->stage == STAGE_PAGES)
		return;
	if (follow->stage == STAGE_WHOSE) {
		on_lost(follow, "its record ends before the event that was seen last");
		return;
	}
	if (!err.code && problem_from_reply(reply, follow->server->url, &problem)) {
		on_problem(follow, &problem);
		return;
	}
	if (!err.code && reply->length)
		(void)err_set(&err, ERR_BAD_REPLY, "this poold has no stream of events");
	if (err.code)
		fail(follow, &err);
	else
		on_lost(follow, "the server ended it");
}

/* ---- pages, for who is too far behind ---- */

static void on_page(void *context, const struct reply *reply)
{
	struct follow *follow = context;
	struct err err = {0};
	int64_t last, before = follow->seen;
	json_t *events = read_page(follow, reply, &last);

	if (!events)
		return;
	on_heard(follow);
	for (size_t i = 0; i < json_array_size(events); i++)
		print(follow, json_array_get(events, i));
	json_decref(events);
	if (follow->seen >= follow->behind_to) {
		follow->stage = STAGE_STREAM;
	} else if (last < before) {
		on_lost(follow, "its record ends before the event that was seen last");
	} else if (follow->seen == before) {
		(void)err_set(&err, ERR_BAD_REPLY,
			      "its record is to go up to event %lld, and has none after "
			      "%lld",
			      (long long)follow->behind_to, (long long)before);
		fail(follow, &err);
	}
}

/* ---- the loop ---- */

static void send_next(struct follow *follow)
{
	struct client *client = follow->client;
	const struct pool_server *server = follow->server;

	/* Before the first event there is no place. */
	if (follow->stage == STAGE_PLACE && !follow->seen) {
		go_on_from(follow, 0);
		follow->stage = STAGE_STREAM;
	}
	follow->is_busy = true;
	follow->heard_at = clock_mono();
	if (follow->stage == STAGE_WHOSE)
		request_view(client, server, NULL, 0, on_view, follow);
	else if (follow->stage == STAGE_PLACE)
		request_events(client, server, follow->seen > 0 ? follow->seen - 1 : 0, 1,
			       on_place, follow);
	else if (follow->stage == STAGE_PAGES)
		request_events(client, server, follow->seen, API_EVENTS_LIMIT, on_page,
			       follow);
	else
		request_stream(client, server, follow->seen, on_data, on_stream_end,
			       follow);
}

/* A connection may die without a word. */
static void check_silence(struct follow *follow)
{
	struct err err = {0};

	if (!follow->is_busy || clock_since(follow->heard_at, clock_mono()) < SILENCE_MS)
		return;
	client_drop(follow->client);
	follow->is_busy = false;
	(void)err_set(&err, ERR_UNREACHABLE, "nothing came for %d s", SILENCE_MS / 1000);
	fail(follow, &err);
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
