#include "http/http.h"

#include "api.h"
#include "buf.h"
#include "system/host.h"
#include "system/log.h"
#include "mem.h"
#include "system/waker.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	CONNECTIONS_LIMIT = HTTP_WATCHERS_LIMIT + 300,
	OTHER_FILES = 100,           /* the store, the log, the SCM's, sources */
	CONNECTION_BYTES = 16 << 10, /* request line and headers must fit */
	REQUEST_LIMIT_MS =
		20000, /* from the first byte, or the last reply, to a request */
	FULL_LIMIT_MS = 2000, /* the same, while few connections are left */
	FEEDS_END_MS = 3000,
	FEED_BLOCK_BYTES = 512, /* for HTTP 1.0, which has no chunks */
	BODY_BLOCK_BYTES = 32 << 10,
};

/* A connection that owes us a request, or has to take what we sent; in a list so
 * that slow ones can be cut. */
struct connection {
	struct http *http;
	socket_handle socket;
	struct mono since;
	bool is_served;      /* the next move is ours */
	const char *uri_end; /* of the request: its first NUL */
	struct connection *next, **link;
};

struct request {
	struct http *http;
	struct MHD_Connection *mhd;
	struct connection *connection;
	const char *method, *path;
	struct buf body;
	bool is_too_large, has_nul;
	bool has_body, lacks_body;
	const char *twice; /* see request_twice */
	char from[NET_ADDRESS_TEXT_BYTES];
	void *slot;

	struct feed feed;

	bool is_left; /* the client went while it waited */

	/* While it waits. */
	enum news news;
	int64_t seen;
	struct mono until;
	struct request *next, **link;
};

struct http {
	struct http_setup setup;
	struct MHD_Daemon *daemon;
	uint16_t port;
	unsigned connections_limit, watchers_limit;

	pthread_mutex_t lock; /* of all below */
	struct connection *connections;
	unsigned connection_count;
	struct request *waiting;
	int64_t news[NEWS__COUNT];
	unsigned feeds, polls, parked;
	bool is_stopping;
	struct waker *feed_ended;
};

/* ---- requests ---- */

const char *request_method(const struct request *request)
{
	return request->method;
}

const char *request_path(const struct request *request)
{
	return request->path;
}

const char *request_query(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->mhd, MHD_GET_ARGUMENT_KIND,
					   name);
}

struct each_query {
	void (*each)(void *arg, const char *name, const char *value);
	void *arg;
};

static enum MHD_Result on_query(void *arg, enum MHD_ValueKind kind,
				const char *name, const char *value)
{
	const struct each_query *query = arg;

	(void)kind;
	query->each(query->arg, name, value);
	return MHD_YES;
}

void request_each_query(const struct request *request,
			void (*each)(void *arg, const char *name,
				     const char *value),
			void *arg)
{
	struct each_query query = {each, arg};

	(void)MHD_get_connection_values(request->mhd, MHD_GET_ARGUMENT_KIND,
					on_query, &query);
}

const char *request_header(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, name);
}

const char *request_body(const struct request *request, size_t *length)
{
	*length = request->body.length;
	return request->body.text ? request->body.text : "";
}

bool request_has_nul(const struct request *request)
{
	return request->has_nul;
}

bool request_is_too_large(const struct request *request)
{
	return request->is_too_large;
}

const char *request_twice(const struct request *request)
{
	return request->twice;
}

bool request_lacks_body(const struct request *request)
{
	return request->lacks_body;
}

const char *request_from(const struct request *request)
{
	return request->from;
}

const struct poold_client *request_client(const struct request *request)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		request->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return info ? tls_client(request->http->setup.tls, info->tls_session)
		    : NULL;
}

void **request_slot(struct request *request)
{
	return &request->slot;
}

static void count_parked(struct http *http, int change)
{
	pthread_mutex_lock(&http->lock);
	http->parked += (unsigned)change;
	pthread_mutex_unlock(&http->lock);
}

void request_park(struct request *request)
{
	MHD_suspend_connection(request->mhd);
	count_parked(request->http, 1);
}

