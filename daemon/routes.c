#include "routes.h"

#include "mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One request under way; kept in its slot while it is parked. */
struct visit {
	struct routes *routes;
	struct request *request;
	char id[API_TEXT_BYTES]; /* what stands for {id} or {name} in the path */
	bool was_parked;
	struct call call;
	char who[API_TEXT_BYTES];
};

/* A handler returns false when it parked the request. */
struct route {
	const char *method;
	const char *path; /* may have one part {id}, of a drain, or {name} */
	bool (*handle)(struct visit *visit, struct reply *reply);
};

/* ---- replies ---- */

static bool reply_text(struct reply *reply, int status, char *body)
{
	reply->status = status;
	reply->body = body;
	reply->length = strlen(body);
	return true;
}

static bool reply_json(struct reply *reply, int status, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	char *line = xasprintf("%s\n", text);

	json_decref(json);
	free(text);
	return reply_text(reply, status, line);
}

static bool reply_error(struct reply *reply, const struct err *err)
{
	const struct err_info *info = err_info(err->code);
	char *type = xasprintf("urn:poolctl:problem:%s", info->name);
	json_t *problem = json_pack("{ss ss si ss ss sb si}", "type", type, "title",
				    info->title, "status", info->http_status, "detail",
				    err->text, "code", info->name, "retryable",
				    info->is_retryable, "exit_code", info->exit_status);

	/* Bytes of the request may stand in the text, and need not be UTF-8. */
	if (!problem)
		problem = json_pack("{ss ss si ss sb si}", "type", type, "title",
				    info->title, "status", info->http_status, "code",
				    info->name, "retryable", info->is_retryable,
				    "exit_code", info->exit_status);
	free(type);
	reply->type = API_PROBLEM_JSON;
	reply->is_retryable = info->is_retryable;
	return reply_json(reply, info->http_status, problem);
}

static bool reply_problem(struct reply *reply, enum err_code code, const char *text)
{
	struct err err = {0};

	(void)err_set(&err, code, "%s", text);
	return reply_error(reply, &err);
}

/* ---- reading the request ---- */

static int read_number(const char *name, const char *text, int64_t most, int64_t *number,
		       struct err *err)
{
	char *end;

	errno = 0;
	*number = strtoll(text, &end, 10);
	if (errno || end == text || *end || *text < '0' || *text > '9' || *number > most)
		return err_set(err, ERR_INVALID_REQUEST,
			       "'%s' must be a number from 0 to %lld", name,
			       (long long)most);
	return 0;
}

/* An optional number in the query; 0 if it is not there. */
static int query_number(const struct visit *visit, const char *name, int64_t most,
			int64_t *number, struct err *err)
{
	const char *text = request_query(visit->request, name);

	*number = 0;
	return text ? read_number(name, text, most, number, err) : 0;
}

static bool is_json(const struct request *request)
{
	const char *type = request_header(request, "Content-Type");
	size_t length = strlen(API_JSON);

	return type && !strncmp(type, API_JSON, length) &&
	       (type[length] == '\0' || type[length] == ';' || type[length] == ' ');
}

/* ---- reading handlers ---- */

static struct snapshot *fresh_snapshot(struct visit *visit, struct err *err)
{
	struct snapshot *snapshot = supervisor_snapshot(visit->routes->supervisor);
	int64_t age_ms;

	if (!snapshot) {
		(void)err_set(err, ERR_STALE, "poold on %s has not looked yet",
			      visit->routes->server);
		return NULL;
	}
	age_ms = clock_since(snapshot->at, clock_mono());
	if (age_ms <= visit->routes->stale_ms)
		return snapshot;
	supervisor_release(visit->routes->supervisor, snapshot);
	(void)err_set(err, ERR_STALE,
		      "poold on %s has waited for the SCM for %lld s; what it knew may "
		      "be wrong now",
		      visit->routes->server, (long long)(age_ms / 1000));
	return NULL;
}

struct held {
	struct supervisor *supervisor;
	struct snapshot *snapshot;
};

static void release_held(void *arg)
{
	struct held *held = arg;

	supervisor_release(held->supervisor, held->snapshot);
	free(held);
}

