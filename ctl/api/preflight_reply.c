#include "api/preflight_reply.h"

#include "api.h"
#include "mem.h"
#include "text/duration.h"
#include "text/text.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

/* Better than that fits. */
static const double fits_from = 0.9;

static const char *const level_names[PREFLIGHT_LEVEL__COUNT + 1] = {
	[PREFLIGHT_REFUSAL] = "refusal",
	[PREFLIGHT_WARNING] = "warning",
	[PREFLIGHT_NOTE] = "note",
};

static const char *const fit_names[FIT__COUNT] = {
	[FIT_NO_DEADLINE] = "no_deadline",
	[FIT_YES] = "yes",
	[FIT_NO] = "no",
	[FIT_NOT_KNOWN] = "not_known",
	[FIT_NOT_POSSIBLE] = "not_possible",
};

const char *preflight_reply_level_name(enum preflight_level level)
{
	return level_names[level];
}

const char *preflight_reply_fit_name(enum fit fit)
{
	return fit_names[fit];
}

/* ---- reading ---- */

/* Adds what is found in a service, or in the whole server. */
static void read_findings(struct preflight_reply *preflight, const json_t *json,
			  const char *service, struct err *err)
{
	const json_t *list =
		reply_read_list(json, "findings", SIZE_MAX, REPLY_REQUIRED, err);
	size_t count = json_array_size(list);

	preflight->findings = xrealloc(preflight->findings,
				       (preflight->finding_count + count + 1) *
					       sizeof(*preflight->findings));
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(list, i);

		preflight->findings[preflight->finding_count++] =
			(struct preflight_finding){
				(enum preflight_level)reply_read_word(
					item, "level", level_names,
					PREFLIGHT_REFUSAL, REPLY_REQUIRED, err),
				service,
				reply_read_text(item, "text", REPLY_REQUIRED, err),
				reply_read_text(item, "remedy", REPLY_NULL, err),
				reply_read_text(item, "code", REPLY_REQUIRED, err)};
	}
}

static void read_state(const json_t *json, struct preflight_state *state,
		       struct err *err)
{
	state->state = reply_read_text(json, "state", REPLY_REQUIRED, err);
	state->start_type = reply_read_text(json, "start_type", REPLY_NULL, err);
	state->is_delayed =
		reply_read_flag(json, "delayed_auto_start", REPLY_OPTIONAL, err);
}

static void read_dependants(const json_t *json, struct preflight_service *service,
			    struct err *err)
{
	const json_t *list =
		reply_read_list(json, "dependants", SIZE_MAX, REPLY_NULL, err);

	service->dependant_count = json_array_size(list);
	service->dependants =
		xcalloc(service->dependant_count, sizeof(*service->dependants));
	for (size_t i = 0; i < service->dependant_count; i++) {
		const json_t *item = json_array_get(list, i);

		service->dependants[i].name =
			reply_read_text(item, "name", REPLY_REQUIRED, err);
		read_state(item, &service->dependants[i], err);
	}
}

static void read_changes(const json_t *json, struct preflight_service *service,
			 struct err *err)
{
	const json_t *list =
		reply_read_list(json, "changes", SIZE_MAX, REPLY_REQUIRED, err);

	service->change_count = json_array_size(list);
	service->changes =
		xcalloc(service->change_count, sizeof(*service->changes));
	for (size_t i = 0; i < service->change_count; i++) {
		service->changes[i] = json_string_value(json_array_get(list, i));
		if (!service->changes[i])
			(void)reply_read_fail("changes", "a list of texts", err);
	}
}

/* A drain is possible if it is possible for every service. */
static bool read_service(struct preflight_reply *preflight, const json_t *json,
			 struct err *err)
{
	struct preflight_service *service =
		&preflight->services[preflight->service_count++];
	const json_t *observed =
		reply_read_object(json, "observed", REPLY_REQUIRED, err);
	const json_t *sessions =
		reply_read_object(json, "sessions", REPLY_REQUIRED, err);