void request_unpark(struct request *request)
{
	/* In this order: once it is resumed it may be gone. */
	count_parked(request->http, -1);
	MHD_resume_connection(request->mhd);
}

bool request_may_watch(const struct request *request)
{
	struct http *http = request->http;
	bool may_watch;

	pthread_mutex_lock(&http->lock);
	may_watch = http->feeds + http->polls < http->watchers_limit;
	pthread_mutex_unlock(&http->lock);
	return may_watch;
}

/* Half of the connections that are left by watchers. */
bool request_may_park(const struct request *request)
{
	struct http *http = request->http;
	bool may_park;

	pthread_mutex_lock(&http->lock);
	may_park = http->parked <
		   (http->connections_limit - http->watchers_limit + 1) / 2;
	pthread_mutex_unlock(&http->lock);
	return may_park;
}

void request_wait(struct request *request, enum news news, int64_t seen, int64_t ms)
{
	struct http *http = request->http;
	bool is_over;

	MHD_suspend_connection(request->mhd);
	pthread_mutex_lock(&http->lock);
	/* When poold stops nobody wakes any more, and the library must not end with
	 * one that sleeps. */
	is_over = http->is_stopping || http->news[news] > seen;
	if (!is_over) {
		request->news = news;
		request->seen = seen;
		request->until = clock_add(clock_mono(), ms);
		request->next = http->waiting;
		request->link = &http->waiting;
		if (request->next)
			request->next->link = &request->next;
		http->waiting = request;
		http->polls += !request->feed.read;
	}
	pthread_mutex_unlock(&http->lock);
	if (is_over)
		MHD_resume_connection(request->mhd);
}

static int64_t limit_ms(const struct http *http)
{
	unsigned others = http->connections_limit - http->watchers_limit;

	return http->connection_count + others / 3 >= http->connections_limit
		       ? FULL_LIMIT_MS
		       : REQUEST_LIMIT_MS;
}

static void cut_slow(const struct http *http, struct mono now)
{
	int64_t most_ms = limit_ms(http);

	for (struct connection *c = http->connections; c; c = c->next)
		if (!c->is_served && clock_since(c->since, now) > most_ms)
			host_cut(c->socket);
}

/* The library does not look at a connection that is suspended. */
static void look_for_left(struct http *http)
{
	for (struct request *r = http->waiting; r; r = r->next)
		r->is_left = host_is_left(r->connection->socket);
}

static bool may_go_on(const struct http *http, const struct request *r,
		      struct mono now)
{
	return http->is_stopping || r->is_left || http->news[r->news] > r->seen ||
	       clock_since(r->until, now) >= 0;
}

static void resume_all(struct http *http, struct mono now)
{
	struct request *next;

	for (struct request *r = http->waiting; r; r = next) {
		next = r->next;
		if (!may_go_on(http, r, now))
			continue;
		*r->link = r->next;
		if (r->next)
			r->next->link = r->link;
		http->polls -= !r->feed.read;
		MHD_resume_connection(r->mhd);
	}
}

void http_wake(struct http *http, const int64_t news[NEWS__COUNT])
{
	pthread_mutex_lock(&http->lock);
	memcpy(http->news, news, sizeof(http->news));
	resume_all(http, clock_mono());
	pthread_mutex_unlock(&http->lock);
}

void http_tick(struct http *http)
{
	struct mono now = clock_mono();

	pthread_mutex_lock(&http->lock);
	look_for_left(http);
	resume_all(http, now);
	cut_slow(http, now);
	pthread_mutex_unlock(&http->lock);
}

void http_release(struct http *http)
{
	pthread_mutex_lock(&http->lock);
	http->is_stopping = true;
	resume_all(http, clock_mono());
	pthread_mutex_unlock(&http->lock);
}

/* ---- callbacks of the library ---- */

static void set_served(struct connection *connection, bool is_served)
{
	struct http *http = connection->http;

	pthread_mutex_lock(&http->lock);
	connection->is_served = is_served;
	connection->since = clock_mono();
	pthread_mutex_unlock(&http->lock);
}

