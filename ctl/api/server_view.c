#include "api/server_view.h"

#include "mem.h"
#include "pool_digest.h"
#include "text/words.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

enum { CLOCK_SET_MS = 2000 }; /* more than rounding */

/* An optional service that is not installed has no sessions. */
static void read_service(const json_t *json, struct service_view *service,
			 struct err *err)
{
	const json_t *observed =
		reply_read_object(json, "observed", REPLY_OPTIONAL, err);
	const json_t *sessions =
		reply_read_object(json, "sessions", REPLY_OPTIONAL, err);
	struct err ignored = {
		0}; /* what the sources say explains, and decides nothing */
	const json_t *sources = reply_read_list(sessions, "sources", SIZE_MAX,
						REPLY_OPTIONAL, &ignored);

	service->state = reply_read_text(observed, "state", REPLY_OPTIONAL, err);
	service->name = reply_read_text(json, "name", REPLY_REQUIRED, err);
	service->message = reply_read_text(json, "message", REPLY_REQUIRED, err);
	service->phase = (enum phase)reply_read_word(
		json, "phase", api_phases, PHASE_ATTENTION, REPLY_REQUIRED, err);
	service->wanted = (enum want)reply_read_word(
		json, "wanted", api_wants, WANT_SERVING, REPLY_REQUIRED, err);
	service->is_saved =
		reply_read_object(json, "saved", REPLY_NULL, err) != NULL;
	service->is_absent =
		service->state &&
		!strcmp(service->state, api_service_states[STATE_ABSENT]);
	service->is_counted =
		reply_read_flag(sessions, "known", REPLY_OPTIONAL, err) ||
		service->is_absent;
	service->sessions =
		reply_read_estimate(sessions, "count", reply_count_most);
	service->cut =
		reply_read_number(sessions, "cut", INT64_MAX, REPLY_OPTIONAL, err);
	service->accepted = reply_read_estimate(sessions, "accepted_while_out",
						reply_count_most);
	service->before_pause =
		reply_read_estimate(sessions, "before_pause", reply_count_most);
	service->ended_with_pause =
		reply_read_estimate(sessions, "ended_with_pause", reply_count_most);
	service->sources = sessions_reply_read_sources(sources, &ignored);
}

static void read_covered(const json_t *json, struct drain_view *drain,
			 struct err *err)
{
	const json_t *names = reply_read_list(json, "services", API_SERVICES_LIMIT,
					      REPLY_REQUIRED, err);

	drain->service_count = json_array_size(names);
	drain->services = xcalloc(drain->service_count, sizeof(*drain->services));
	for (size_t i = 0; i < drain->service_count; i++) {
		drain->services[i] = json_string_value(json_array_get(names, i));
		if (!drain->services[i])
			(void)reply_read_fail("services", "a list of names", err);
	}
	if (!drain->service_count)
		(void)reply_read_fail("services", "a list of names", err);
}

static const char *read_id(const json_t *json, struct err *err)
{
	const char *id = reply_read_text(json, "id", REPLY_REQUIRED, err);

	if (!api_id_is_valid(id))
		(void)reply_read_fail("id", "an id that a drain may have", err);
	return id;
}

static struct wall read_time(const json_t *json, const char *name, struct err *err)
{
	return reply_read_time(json, name, REPLY_REQUIRED, err).at;
}

/* An older poold does not say it; then the deadline began with the drain, unless it
 * was changed. */
static int64_t read_deadline_s(const json_t *json, const struct drain_view *drain,
			       struct err *err)
{
	int64_t deadline_s = reply_read_number(
		json, "deadline_s", API_DEADLINE_LIMIT_S, REPLY_OPTIONAL, err);

	if (deadline_s > 0 || !drain->deadline_at.is_given)
		return deadline_s > 0 ? deadline_s : 0;
	return (drain->deadline_at.at.ms - drain->created_at.ms + 500) / 1000;
}

static void read_drain(const json_t *json, struct drain_view *drain,
		       struct err *err)
{
	const char *phase = reply_read_text(json, "phase", REPLY_REQUIRED, err);