	service->is.name = reply_read_text(json, "name", REPLY_REQUIRED, err);
	service->display_name =
		reply_read_text(json, "display_name", REPLY_REQUIRED, err);
	read_state(observed, &service->is, err);
	service->sessions = COUNT_UNKNOWN;
	if (reply_read_flag(sessions, "known", REPLY_REQUIRED, err))
		service->sessions = reply_read_number(
			sessions, "count", reply_count_most, REPLY_REQUIRED, err);
	read_dependants(json, service, err);
	read_changes(json, service, err);
	read_findings(preflight, json, service->is.name, err);
	return reply_read_flag(json, "possible", REPLY_REQUIRED, err);
}

static void read_services(struct preflight_reply *preflight, struct err *err)
{
	const json_t *list =
		reply_read_list(preflight->document, "services", API_SERVICES_LIMIT,
				REPLY_REQUIRED, err);
	bool is_possible = true;

	/* The server itself may refuse too. */
	for (size_t i = 0; i < preflight->finding_count; i++)
		is_possible = is_possible &&
			      preflight->findings[i].level != PREFLIGHT_REFUSAL;
	preflight->services =
		xcalloc(json_array_size(list), sizeof(*preflight->services));
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!read_service(preflight, json_array_get(list, i), err))
			is_possible = false;
	if (!preflight->service_count)
		(void)err_set(err, ERR_BAD_REPLY, "'services' is empty");
	if (is_possible != preflight->is_possible)
		(void)err_set(
			err, ERR_BAD_REPLY,
			"'possible' of the server does not agree with that of its "
			"services");
}

static double read_chance(const json_t *json, struct err *err)
{
	const json_t *chance = json_object_get(json, "chance");
	double value = json_number_value(chance);

	if (json_is_null(chance))
		return -1;
	if (!json_is_number(chance) || !(value >= 0 && value <= 1))
		(void)reply_read_fail("chance", "a number from 0 to 1", err);
	return value;
}

/* A forecast is about the deadline that was asked for. */
static void check_forecast(const struct preflight_reply *preflight,
			   int64_t deadline_s, struct err *err)
{
	const struct preflight_forecast *forecast = &preflight->forecast;

	if (forecast->nine_tenths_s >= 0 &&
	    (forecast->half_s < 0 || forecast->half_s > forecast->nine_tenths_s))
		(void)err_set(err, ERR_BAD_REPLY,
			      "'nine_tenths_s' is less than 'half_s'");
	if (!forecast->is_known && forecast->half_s >= 0)
		(void)err_set(
			err, ERR_BAD_REPLY,
			"'half_s' is given, and yet the forecast is not known");
	if (!preflight->deadline_s && forecast->chance >= 0)
		(void)err_set(
			err, ERR_BAD_REPLY,
			"'chance' is given, and yet no deadline was asked about");
	if (deadline_s !=
	    (preflight->deadline_s ? preflight->deadline_s : COUNT_UNKNOWN))
		(void)reply_read_fail("deadline_s",
				      "the deadline that was asked about", err);
}

/* More than a lifetime is as good as unknown. */
static int64_t read_seconds(const json_t *json, const char *name, struct err *err)
{
	int64_t seconds = reply_read_number(json, name, INT64_MAX, REPLY_NULL, err);

	return seconds > INT32_MAX ? INT32_MAX : seconds;
}

static void read_forecast(struct preflight_reply *preflight, struct err *err)
{
	const json_t *json = reply_read_object(preflight->document, "forecast",
					       REPLY_OPTIONAL, err);
	struct preflight_forecast *forecast = &preflight->forecast;

	if (!json)
		return;
	forecast->is_given = true;
	forecast->is_known = reply_read_flag(json, "known", REPLY_REQUIRED, err);
	forecast->half_s = read_seconds(json, "half_s", err);
	forecast->nine_tenths_s = read_seconds(json, "nine_tenths_s", err);
	forecast->chance = read_chance(json, err);
	forecast->reason = reply_read_text(json, "reason", REPLY_NULL, err);
	check_forecast(
		preflight,
		reply_read_number(json, "deadline_s", INT64_MAX, REPLY_NULL, err),
		err);
}