static void add_connection(struct http *http, struct MHD_Connection *mhd,
			   void **context)
{
	struct connection *connection = xcalloc(1, sizeof(*connection));

	connection->http = http;
	connection->socket =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)
			->connect_fd;
	connection->since = clock_mono();
	pthread_mutex_lock(&http->lock);
	connection->next = http->connections;
	connection->link = &http->connections;
	if (connection->next)
		connection->next->link = &connection->next;
	http->connections = connection;
	http->connection_count++;
	pthread_mutex_unlock(&http->lock);
	*context = connection;
}

static void remove_connection(struct http *http, struct connection *connection)
{
	pthread_mutex_lock(&http->lock);
	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	http->connection_count--;
	pthread_mutex_unlock(&http->lock);
	free(connection);
}

/* The library calls this for the end before it closes the socket. */
static void on_connection(void *arg, struct MHD_Connection *mhd, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		add_connection(arg, mhd, context);
	else if (*context)
		remove_connection(arg, *context);
}

static struct connection *connection_of(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
		->socket_context;
}

/* The request's context stays NULL. */
static void *on_uri(void *arg, const char *uri, struct MHD_Connection *mhd)
{
	(void)arg;
	connection_of(mhd)->uri_end = uri + strlen(uri);
	return NULL;
}

static struct request *new_request(struct http *http, struct MHD_Connection *mhd,
				   const char *path, const char *method,
				   const char *version)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *peer = info->client_addr;
	struct request *request = xcalloc(1, sizeof(*request));
	struct net_address address;
	const char *length;

	request->http = http;
	request->mhd = mhd;
	request->path = path;
	request->method = method;
	address =
		peer->sa_family == AF_INET
			? net_address_from_ipv4(
				  &((const struct sockaddr_in *)peer)->sin_addr)
			: net_address_from_ipv6(
				  &((const struct sockaddr_in6 *)peer)->sin6_addr);
	(void)net_address_format(&address, request->from);
	request->connection = connection_of(mhd);
	/* The library ends the URI with a NUL, which the version follows. */
	request->has_nul = version != request->connection->uri_end + 1;
	length = request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
	request->is_too_large =
		length && strtoull(length, NULL, 10) > API_BODY_LIMIT_BYTES;
	return request;
}

struct header {
	const char *name;
	int count;
};

static enum MHD_Result count_header(void *arg, enum MHD_ValueKind kind,
				    const char *name, const char *value)
{
	struct header *header = arg;

	(void)kind, (void)value;
	header->count += !strcasecmp(name, header->name);
	return MHD_YES;
}

/* What is between poolctl and poold may take the other one of two. */
static const char *find_twice(const struct request *request)
{
	static const char *const names[] = {"Authorization", "Host",
					    "Content-Length", "Transfer-Encoding"};
	int lengths = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct header header = {names[i], 0};

		(void)MHD_get_connection_values(request->mhd, MHD_HEADER_KIND,
						count_header, &header);
		lengths += i >= 2 ? header.count : 0;
		if (header.count > 1 || lengths > 1)
			return names[i];
	}
	return NULL;
}

static void take_body(struct request *request, const char *data, size_t *size)
{
	const struct http_setup *setup = &request->http->setup;

	if (!request->has_body) {
		request->has_body = true;
		request->lacks_body =
			setup->knows && !setup->knows(setup->arg, request);
	}
	if (request->lacks_body) {
		*size = 0;
		return;
	}
	if (request->body.length + *size > API_BODY_LIMIT_BYTES)
		request->is_too_large = true;
	else
		buf_add(&request->body, data, *size);
	*size = 0;
}

static bool is_stopping(struct http *http)
{
	pthread_mutex_lock(&http->lock);
	bool is = http->is_stopping;
	pthread_mutex_unlock(&http->lock);
	return is;
}

