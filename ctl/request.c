#include "request.h"

#include "api.h"
#include "mem.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 10000 };

/* Takes the URL. */
static void get(struct client *client, char *url, int64_t timeout_ms, client_done *done,
		void *context)
{
	struct request request = {.method = "GET", .url = url, .timeout_ms = timeout_ms};

	client_send(client, &request, done, context);
	free(url);
}

void request_next_view(struct client *client, const struct pool_server *server,
		       const struct server_view *after, int wait_s, int answer_ms,
		       client_done *done, void *context)
{
	get(client,
	    xasprintf("%s" API_VERSION_PATH "/server?index=%lld&wait=%d", server->url,
		      (long long)after->index, wait_s),
	    (int64_t)wait_s * 1000 + answer_ms, done, context);
}

void request_view_within(struct client *client, const struct pool_server *server,
			 int64_t timeout_ms, client_done *done, void *context)
{
	get(client, xasprintf("%s" API_VERSION_PATH "/server", server->url), timeout_ms,
	    done, context);
}

void request_view(struct client *client, const struct pool_server *server,
		  const struct server_view *after, int wait_s, client_done *done,
		  void *context)
{
	if (after)
		request_next_view(client, server, after, wait_s, ANSWER_MS, done,
				  context);
	else
		request_view_within(client, server, CLIENT_TIMEOUT_MS, done, context);
}

void request_events(struct client *client, const struct pool_server *server,
		    int64_t after, int64_t limit, client_done *done, void *context)
{
	get(client,
	    xasprintf("%s" API_VERSION_PATH "/events?after=%lld&limit=%lld", server->url,
		      (long long)after, (long long)limit),
	    CLIENT_TIMEOUT_MS, done, context);
}

void request_stream(struct client *client, const struct pool_server *server,
		    int64_t after, client_data *data, client_done *done, void *context)
{
	char *url = xasprintf("%s" API_VERSION_PATH "/events", server->url);
	char *last = after < 0 ? NULL : xasprintf("%lld", (long long)after);
	struct request request = {
		.method = "GET", .url = url, .data = data, .last_event = last};

	client_send(client, &request, done, context);
	free(last);
	free(url);
}

struct server_view *request_read_view(const struct pool_server *server,
				      const struct reply *reply, struct err *err)
{
	struct server_view *view = server_view_parse(reply->body, reply->length, err);

	if (!view || !strcmp(view->server, server->named.name))
		return view;
	(void)err_set(err, ERR_CONFIG,
		      "it is server '%.100s' that answers there, not '%s'", view->server,
		      server->named.name);
	server_view_free(view);
	return NULL;
}

static char *drain_url(const struct pool_server *server, const char *id)
{
	return xasprintf("%s" API_VERSION_PATH "/drains/%s", server->url, id);
}

int64_t request_deadline_s(const struct terms *terms)
{
	return (terms->deadline_ms + 999) / 1000;
}

/* What the API takes for granted is left out, so that an older poold understands. */
static void add_terms(json_t *body, const struct terms *terms)
{
	if (terms->deadline_ms) {
		(void)json_object_set_new(body, "deadline_s",
					  json_integer(request_deadline_s(terms)));
		(void)json_object_set_new(
			body, "on_deadline",
			json_string(on_deadline_name(terms->on_deadline)));
	}
	if (terms->until != UNTIL_RESUME)
		(void)json_object_set_new(body, "until",
					  json_string(until_name(terms->until)));
}

static json_t *drain_body(const struct aim *aim, const struct terms *terms,
			  const char *owner, const char *reason)
{
	json_t *services = json_array();
	json_t *body = json_pack("{s:s, s:s}", "owner", owner, "reason", reason);

	for (size_t i = 0; i < aim->service_count; i++)
		(void)json_array_append_new(services, json_string(aim->services[i]));
	if (aim->service_count)
		(void)json_object_set(body, "services", services);
	json_decref(services);
	add_terms(body, terms);
	return body;
}

/* Takes the body. */
static void put_drain(struct client *client, const struct pool_server *server,
		      const char *id, json_t *body, client_done *done, void *context)
{
	char *url = drain_url(server, id), *text = json_dumps(body, JSON_COMPACT);
	struct request request = {.method = "PUT",
				  .url = url,
				  .body = text,
				  .timeout_ms = CLIENT_TIMEOUT_MS};

	client_send(client, &request, done, context);
	json_decref(body);
	free(text);
	free(url);
}