/* The body is sent from the snapshot itself, which is held until then. */
static bool reply_snapshot(struct visit *visit, struct reply *reply,
			   struct snapshot *snapshot)
{
	const char *known = request_header(visit->request, "If-None-Match");
	struct held *held = xcalloc(1, sizeof(*held));

	*held = (struct held){visit->routes->supervisor, snapshot};
	copy_text(reply->etag, sizeof(reply->etag), snapshot->etag);
	reply->release = release_held;
	reply->release_arg = held;
	reply->body = snapshot->server;
	reply->length = snapshot->server_length;
	reply->status = 200;
	if (known && !strcmp(known, snapshot->etag)) {
		reply->status = 304;
		reply->length = 0;
	}
	return true;
}

static bool get_server(struct visit *visit, struct reply *reply)
{
	int64_t index, wait_s;
	struct err err = {0};
	struct snapshot *snapshot;

	if (query_number(visit, "index", INT64_MAX, &index, &err) ||
	    query_number(visit, "wait", API_WAIT_LIMIT_S, &wait_s, &err))
		return reply_error(reply, &err);
	snapshot = fresh_snapshot(visit, &err);
	if (!snapshot)
		return reply_error(reply, &err);
	if (wait_s && index == snapshot->index && !visit->was_parked) {
		supervisor_release(visit->routes->supervisor, snapshot);
		visit->was_parked = true;
		request_wait(visit->request, NEWS_INDEX, index, wait_s * 1000);
		return false;
	}
	return reply_snapshot(visit, reply, snapshot);
}

static bool get_drains(struct visit *visit, struct reply *reply)
{
	struct err err = {0};
	struct snapshot *snapshot = fresh_snapshot(visit, &err);
	char *body;

	if (!snapshot)
		return reply_error(reply, &err);
	body = xstrdup(snapshot->drains);
	supervisor_release(visit->routes->supervisor, snapshot);
	return reply_text(reply, 200, body);
}

static bool is_drain(const json_t *drain, const char *id)
{
	const char *text = json_string_value(json_object_get(drain, "id"));

	return text && !strcmp(text, id);
}

/* One that is active, or else only reserved. */
static json_t *find_drain(const struct snapshot *snapshot, const char *id)
{
	json_t *root = json_loads(snapshot->drains, 0, NULL), *drain, *found = NULL;
	size_t i;

	json_array_foreach (json_object_get(root, "drains"), i, drain)
		if (is_drain(drain, id))
			found = json_incref(drain);
	json_decref(root);
	if (found || !snapshot->reserved)
		return found;
	drain = json_loads(snapshot->reserved, 0, NULL);
	if (is_drain(drain, id))
		return drain;
	json_decref(drain);
	return NULL;
}

static bool get_drain(struct visit *visit, struct reply *reply)
{
	struct err err = {0};
	struct snapshot *snapshot = fresh_snapshot(visit, &err);
	struct drain ended;
	json_t *json;
	int got;

	if (!snapshot)
		return reply_error(reply, &err);
	json = find_drain(snapshot, visit->id);
	supervisor_release(visit->routes->supervisor, snapshot);
	if (json)
		return reply_json(reply, 200, json);
	got = store_get_drain(visit->routes->reader, visit->id, &ended, &err);
	if (got == 1) {
		json = drain_to_json(&ended, ended.services, false);
		drain_done(&ended);
		return reply_json(reply, 200, json);
	}
	if (got == 0)
		(void)err_set(&err, ERR_UNKNOWN_DRAIN, "no drain '%s' on %s", visit->id,
			      visit->routes->server);
	return reply_error(reply, &err);
}

static void add_event(void *arg, const struct event *event)
{
	(void)json_array_append_new(arg, event_to_json(event));
}

/* Who watches the record; freed when the request ends. */
struct watcher {
	struct routes *routes;
	struct stream *stream;
};