/* A second call means that the client took the bytes of the first. */
static ssize_t on_feed(void *arg, uint64_t position, char *room, size_t room_bytes)
{
	struct request *request = arg;
	int64_t seen, rest_ms, got;

	(void)position;
	if (is_stopping(request->http))
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (request->is_left)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	got = request->feed.read(request->feed.arg, room, room_bytes, &seen,
				 &rest_ms);
	if (got < 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	set_served(request->connection, got == 0);
	if (!got)
		request_wait(request, NEWS_EVENT, seen, rest_ms);
	return (ssize_t)got;
}

static void count_feeds(struct http *http, int change)
{
	pthread_mutex_lock(&http->lock);
	http->feeds += (unsigned)change;
	pthread_mutex_unlock(&http->lock);
}

static void end_feed(struct request *request)
{
	if (!request->feed.read)
		return;
	request->feed.free(request->feed.arg);
	count_feeds(request->http, -1);
	waker_wake(request->http->feed_ended);
}

/* A body that is sent in blocks, so that it shows whether the client takes them. */
struct body {
	struct connection *connection;
	struct reply reply;
};

static ssize_t on_body(void *arg, uint64_t position, char *room, size_t room_bytes)
{
	const struct body *body = arg;
	size_t rest = body->reply.length - (size_t)position;
	size_t taken = rest < room_bytes ? rest : room_bytes;

	memcpy(room, body->reply.body + position, taken);
	set_served(body->connection, false);
	return (ssize_t)taken;
}

static void free_body(void *arg)
{
	struct body *body = arg;

	if (body->reply.release)
		body->reply.release(body->reply.release_arg);
	else
		free(body->reply.body);
	free(body);
}

static struct MHD_Response *make_response(struct request *request,
					  struct reply *reply)
{
	struct body *body;

	if (reply->feed.read) {
		request->feed = reply->feed;
		count_feeds(request->http, 1);
		return MHD_create_response_from_callback(
			MHD_SIZE_UNKNOWN, FEED_BLOCK_BYTES, on_feed, request, NULL);
	}
	/* From here on it is the client's move. */
	set_served(request->connection, false);
	if (reply->length > BODY_BLOCK_BYTES) {
		body = xcalloc(1, sizeof(*body));
		*body = (struct body){request->connection, *reply};
		return MHD_create_response_from_callback(
			reply->length, BODY_BLOCK_BYTES, on_body, body, free_body);
	}
	if (reply->release)
		return MHD_create_response_from_buffer_with_free_callback_cls(
			reply->length, reply->body, reply->release,
			reply->release_arg);
	return MHD_create_response_from_buffer(reply->length, reply->body,
					       MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result send_reply(struct request *request, struct reply *reply)
{
	struct MHD_Response *response = make_response(request, reply);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	/* A header that cannot be added for lack of memory makes the reply poorer,
	 * not wrong. */
	(void)MHD_add_response_header(response, "Content-Type",
				      reply->type ? reply->type : API_JSON);
	(void)MHD_add_response_header(response, "Cache-Control", "no-store");
	if (*reply->etag)
		(void)MHD_add_response_header(response, "ETag", reply->etag);
	if (reply->allow)
		(void)MHD_add_response_header(response, "Allow", reply->allow);
	if (reply->challenge)
		(void)MHD_add_response_header(response, "WWW-Authenticate",
					      reply->challenge);
	if (reply->is_last)
		(void)MHD_add_response_header(response, "Connection", "close");
	if (reply->is_retryable)
		(void)MHD_add_response_header(response, "Retry-After", "1");
	result =
		MHD_queue_response(request->mhd, (unsigned)reply->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *mhd,
				  const char *path, const char *method,
				  const char *version, const char *data,
				  size_t *size, void **context)
{
	struct http *http = arg;
	struct request *request = *context;
	struct reply reply = {0};

	if (!request) {
		*context = new_request(http, mhd, path, method, version);
		request = *context;
		request->twice = find_twice(request);
		/* A body that is announced as too large is not even read. */
		if (!request->is_too_large)
			return MHD_YES;
	} else if (*size) {
		take_body(request, data, size);
		return MHD_YES;
	}
	if (!request->connection->is_served)
		set_served(request->connection, true);
	if (!http->setup.handle(http->setup.arg, request, &reply))
		return MHD_YES;
	return send_reply(request, &reply);
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct http *http = arg;
	struct request *request = *context;

	(void)mhd;
	(void)code;
	if (!request)
		return;
	set_served(request->connection, false);
	http->setup.finished(http->setup.arg, request->slot);
	end_feed(request);
	buf_done(&request->body);
	free(request);
	*context = NULL;
}

/* An escaped NUL would end the text, and hide what follows. */
static size_t on_unescape(void *arg, struct MHD_Connection *mhd, char *text)
{
	(void)arg;
	(void)mhd;
	for (char *at = text; (at = strstr(at, "%00")); at += strlen("%00"))
		at[2] = '1';
	return MHD_http_unescape(text);
}

PRINTF_LIKE(2, 0)
static void on_log(void *arg, const char *format, va_list args)
{
	char text[512];

	(void)arg;
	(void)vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	log_request_warning("http: %s", text);
}

/* ---- life ---- */

static void discard(struct http *http)
{
	waker_free(http->feed_ended);
	pthread_mutex_destroy(&http->lock);
	free(http);
}

/* Connections end before the descriptors do that the supervisor needs. */
static void set_limits(struct http *http)
{
	unsigned files = host_allow_files(CONNECTIONS_LIMIT + OTHER_FILES);

	http->connections_limit =
		files > 2 * OTHER_FILES ? files - OTHER_FILES : files / 2;
	http->watchers_limit =
		http->connections_limit * HTTP_WATCHERS_LIMIT / CONNECTIONS_LIMIT;
}

struct http *http_start(const struct http_setup *setup, struct err *err)
{
	struct http *http = xcalloc(1, sizeof(*http));
	unsigned flags = MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD |
			 MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
			 (setup->tls ? MHD_USE_TLS : 0);
	socket_handle listener;

	http->setup = *setup;
	pthread_mutex_init(&http->lock, NULL);
	http->feed_ended = waker_new();
	set_limits(http);
	if (host_listen(&setup->address, setup->port, &listener, err))
		goto fail;
	if (setup->taken)
		setup->taken(setup->taken_arg);
	http->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER,
		on_log, NULL, MHD_OPTION_LISTEN_SOCKET, listener,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, http,
		MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,
		MHD_OPTION_URI_LOG_CALLBACK, on_uri, NULL,
		MHD_OPTION_CONNECTION_LIMIT, http->connections_limit,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		/* Without TLS the options end here. */
		setup->tls ? MHD_OPTION_HTTPS_PRIORITIES : MHD_OPTION_END,
		TLS_PRIORITIES, MHD_OPTION_HTTPS_CERT_CALLBACK,
		tls_choose_certificate, MHD_OPTION_END);
	if (!http->daemon) {
		/* The library closes it or not, as it fails late or early. */
		host_close_listener(listener);
		(void)err_set(err, ERR_INTERNAL, "cannot start the HTTP server");
		goto fail;
	}
	if (http->connections_limit < CONNECTIONS_LIMIT)
		log_warning(
			"the limit of open files lets poold take %u connections "
			"at once, instead of %d",
			http->connections_limit, CONNECTIONS_LIMIT);
	http->port =
		MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	return http;
fail:
	discard(http);
	return NULL;
}

uint16_t http_port(const struct http *http)
{
	return http->port;
}

static bool has_feeds(struct http *http)
{
	pthread_mutex_lock(&http->lock);
	bool has = http->feeds > 0;
	pthread_mutex_unlock(&http->lock);
	return has;
}

/* A watcher is told of the end, unless it does not listen. */
static void await_feeds(struct http *http)
{
	struct mono end = clock_add(clock_mono(), FEEDS_END_MS);
	int64_t rest_ms;

	while (has_feeds(http) && (rest_ms = clock_since(clock_mono(), end)) > 0)
		(void)waker_wait(http->feed_ended, rest_ms);
}

void http_stop(struct http *http)
{
	if (!http)
		return;
	await_feeds(http);
	MHD_stop_daemon(http->daemon);
	discard(http);
}