static void read_document(struct preflight_reply *preflight,
			  const struct pool_server *server, struct err *err)
{
	const json_t *json = preflight->document;

	(void)reply_read_check_server(json, server, err);
	preflight->is_possible =
		reply_read_flag(json, "possible", REPLY_REQUIRED, err);
	read_findings(preflight, json, NULL, err);
	read_services(preflight, err);
	read_forecast(preflight, err);
}

struct preflight_reply *preflight_reply_parse(const struct pool_server *server,
					      int64_t deadline_s, const char *body,
					      size_t length, struct err *err)
{
	struct preflight_reply *preflight = xcalloc(1, sizeof(*preflight));

	preflight->deadline_s = deadline_s;
	preflight->document = reply_read_document(body, length, err);
	if (preflight->document)
		read_document(preflight, server, err);
	if (!err->code)
		return preflight;
	preflight_reply_free(preflight);
	return NULL;
}

void preflight_reply_free(struct preflight_reply *preflight)
{
	if (!preflight)
		return;
	for (size_t i = 0; i < preflight->service_count; i++) {
		free(preflight->services[i].changes);
		free(preflight->services[i].dependants);
	}
	free(preflight->services);
	free(preflight->findings);
	json_decref(preflight->document);
	free(preflight);
}

/* ---- the services ---- */

static bool is_out(const char *state)
{
	return !strcmp(state, api_service_states[STATE_PAUSED]) ||
	       !strcmp(state, api_service_states[STATE_STOPPED]);
}

bool preflight_reply_tell_out(const struct preflight_reply *preflight,
			      struct buf *text)
{
	for (size_t i = 0; i < preflight->service_count; i++)
		if (!is_out(preflight->services[i].is.state))
			return false;
	for (size_t i = 0; i < preflight->service_count; i++) {
		const struct preflight_service *service = &preflight->services[i];

		buf_printf(text, "%s%s %s, ", i ? "; " : "", service->is.name,
			   service->is.state);
		text_add_count(text, service->sessions);
		buf_puts(text, " sessions");
	}
	return true;
}

/* ---- the forecast ---- */

enum fit preflight_reply_fit(const struct preflight_reply *preflight)
{
	const struct preflight_forecast *forecast = &preflight->forecast;

	if (!preflight->is_possible)
		return FIT_NOT_POSSIBLE;
	if (!preflight->deadline_s)
		return FIT_NO_DEADLINE;
	if (!forecast->is_known || forecast->chance < 0)
		return FIT_NOT_KNOWN;
	return forecast->chance >= fits_from ? FIT_YES : FIT_NO;
}

static void add_seconds(const char *before, int64_t seconds, const char *unknown,
			struct buf *text)
{
	char duration[DURATION_BYTES];

	if (seconds >= 0)
		buf_printf(text, "%s%s", before,
			   duration_print(seconds * 1000, duration));
	else
		buf_puts(text, unknown);
}

/* Rounded down, so that less than is required never looks like enough. */
static int percent(double chance)
{
	return (int)(chance * 100 + 1e-9);
}

static void add_fit(const struct preflight_reply *preflight, struct buf *text)
{
	enum fit fit = preflight_reply_fit(preflight);
	char duration[DURATION_BYTES];

	if (fit == FIT_NO_DEADLINE)
		return;
	(void)duration_print(preflight->deadline_s * 1000, duration);
	if (fit == FIT_NOT_KNOWN)
		buf_printf(text, "; unknown whether it finishes within %s",
			   duration);
	else
		buf_printf(text, "; %d%% likely to finish within %s%s",
			   percent(preflight->forecast.chance), duration,
			   fit == FIT_NO ? " (90% required)" : "");
}

void preflight_reply_explain(const struct preflight_reply *preflight,
			     struct buf *text)
{
	const struct preflight_forecast *forecast = &preflight->forecast;

	if (!forecast->is_given) {
		buf_puts(text, "duration unknown: this poold makes no forecast");
		return;
	}
	if (forecast->is_known) {
		add_seconds("about ", forecast->half_s,
			    "longer than can be estimated", text);
		add_seconds(", 90% likely within ", forecast->nine_tenths_s,
			    ", 90% limit unknown", text);
	} else {
		buf_puts(text, "duration unknown");
	}
	add_fit(preflight, text);
	if (forecast->reason)
		buf_printf(text, " (%s)", forecast->reason);
}
