#include "client.h"

#include "api.h"
#include "buf.h"
#include "mem.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

struct transfer {
	CURL *easy;
	struct curl_slist *headers;
	struct buf body;
	bool is_too_large, has_head, is_started;
	char error[CURL_ERROR_SIZE];
	client_done *done;
	client_data *data;
	void *context;
	struct transfer *next;
};

struct client {
	CURLM *multi;
	struct transfer *transfers; /* the oldest first */
	size_t count, started, limit;
};

struct client *client_new(struct err *err)
{
	struct client *client = xcalloc(1, sizeof(*client));

	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		client->multi = curl_multi_init();
	if (client->multi)
		return client;
	free(client);
	(void)err_set(err, ERR_INTERNAL, "the HTTP library cannot start");
	return NULL;
}

static void remove_transfer(struct client *client, struct transfer *transfer)
{
	struct transfer **link = &client->transfers;

	while (*link != transfer)
		link = &(*link)->next;
	*link = transfer->next;
	client->count--;
	client->started -= transfer->is_started;
	(void)curl_multi_remove_handle(client->multi, transfer->easy);
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	buf_done(&transfer->body);
	free(transfer);
}

void client_drop(struct client *client)
{
	while (client->transfers)
		remove_transfer(client, client->transfers);
}

void client_free(struct client *client)
{
	if (!client)
		return;
	client_drop(client);
	(void)curl_multi_cleanup(client->multi);
	curl_global_cleanup();
	free(client);
}

/* Anything else that answers a request for a stream is a body as any other. */
static bool is_stream(const struct transfer *transfer)
{
	char *type = NULL;
	long status = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &type);
	return transfer->data && status == 200 && type &&
	       !strncmp(type, API_EVENT_STREAM, strlen(API_EVENT_STREAM));
}

/* The library takes a head that is cut off for a whole one: its end is an empty line. */
static size_t on_head_line(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;

	transfer->has_head = size * count > 0 && (*bytes == '\r' || *bytes == '\n');
	return size * count;
}

/* Taking less than was offered ends the transfer. */
static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t length = size * count;

	if (is_stream(transfer))
		return transfer->data(transfer->context, bytes, length) ? length : 0;
	transfer->is_too_large =
		transfer->body.length + length > CLIENT_REPLY_LIMIT_BYTES;
	if (transfer->is_too_large)
		return 0;
	buf_add(&transfer->body, bytes, length);
	return length;
}

static void add_header(struct transfer *transfer, const char *name, const char *value)
{
	char *line = xasprintf("%s: %s", name, value);
	struct curl_slist *longer = curl_slist_append(transfer->headers, line);

	if (!longer)
		abort();
	transfer->headers = longer;
	free(line);
}

static void describe(struct transfer *transfer, const struct request *request)
{
	CURL *easy = transfer->easy;

	add_header(transfer, "Accept", request->data ? API_EVENT_STREAM : API_JSON);
	if (request->last_event)
		add_header(transfer, API_LAST_EVENT_HEADER, request->last_event);
	if (request->body) {
		add_header(transfer, "Content-Type", API_JSON);
		(void)curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body);
	} else if (request->owner) {
		add_header(transfer, API_WRITE_HEADER, "1");
		add_header(transfer, API_OWNER_HEADER, request->owner);
	}
	(void)curl_easy_setopt(easy, CURLOPT_URL, request->url);
	(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CLIENT_CONNECT_MS);
}

/* CURLOPT_NOSIGNAL: a time limit must not come as a signal.  Anything but HTTP stays
 * shut, whatever the URL says. */
static void restrict_to_http(CURL *easy)
{
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "poolctl/" VERSION);
}

void client_set_limit(struct client *client, size_t limit)
{
	client->limit = limit;
	/* Those that are kept for later count as well: the oldest makes room. */
	(void)curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
				(long)limit);
}