static int64_t read_stream(void *arg, char *room, size_t room_bytes, int64_t *seen,
			   int64_t *rest_ms)
{
	struct watcher *watcher = arg;
	struct supervisor *supervisor = watcher->routes->supervisor;
	struct snapshot *snapshot = supervisor_snapshot(supervisor);
	int64_t last = snapshot ? snapshot->last_event : 0;
	struct mono now = clock_mono();
	int64_t got = stream_read(watcher->stream, last, now, room, room_bytes, NULL);

	if (snapshot)
		supervisor_release(supervisor, snapshot);
	*seen = stream_seen(watcher->stream);
	*rest_ms = stream_rest_ms(watcher->stream, now);
	return got;
}

static void free_watcher(void *arg)
{
	struct watcher *watcher = arg;

	stream_free(watcher->stream);
	free(watcher);
}

/* The header goes before the query: a client that connects again repeats the query. */
static int read_place(const struct visit *visit, int64_t *after, struct err *err)
{
	const char *seen = request_header(visit->request, API_LAST_EVENT_HEADER);

	if (seen)
		return read_number(API_LAST_EVENT_HEADER, seen, INT64_MAX, after, err);
	if (request_query(visit->request, "after"))
		return query_number(visit, "after", INT64_MAX, after, err);
	*after = STREAM_FROM_NOW;
	return 0;
}

static bool stream_events(struct visit *visit, struct reply *reply)
{
	struct routes *routes = visit->routes;
	struct watcher *watcher;
	struct err err = {0};
	int64_t after, last;

	if (read_place(visit, &after, &err))
		return reply_error(reply, &err);
	if (!request_may_feed(visit->request))
		return reply_problem(reply, ERR_BUSY,
				     "too many watch the events already");
	last = store_last_event(routes->reader, &err);
	if (last < 0)
		return reply_error(reply, &err);
	watcher = xcalloc(1, sizeof(*watcher));
	watcher->routes = routes;
	watcher->stream =
		stream_new(routes->ring, after, last, routes->beat_ms, clock_mono());
	reply->status = 200;
	reply->type = API_EVENT_STREAM;
	reply->feed = (struct feed){read_stream, free_watcher, watcher};
	/* Of many watchers, what only other requests need would be most of the memory. */
	*request_slot(visit->request) = NULL;
	routes_finished(routes, visit);
	return true;
}

static bool wants_stream(const struct visit *visit)
{
	const char *accept = request_header(visit->request, "Accept");

	return accept && strstr(accept, API_EVENT_STREAM);
}

static bool list_events(struct visit *visit, struct reply *reply)
{
	json_t *events = json_array();
	struct err err = {0};
	int64_t after, limit, last;

	if (query_number(visit, "after", INT64_MAX, &after, &err) ||
	    query_number(visit, "limit", API_EVENTS_LIMIT, &limit, &err))
		goto fail;
	if (store_each_event(visit->routes->reader, after,
			     limit ? (int)limit : API_EVENTS_LIMIT, add_event, events,
			     &err))
		goto fail;
	last = store_last_event(visit->routes->reader, &err);
	if (last < 0)
		goto fail;
	return reply_json(
		reply, 200,
		json_pack("{so sI}", "events", events, "last", (json_int_t)last));
fail:
	json_decref(events);
	return reply_error(reply, &err);
}

static bool get_events(struct visit *visit, struct reply *reply)
{
	return wants_stream(visit) ? stream_events(visit, reply)
				   : list_events(visit, reply);
}

static bool get_livez(struct visit *visit, struct reply *reply)
{
	(void)visit;
	return reply_text(reply, 200, xstrdup("{\"alive\":true}\n"));
}

static bool get_readyz(struct visit *visit, struct reply *reply)
{
	struct err err = {0};
	struct snapshot *snapshot = fresh_snapshot(visit, &err);
	bool is_serving;

	if (!snapshot)
		return reply_error(reply, &err);
	is_serving = snapshot->is_serving;
	supervisor_release(visit->routes->supervisor, snapshot);
	return reply_text(reply, is_serving ? 200 : 503,
			  xasprintf("{\"serving\":%s}\n", is_serving ? "true" : "false"));
}

static bool get_metrics(struct visit *visit, struct reply *reply)
{
	struct err err = {0};
	struct snapshot *snapshot = fresh_snapshot(visit, &err);
	char *page;

	if (!snapshot)
		return reply_error(reply, &err);
	page = metrics_render(snapshot->metrics, clock_mono(), clock_wall());
	supervisor_release(visit->routes->supervisor, snapshot);
	reply->type = METRICS_TYPE;
	return reply_text(reply, 200, page);
}

