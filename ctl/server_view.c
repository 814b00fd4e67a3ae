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

static int read_phase(const char *name, enum phase *phase, struct err *err)
{
	int value = phase_from_name(name);

	if (value < 0)
		return bad(err, "there is an unknown phase");
	*phase = (enum phase)value;
	return 0;
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
	if (read_time(created_at, &drain->created_at, err))
		return -1;
	return read_covered(services, drain, err);
}

/* `cut` is always known: poold is the one who cuts. */
static int read_progress(json_t *json, struct progress_view *progress, struct err *err)
{
	json_t *sessions, *peak = NULL, *ended = NULL, *cut, *rate = NULL;
	json_error_t error;
	int is_known;

	if (json_unpack_ex(json, &error, 0, "{s:b, s:o, s:o, s?o, s?o, s?o}", "known",
			   &is_known, "sessions", &sessions, "cut", &cut, "peak", &peak,
			   "ended", &ended, "rate_per_min", &rate))
		return bad(err, error.text);
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

static int read_document(struct server_view *view, struct err *err)
{
	json_t *progress, *drains, *services;
	const char *phase, *time, *epoch;
	json_error_t error;
	json_int_t index;

	if (json_unpack_ex(view->document, &error, 0,
			   "{s:s, s:s, s:I, s:s, s:s, s:o, s:o, s:o}", "server",
			   &view->server, "epoch", &epoch, "index", &index, "time", &time,
			   "phase", &phase, "progress", &progress, "drains", &drains,
			   "services", &services))
		return bad(err, error.text);
	view->index = index;
	if (read_time(time, &view->time, err) || read_phase(phase, &view->phase, err) ||
	    read_progress(progress, &view->progress, err))
		return -1;
	return read_lists(view, drains, services, err);
}

struct server_view *server_view_parse(const char *body, size_t length, struct err *err)
{
	struct server_view *view = xcalloc(1, sizeof(*view));
	json_error_t error;

	view->document = json_loadb(body, length, JSON_REJECT_DUPLICATES, &error);
	if (!view->document)
		(void)err_set(err, ERR_BAD_REPLY, "the reply is not JSON: %s",
			      error.text);
	else if (!read_document(view, err))
		return view;
	server_view_free(view);
	return NULL;
}

void server_view_free(struct server_view *view)
{
	if (!view)
		return;
	for (size_t i = 0; i < view->drain_count; i++)
		free(view->drains[i].services);
	free(view->drains);
	free(view->services);
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

/* Who does not choose an id gets his own name as one, which need not be said twice. */
static void add_drain(struct buf *text, const struct drain_view *drain,
		      const char *between)
{
	buf_printf(text, "%s%s", between, drain->id);
	if (strcmp(drain->id, drain->owner) != 0)
		buf_printf(text, " of %s", drain->owner);
	buf_printf(text, " (%s)", drain->reason);
}

size_t server_view_list_drains(const struct server_view *view, struct buf *text)
{
	size_t count = 0;

	for (size_t i = 0; i < view->drain_count; i++) {
		const struct drain_view *drain = &view->drains[i];

		if (!drain->is_active)
			continue;
		if (text)
			add_drain(text, drain, count ? ", " : "");
		count++;
	}
	return count;
}

bool drain_view_covers(const struct drain_view *drain, const char *service)
{
	for (size_t i = 0; i < drain->service_count; i++)
		if (!strcasecmp(drain->services[i], service))
			return true;
	return false;
}
