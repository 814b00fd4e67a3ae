#include "server_view.h"

#include "mem.h"

#include <jansson.h>
#include <stdlib.h>
#include <strings.h>
#include <string.h>

static int bad(struct err *err, const char *what)
{
	return err_set(err, ERR_BAD_REPLY, "the reply cannot be understood: %s", what);
}

static int read_time(const char *text, struct wall *time, struct err *err)
{
	return clock_parse(text, time) ? bad(err, "a time is not in RFC 3339") : 0;
}

/* An older poold says nothing of what it does not know yet; that is as null. */
static int read_moment(const json_t *value, struct moment *moment, struct err *err)
{
	moment->is_given = value && !json_is_null(value);
	if (!moment->is_given)
		return 0;
	if (!json_is_string(value))
		return bad(err, "a time is not in RFC 3339");
	return read_time(json_string_value(value), &moment->at, err);
}

static int read_word(const json_t *value, const char **word, struct err *err)
{
	*word = json_string_value(value);
	return value && !json_is_null(value) && !*word
		       ? bad(err, "the end of a drain is not told in words")
		       : 0;
}

/* A count is a number from 0 up, or null when it is not known. */
static int read_count(const json_t *value, int64_t *count, struct err *err)
{
	*count = COUNT_UNKNOWN;
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return bad(err, "a count of sessions is not a number from 0 up");
	*count = json_integer_value(value);
	return 0;
}

static int read_seconds(const json_t *value, int64_t *seconds, struct err *err)
{
	*seconds = COUNT_UNKNOWN;
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > INT32_MAX)
		return bad(err, "an estimate is not a number of seconds");
	*seconds = json_integer_value(value);
	return 0;
}

static int read_phase(const char *name, enum phase *phase, struct err *err)
{
	int value = phase_from_name(name);

	if (value < 0)
		return bad(err, "there is an unknown phase");
	*phase = (enum phase)value;
	return 0;
}

/* An optional service that is not installed has no sessions. */
static void read_counted(json_t *json, struct service_view *service)
{
	const json_t *sessions = json_object_get(json, "sessions");
	const char *state = json_string_value(
		json_object_get(json_object_get(json, "observed"), "state"));

	service->sources = json_object_get(sessions, "sources");
	service->is_absent = state && !strcmp(state, "absent");
	service->is_counted =
		json_is_true(json_object_get(sessions, "known")) || service->is_absent;
}

static int read_service(json_t *json, struct service_view *service, struct err *err)
{
	const char *phase, *wanted;
	json_error_t error;
	json_t *saved;
	int want;

	if (json_unpack_ex(json, &error, 0, "{s:s, s:s, s:s, s:s, s:o}", "name",
			   &service->name, "phase", &phase, "wanted", &wanted, "message",
			   &service->message, "saved", &saved))
		return bad(err, error.text);
	want = want_from_name(wanted);
	if (want < 0)
		return bad(err, "there is an unknown value of 'wanted'");
	service->wanted = (enum want)want;
	service->is_saved = !json_is_null(saved);
	read_counted(json, service);
	return read_phase(phase, &service->phase, err);
}

static int read_covered(const json_t *names, struct drain_view *drain, struct err *err)
{
	size_t count = json_array_size(names);

	if (count == 0 || count > API_SERVICES_LIMIT)
		return bad(err, "the services of a drain are not a list of names");
	drain->services = xcalloc(count, sizeof(*drain->services));
	drain->service_count = count;
	for (size_t i = 0; i < count; i++) {
		drain->services[i] = json_string_value(json_array_get(names, i));
		if (!drain->services[i])
			return bad(err,
				   "the services of a drain are not a list of names");
	}
	return 0;
}

