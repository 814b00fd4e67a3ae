#include "commands/events_follow.h"

#include "backoff.h"
#include "show/event_text.h"
#include "api/exchange.h"
#include "api/sse.h"
#include "terminal/terminal.h"
#include "terminal/print.h"
#include "text/duration.h"
#include "api/chain_verify.h"
#include "utf8.h"

#include <errno.h>
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
	STAGE_PLACE,  /* the event that was seen last: the record may be another one
		       */
	STAGE_PAGES,  /* what is too far behind for the stream */
	STAGE_STREAM, /* everything from there on */
};

struct follow {
	struct exchange exchange;
	struct client *client;
	struct output output;
	struct sse sse;
	int64_t seen; /* the last event that was printed; negative: from now on */
	char hash[CHAIN_HASH_BYTES]; /* of it; empty: not known */
	bool is_broken;              /* it did not match what came before it */

	enum stage stage;
	int64_t behind_to; /* where the pages end */
	struct mono heard_at;
	bool was_there; /* it has answered at least once */
	bool is_lost;
	struct mono connected_at, lost_at, retry_at;
	struct backoff backoff;
	struct err err;  /* in the stream */
	int exit_status; /* once there is no going on */
};

static const char *name_of(const struct follow *follow)
{
	return follow->exchange.server->named.name;
}

/* ---- printing ---- */

/* Complains of events that are missing, and once of those that do not match. */
static void check_chain(struct follow *follow, const struct event *event)
{
	long long first = (long long)follow->seen + 1,
		  last = (long long)event->id - 1;
	bool is_next = last < first;

	if (!is_next)
		print_complaint("%s: events %lld to %lld are missing",
				name_of(follow), first, last);
	if (!is_next || !*follow->hash ||
	    chain_verify_follows(follow->hash, event->document)) {
		follow->is_broken = false;
		return;
	}
	if (!follow->is_broken)
		print_complaint(
			"%s: the hash of event %lld does not match: this event "
			"or an earlier one was changed",
			name_of(follow), (long long)event->id);
	follow->is_broken = true;
}

static void keep_hash(struct follow *follow, const struct event *event)
{
	utf8_copy(follow->hash, sizeof(follow->hash),
		  event->hash ? event->hash : "");
}

/* Nothing is printed twice, whatever a server sends. */
static void print(struct follow *follow, const struct event *event)
{
	if (event->id <= follow->seen)
		return;
	check_chain(follow, event);
	keep_hash(follow, event);
	follow->seen = event->id;
	backoff_reset(&follow->backoff);
	output_row(&follow->output, event);
}

/* ---- the connection ---- */

static void on_heard(struct follow *follow)
{
	char text[DURATION_BYTES];

	follow->heard_at = clock_mono();
	if (!follow->was_there || follow->is_lost)
		follow->connected_at = follow->heard_at;
	follow->was_there = true;
	if (!follow->is_lost)
		return;
	follow->is_lost = false;
	print_complaint(
		"%s: reconnected after %s", name_of(follow),
		duration_print(clock_since(follow->lost_at, follow->heard_at),
			       text));
}

/* A server that is lost as soon as it is there, without an event, is tried less and
 * less often. */
static void on_lost(struct follow *follow, const char *why)
{
	struct mono now = clock_mono();

	follow->stage = STAGE_WHOSE;
	sse_reset(&follow->sse);
	if (!follow->is_lost) {
		if (clock_since(follow->connected_at, now) >= STOOD_MS)
			backoff_reset(&follow->backoff);
		print_complaint("%s: connection lost, trying again: %s",
				name_of(follow), why);
		follow->lost_at = now;
	}
	follow->is_lost = true;
	follow->retry_at =
		clock_add(now, backoff_next(&follow->backoff, BACKOFF_MIN_MS,
					    BACKOFF_MAX_MS));
}

