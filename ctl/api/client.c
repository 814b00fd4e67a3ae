#include "api/client.h"

#include "api.h"
#include "buf.h"
#include "clock.h"
#include "mem.h"
#include "pool.h"
#include "tls/tls_verify.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SHOWN_BYTES = 64, FINISH_MS = 1000 };

/* The talk on a connection that tries a session. */
struct talk {
	uint16_t port;
	char *send, *taken; /* NULL: nothing */
	size_t sent, heard; /* bytes of them; all heard so far was as expected */
	struct mono until;
	bool is_connected;
};

struct transfer {
	CURL *easy;                /* NULL: it waits for its turn */
	struct talk *talk;         /* NULL: it is a request */
	char *method, *url, *sent; /* `method` and `sent` may be NULL */
	const struct pool_trust *trust;
	long timeout_ms;
	struct mono started_at;
	struct wall started_wall; /* goes on while the machine sleeps */
	struct curl_slist *headers;
	struct buf body;
	bool is_too_large, has_head, is_alone;
	struct wall date;
	int64_t age_s;
	char error[CURL_ERROR_SIZE];
	struct err refusal; /* set: it is not sent */
	client_done *done;
	client_data *data;
	void *context;
	struct transfer *next;
};

struct client {
	CURLM *multi;
	CURL *spare; /* of a transfer that is over, for the next one; or NULL */
	struct transfer *transfers, **end; /* the oldest first */
	size_t count, started, limit;
};

struct client *client_new(struct err *err)
{
	struct client *client = xcalloc(1, sizeof(*client));

	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		client->multi = curl_multi_init();
	client->end = &client->transfers;
	if (client->multi)
		return client;
	free(client);
	(void)err_set(err, ERR_INTERNAL, "the HTTP library cannot start");
	return NULL;
}

/* Keeps the handle for the next transfer; but the connection of a try must end, and
 * does with its handle. */
static void give_handle(struct client *client, const struct transfer *transfer)
{
	curl_easy_cleanup(transfer->talk ? transfer->easy : client->spare);
	if (!transfer->talk)
		client->spare = transfer->easy;
}

static void remove_transfer(struct client *client, struct transfer *transfer)
{
	struct transfer **link = &client->transfers;

	while (*link != transfer)
		link = &(*link)->next;
	*link = transfer->next;
	if (!*link)
		client->end = link;
	client->count--;
	if (transfer->easy) {
		client->started--;
		(void)curl_multi_remove_handle(client->multi, transfer->easy);
		give_handle(client, transfer);
	}
	curl_slist_free_all(transfer->headers);
	buf_done(&transfer->body);
	if (transfer->talk) {
		free(transfer->talk->send);
		free(transfer->talk->taken);
	}
	free(transfer->talk);
	free(transfer->method);
	free(transfer->url);
	free(transfer->sent);
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
	curl_easy_cleanup(client->spare);
	(void)curl_multi_cleanup(client->multi);
	curl_global_cleanup();
	free(client);
}

/* Any other reply to a request for a stream has an ordinary body. */
static bool is_stream(const struct transfer *transfer)
{
	char *type = NULL;
	long status = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &type);
	return transfer->data && status == 200 &&
	       api_is_media_type(type, API_EVENT_STREAM);
}

/* Copies the value of a header into `text`; false if the line is of another one.
 * The line has no NUL. */
static bool read_value(const char *line, size_t length, const char *name,
		       char text[SHOWN_BYTES])
{
	size_t before = strlen(name);

	if (length < before || length >= SHOWN_BYTES ||
	    strncasecmp(line, name, before) != 0)
		return false;
	(void)snprintf(text, SHOWN_BYTES, "%.*s", (int)(length - before),
		       line + before);
	return true;
}