/* When and how the drain is to end, or did. */
static int read_terms(json_t *json, struct drain_view *drain, struct err *err)
{
	json_t *deadline_at = NULL, *drained_at = NULL, *ended_by = NULL, *reason = NULL;
	const char *on_deadline = on_deadline_name(ON_DEADLINE_HOLD);
	const char *until = until_name(UNTIL_RESUME);
	int is_overdue = 0, on_deadline_value, until_value;
	json_error_t error;

	if (json_unpack_ex(json, &error, 0, "{s?o, s?o, s?o, s?o, s?s, s?s, s?b}",
			   "deadline_at", &deadline_at, "drained_at", &drained_at,
			   "ended_by", &ended_by, "end_reason", &reason, "on_deadline",
			   &on_deadline, "until", &until, "overdue", &is_overdue))
		return bad(err, error.text);
	on_deadline_value = on_deadline_from_name(on_deadline);
	until_value = until_from_name(until);
	if (on_deadline_value < 0 || until_value < 0)
		return bad(err, "there is an unknown value of 'on_deadline' or 'until'");
	drain->on_deadline = (enum on_deadline)on_deadline_value;
	drain->until = (enum until)until_value;
	drain->is_overdue = is_overdue != 0;
	if (read_moment(deadline_at, &drain->deadline_at, err) ||
	    read_moment(drained_at, &drain->drained_at, err) ||
	    read_word(ended_by, &drain->ended_by, err))
		return -1;
	return read_word(reason, &drain->end_reason, err);
}

static int read_drain(json_t *json, struct drain_view *drain, struct err *err)
{
	const char *phase, *created_at;
	json_t *services;
	json_error_t error;
	int is_out;

	if (json_unpack_ex(json, &error, 0, "{s:s, s:s, s:s, s:s, s:s, s:b, s:o}", "id",
			   &drain->id, "owner", &drain->owner, "reason", &drain->reason,
			   "phase", &phase, "created_at", &created_at, "out", &is_out,
			   "services", &services))
		return bad(err, error.text);
	if (!api_id_is_valid(drain->id))
		return bad(err, "a drain has an id that is not allowed");
	drain->is_active = !strcmp(phase, "active");
	drain->is_out = is_out != 0;
	if (read_time(created_at, &drain->created_at, err) ||
	    read_terms(json, drain, err))
		return -1;
	return read_covered(services, drain, err);
}

/* An older poold knows of none. */
static int read_reservation(json_t *json, struct reservation_view *reservation,
			    struct err *err)
{
	const char *created_at;
	json_error_t error;
	json_int_t rest_s;

	if (!json || json_is_null(json))
		return 0;
	if (json_unpack_ex(json, &error, 0, "{s:s, s:s, s:s, s:s, s:I}", "id",
			   &reservation->id, "owner", &reservation->owner, "reason",
			   &reservation->reason, "created_at", &created_at,
			   "expires_in_s", &rest_s))
		return bad(err, error.text);
	if (!api_id_is_valid(reservation->id))
		return bad(err, "a reservation has an id that is not allowed");
	if (rest_s < 0 || rest_s > INT32_MAX)
		return bad(err, "'expires_in_s' is not a number of seconds");
	reservation->is_held = true;
	reservation->expires_in_s = rest_s;
	return read_time(created_at, &reservation->created_at, err);
}

/* `cut` is always known: poold is the one who cuts. */
static int read_progress(json_t *json, struct progress_view *progress, struct err *err)
{
	json_t *sessions, *peak = NULL, *ended = NULL, *cut, *rate = NULL;
	json_t *eta = NULL, *eta_90 = NULL;
	json_error_t error;
	int is_known;

	if (json_unpack_ex(json, &error, 0, "{s:b, s:o, s:o, s?o, s?o, s?o, s?o, s?o}",
			   "known", &is_known, "sessions", &sessions, "cut", &cut, "peak",
			   &peak, "ended", &ended, "rate_per_min", &rate, "eta_s", &eta,
			   "eta_90_s", &eta_90))
		return bad(err, error.text);
	progress->eta_basis = json_string_value(json_object_get(json, "eta_basis"));
	progress->eta_unknown = json_string_value(json_object_get(json, "eta_unknown"));
	if (read_seconds(eta, &progress->eta_s, err) ||
	    read_seconds(eta_90, &progress->eta_90_s, err))
		return -1;
	if (read_count(sessions, &progress->sessions, err) ||
	    read_count(peak, &progress->peak, err) ||
	    read_count(ended, &progress->ended, err) ||
	    read_count(cut, &progress->cut, err))
		return -1;
	if (progress->cut == COUNT_UNKNOWN)
		return bad(err, "'cut' is not a number");
	if (!is_known)
		progress->sessions = COUNT_UNKNOWN;
	else if (progress->sessions == COUNT_UNKNOWN)
		return bad(err, "'sessions' is null, and yet 'known' is true");
	progress->rate_per_min = json_number_value(rate);
	return 0;
}

