#include "api/exchange.h"

#include "mem.h"
#include "utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* poold gives nothing that is older than 15 s, or than three ticks of a minute. */
enum { OLDEST_LOOK_MS = 20000, OLDEST_MS = 200000 };

/* ---- readers: return -1 with an error, or fill in what came of it ---- */

/* The view is of poold's last look, which was at most so long before: the server's
 * clock is that of the reply.  Its date has lost half a second in the mean. */
static int64_t server_clock_ms(const struct server_view *view,
			       const struct reply *reply)
{
	int64_t since_ms = reply->date.ms + 500 - view->time.ms;

	return view->time.ms +
	       (since_ms > 0 && since_ms <= OLDEST_LOOK_MS ? since_ms : 0);
}

/* What was true once proves nothing of now. */
static int check_fresh(const struct server_view *view, const struct reply *reply,
		       struct err *err)
{
	int64_t old_ms = reply->date.ms - view->time.ms;

	return reply->date.ms && old_ms > OLDEST_MS
		       ? err_set(err, ERR_STALE,
				 "its 'time' is %lld s before the date of the reply: a "
				 "cache kept it, or a clock is wrong",
				 (long long)(old_ms / 1000))
		       : 0;
}

static int read_view(struct exchange *exchange, const struct reply *reply,
		     struct err *err)
{
	exchange->view = server_view_parse(reply->body, reply->length, err);
	if (!exchange->view || check_fresh(exchange->view, reply, err))
		return -1;
	exchange->clock_ahead_ms = server_clock_ms(exchange->view, reply) -
				   (clock_wall().ms - reply->took_ms / 2);
	if (reply_read_check_server(exchange->view->document, exchange->server,
				    err))
		return -1;
	server_view_compare(exchange->view, exchange->server);
	return 0;
}

static int read_preflight(struct exchange *exchange, const struct reply *reply,
			  struct err *err)
{
	exchange->preflight = preflight_reply_parse(
		exchange->server,
		drain_options_deadline_s(exchange->request.drain_options),
		reply->body, reply->length, err);
	return exchange->preflight ? 0 : -1;
}

static int read_drain(struct exchange *exchange, const struct reply *reply,
		      struct err *err)
{
	exchange->drain = server_view_parse_drain(reply->body, reply->length, err);
	return exchange->drain ? 0 : -1;
}

static int read_token(struct exchange *exchange, const struct reply *reply,
		      struct err *err)
{
	json_t *document = reply_read_document(reply->body, reply->length, err);
	const json_t *reservation =
		reply_read_object(document, "reservation", REPLY_REQUIRED, err);
	const char *token =
		reply_read_text(reservation, "token", REPLY_REQUIRED, err);

	if (!*token || strlen(token) >= sizeof(exchange->token))
		(void)reply_read_fail("token", "a token", err);
	utf8_copy(exchange->token, sizeof(exchange->token), token);
	json_decref(document);
	return err->code ? -1 : 0;
}

static int read_sessions(struct exchange *exchange, const struct reply *reply,
			 struct err *err)
{
	exchange->sessions = sessions_reply_parse(exchange->request.service,
						  reply->body, reply->length, err);
	return exchange->sessions ? 0 : -1;
}

static int read_events(struct exchange *exchange, const struct reply *reply,
		       struct err *err)
{
	exchange->events = events_reply_parse(reply->body, reply->length, err);
	return exchange->events ? 0 : -1;
}

static int read_caller(struct exchange *exchange, const struct reply *reply,
		       struct err *err)
{
	json_t *document = reply_read_document(reply->body, reply->length, err);

	(void)reply_read_text(document, "role", REPLY_REQUIRED, err);
	(void)reply_read_text(document, "name", REPLY_NULL, err);
	(void)reply_read_text(document, "credential", REPLY_NULL, err);
	exchange->caller = document;
	return err->code ? -1 : 0;
}

/* The data of a stream goes elsewhere; any other reply has a body. */
static int read_stream(struct exchange *exchange, const struct reply *reply,
		       struct err *err)
{
	(void)exchange;
	return reply->length ? err_set(err, ERR_BAD_REPLY,
				       "this poold cannot stream events")
			     : 0;
}

