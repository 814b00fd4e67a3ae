#include "http/routes.h"

#include "drains/drain_store.h"
#include "mem.h"
#include "http/reply.h"
#include "http/request_check.h"
#include "text/json_write.h"
#include "utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One request under way; in its slot. */
struct visit {
	struct routes *routes;
	struct request *request;
	const struct route *route;
	char id[API_TEXT_BYTES]; /* {id} or {name} in the path */
	struct caller caller;
	struct task task;
	char who[API_TEXT_BYTES], acts_for[API_TEXT_BYTES];
};

/* True: the reply is filled.  False: the request was parked. */
typedef bool handler(struct visit *visit, struct reply *reply);

struct route {
	const char *method;
	const char *path; /* may have one part {id}, of a drain, or {name} */
	enum role role;   /* the least that it needs */
	const char *what; /* that a role is needed for */
	handler *begin;
	handler *finish; /* replies when a parked request may go on; NULL: never
			    parks */
	/* The names that its query may have. */
	const char *queries[REQUEST_QUERIES_LIMIT + 1];
};

/* ---- reading the request ---- */

static int read_number(const char *name, const char *text, int64_t most,
		       int64_t *number, struct err *err)
{
	char *end;

	errno = 0;
	*number = strtoll(text, &end, 10);
	if (errno || end == text || *end || *text < '0' || *text > '9' ||
	    *number > most)
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

/* ---- handlers that read ---- */

/* To be given back with snapshot_release; NULL if there is none or it is too old.
 */
static struct snapshot *fresh_snapshot(struct visit *visit, struct err *err)
{
	const struct routes *routes = visit->routes;
	struct snapshot *snapshot = snapshot_take(routes->snapshots);
	int64_t age_ms;

	if (!snapshot) {
		(void)err_set(
			err, ERR_STALE,
			"poold on %s has just started and knows nothing of its "
			"services yet; ask again",
			routes->server);
		return NULL;
	}
	age_ms = clock_since(snapshot->at, clock_mono());
	if (age_ms <= routes->stale_ms)
		return snapshot;
	snapshot_release(snapshot);
	(void)err_set(
		err, ERR_STALE,
		"poold on %s has waited %lld s for the Service Control Manager; "
		"its last status may be wrong by now",
		routes->server, (long long)(age_ms / 1000));
	return NULL;
}

static void release(void *snapshot)
{
	snapshot_release(snapshot);
}

/* The body is sent from the snapshot itself, which is given back after that. */
static bool reply_snapshot(struct visit *visit, struct reply *reply,
			   struct snapshot *snapshot)
{
	const char *known = request_header(visit->request, "If-None-Match");

	utf8_copy(reply->etag, sizeof(reply->etag), snapshot->etag);
	reply->release = release;
	reply->release_arg = snapshot;
	reply->body = snapshot->server;
	reply->length = snapshot->server_length;
	reply->status = 200;
	if (known && !strcmp(known, snapshot->etag)) {
		reply->status = 304;
		reply->length = 0;
	}
	return true;
}

/* With `index` and `wait`: once the index is another one, or the wait is over. */
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
	if (!wait_s || index != snapshot->index)
		return reply_snapshot(visit, reply, snapshot);
	snapshot_release(snapshot);
	if (!request_may_watch(visit->request))
		return reply_busy(reply);
	request_wait(visit->request, NEWS_INDEX, index, wait_s * 1000);
	return false;
}

/* A token may have been revoked while its request waited. */
static bool get_server_after_wait(struct visit *visit, struct reply *reply)
{
	struct err err = {0};
	struct snapshot *snapshot;

	if (!caller_check_is_still_good(&visit->routes->check, visit->request,
					&visit->caller))
		return reply_problem(reply, ERR_UNAUTHENTICATED,
				     "the credential is not good any more");
	snapshot = fresh_snapshot(visit, &err);
	return snapshot ? reply_snapshot(visit, reply, snapshot)
			: reply_error(reply, &err);
}

static bool get_drains(struct visit *visit, struct reply *reply)
{
	struct err err = {0};
	struct snapshot *snapshot = fresh_snapshot(visit, &err);
	char *body;

	if (!snapshot)
		return reply_error(reply, &err);
	body = xstrdup(snapshot->drains);
	snapshot_release(snapshot);
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
	snapshot_release(snapshot);
	if (json)
		return reply_json(reply, 200, json);
	got = drain_store_get(visit->routes->reader, visit->id, &ended, &err);
	if (got == 1) {
		json = drain_to_json(&ended, ended.services, false);
		drain_done(&ended);
		return reply_json(reply, 200, json);
	}
	if (got == 0)
		(void)err_set(&err, ERR_UNKNOWN_DRAIN, "no drain '%s' on %s",
			      visit->id, visit->routes->server);
	return reply_error(reply, &err);
}