static int read_lists(struct server_view *view, const json_t *drains,
		      const json_t *services, struct err *err)
{
	if (!json_is_array(drains) || json_array_size(drains) > API_DRAINS_LIMIT)
		return bad(err, "'drains' is not a list, or too long");
	if (!json_array_size(services) || json_array_size(services) > API_SERVICES_LIMIT)
		return bad(err, "'services' is not a list, empty, or too long");
	view->drain_count = json_array_size(drains);
	view->drains = xcalloc(view->drain_count, sizeof(*view->drains));
	view->service_count = json_array_size(services);
	view->services = xcalloc(view->service_count, sizeof(*view->services));
	for (size_t i = 0; i < view->drain_count; i++)
		if (read_drain(json_array_get(drains, i), &view->drains[i], err))
			return -1;
	for (size_t i = 0; i < view->service_count; i++)
		if (read_service(json_array_get(services, i), &view->services[i], err))
			return -1;
	return 0;
}

/* Who says that all has ended must not say that something is left. */
static int check_drained(const struct server_view *view, struct err *err)
{
	if (view->phase != PHASE_DRAINED)
		return 0;
	if (view->progress.sessions != 0)
		return bad(err, "it is drained, and yet has sessions, or may have");
	for (size_t i = 0; i < view->service_count; i++)
		if (view->services[i].phase != PHASE_DRAINED)
			return bad(err, "it is drained, and one of its services is not");
	return 0;
}

static int read_document(struct server_view *view, struct err *err)
{
	json_t *progress, *drains, *services, *reservation = NULL;
	const char *phase, *time, *epoch;
	json_error_t error;
	json_int_t index;

	if (json_unpack_ex(view->document, &error, 0,
			   "{s:s, s:s, s:I, s:s, s:s, s:o, s:o, s:o, s?o}", "server",
			   &view->server, "epoch", &epoch, "index", &index, "time", &time,
			   "phase", &phase, "progress", &progress, "drains", &drains,
			   "services", &services, "reservation", &reservation))
		return bad(err, error.text);
	view->index = index;
	if (read_time(time, &view->time, err) || read_phase(phase, &view->phase, err) ||
	    read_progress(progress, &view->progress, err) ||
	    read_reservation(reservation, &view->reservation, err))
		return -1;
	return read_lists(view, drains, services, err) || check_drained(view, err) ? -1
										   : 0;
}

static json_t *load(const char *body, size_t length, struct err *err)
{
	json_error_t error;
	json_t *document = json_loadb(body, length, JSON_REJECT_DUPLICATES, &error);

	if (!document)
		(void)err_set(err, ERR_BAD_REPLY, "the reply is not JSON: %s",
			      error.text);
	return document;
}

struct server_view *server_view_parse(const char *body, size_t length, struct err *err)
{
	struct server_view *view = xcalloc(1, sizeof(*view));

	view->sessions_left = COUNT_UNKNOWN;
	view->document = load(body, length, err);
	if (view->document && !read_document(view, err))
		return view;
	server_view_free(view);
	return NULL;
}

static void forget_ended(struct server_view *view)
{
	if (view->ended)
		free(view->ended->services);
	free(view->ended);
	json_decref(view->ended_document);
	view->ended = NULL;
	view->ended_document = NULL;
}

int server_view_read_ended(struct server_view *view, const char *body, size_t length,
			   struct err *err)
{
	forget_ended(view);
	view->ended_document = load(body, length, err);
	if (!view->ended_document)
		return -1;
	view->ended = xcalloc(1, sizeof(*view->ended));
	if (!read_drain(view->ended_document, view->ended, err))
		return 0;
	forget_ended(view);
	return -1;
}

void server_view_free(struct server_view *view)
{
	if (!view)
		return;
	for (size_t i = 0; i < view->drain_count; i++)
		free(view->drains[i].services);
	free(view->drains);
	free(view->services);
	forget_ended(view);
	json_decref(view->document);
	free(view);
}

const struct drain_view *server_view_drain(const struct server_view *view, const char *id)
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
		if (!strcasecmp(view->services[i].name, name))
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

bool drain_view_covers(const struct drain_view *drain, const char *service)
{
	for (size_t i = 0; i < drain->service_count; i++)
		if (!strcasecmp(drain->services[i], service))
			return true;
	return false;
}