void request_reserve(struct client *client, const struct pool_server *server,
		     const struct aim *aim, const struct terms *terms, const char *owner,
		     const char *reason, client_done *done, void *context)
{
	json_t *body = drain_body(aim, terms, owner, reason);

	(void)json_object_set_new(body, "phase",
				  json_string(drain_phase_name(DRAIN_RESERVED)));
	put_drain(client, server, aim->id, body, done, context);
}

int request_read_token(const struct reply *reply, char token[API_TOKEN_BYTES],
		       struct err *err)
{
	json_t *document = json_loadb(reply->body, reply->length, 0, NULL);
	json_t *reservation = json_object_get(document, "reservation");
	const char *text = json_string_value(json_object_get(reservation, "token"));
	bool is_good = text && *text && strlen(text) < API_TOKEN_BYTES;

	if (is_good)
		copy_text(token, API_TOKEN_BYTES, text);
	json_decref(document);
	return is_good ? 0
		       : err_set(err, ERR_BAD_REPLY,
				 "the reply to a reservation has no token");
}

void request_drain(struct client *client, const struct pool_server *server,
		   const struct aim *aim, const struct terms *terms, const char *owner,
		   const char *reason, const char *token, const char *const *forced,
		   size_t forced_count, client_done *done, void *context)
{
	json_t *body = drain_body(aim, terms, owner, reason), *gates = json_array();

	if (*token)
		(void)json_object_set_new(body, "reservation", json_string(token));
	for (size_t i = 0; i < forced_count; i++)
		(void)json_array_append_new(gates, json_string(forced[i]));
	if (forced_count)
		(void)json_object_set(body, "forced", gates);
	json_decref(gates);
	put_drain(client, server, aim->id, body, done, context);
}

void request_one_drain(struct client *client, const struct pool_server *server,
		       const char *id, client_done *done, void *context)
{
	get(client, drain_url(server, id), CLIENT_TIMEOUT_MS, done, context);
}

/* Adds the text as a part of a URL (RFC 3986, 2.3). */
static void add_escaped(struct buf *url, const char *text)
{
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (isalnum(byte) || (byte && strchr("-._~", byte)))
			buf_add(url, text, 1);
		else
			buf_printf(url, "%%%02X", byte);
	}
}

void request_preflight(struct client *client, const struct pool_server *server,
		       const struct terms *terms, const char *const *services,
		       size_t count, int64_t timeout_ms, client_done *done, void *context)
{
	struct buf url = {0};

	buf_printf(&url, "%s" API_VERSION_PATH "/preflight?until=%s&on_deadline=%s",
		   server->url, until_name(terms->until),
		   on_deadline_name(terms->on_deadline));
	if (terms->deadline_ms)
		buf_printf(&url, "&deadline_s=%lld",
			   (long long)request_deadline_s(terms));
	for (size_t i = 0; i < count; i++) {
		buf_puts(&url, i ? "," : "&services=");
		add_escaped(&url, services[i]);
	}
	get(client, url.text, timeout_ms, done, context);
}

void request_sessions(struct client *client, const struct pool_server *server,
		      const char *service, int64_t limit, client_done *done,
		      void *context)
{
	struct buf url = {0};

	buf_printf(&url, "%s" API_VERSION_PATH "/services/", server->url);
	add_escaped(&url, service);
	buf_printf(&url, "/sessions?limit=%lld", (long long)limit);
	get(client, url.text, CLIENT_TIMEOUT_MS, done, context);
}

/* Takes the URL. */
static void send_delete(struct client *client, char *url, const char *owner,
			client_done *done, void *context)
{
	struct request request = {.method = "DELETE",
				  .url = url,
				  .owner = owner,
				  .timeout_ms = CLIENT_TIMEOUT_MS};

	client_send(client, &request, done, context);
	free(url);
}

void request_end(struct client *client, const struct pool_server *server, const char *id,
		 const char *owner, client_done *done, void *context)
{
	send_delete(client, drain_url(server, id), owner, done, context);
}

void request_withdraw(struct client *client, const struct pool_server *server,
		      const char *id, const char *token, const char *owner,
		      client_done *done, void *context)
{
	struct buf url = {0};

	buf_printf(&url, "%s" API_VERSION_PATH "/drains/%s?reservation=", server->url,
		   id);
	add_escaped(&url, token);
	send_delete(client, url.text, owner, done, context);
}
