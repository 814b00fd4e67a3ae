#include "api/request.h"

#include "api.h"
#include "access/credential.h"
#include "chain.h"
#include "mem.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { LATE_VIEW_MS = 10000 };

/* ---- paths ---- */

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

/* In a list, a comma of the name itself stands behind a backslash, which no name
 * has. */
static void add_service(struct buf *url, const char *name)
{
	for (; *name; name++)
		add_escaped(url, *name == ',' ? "\\," : (char[]){*name, '\0'});
}

static void add_view_path(const struct request *request, struct buf *url)
{
	buf_puts(url, "/server");
	if (request->after)
		buf_printf(url, "?index=%lld&wait=%d",
			   (long long)request->after->index, request->wait_s);
}

static void add_preflight_path(const struct request *request, struct buf *url)
{
	const struct drain_options *options = request->drain_options;

	buf_printf(url, "/preflight?until=%s&on_deadline=%s",
		   api_untils[options->until],
		   api_on_deadlines[options->on_deadline]);
	if (options->deadline_ms)
		buf_printf(url, "&deadline_s=%lld",
			   (long long)drain_options_deadline_s(options));
	for (size_t i = 0; i < request->service_count; i++) {
		buf_puts(url, i ? "," : "&services=");
		add_service(url, request->services[i]);
	}
}

static void add_drain_path(const struct request *request, struct buf *url)
{
	buf_printf(url, "/drains/%s", request->id);
}

/* One that comes late must not end a drain that was asked for again meanwhile. */
static void add_end_path(const struct request *request, struct buf *url)
{
	add_drain_path(request, url);
	if (request->seen_index > 0)
		buf_printf(url, "?index=%lld", (long long)request->seen_index);
}

static void add_withdraw_path(const struct request *request, struct buf *url)
{
	buf_printf(url, "/drains/%s?reservation=", request->id);
	add_escaped(url, request->token);
}

static void add_sessions_path(const struct request *request, struct buf *url)
{
	buf_puts(url, "/services/");
	add_escaped(url, request->service);
	buf_printf(url, "/sessions?limit=%lld", (long long)request->limit);
}

static void add_events_path(const struct request *request, struct buf *url)
{
	buf_printf(url, "/events?after=%lld&limit=%lld",
		   (long long)request->after_id, (long long)request->limit);
}

static void add_caller_path(const struct request *request, struct buf *url)
{
	(void)request;
	buf_puts(url, "/caller");
}

static void add_stream_path(const struct request *request, struct buf *url)
{
	(void)request;
	buf_puts(url, "/events");
}

/* ---- bodies ---- */

static void set_text(json_t *body, const char *key, const char *text)
{
	(void)json_object_set_new(body, key, json_string(text));
}

static void set_texts(json_t *body, const char *key, const char *const *texts,
		      size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, json_string(texts[i]));
	(void)json_object_set_new(body, key, list);
}

/* Defaults of the API are left out, so that an older poold understands. */
static void set_drain(json_t *body, const struct request *request)
{
	const struct drain_options *options = request->drain_options;

	set_text(body, "owner", request->owner);
	set_text(body, "reason", request->reason);
	if (request->service_count)
		set_texts(body, "services", request->services,
			  request->service_count);
	if (options->deadline_ms) {
		(void)json_object_set_new(
			body, "deadline_s",
			json_integer(drain_options_deadline_s(options)));
		set_text(body, "on_deadline",
			 api_on_deadlines[options->on_deadline]);
	}
	if (options->until != UNTIL_RESUME)
		set_text(body, "until", api_untils[options->until]);
}

static void set_reservation(json_t *body, const struct request *request)
{
	set_drain(body, request);
	set_text(body, "phase", api_drain_phases[DRAIN_RESERVED]);
}

static void set_commit(json_t *body, const struct request *request)
{
	set_drain(body, request);
	if (request->token && *request->token)
		set_text(body, "reservation", request->token);
	if (request->forced_count)
		set_texts(body, "forced", request->forced, request->forced_count);
}

/* ---- all of them ---- */

static const struct kind {
	const char *method;
	void (*add_path)(const struct request *request, struct buf *url);
	void (*set_body)(json_t *body, const struct request *request); /* or NULL */
} kinds[REQUEST__COUNT] = {
	[REQUEST_VIEW] = {"GET", add_view_path, NULL},
	[REQUEST_PREFLIGHT] = {"GET", add_preflight_path, NULL},
	[REQUEST_RESERVE] = {"PUT", add_drain_path, set_reservation},
	[REQUEST_COMMIT] = {"PUT", add_drain_path, set_commit},
	[REQUEST_WITHDRAW] = {"DELETE", add_withdraw_path, NULL},
	[REQUEST_END] = {"DELETE", add_end_path, NULL},
	[REQUEST_DRAIN] = {"GET", add_drain_path, NULL},
	[REQUEST_SESSIONS] = {"GET", add_sessions_path, NULL},
	[REQUEST_EVENTS] = {"GET", add_events_path, NULL},
	[REQUEST_STREAM] = {"GET", add_stream_path, NULL},
	[REQUEST_CALLER] = {"GET", add_caller_path, NULL},
};

static char *make_body(const struct request *request)
{
	json_t *body;
	char *text;

	if (!kinds[request->kind].set_body)
		return NULL;
	body = json_object();
	kinds[request->kind].set_body(body, request);
	text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	return text;
}

static int64_t timeout_ms(const struct request *request)
{
	int64_t usual_ms = request->after ? LATE_VIEW_MS : CLIENT_TIMEOUT_MS;
	int64_t wait_ms = request->after ? (int64_t)request->wait_s * 1000 : 0;

	if (request->kind == REQUEST_STREAM)
		return 0;
	return wait_ms + (request->timeout_ms ? request->timeout_ms : usual_ms);
}

void request_send(const struct request *request, const struct pool_server *server,
		  struct client *client, struct request_credential *used,
		  client_done *done, void *context)
{
	char *body = make_body(request), *last_event = NULL;
	char credential[CREDENTIAL_BYTES];
	struct err refusal = {0};
	const char *source;
	struct buf url = {0};

	(void)credential_find(server, credential, &source, &refusal);
	if (used) {
		chain_digest(credential, used->digest);
		used->source = source;
	}
	if (request->kind == REQUEST_STREAM && request->after_id >= 0)
		last_event = xasprintf("%lld", (long long)request->after_id);
	buf_printf(&url, "%s" API_VERSION_PATH, server->url);
	kinds[request->kind].add_path(request, &url);
	client_send(client,
		    &(struct client_request){
			    .method = kinds[request->kind].method,
			    .url = url.text,
			    .trust = pool_trust(server->pool, server),
			    .body = body,
			    .owner = request->owner,
			    .timeout_ms = timeout_ms(request),
			    .data = request->data,
			    .last_event = last_event,
			    .credential = credential,
			    .is_alone = credential_needs_fresh(server, credential),
			    .refusal = refusal.code ? &refusal : NULL,
		    },
		    done, context);
	buf_done(&url);
	free(last_event);
	free(body);
}

bool request_has_other_credential(const struct pool_server *server,
				  const struct request_credential *used)
{
	char credential[CREDENTIAL_BYTES], now[CHAIN_HASH_BYTES];

	if (credential_find(server, credential, NULL, NULL))
		return false;
	chain_digest(credential, now);
	return strcmp(now, used->digest) != 0;
}