/* Those that wait are not yet the library's, as it would count their time. */
static void start_waiting(struct client *client)
{
	for (struct transfer *transfer = client->transfers; transfer;
	     transfer = transfer->next) {
		if (client->limit && client->started >= client->limit)
			return;
		if (transfer->is_started)
			continue;
		if (curl_multi_add_handle(client->multi, transfer->easy) != CURLM_OK)
			abort();
		transfer->is_started = true;
		client->started++;
	}
}

static void append(struct client *client, struct transfer *transfer)
{
	struct transfer **link = &client->transfers;

	while (*link)
		link = &(*link)->next;
	*link = transfer;
	client->count++;
}

void client_send(struct client *client, const struct request *request, client_done *done,
		 void *context)
{
	struct transfer *transfer = xcalloc(1, sizeof(*transfer));

	transfer->easy = curl_easy_init();
	if (!transfer->easy)
		abort();
	transfer->done = done;
	transfer->data = request->data;
	transfer->context = context;
	(void)curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
	(void)curl_easy_setopt(transfer->easy, CURLOPT_ERRORBUFFER, transfer->error);
	(void)curl_easy_setopt(transfer->easy, CURLOPT_HEADERFUNCTION, on_head_line);
	(void)curl_easy_setopt(transfer->easy, CURLOPT_HEADERDATA, transfer);
	(void)curl_easy_setopt(transfer->easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(transfer->easy, CURLOPT_WRITEDATA, transfer);
	restrict_to_http(transfer->easy);
	describe(transfer, request);
	append(client, transfer);
	start_waiting(client);
}

/* What answered, but not in HTTP as we understand it. */
static bool is_bad_reply(CURLcode code)
{
	static const CURLcode bad[] = {CURLE_UNSUPPORTED_PROTOCOL,
				       CURLE_WEIRD_SERVER_REPLY,
				       CURLE_BAD_CONTENT_ENCODING, CURLE_URL_MALFORMAT};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (bad[i] == code)
			return true;
	return false;
}

static void explain(const struct transfer *transfer, CURLcode code, struct reply *reply)
{
	const char *text = *transfer->error ? transfer->error : curl_easy_strerror(code);
	long sent_bytes = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
	reply->may_be_received = sent_bytes > 0;
	if (transfer->is_too_large)
		(void)err_set(&reply->err, ERR_BAD_REPLY,
			      "the reply is larger than %d bytes",
			      CLIENT_REPLY_LIMIT_BYTES);
	else if (is_bad_reply(code))
		(void)err_set(&reply->err, ERR_BAD_REPLY, "%s", text);
	else
		(void)err_set(&reply->err, ERR_UNREACHABLE, "%s", text);
}

static void finish(struct client *client, CURL *easy, CURLcode code)
{
	struct reply reply = {.body = ""};
	struct transfer *transfer;
	curl_off_t took_us = 0;
	char *private = NULL;
	long status = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
	(void)curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &took_us);
	transfer = (struct transfer *)private;
	reply.took_ms = took_us / 1000;
	if (code == CURLE_OK && !transfer->has_head)
		code = CURLE_GOT_NOTHING;
	if (code == CURLE_OK) {
		(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
		reply.status = (int)status;
		reply.length = transfer->body.length;
		if (reply.length)
			reply.body = transfer->body.text;
	} else {
		explain(transfer, code, &reply);
	}
	transfer->done(transfer->context, &reply);
	remove_transfer(client, transfer);
	start_waiting(client);
}

static size_t finish_all(struct client *client)
{
	size_t finished = 0;
	CURLMsg *message;
	int running;

	if (curl_multi_perform(client->multi, &running) != CURLM_OK)
		abort();
	while ((message = curl_multi_info_read(client->multi, &running))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		finish(client, message->easy_handle, message->data.result);
		finished++;
	}
	return finished;
}

size_t client_run(struct client *client, int timeout_ms)
{
	if (finish_all(client))
		return client->count;
	(void)curl_multi_poll(client->multi, NULL, 0, timeout_ms, NULL);
	(void)finish_all(client);
	return client->count;
}