static void read_header(struct transfer *transfer, const char *line, size_t length)
{
	char text[SHOWN_BYTES];
	time_t seconds;

	if (read_value(line, length, "date:", text)) {
		seconds = curl_getdate(text, NULL);
		if (seconds > 0)
			transfer->date.ms = (int64_t)seconds * 1000;
	}
	if (read_value(line, length, "age:", text))
		transfer->age_s = strtoll(text, NULL, 10);
}

/* The library accepts a head that is cut off; a whole one ends with an empty line.
 */
static size_t on_head_line(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;

	transfer->has_head = size * count > 0 && (*bytes == '\r' || *bytes == '\n');
	read_header(transfer, bytes, size * count);
	return size * count;
}

/* Taking less than was offered ends the transfer. */
static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t length = size * count;

	if (is_stream(transfer))
		return transfer->data(transfer->context, bytes, length) ? length
									: 0;
	transfer->is_too_large =
		transfer->body.length + length > CLIENT_REPLY_LIMIT_BYTES;
	if (transfer->is_too_large)
		return 0;
	buf_add(&transfer->body, bytes, length);
	return length;
}

static void add_header(struct transfer *transfer, const char *name,
		       const char *value)
{
	char *line = xasprintf("%s: %s", name, value);
	struct curl_slist *longer = curl_slist_append(transfer->headers, line);

	if (!longer)
		abort();
	transfer->headers = longer;
	free(line);
}

/* Copies the request, which may be gone when it is sent. */
static void describe(struct transfer *transfer,
		     const struct client_request *request)
{
	transfer->method = xstrdup(request->method);
	transfer->url = xstrdup(request->url);
	transfer->trust = request->trust;
	transfer->timeout_ms = (long)request->timeout_ms;
	transfer->is_alone = request->is_alone;
	add_header(transfer, "Accept", request->data ? API_EVENT_STREAM : API_JSON);
	if (request->last_event)
		add_header(transfer, API_LAST_EVENT_HEADER, request->last_event);
	if (request->credential && *request->credential) {
		char *bearer = xasprintf("Bearer %s", request->credential);

		add_header(transfer, "Authorization", bearer);
		free(bearer);
	}
	if (request->refusal)
		transfer->refusal = *request->refusal;
	if (request->body) {
		add_header(transfer, "Content-Type", API_JSON);
		transfer->sent = xstrdup(request->body);
	} else if (request->owner) {
		add_header(transfer, API_WRITE_HEADER, "1");
		add_header(transfer, API_OWNER_HEADER, request->owner);
	}
}

static void set_request(CURL *easy, const struct transfer *transfer)
{
	if (transfer->sent)
		(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->sent);
	(void)curl_easy_setopt(easy, CURLOPT_URL, transfer->url);
	(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, transfer->method);
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	tls_verify_set(easy, transfer->trust);
	/* Where nothing answers at 127.0.0.1, another program may at ::1. */
	if (pool_is_localhost(transfer->url))
		(void)curl_easy_setopt(easy, CURLOPT_IPRESOLVE,
				       (long)CURL_IPRESOLVE_V4);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, transfer->timeout_ms);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			       (long)CLIENT_CONNECT_MS);
}

/* The library only connects; the scheme http needs no more than that. */
static void set_try(CURL *easy, const struct transfer *transfer)
{
	(void)curl_easy_setopt(easy, CURLOPT_URL, transfer->url);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, transfer->timeout_ms);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			       transfer->timeout_ms);
}

static void set_answer(CURL *easy, struct transfer *transfer)
{
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head_line);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}

/* CURLOPT_NOSIGNAL: a time limit must not come as a signal.  Anything but HTTP
 * stays shut, whatever the URL says. */
static void restrict_to_http(CURL *easy)
{
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Nor may a resolver that is silent hold up whoever has given up on it. */
	(void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "poolctl/" VERSION);
}

void client_set_limit(struct client *client, size_t limit)
{
	client->limit = limit;
	/* Those that are kept for later count as well: the oldest makes room. */
	(void)curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
				(long)limit);
}