static void add_event(void *arg, const struct event *event)
{
	(void)json_array_append_new(arg, event_to_json(event));
}

/* A client that watches the record; freed when the request ends. */
struct watcher {
	struct routes *routes;
	const struct request *request;
	struct caller caller;
	struct stream *stream;
};

static int64_t read_stream(void *arg, char *room, size_t room_bytes, int64_t *seen,
			   int64_t *rest_ms)
{
	struct watcher *watcher = arg;
	struct snapshot *snapshot;
	struct mono now = clock_mono();
	int64_t last, got;

	if (!caller_check_is_still_good(&watcher->routes->check, watcher->request,
					&watcher->caller))
		return -1;
	snapshot = snapshot_take(watcher->routes->snapshots);
	last = snapshot ? snapshot->last_event : 0;
	got = stream_read(watcher->stream, last, now, room, room_bytes, NULL);
	if (snapshot)
		snapshot_release(snapshot);
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

/* The header goes before the query: a client that connects again repeats the query.
 */
static int read_place(const struct visit *visit, int64_t *after, struct err *err)
{
	const char *seen = request_header(visit->request, API_LAST_EVENT_HEADER);

	if (seen)
		return read_number(API_LAST_EVENT_HEADER, seen, INT64_MAX, after,
				   err);
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
	if (!request_may_watch(visit->request))
		return reply_busy(reply);
	last = store_last_event(routes->reader, &err);
	if (last < 0)
		return reply_error(reply, &err);
	watcher = xcalloc(1, sizeof(*watcher));
	watcher->routes = routes;
	watcher->request = visit->request;
	watcher->caller = visit->caller;
	watcher->stream = stream_new(routes->ring, after, last, routes->beat_ms,
				     clock_mono());
	reply->status = 200;
	reply->type = API_EVENT_STREAM;
	reply->feed = (struct feed){read_stream, free_watcher, watcher};
	/* With many watchers, the visits would take most of the memory. */
	*request_slot(visit->request) = NULL;
	routes_finished(routes, visit);
	return true;
}

static bool wants_stream(const struct visit *visit)
{
	const char *accept = request_header(visit->request, "Accept");

	while (accept && !api_is_media_type(accept, API_EVENT_STREAM)) {
		accept = strchr(accept, ',');
		if (accept)
			accept += strspn(accept, ", \t");
	}
	return accept != NULL;
}

static bool list_events(struct visit *visit, struct reply *reply)
{
	struct store *store = visit->routes->reader;
	json_t *events, *page;
	struct err err = {0};
	int64_t after, limit, last = -1;

	if (query_number(visit, "after", INT64_MAX, &after, &err) ||
	    query_number(visit, "limit", API_EVENTS_LIMIT, &limit, &err) ||
	    store_begin_reading(store, &err))
		return reply_error(reply, &err);
	events = json_array();
	if (!store_each_event(store, after, limit ? (int)limit : API_EVENTS_LIMIT,
			      add_event, events, &err))
		last = store_last_event(store, &err);
	store_end_reading(store);
	if (last < 0) {
		json_decref(events);
		return reply_error(reply, &err);
	}
	page = json_object();
	json_write_value(page, "events", events);
	json_write_number(page, "last", last);
	return reply_json(reply, 200, page);
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
	snapshot_release(snapshot);
	return reply_text(
		reply, is_serving ? 200 : 503,
		xasprintf("{\"serving\":%s}\n", is_serving ? "true" : "false"));
}

static bool get_metrics(struct visit *visit, struct reply *reply)
{
	struct err err = {0};
	struct snapshot *snapshot = fresh_snapshot(visit, &err);
	char *page;

	if (!snapshot)
		return reply_error(reply, &err);
	page = metrics_render(snapshot->metrics,
			      access_counts(visit->routes->check.access),
			      clock_mono(), clock_wall());
	snapshot_release(snapshot);
	reply->type = METRICS_TYPE;
	return reply_text(reply, 200, page);
}

/* ---- handlers that need the supervisor ---- */

static void on_done(struct task *task)
{
	struct visit *visit = task->arg;

	request_unpark(visit->request);
}

/* Parks the request until the supervisor has done its task. */
static bool submit(struct visit *visit, enum task_kind kind, struct reply *reply)
{
	struct task *task = &visit->task;

	if (!request_may_park(visit->request))
		return reply_busy(reply);
	task->kind = kind;
	task->caller = visit->caller;
	task->from = request_from(visit->request);
	task->done = on_done;
	task->arg = visit;
	request_park(visit->request);
	task_queue_submit(visit->routes->tasks, task);
	return false;
}

static bool reply_outcome(struct visit *visit, struct reply *reply)
{
	struct task *task = &visit->task;

	if (task->err.code == ERR_FORBIDDEN) {
		access_note_role(visit->routes->check.access, &visit->caller,
				 request_from(visit->request));
		caller_check_tell(&visit->routes->check);
	}
	if (task->err.code)
		return reply_error(reply, &task->err);
	return reply_text(reply, task->http_status, xasprintf("%s\n", task->body));
}

/* Whose credential came with the request: a client cannot know its role otherwise.
 */
static bool get_caller(struct visit *visit, struct reply *reply)
{
	const struct caller *caller = &visit->caller;
	json_t *json = json_object();

	json_write_text(json, "name", *caller->name ? caller->name : NULL);
	json_write_text(json, "credential", caller_credentials[caller->kind]);
	json_write_text(json, "role", caller_roles[caller->role]);
	return reply_json(reply, 200, json);
}

static bool put_drain(struct visit *visit, struct reply *reply)
{
	struct drain *drain = &visit->task.drain;
	struct err err = {0};
	const char *body;
	size_t length;

	if (!api_is_media_type(request_header(visit->request, "Content-Type"),
			       API_JSON))
		return reply_problem(
			reply, ERR_MEDIA_TYPE,
			"a PUT needs the header 'Content-Type: application/json'");
	if (request_lacks_body(visit->request))
		return reply_problem(reply, ERR_UNAUTHENTICATED,
				     "the credential was not good yet when the "
				     "request began; try again");
	body = request_body(visit->request, &length);
	if (drain_parse(body, length, drain, &err))
		return reply_error(reply, &err);
	if (drain->forced_count &&
	    caller_check_role(&visit->routes->check, visit->request, &visit->caller,
			      ROLE_ADMIN, "pass a gate by force", &err))
		return reply_error(reply, &err);
	utf8_copy(drain->id, sizeof(drain->id), visit->id);
	utf8_copy(visit->who, sizeof(visit->who), drain->owner);
	caller_check_owner(visit->request, &visit->caller,
			   *visit->who ? visit->who : NULL, drain->owner,
			   drain->acts_for);
	drain->credential = caller_credentials[visit->caller.kind];
	return submit(visit, drain->is_reserved ? TASK_RESERVE : TASK_PUT_DRAIN,
		      reply);
}

static bool get_preflight(struct visit *visit, struct reply *reply)
{
	struct request *request = visit->request;
	struct task *task = &visit->task;
	struct err err = {0};

	if (drain_parse_plan(request_query(request, "services"),
			     request_query(request, "until"),
			     request_query(request, "on_deadline"), &task->drain,
			     &err) ||
	    query_number(visit, "deadline_s", API_DEADLINE_LIMIT_S,
			 &task->drain.deadline_s, &err))
		return reply_error(reply, &err);
	task->has_on_deadline = request_query(request, "on_deadline") != NULL;
	return submit(visit, TASK_PREFLIGHT, reply);
}

static bool get_sessions(struct visit *visit, struct reply *reply)
{
	struct err err = {0};
	int64_t limit;

	if (query_number(visit, "limit", API_SESSIONS_LIMIT, &limit, &err))
		return reply_error(reply, &err);
	visit->task.service = visit->id;
	visit->task.limit = limit ? (size_t)limit : API_SESSIONS_USUAL;
	return submit(visit, TASK_LIST_SESSIONS, reply);
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
	struct drain *drain = &visit->task.drain;
	char said[API_TEXT_BYTES];
	struct err err = {0};

	if (query_number(visit, "index", INT64_MAX, &visit->task.seen_index, &err))
		return reply_error(reply, &err);
	if (!sure || strcmp(sure, "1"))
		return reply_problem(reply, ERR_WRITE_HEADER,
				     "a DELETE needs the header '" API_WRITE_HEADER
				     ": 1'");
	if (owner && read_owner(owner, said, &err))
		return reply_error(reply, &err);
	caller_check_owner(visit->request, &visit->caller, owner ? said : NULL,
			   visit->who, visit->acts_for);
	utf8_copy(drain->id, sizeof(drain->id), visit->id);
	utf8_copy(drain->reservation, sizeof(drain->reservation),
		  token ? token : "");
	visit->task.who = visit->who;
	visit->task.acts_for = visit->acts_for;
	return submit(visit, token ? TASK_WITHDRAW : TASK_END_DRAIN, reply);
}

/* ---- the table ---- */

static const struct route routes[] = {
	{"GET",
	 "/v1/caller",
	 ROLE_VIEWER,
	 "ask who you are",
	 get_caller,
	 NULL,
	 {NULL}},
	{"GET",
	 "/v1/server",
	 ROLE_VIEWER,
	 "read the state of the server",
	 get_server,
	 get_server_after_wait,
	 {"index", "wait"}},
	{"GET",
	 "/v1/preflight",
	 ROLE_VIEWER,
	 "ask for a preflight",
	 get_preflight,
	 reply_outcome,
	 {"services", "until", "on_deadline", "deadline_s"}},
	{"GET",
	 "/v1/drains",
	 ROLE_VIEWER,
	 "read the drains",
	 get_drains,
	 NULL,
	 {NULL}},
	{"GET",
	 "/v1/drains/{id}",
	 ROLE_VIEWER,
	 "read a drain",
	 get_drain,
	 NULL,
	 {NULL}},
	{"PUT",
	 "/v1/drains/{id}",
	 ROLE_OPERATOR,
	 "drain the server",
	 put_drain,
	 reply_outcome,
	 {NULL}},
	{"DELETE",
	 "/v1/drains/{id}",
	 ROLE_OPERATOR,
	 "end a drain",
	 delete_drain,
	 reply_outcome,
	 {"index", "reservation"}},
	{"GET",
	 "/v1/services/{name}/sessions",
	 ROLE_VIEWER,
	 "read who is connected",
	 get_sessions,
	 reply_outcome,
	 {"limit"}},
	{"GET",
	 "/v1/events",
	 ROLE_VIEWER,
	 "read the record",
	 get_events,
	 NULL,
	 {"after", "limit"}},
	{"GET",
	 "/metrics",
	 ROLE_VIEWER,
	 "read the metrics",
	 get_metrics,
	 NULL,
	 {NULL}},
	{"GET", "/livez", ROLE_NONE, NULL, get_livez, NULL, {NULL}},
	{"GET", "/readyz", ROLE_NONE, NULL, get_readyz, NULL, {NULL}},
};

void routes_print(FILE *out)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		(void)fprintf(out, "%s %s %s\n", routes[i].method, routes[i].path,
			      caller_roles[routes[i].role]);
}