	drain->id = read_id(json, err);
	drain->owner = reply_read_text(json, "owner", REPLY_REQUIRED, err);
	drain->acts_for = reply_read_text(json, "for", REPLY_OPTIONAL, err);
	drain->reason = reply_read_text(json, "reason", REPLY_REQUIRED, err);
	drain->is_active = !strcmp(phase, api_drain_phases[DRAIN_ACTIVE]);
	drain->is_out = reply_read_flag(json, "out", REPLY_REQUIRED, err);
	drain->created_at = read_time(json, "created_at", err);
	drain->is_overdue = reply_read_flag(json, "overdue", REPLY_OPTIONAL, err);
	drain->deadline_at =
		reply_read_time(json, "deadline_at", REPLY_OPTIONAL, err);
	drain->deadline_s = read_deadline_s(json, drain, err);
	drain->drained_at =
		reply_read_time(json, "drained_at", REPLY_OPTIONAL, err);
	drain->on_deadline = (enum on_deadline)reply_read_word(
		json, "on_deadline", api_on_deadlines, ON_DEADLINE_HOLD,
		REPLY_OPTIONAL, err);
	drain->until = (enum until)reply_read_word(
		json, "until", api_untils, UNTIL_RESUME, REPLY_OPTIONAL, err);
	drain->ended_by = reply_read_text(json, "ended_by", REPLY_OPTIONAL, err);
	drain->end_reason =
		reply_read_text(json, "end_reason", REPLY_OPTIONAL, err);
	read_covered(json, drain, err);
}

static void read_reservation(const json_t *json,
			     struct reservation_view *reservation, struct err *err)
{
	if (!json)
		return;
	reservation->is_held = true;
	reservation->id = read_id(json, err);
	reservation->owner = reply_read_text(json, "owner", REPLY_REQUIRED, err);
	reservation->acts_for = reply_read_text(json, "for", REPLY_OPTIONAL, err);
	reservation->reason = reply_read_text(json, "reason", REPLY_REQUIRED, err);
	reservation->created_at = read_time(json, "created_at", err);
	reservation->expires_in_s = reply_read_number(
		json, "expires_in_s", INT32_MAX, REPLY_REQUIRED, err);
}

/* `cut` is always known, as it is poold itself that cuts. */
static void read_progress(const json_t *json, struct progress_view *progress,
			  struct err *err)
{
	bool is_known = reply_read_flag(json, "known", REPLY_REQUIRED, err);

	progress->sessions =
		reply_read_number(json, "sessions", reply_count_most,
				  is_known ? REPLY_REQUIRED : REPLY_NULL, err);
	if (!is_known)
		progress->sessions = COUNT_UNKNOWN;
	progress->cut = reply_read_number(json, "cut", reply_count_most,
					  REPLY_REQUIRED, err);
	progress->peak = reply_read_estimate(json, "peak", reply_count_most);
	progress->ended = reply_read_estimate(json, "ended", reply_count_most);
	progress->eta_s = reply_read_estimate(json, "eta_s", INT32_MAX);
	progress->eta_90_s = reply_read_estimate(json, "eta_90_s", INT32_MAX);
	progress->eta_basis = reply_read_hint(json, "eta_basis");
	progress->eta_unknown = reply_read_hint(json, "eta_unknown");
	progress->rate_per_min =
		json_number_value(json_object_get(json, "rate_per_min"));
}

/* By the clock that the server has now, if it was set since the deadline was. */
static void move_deadline(const json_t *json, struct wall now,
			  struct drain_view *drain)
{
	int64_t in_s = reply_read_estimate(json, "deadline_in_s", INT32_MAX);
	int64_t at_ms = now.ms + in_s * 1000;

	if (drain->deadline_at.is_given && in_s > 0 &&
	    at_ms > drain->deadline_at.at.ms + CLOCK_SET_MS)
		drain->deadline_at.at.ms = at_ms;
}

static void read_lists(struct server_view *view, struct err *err)
{
	const json_t *drains = reply_read_list(
		view->document, "drains", API_DRAINS_LIMIT, REPLY_REQUIRED, err);
	const json_t *services =
		reply_read_list(view->document, "services", API_SERVICES_LIMIT,
				REPLY_REQUIRED, err);

	view->drain_count = json_array_size(drains);
	view->drains = xcalloc(view->drain_count, sizeof(*view->drains));
	view->service_count = json_array_size(services);
	view->services = xcalloc(view->service_count, sizeof(*view->services));
	for (size_t i = 0; i < view->drain_count; i++) {
		read_drain(json_array_get(drains, i), &view->drains[i], err);
		move_deadline(json_array_get(drains, i), view->time,
			      &view->drains[i]);
	}
	for (size_t i = 0; i < view->service_count; i++)
		read_service(json_array_get(services, i), &view->services[i], err);
	if (!view->service_count)
		(void)err_set(err, ERR_BAD_REPLY, "'services' is empty");
}

/* ---- contradictions ---- */