/* A waiting transfer has no handle yet, and reuses that of one that is over. */
static void start(struct client *client, struct transfer *transfer)
{
	CURL *easy = client->spare ? client->spare : curl_easy_init();

	if (!easy)
		abort();
	client->spare = NULL;
	curl_easy_reset(easy);
	transfer->easy = easy;
	transfer->started_at = clock_mono();
	transfer->started_wall = clock_wall();
	set_answer(easy, transfer);
	restrict_to_http(easy);
	/* Of more servers than connections are allowed, each has lost its
	 * connection to another one by the time that it is asked again. */
	if (transfer->is_alone || (client->limit && client->count > client->limit))
		(void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	if (transfer->is_alone)
		(void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	if (transfer->talk)
		set_try(easy, transfer);
	else
		set_request(easy, transfer);
	if (curl_multi_add_handle(client->multi, easy) != CURLM_OK)
		abort();
	client->started++;
}

/* Waiting transfers are not given to the library, which would count their time. */
static void start_waiting(struct client *client)
{
	for (struct transfer *transfer = client->transfers; transfer;
	     transfer = transfer->next) {
		if (client->limit && client->started >= client->limit)
			return;
		if (!transfer->easy && !transfer->refusal.code)
			start(client, transfer);
	}
}

static void append(struct client *client, struct transfer *transfer)
{
	*client->end = transfer;
	client->end = &transfer->next;
	client->count++;
}

static struct transfer *transfer_new(client_done *done, void *context)
{
	struct transfer *transfer = xcalloc(1, sizeof(*transfer));

	transfer->done = done;
	transfer->context = context;
	return transfer;
}

void client_send(struct client *client, const struct client_request *request,
		 client_done *done, void *context)
{
	struct transfer *transfer = transfer_new(done, context);

	transfer->data = request->data;
	describe(transfer, request);
	append(client, transfer);
	start_waiting(client);
}

/* Something answered, but not in HTTP as we understand it. */
static bool is_bad_reply(CURLcode code)
{
	static const CURLcode bad[] = {
		CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY,
		CURLE_BAD_CONTENT_ENCODING, CURLE_URL_MALFORMAT};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (bad[i] == code)
			return true;
	return false;
}

/* For what happens most, what to do instead of what the library says. */
static const char *describe_failure(const struct transfer *transfer, CURLcode code,
				    bool is_sent)
{
	if (code == CURLE_COULDNT_CONNECT)
		return "no connection; check that poold runs there, and 'url' in "
		       "pool.yaml";
	if (code == CURLE_COULDNT_RESOLVE_HOST)
		return "its name cannot be resolved; check 'url' in pool.yaml, and DNS "
		       "on this machine";
	if (code == CURLE_OPERATION_TIMEDOUT)
		return is_sent ? "it took the request and did not reply in time; check "
				 "poold there"
			       : "no reply in time; check poold there, 'url' in "
				 "pool.yaml, and firewalls between";
	return *transfer->error ? transfer->error : curl_easy_strerror(code);
}

static void explain(const struct transfer *transfer, CURLcode code,
		    struct reply *reply)
{
	const char *text;
	long sent_bytes = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
	text = describe_failure(transfer, code, sent_bytes > 0);
	reply->may_be_received = sent_bytes > 0;
	if (transfer->is_too_large)
		(void)err_set(&reply->err, ERR_BAD_REPLY,
			      "the reply is larger than %d bytes",
			      CLIENT_REPLY_LIMIT_BYTES);
	else if (is_bad_reply(code))
		(void)err_set(&reply->err, ERR_BAD_REPLY, "%s", text);
	else if (!tls_verify_explain(code, transfer->error, transfer->url,
				     &reply->err))
		(void)err_set(&reply->err, ERR_UNREACHABLE, "%s", text);
}

static void give_reply(struct client *client, struct transfer *transfer,
		       const struct reply *reply)
{
	transfer->done(transfer->context, reply);
	remove_transfer(client, transfer);
	start_waiting(client);
}

static int64_t took_ms(const struct transfer *transfer)
{
	int64_t mono_ms = clock_since(transfer->started_at, clock_mono());
	int64_t wall_ms = clock_wall().ms - transfer->started_wall.ms;

	return wall_ms > mono_ms ? wall_ms : mono_ms;
}

static void finish(struct client *client, struct transfer *transfer, CURLcode code)
{
	struct reply reply = {.body = "",
			      .took_ms = took_ms(transfer),
			      .date = transfer->date,
			      .age_s = transfer->age_s};
	CURL *easy = transfer->easy;
	long status = 0;

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
	give_reply(client, transfer, &reply);
}

/* ---- tries of sessions ---- */

void client_try(struct client *client, const struct client_try *attempt,
		client_done *done, void *context)
{
	struct transfer *transfer = transfer_new(done, context);
	bool is_ipv4 = net_address_is_ipv4(&attempt->address);
	char address[NET_ADDRESS_TEXT_BYTES];
	struct talk *talk;

	talk = transfer->talk = xcalloc(1, sizeof(*talk));
	talk->port = attempt->port;
	talk->until = clock_add(clock_mono(), attempt->timeout_ms);
	if (attempt->taken) {
		talk->taken = xstrdup(attempt->taken);
		talk->send =
			attempt->send ? xasprintf("%s\r\n", attempt->send) : NULL;
	}
	net_address_format(&attempt->address, address);
	transfer->timeout_ms = (long)attempt->timeout_ms;
	transfer->url = xasprintf("http://%s%s%s:%u", is_ipv4 ? "" : "[", address,
				  is_ipv4 ? "" : "]", attempt->port);
	append(client, transfer);
	start(client, transfer);
}

/* `heard` bytes came as expected, then something else or nothing.  The text is
 * UTF-8: it is cut between characters. */
static int fail_talk(const struct talk *talk, const char *end, struct err *err)
{
	size_t length = talk->heard < SHOWN_BYTES ? talk->heard : SHOWN_BYTES;

	while (length && ((unsigned char)talk->taken[length] & 0xC0) == 0x80)
		length--;
	if (!length)
		return err_set(err, ERR_NOT_VERIFIED, "port %u: connected, but %s",
			       talk->port, end);
	return err_set(err, ERR_NOT_VERIFIED,
		       "port %u: connected and received '%.*s', but %s", talk->port,
		       (int)length, talk->taken, end);
}

/* A connection that was closed shows when it is read. */
static void send_line(const struct transfer *transfer)
{
	struct talk *talk = transfer->talk;

	while (talk->send && talk->send[talk->sent]) {
		const char *rest = talk->send + talk->sent;
		size_t sent = 0;

		if (curl_easy_send(transfer->easy, rest, strlen(rest), &sent) !=
		    CURLE_OK)
			return;
		talk->sent += sent;
	}
}

/* 1: taken; -1: not taken, and `err` says why; 0: not known yet. */
static int listen_to(const struct transfer *transfer, struct err *err)
{
	struct talk *talk = transfer->talk;

	while (talk->taken[talk->heard]) {
		CURLcode code;
		size_t got = 0;
		char byte;

		code = curl_easy_recv(transfer->easy, &byte, 1, &got);
		if (code == CURLE_AGAIN &&
		    clock_since(talk->until, clock_mono()) < 0)
			return 0;
		if (code == CURLE_AGAIN)
			return fail_talk(
				talk, "the rest of the answer did not come in time",
				err);
		if (code != CURLE_OK || !got)
			return fail_talk(talk, "the connection was closed", err);
		if (byte != talk->taken[talk->heard])
			return fail_talk(
				talk, "the answer was not the expected one", err);
		talk->heard++;
	}
	return 1;
}

/* The system's own words differ from system to system. */
static void on_connected(struct client *client, struct transfer *transfer,
			 CURLcode code)
{
	struct reply reply = {.body = ""};
	unsigned port = transfer->talk->port;

	if (code == CURLE_OPERATION_TIMEDOUT)
		(void)err_set(&reply.err, ERR_UNREACHABLE,
			      "port %u does not respond", port);
	else if (code != CURLE_OK)
		(void)err_set(&reply.err, ERR_UNREACHABLE,
			      "cannot connect to port %u", port);
	transfer->talk->is_connected = code == CURLE_OK;
	if (code != CURLE_OK || !transfer->talk->taken)
		give_reply(client, transfer, &reply);
}

static size_t go_on_talking(struct client *client)
{
	struct transfer *next;
	size_t finished = 0;

	for (struct transfer *transfer = client->transfers; transfer;
	     transfer = next) {
		struct reply reply = {.body = ""};

		next = transfer->next;
		if (!transfer->talk || !transfer->talk->is_connected)
			continue;
		send_line(transfer);
		if (!listen_to(transfer, &reply.err))
			continue;
		give_reply(client, transfer, &reply);
		finished++;
	}
	return finished;
}

/* The library does not watch connections that it only made. */
static void await(const struct client *client, int timeout_ms)
{
	struct curl_waitfd *talks = xcalloc(client->count, sizeof(*talks));
	unsigned count = 0;

	for (const struct transfer *transfer = client->transfers; transfer;
	     transfer = transfer->next) {
		const struct talk *talk = transfer->talk;
		curl_socket_t socket = CURL_SOCKET_BAD;
		int64_t rest_ms;

		if (!talk || !talk->is_connected)
			continue;
		(void)curl_easy_getinfo(transfer->easy, CURLINFO_ACTIVESOCKET,
					&socket);
		talks[count++] = (struct curl_waitfd){.fd = socket,
						      .events = CURL_WAIT_POLLIN};
		if (talk->send && talk->send[talk->sent])
			talks[count - 1].events |= CURL_WAIT_POLLOUT;
		rest_ms = clock_since(clock_mono(), talk->until);
		if (rest_ms < timeout_ms)
			timeout_ms = rest_ms < 0 ? 0 : (int)rest_ms;
	}
	(void)curl_multi_poll(client->multi, talks, count, timeout_ms, NULL);
	free(talks);
}

/* ---- all of them ---- */

static struct transfer *find_refused(const struct client *client)
{
	struct transfer *transfer = client->transfers;

	while (transfer && !transfer->refusal.code)
		transfer = transfer->next;
	return transfer;
}

/* Whoever gets a reply may send another request, which may be refused as well: that
 * is for the next time. */
static size_t refuse(struct client *client)
{
	struct transfer *transfer = find_refused(client);
	struct reply reply = {.body = ""};

	if (!transfer)
		return 0;
	reply.err = transfer->refusal;
	give_reply(client, transfer, &reply);
	return 1;
}

static size_t finish_all(struct client *client)
{
	size_t finished = refuse(client);
	CURLMsg *message;
	int running;

	if (curl_multi_perform(client->multi, &running) != CURLM_OK)
		abort();
	while ((message = curl_multi_info_read(client->multi, &running))) {
		struct transfer *transfer;
		char *private = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
					&private);
		transfer = (struct transfer *)private;
		if (transfer->talk)
			on_connected(client, transfer, message->data.result);
		else
			finish(client, transfer, message->data.result);
		finished++;
	}
	return finished + go_on_talking(client);
}

size_t client_run(struct client *client, int timeout_ms)
{
	/* Does not wait for what was just started: that is due at once. */
	await(client, find_refused(client) ? 0 : timeout_ms);
	(void)finish_all(client);
	return client->count;
}

void client_finish(struct client *client)
{
	while (client_run(client, FINISH_MS))
		;
}