/* What a server that was there says or does not say may be over in a moment. */
static void on_problem(struct follow *follow, const struct problem *problem)
{
	if (follow->was_there && problem->may_pass) {
		on_lost(follow, problem->text);
		return;
	}
	print_complaint("%s: %s", name_of(follow), problem->text);
	follow->exit_status = problem->exit_status;
}

static void fail(struct follow *follow, const struct err *err)
{
	struct problem problem;

	problem_from_err(err, follow->exchange.server->url, &problem);
	on_problem(follow, &problem);
}

/* ---- whose record it is, and where we are in it ---- */

static void on_view(struct follow *follow)
{
	follow->stage = STAGE_PLACE;
}

static void go_on_from(struct follow *follow, int64_t id)
{
	follow->seen = id;
	follow->is_broken = false;
	utf8_copy(follow->hash, sizeof(follow->hash), id ? "" : chain_start);
}

/* There is no event that was seen last. */
static void on_short_record(struct follow *follow, int64_t last)
{
	follow->stage = STAGE_STREAM;
	if (follow->was_there) {
		print_complaint(
			"%s: the record was replaced and now ends at event %lld; "
			"continuing from its beginning",
			name_of(follow), (long long)last);
		go_on_from(follow, 0);
		return;
	}
	print_complaint("%s: the record ends at event %lld; continuing from there",
			name_of(follow), (long long)last);
	go_on_from(follow, last);
}

/* The hash covers all events up to it, hence is in no other record. */
static void compare_place(struct follow *follow, const struct event *event,
			  int64_t last)
{
	if (*follow->hash && event->hash &&
	    strcmp(event->hash, follow->hash) != 0) {
		on_short_record(follow, last);
		return;
	}
	keep_hash(follow, event);
	follow->stage = STAGE_STREAM;
}

static void on_place(struct follow *follow)
{
	const struct events_reply *events = follow->exchange.events;
	const struct event *first = events->count ? events->items : NULL;
	int64_t last = events->last_id;
	struct err err = {0};

	if (follow->seen < 0)
		go_on_from(follow, last);
	else if (first && first->id == follow->seen)
		compare_place(follow, first, last);
	else if (!first && last < follow->seen)
		on_short_record(follow, last);
	else {
		(void)err_set(&err, ERR_BAD_REPLY,
			      "event %lld is missing from the record",
			      (long long)follow->seen);
		fail(follow, &err);
	}
}

/* ---- the stream ---- */

static int read_id(const char *text, int64_t *id)
{
	char *end;

	errno = 0;
	*id = strtoll(text, &end, 10);
	return errno || end == text || *end || *id < 0 || *id > reply_id_most ? -1
									      : 0;
}

/* The stream cannot go on from where we are. */
static void on_resync(struct follow *follow, int64_t last)
{
	if (last < follow->seen)
		follow->stage = STAGE_WHOSE;
	if (last <= follow->seen)
		return;
	print_complaint("%s: %lld events behind, reading them first",
			name_of(follow), (long long)(last - follow->seen));
	follow->stage = STAGE_PAGES;
	follow->behind_to = last;
}

static void on_event(struct follow *follow, const char *data)
{
	struct err err = {0};
	json_t *document = reply_read_document(data, strlen(data), &err);
	struct event event = events_reply_read_one(document, &err);

	if (err.code)
		(void)err_set(&follow->err, ERR_BAD_REPLY,
			      "an event of the stream cannot be understood: %s",
			      err.text);
	else
		print(follow, &event);
	json_decref(document);
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
			      "the stream has an id that is not a number");
	else if (message->event && strcmp(message->event, "resync") != 0)
		on_event(follow, message->data ? message->data : "");
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
	(void)sse_read(&follow->sse, bytes, length, on_message, follow,
		       &follow->err);
	return follow->stage == STAGE_STREAM && !follow->err.code;
}