/* poold publishes what it knows of one moment, so a view that contradicts itself
 * proves nothing.  What an older poold does not say is no contradiction, nor is a
 * word of a later one. */

#define BIT(value) (1u << (value))
#define STATES_OUT (BIT(STATE_PAUSED) | BIT(STATE_STOPPED) | BIT(STATE_ABSENT))

/* The states that a service may be in when it has the phase; 0: any. */
static const unsigned states_of_phase[PHASE__COUNT] = {
	[PHASE_SERVING] = BIT(STATE_RUNNING) | BIT(STATE_ABSENT),
	[PHASE_DRAINED] = STATES_OUT,
};

static bool may_be(const struct service_view *service, unsigned states)
{
	int state = service->state ? words_find(api_service_states, service->state)
				   : -1;

	return !states || state < 0 || (states & BIT(state));
}

static int check_source(const struct service_view *service,
			const struct session_source *source, struct err *err)
{
	if (!source->is_known || source->count <= 0)
		return 0;
	return err_set(
		err, ERR_BAD_REPLY,
		"service %.100s is drained, and its source %.32s counts %lld "
		"session%s",
		service->name, source->kind, (long long)source->count,
		source->count == 1 ? "" : "s");
}

static int check_sessions(const struct service_view *service, struct err *err)
{
	if (service->phase != PHASE_DRAINED || service->is_absent)
		return 0;
	if (service->sessions > 0)
		return err_set(err, ERR_BAD_REPLY,
			       "service %.100s is drained, and its 'count' is %lld",
			       service->name, (long long)service->sessions);
	for (size_t i = 0; i < service->sources.count; i++)
		if (check_source(service, &service->sources.items[i], err))
			return -1;
	return 0;
}

static int check_service(const struct service_view *service, struct err *err)
{
	const char *phase = api_phases[service->phase];

	if (!may_be(service, states_of_phase[service->phase]))
		return err_set(err, ERR_BAD_REPLY,
			       "service %.100s is %s, and its state is %s",
			       service->name, phase, service->state);
	if (service->phase == PHASE_DRAINED && service->wanted != WANT_DRAINED)
		return err_set(
			err, ERR_BAD_REPLY,
			"service %.100s is drained, and it is wanted serving",
			service->name);
	return check_sessions(service, err);
}

static int check_drain(const struct server_view *view,
		       const struct drain_view *drain, struct err *err)
{
	for (size_t i = 0; i < view->service_count; i++) {
		const struct service_view *service = &view->services[i];

		if (drain->is_active && drain->is_out &&
		    server_view_covers(drain, service->name) &&
		    !may_be(service, STATES_OUT))
			return err_set(
				err, ERR_BAD_REPLY,
				"drain %s is out, and its service %.100s is %s",
				drain->id, service->name, service->state);
	}
	return 0;
}

/* The phase of a server is drained or serving only if that of all its services is
 * that are installed. */
static int check_server(const struct server_view *view, struct err *err)
{
	if (view->phase != PHASE_DRAINED && view->phase != PHASE_SERVING)
		return 0;
	if (view->phase == PHASE_DRAINED && view->progress.sessions != 0)
		return err_set(err, ERR_BAD_REPLY,
			       "'phase' is drained, and 'sessions' is not 0");
	for (size_t i = 0; i < view->service_count; i++)
		if (view->services[i].phase != view->phase &&
		    !view->services[i].is_absent)
			return err_set(
				err, ERR_BAD_REPLY,
				"'phase' is %s, and that of service %.100s is not",
				api_phases[view->phase], view->services[i].name);
	return 0;
}

static int check_view(const struct server_view *view, struct err *err)
{
	if (check_server(view, err))
		return -1;
	for (size_t i = 0; i < view->service_count; i++)
		if (check_service(&view->services[i], err))
			return -1;
	for (size_t i = 0; i < view->drain_count; i++)
		if (check_drain(view, &view->drains[i], err))
			return -1;
	return 0;
}

/* ---- the whole ---- */