/* Of a reply without a reader, the status says all. */
static const struct {
	const char *what; /* the reply is, if it can be read wrongly */
	int (*read)(struct exchange *exchange, const struct reply *reply,
		    struct err *err);
} replies[REQUEST__COUNT] = {
	[REQUEST_VIEW] = {"state of the server", read_view},
	[REQUEST_PREFLIGHT] = {"preflight", read_preflight},
	[REQUEST_RESERVE] = {"reservation", read_token},
	[REQUEST_DRAIN] = {"drain", read_drain},
	[REQUEST_SESSIONS] = {"list of sessions", read_sessions},
	[REQUEST_EVENTS] = {"list of events", read_events},
	[REQUEST_STREAM] = {NULL, read_stream},
	[REQUEST_CALLER] = {"role of the caller", read_caller},
};

void exchange_done(struct exchange *exchange)
{
	server_view_free(exchange->view);
	exchange->view = NULL;
	preflight_reply_free(exchange->preflight);
	exchange->preflight = NULL;
	server_view_free_drain(exchange->drain);
	exchange->drain = NULL;
	sessions_reply_free(exchange->sessions);
	exchange->sessions = NULL;
	events_reply_free(exchange->events);
	exchange->events = NULL;
	json_decref(exchange->caller);
	exchange->caller = NULL;
}

static int read_body(struct exchange *exchange, const struct reply *reply,
		     struct err *err)
{
	if (!replies[exchange->request.kind].read)
		return 0;
	if (reply->age_s > 0)
		return err_set(
			err, ERR_STALE,
			"a cache in front of poold kept this reply for %lld s; "
			"it must pass each request on",
			(long long)reply->age_s);
	return replies[exchange->request.kind].read(exchange, reply, err);
}

/* A token that is in force without being thought of, is the usual reason. */
static void name_source(const struct request_credential *used,
			struct problem *problem)
{
	char *text;

	if ((problem->code != ERR_UNAUTHENTICATED &&
	     problem->code != ERR_FORBIDDEN) ||
	    !*used->source)
		return;
	text = xasprintf("%s; the credential is from %s", problem->text,
			 used->source);
	utf8_copy(problem->text, sizeof(problem->text), text);
	free(text);
}

static int read_reply(struct exchange *exchange, const struct reply *reply)
{
	const char *url = exchange->server->url;
	struct err found = {0}, err = {0};

	if (problem_from_reply(reply, url, &exchange->problem)) {
		name_source(&exchange->used, &exchange->problem);
		return -1;
	}
	if (!read_body(exchange, reply, &found))
		return 0;
	if (found.code == ERR_BAD_REPLY && replies[exchange->request.kind].what)
		(void)err_set(&err, found.code, "the %s cannot be understood: %s",
			      replies[exchange->request.kind].what, found.text);
	problem_from_err(err.code ? &err : &found, url, &exchange->problem);
	exchange->problem.may_pass |= found.code == ERR_STALE;
	exchange_done(exchange);
	return -1;
}

static bool on_data(void *context, const char *bytes, size_t length)
{
	const struct exchange *exchange = context;

	return exchange->request.data(exchange->context, bytes, length);
}

static void on_reply(void *context, const struct reply *reply);

static void send_newest(struct exchange *exchange)
{
	struct request sent = exchange->request;

	if (sent.data)
		sent.data = on_data;
	request_send(&sent, exchange->server, exchange->client, &exchange->used,
		     on_reply, exchange);
}

/* A poold that has just started takes its new local credential alone. */
static bool send_again(struct exchange *exchange, const struct reply *reply)
{
	if (reply->status != 401 || exchange->is_second ||
	    !request_has_other_credential(exchange->server, &exchange->used))
		return false;
	exchange->is_second = true;
	send_newest(exchange);
	return true;
}

static void on_reply(void *context, const struct reply *reply)
{
	struct exchange *exchange = context;

	if (send_again(exchange, reply))
		return;
	exchange_done(exchange);
	exchange->is_busy = false;
	exchange->is_over = true;
	exchange->took_ms = reply->took_ms;
	exchange->is_good = !read_reply(exchange, reply);
	if (exchange->on_over)
		exchange->on_over(exchange->context);
}

void exchange_send(struct exchange *exchange, const struct request *request,
		   struct client *client)
{
	assert(!exchange->is_busy);
	exchange->request = *request;
	exchange->client = client;
	exchange->is_second = false;
	send_newest(exchange);
	exchange->is_busy = true;
	exchange->is_over = false;
}

int exchange_ask_all(struct exchange *const *exchanges, size_t count,
		     const struct request *request, struct err *err)
{
	struct client *client = client_new(err);

	if (!client)
		return -1;
	client_set_limit(client, CLIENT_MANY);
	for (size_t i = 0; i < count; i++)
		exchange_send(exchanges[i], request, client);
	client_finish(client);
	client_free(client);
	return 0;
}