/* ---- handlers for the supervisor ---- */

static void on_done(struct call *call)
{
	struct visit *visit = call->arg;

	request_unpark(visit->request);
}

/* Sends the call to the supervisor the first time, and answers with its outcome the
 * second. */
static bool pass_on(struct visit *visit, struct reply *reply)
{
	struct call *call = &visit->call;
	char *body;

	if (!visit->was_parked) {
		visit->was_parked = true;
		call->from = request_from(visit->request);
		call->done = on_done;
		call->arg = visit;
		request_park(visit->request);
		supervisor_submit(visit->routes->supervisor, call);
		return false;
	}
	if (call->err.code)
		return reply_error(reply, &call->err);
	body = xasprintf("%s\n", call->body);
	free(call->body);
	call->body = NULL;
	return reply_text(reply, call->http_status, body);
}

static bool put_drain(struct visit *visit, struct reply *reply)
{
	struct drain *drain = &visit->call.drain;
	struct err err = {0};
	const char *body;
	size_t length;

	if (visit->was_parked)
		return pass_on(visit, reply);
	if (!is_json(visit->request))
		return reply_problem(
			reply, ERR_MEDIA_TYPE,
			"a PUT needs the header 'Content-Type: application/json'");
	body = request_body(visit->request, &length);
	if (drain_parse(body, length, drain, &err))
		return reply_error(reply, &err);
	copy_text(drain->id, sizeof(drain->id), visit->id);
	if (!*drain->owner)
		(void)snprintf(drain->owner, sizeof(drain->owner), "unknown@%s",
			       request_from(visit->request));
	visit->call.kind = drain->is_reserved ? CALL_RESERVE : CALL_PUT_DRAIN;
	return pass_on(visit, reply);
}

static bool get_preflight(struct visit *visit, struct reply *reply)
{
	struct request *request = visit->request;
	struct err err = {0};

	if (visit->was_parked)
		return pass_on(visit, reply);
	if (drain_parse_plan(
		    request_query(request, "services"), request_query(request, "until"),
		    request_query(request, "on_deadline"), &visit->call.drain, &err))
		return reply_error(reply, &err);
	if (query_number(visit, "deadline_s", API_DEADLINE_LIMIT_S,
			 &visit->call.drain.deadline_s, &err))
		return reply_error(reply, &err);
	visit->call.kind = CALL_PREFLIGHT;
	visit->call.has_on_deadline = request_query(request, "on_deadline") != NULL;
	return pass_on(visit, reply);
}

static bool get_sessions(struct visit *visit, struct reply *reply)
{
	struct err err = {0};
	int64_t limit;

	if (visit->was_parked)
		return pass_on(visit, reply);
	if (query_number(visit, "limit", API_SESSIONS_LIMIT, &limit, &err))
		return reply_error(reply, &err);
	visit->call.kind = CALL_SESSIONS;
	visit->call.service = visit->id;
	visit->call.limit = limit ? (size_t)limit : API_SESSIONS_USUAL;
	return pass_on(visit, reply);
}

static int read_owner(const char *header, char who[API_TEXT_BYTES], struct err *err)
{
	json_t *text = json_string(header);
	int ret = drain_read_text(text, API_OWNER_HEADER, who, err);

	json_decref(text);
	return ret;
}

static bool delete_drain(struct visit *visit, struct reply *reply)
{
	const char *sure = request_header(visit->request, API_WRITE_HEADER);
	const char *owner = request_header(visit->request, API_OWNER_HEADER);
	const char *token = request_query(visit->request, "reservation");
	struct drain *drain = &visit->call.drain;
	struct err err = {0};

	if (visit->was_parked)
		return pass_on(visit, reply);
	if (!sure || strcmp(sure, "1"))
		return reply_problem(reply, ERR_WRITE_HEADER,
				     "a DELETE needs the header '" API_WRITE_HEADER
				     ": 1'");
	if (owner && read_owner(owner, visit->who, &err))
		return reply_error(reply, &err);
	if (!owner)
		(void)snprintf(visit->who, sizeof(visit->who), "unknown@%s",
			       request_from(visit->request));
	copy_text(drain->id, sizeof(drain->id), visit->id);
	copy_text(drain->reservation, sizeof(drain->reservation), token ? token : "");
	visit->call.who = visit->who;
	visit->call.kind = token ? CALL_WITHDRAW : CALL_END_DRAIN;
	return pass_on(visit, reply);
}