static void read_view(struct server_view *view, struct err *err)
{
	const json_t *json = view->document;
	struct err ignored = {0}; /* for what is only information */
	const json_t *store;

	view->server = reply_read_text(json, "server", REPLY_REQUIRED, err);
	(void)reply_read_text(json, "epoch", REPLY_REQUIRED, err);
	view->index = reply_read_number(json, "index", reply_id_most,
					REPLY_REQUIRED, err);
	view->time = read_time(json, "time", err);
	view->phase = (enum phase)reply_read_word(
		json, "phase", api_phases, PHASE_ATTENTION, REPLY_REQUIRED, err);
	read_progress(reply_read_object(json, "progress", REPLY_REQUIRED, err),
		      &view->progress, err);
	read_reservation(
		reply_read_object(json, "reservation", REPLY_OPTIONAL, err),
		&view->reservation, err);
	view->config_problem =
		reply_read_text(json, "config_problem", REPLY_OPTIONAL, &ignored);
	view->certificate_expires_at = reply_read_time(
		json, "certificate_expires_at", REPLY_OPTIONAL, &ignored);
	store = reply_read_object(json, "store", REPLY_OPTIONAL, &ignored);
	view->store_problem =
		reply_read_text(store, "problem", REPLY_OPTIONAL, &ignored);
	view->unwritten = reply_read_number(store, "unwritten", INT64_MAX,
					    REPLY_OPTIONAL, &ignored);
	read_lists(view, err);
	if (!err->code)
		(void)check_view(view, err);
}

struct server_view *server_view_parse(const char *body, size_t length,
				      struct err *err)
{
	struct server_view *view = xcalloc(1, sizeof(*view));

	view->sessions_left = COUNT_UNKNOWN;
	view->document = reply_read_document(body, length, err);
	if (view->document)
		read_view(view, err);
	if (!err->code)
		return view;
	server_view_free(view);
	return NULL;
}

/* Of a thousand servers each would hash the names of all.  The pools stay as they
 * are while poolctl runs. */
static json_t *own_digest(const struct pool_server *server)
{
	static const struct pool *pool;
	static json_t *of_pool;

	if (pool != server->pool) {
		json_decref(of_pool);
		pool = server->pool;
		of_pool = pool_digest_pool(pool);
	}
	return pool_digest_server(of_pool, pool, server);
}

/* A poold without a digest at least names its services. */
void server_view_compare(struct server_view *view, const struct pool_server *server)
{
	const json_t *theirs = json_object_get(view->document, "config");
	json_t *own;

	if (!server->pool)
		return;
	LIST_EACH (struct pool_service, service,
		   *pool_services(server->pool, server))
		if (service->role == ROLE_DRAIN &&
		    !server_view_service(view, service->named.name))
			buf_printf(&view->other_services,
				   "%sservice %s: not drained there",
				   view->other_services.length ? "; " : "",
				   service->named.name);
	own = own_digest(server);
	pool_digest_compare(theirs, own, &view->other_services, &view->other_pool);
	json_decref(own);
}

struct drain_view *server_view_parse_drain(const char *body, size_t length,
					   struct err *err)
{
	struct drain_view *drain = xcalloc(1, sizeof(*drain));

	drain->document = reply_read_document(body, length, err);
	if (drain->document)
		read_drain(drain->document, drain, err);
	if (!err->code)
		return drain;
	server_view_free_drain(drain);
	return NULL;
}

void server_view_free_drain(struct drain_view *drain)
{
	if (!drain)
		return;
	free(drain->services);
	json_decref(drain->document);
	free(drain);
}

void server_view_free(struct server_view *view)
{
	if (!view)
		return;
	for (size_t i = 0; i < view->drain_count; i++)
		free(view->drains[i].services);
	free(view->drains);
	for (size_t i = 0; i < view->service_count; i++)
		free(view->services[i].sources.items);
	free(view->services);
	server_view_free_drain(view->ended);
	buf_done(&view->other_services);
	buf_done(&view->other_pool);
	json_decref(view->document);
	free(view);
}

const struct drain_view *server_view_drain(const struct server_view *view,
					   const char *id)
{
	for (size_t i = 0; i < view->drain_count; i++)
		if (view->drains[i].is_active && !strcmp(view->drains[i].id, id))
			return &view->drains[i];
	return NULL;
}

const struct service_view *server_view_service(const struct server_view *view,
					       const char *name)
{
	for (size_t i = 0; i < view->service_count; i++)
		if (!utf8_compare_names(view->services[i].name, name))
			return &view->services[i];
	return NULL;
}

size_t server_view_count_drains(const struct server_view *view)
{
	size_t count = 0;

	for (size_t i = 0; i < view->drain_count; i++)
		count += view->drains[i].is_active;
	return count;
}

bool server_view_covers(const struct drain_view *drain, const char *service)
{
	for (size_t i = 0; i < drain->service_count; i++)
		if (!utf8_compare_names(drain->services[i], service))
			return true;
	return false;
}

bool server_view_is_own(const char *owner, const char *acts_for, const char *self)
{
	return !strcmp(acts_for ? acts_for : owner, self);
}