static void on_stream_end(struct follow *follow)
{
	sse_reset(&follow->sse);
	if (follow->stage == STAGE_PAGES)
		return;
	if (follow->stage == STAGE_WHOSE)
		on_lost(follow,
			"the record ends before the last event that was seen");
	else if (follow->err.code)
		fail(follow, &follow->err);
	else if (!follow->exchange.is_good)
		on_problem(follow, &follow->exchange.problem);
	else
		on_lost(follow, "the server closed it");
}

/* ---- pages, if the stream is too far ahead ---- */

static void on_page(struct follow *follow)
{
	const struct events_reply *events = follow->exchange.events;
	int64_t before = follow->seen;
	struct err err = {0};

	on_heard(follow);
	for (size_t i = 0; i < events->count; i++)
		print(follow, &events->items[i]);
	if (follow->seen >= follow->behind_to) {
		follow->stage = STAGE_STREAM;
	} else if (events->last_id < before) {
		on_lost(follow,
			"the record ends before the last event that was seen");
	} else if (follow->seen == before) {
		(void)err_set(
			&err, ERR_BAD_REPLY,
			"the record should reach event %lld, but has none after %lld",
			(long long)follow->behind_to, (long long)before);
		fail(follow, &err);
	}
}

/* ---- the loop ---- */

/* What each stage asks for, and what takes a good reply. */
static const struct {
	enum request_kind kind;
	void (*on_reply)(struct follow *follow);
} stages[] = {
	[STAGE_WHOSE] = {REQUEST_VIEW, on_view},
	[STAGE_PLACE] = {REQUEST_EVENTS, on_place},
	[STAGE_PAGES] = {REQUEST_EVENTS, on_page},
	[STAGE_STREAM] = {REQUEST_STREAM, NULL},
};

/* What came in a stream may have led to another stage. */
static void on_over(void *context)
{
	struct follow *follow = context;

	if (follow->exchange.request.kind == REQUEST_STREAM)
		on_stream_end(follow);
	else if (follow->exchange.is_good)
		stages[follow->stage].on_reply(follow);
	else
		on_problem(follow, &follow->exchange.problem);
}

static void send_next(struct follow *follow)
{
	struct request request = {.after_id = follow->seen,
				  .limit = API_EVENTS_LIMIT};

	/* Before the first event there is no place. */
	if (follow->stage == STAGE_PLACE && !follow->seen) {
		go_on_from(follow, 0);
		follow->stage = STAGE_STREAM;
	}
	request.kind = stages[follow->stage].kind;
	if (follow->stage == STAGE_STREAM)
		request.data = on_data;
	if (follow->stage == STAGE_PLACE) {
		request.after_id = follow->seen > 0 ? follow->seen - 1 : 0;
		request.limit = 1;
	}
	follow->heard_at = clock_mono();
	exchange_send(&follow->exchange, &request, follow->client);
}

/* A connection may die without a word. */
static void check_silence(struct follow *follow)
{
	struct err err = {0};

	if (!follow->exchange.is_busy ||
	    clock_since(follow->heard_at, clock_mono()) < SILENCE_MS)
		return;
	client_drop(follow->client);
	follow->exchange.is_busy = false;
	(void)err_set(&err, ERR_UNREACHABLE, "nothing received for %d s",
		      SILENCE_MS / 1000);
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
		if (!follow->exchange.is_busy &&
		    (!follow->is_lost ||
		     clock_since(follow->retry_at, clock_mono()) >= 0))
			send_next(follow);
		(void)client_run(follow->client, STEP_MS);
		check_silence(follow);
	}
	return follow->exit_status;
}

int events_follow(struct client *client, const struct pool_server *server,
		  const struct options *options)
{
	struct follow follow = {
		.exchange = {.server = server,
			     .on_over = on_over,
			     .context = &follow},
		.client = client,
		.seen = options->after,
	};
	int status;

	output_begin(&follow.output, &event_text_kind, options, true);
	terminal_catch_interrupts("poolctl: ended at once\n");
	status = run(&follow);
	sse_reset(&follow.sse);
	exchange_done(&follow.exchange);
	client_drop(client);
	return status;
}