/* ---- the table ---- */

static const struct route routes[] = {
	{"GET", "/v1/server", get_server},
	{"GET", "/v1/preflight", get_preflight},
	{"GET", "/v1/drains", get_drains},
	{"GET", "/v1/drains/{id}", get_drain},
	{"PUT", "/v1/drains/{id}", put_drain},
	{"DELETE", "/v1/drains/{id}", delete_drain},
	{"GET", "/v1/services/{name}/sessions", get_sessions},
	{"GET", "/v1/events", get_events},
	{"GET", "/metrics", get_metrics},
	{"GET", "/livez", get_livez},
	{"GET", "/readyz", get_readyz},
};

/* True if the path is as the pattern; `id` is then what stands for {id} or {name}, cut to
 * its room, and "" if the pattern has none. */
static bool match(const char *pattern, const char *path, char id[API_TEXT_BYTES])
{
	size_t before = strcspn(pattern, "{"), length;

	*id = '\0';
	if (!pattern[before])
		return !strcmp(pattern, path);
	if (strncmp(pattern, path, before))
		return false;
	path += before;
	length = strcspn(path, "/");
	(void)snprintf(id, API_TEXT_BYTES, "%.*s", (int)length, path);
	return length && !strcmp(strchr(pattern, '}') + 1, path + length);
}

/* HEAD is GET without the body, which the HTTP library leaves out. */
static bool is_method(const struct route *route, const char *method)
{
	return !strcmp(route->method, method) ||
	       (!strcmp(method, "HEAD") && !strcmp(route->method, "GET"));
}

static const char *allowed_methods(const char *path)
{
	const char *first = NULL;
	char id[API_TEXT_BYTES];

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (match(routes[i].path, path, id)) {
			if (first)
				return "GET, HEAD, PUT, DELETE";
			first = "GET, HEAD";
		}
	return first;
}

static const struct route *find_route(const char *method, const char *path,
				      char id[API_TEXT_BYTES])
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (match(routes[i].path, path, id) && is_method(&routes[i], method))
			return &routes[i];
	return NULL;
}

static bool reply_no_route(const struct request *request, struct reply *reply)
{
	struct err err = {0};

	reply->allow = allowed_methods(request_path(request));
	if (reply->allow)
		(void)err_set(&err, ERR_METHOD, "%s takes %s, not %s",
			      request_path(request), reply->allow,
			      request_method(request));
	else
		(void)err_set(&err, ERR_UNKNOWN_PATH, "nothing lives at %s",
			      request_path(request));
	return reply_error(reply, &err);
}

bool routes_handle(void *arg, struct request *request, struct reply *reply)
{
	struct visit **visit = (struct visit **)request_slot(request);
	const struct route *route;
	char id[API_TEXT_BYTES];

	if (request_is_too_large(request))
		return reply_problem(reply, ERR_BODY_TOO_LARGE, "a body may have 64 KiB");
	route = find_route(request_method(request), request_path(request), id);
	if (!route)
		return reply_no_route(request, reply);
	if (strstr(route->path, "{id}") && !api_id_is_valid(id))
		return reply_problem(
			reply, ERR_INVALID_REQUEST,
			"a drain's id is 1 to 64 letters, digits and . _ @ -, and starts "
			"with a letter or digit");
	if (!*visit) {
		*visit = xcalloc(1, sizeof(**visit));
		(*visit)->routes = arg;
		(*visit)->request = request;
		copy_text((*visit)->id, sizeof((*visit)->id), id);
	}
	return route->handle(*visit, reply);
}

void routes_finished(void *arg, void *slot)
{
	struct visit *visit = slot;

	(void)arg;
	if (!visit)
		return;
	drain_done(&visit->call.drain);
	free(visit->call.body);
	free(visit);
}