/* True if the path matches the pattern; `id` is then its {id} or {name}, cut to its
 * room, and "" if the pattern has none. */
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
		if (match(routes[i].path, path, id) &&
		    is_method(&routes[i], method))
			return &routes[i];
	return NULL;
}

static bool reply_no_route(const struct request *request, struct reply *reply)
{
	struct err err = {0};

	reply->allow = allowed_methods(request_path(request));
	if (reply->allow)
		(void)err_set(&err, ERR_METHOD, "%s accepts %s, not %s",
			      request_path(request), reply->allow,
			      request_method(request));
	else
		(void)err_set(&err, ERR_UNKNOWN_PATH, "unknown path %s",
			      request_path(request));
	return reply_error(reply, &err);
}

static struct visit *new_visit(struct routes *all, struct request *request,
			       const struct route *route,
			       const struct caller *caller, const char *id)
{
	struct visit *visit = xcalloc(1, sizeof(*visit));

	visit->routes = all;
	visit->request = request;
	visit->route = route;
	visit->caller = *caller;
	utf8_copy(visit->id, sizeof(visit->id), id);
	return visit;
}

bool routes_know(void *arg, const struct request *request)
{
	return caller_check_knows(&((struct routes *)arg)->check, request);
}

bool routes_handle(void *arg, struct request *request, struct reply *reply)
{
	struct visit **visit = (struct visit **)request_slot(request);
	const struct route *route;
	struct caller caller;
	char id[API_TEXT_BYTES];
	struct err err = {0};

	if (*visit)
		return (*visit)->route->finish(*visit, reply);
	if (request_check_sender(request, ((struct routes *)arg)->names, &err) ||
	    request_check_path(request, &err))
		return reply_error(reply, &err);
	if (request_is_too_large(request))
		return reply_problem(reply, ERR_BODY_TOO_LARGE,
				     "the body is larger than 64 KiB");
	route = find_route(request_method(request), request_path(request), id);
	if (!route)
		return reply_no_route(request, reply);
	if (caller_check_find(&((struct routes *)arg)->check, request, route->role,
			      route->what, &caller, &err))
		return reply_refusal(reply, &err);
	if (strstr(route->path, "{id}") && !api_id_is_valid(id))
		return reply_problem(
			reply, ERR_INVALID_REQUEST,
			"a drain id has 1 to 64 letters, digits and . _ @ -, and starts "
			"with a letter or a digit");
	if (request_check_query(request, route->queries, &err))
		return reply_error(reply, &err);
	*visit = new_visit(arg, request, route, &caller, id);
	return route->begin(*visit, reply);
}

void routes_finished(void *arg, void *slot)
{
	struct visit *visit = slot;

	(void)arg;
	if (!visit)
		return;
	drain_done(&visit->task.drain);
	free(visit->task.body);
	free(visit);
}
