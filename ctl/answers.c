#include "answers.h"

#include "mem.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { RUN_MS = 1000 };

/* Better than that fits. */
static const double fits_from = 0.9;

static const char *const levels[] = {"refusal", "warning", "note"};

static const char *const fit_names[FIT__COUNT] = {
	[FIT_NO_DEADLINE] = "no_deadline",
	[FIT_YES] = "yes",
	[FIT_NO] = "no",
	[FIT_NOT_KNOWN] = "not_known",
	[FIT_NOT_POSSIBLE] = "not_possible",
};

/* ---- reading: what is used later is there, and of its type ---- */

static bool is_text(const json_t *object, const char *key)
{
	return json_is_string(json_object_get(object, key));
}

static bool is_text_or_null(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_string(value) || json_is_null(value);
}

static bool is_flag(const json_t *object, const char *key)
{
	return json_is_boolean(json_object_get(object, key));
}

static bool is_level(const char *level)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (level && !strcmp(level, levels[i]))
			return true;
	return false;
}

static bool is_finding(const json_t *finding)
{
	return is_level(json_string_value(json_object_get(finding, "level"))) &&
	       is_text(finding, "code") && is_text(finding, "text") &&
	       is_text_or_null(finding, "remedy");
}

static bool is_dependant(const json_t *dependant)
{
	return is_text(dependant, "name") && is_text_or_null(dependant, "start_type") &&
	       is_text(dependant, "state");
}

static bool is_change(const json_t *change)
{
	return json_is_string(change);
}

/* True if it is a list, and all of it is good. */
static bool is_list(const json_t *object, const char *key,
		    bool (*is_good)(const json_t *item))
{
	const json_t *list = json_object_get(object, key);

	for (size_t i = 0; i < json_array_size(list); i++)
		if (!is_good(json_array_get(list, i)))
			return false;
	return json_is_array(list);
}

static bool is_service(const json_t *service)
{
	const json_t *observed = json_object_get(service, "observed");
	const json_t *sessions = json_object_get(service, "sessions");

	return is_text(service, "name") && is_text(service, "display_name") &&
	       is_flag(service, "possible") && is_text(observed, "state") &&
	       is_text_or_null(observed, "start_type") && is_flag(sessions, "known") &&
	       (json_is_false(json_object_get(sessions, "known")) ||
		json_is_integer(json_object_get(sessions, "count"))) &&
	       (json_is_null(json_object_get(service, "dependants")) ||
		is_list(service, "dependants", is_dependant)) &&
	       is_list(service, "changes", is_change) &&
	       is_list(service, "findings", is_finding);
}

static bool is_seconds_or_null(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_null(value) ||
	       (json_is_integer(value) && json_integer_value(value) >= 0 &&
		json_integer_value(value) <= INT32_MAX);
}

static bool is_chance_or_null(const json_t *chance)
{
	return json_is_null(chance) ||
	       (json_is_number(chance) && json_number_value(chance) >= 0 &&
		json_number_value(chance) <= 1);
}

/* The time of nine in ten comes after that of every other one, and not without it. */
static bool is_in_order(const json_t *half, const json_t *nine_tenths)
{
	return json_is_null(nine_tenths) ||
	       (json_is_integer(half) &&
		json_integer_value(half) <= json_integer_value(nine_tenths));
}

/* What is wrong with the forecast, or NULL.  An older poold gives none. */
static const char *find_flaw(const json_t *forecast)
{
	const json_t *half = json_object_get(forecast, "half_s");
	const json_t *nine_tenths = json_object_get(forecast, "nine_tenths_s");

	if (!forecast)
		return NULL;
	if (!is_flag(forecast, "known"))
		return "does not say whether it is known";
	if (!is_seconds_or_null(forecast, "half_s") ||
	    !is_seconds_or_null(forecast, "nine_tenths_s"))
		return "has a time that is no number of seconds";
	if (!is_in_order(half, nine_tenths))
		return "has a time for nine in ten that is before that for one in two";
	if (json_is_false(json_object_get(forecast, "known")) && !json_is_null(half))
		return "is not known, and has a time";
	if (!is_chance_or_null(json_object_get(forecast, "chance")))
		return "has a chance that is not from 0 to 1";
	if (!is_text_or_null(forecast, "reason"))
		return "has a reason that is no text";
	return NULL;
}

/* A drain is possible if it is for every service. */
static bool is_agreed(const json_t *document)
{
	const json_t *services = json_object_get(document, "services");
	bool is_possible = true;

	for (size_t i = 0; i < json_array_size(services); i++)
		is_possible =
			is_possible && answers_is_possible(json_array_get(services, i));
	return is_possible == answers_is_possible(document);
}

static int check_forecast(const json_t *document, struct err *err)
{
	const char *flaw = find_flaw(json_object_get(document, "forecast"));

	return flaw ? err_set(err, ERR_BAD_REPLY,
			      "the forecast in the report of the preflight %s", flaw)
		    : 0;
}

int answers_check(const char *server, const json_t *document, struct err *err)
{
	const char *name = json_string_value(json_object_get(document, "server"));

	if (!name || !is_flag(document, "possible") ||
	    !is_list(document, "findings", is_finding) ||
	    !is_list(document, "services", is_service))
		return err_set(err, ERR_BAD_REPLY,
			       "the reply is not the report of a preflight");
	if (strcmp(name, server) != 0)
		return err_set(err, ERR_CONFIG,
			       "it is server '%.100s' that answers there, not '%s'", name,
			       server);
	if (!json_array_size(json_object_get(document, "services")))
		return err_set(err, ERR_BAD_REPLY,
			       "the report of the preflight is about no service");
	if (!is_agreed(document))
		return err_set(err, ERR_BAD_REPLY,
			       "the report of the preflight says 'possible' of the "
			       "server, and not the same of its services");
	return check_forecast(document, err);
}

/* A forecast is about the deadline that was asked for. */
static int check_deadline(const struct answer *answer, struct err *err)
{
	const json_t *forecast = json_object_get(answer->document, "forecast");
	const json_t *deadline = json_object_get(forecast, "deadline_s");

	if (!forecast)
		return 0;
	if (!answer->deadline_s && !json_is_null(json_object_get(forecast, "chance")))
		return err_set(err, ERR_BAD_REPLY,
			       "the forecast in the report of the preflight has a chance "
			       "without a deadline");
	if (answer->deadline_s
		    ? json_is_integer(deadline) &&
			      json_integer_value(deadline) == answer->deadline_s
		    : json_is_null(deadline))
		return 0;
	return err_set(err, ERR_BAD_REPLY,
		       "the forecast in the report of the preflight is for another "
		       "deadline than was asked for");
}

/* ---- the services ---- */

static bool is_out(const char *state)
{
	return state && (!strcmp(state, service_state_name(STATE_PAUSED)) ||
			 !strcmp(state, service_state_name(STATE_STOPPED)));
}

static const char *state_of(const json_t *service)
{
	return json_string_value(
		json_object_get(json_object_get(service, "observed"), "state"));
}

bool answers_tell_out(const json_t *document, struct buf *text)
{
	const json_t *services = json_object_get(document, "services");

	for (size_t i = 0; i < json_array_size(services); i++)
		if (!is_out(state_of(json_array_get(services, i))))
			return false;
	for (size_t i = 0; i < json_array_size(services); i++) {
		const json_t *service = json_array_get(services, i);
		const json_t *count =
			json_object_get(json_object_get(service, "sessions"), "count");

		buf_printf(text, "%s%s %s, ", i ? "; " : "",
			   json_string_value(json_object_get(service, "name")),
			   state_of(service));
		text_add_count(text, json_is_integer(count) ? json_integer_value(count)
							    : COUNT_UNKNOWN);
		buf_puts(text, " sessions");
	}
	return true;
}

/* ---- the forecast ---- */

bool answers_is_possible(const json_t *document)
{
	return json_is_true(json_object_get(document, "possible"));
}

enum fit answers_fit(const json_t *document, bool has_deadline)
{
	const json_t *forecast = json_object_get(document, "forecast");
	const json_t *chance = json_object_get(forecast, "chance");

	if (!answers_is_possible(document))
		return FIT_NOT_POSSIBLE;
	if (!has_deadline)
		return FIT_NO_DEADLINE;
	if (!json_is_true(json_object_get(forecast, "known")) || !json_is_number(chance))
		return FIT_NOT_KNOWN;
	return json_number_value(chance) >= fits_from ? FIT_YES : FIT_NO;
}

const char *answers_fit_name(enum fit fit)
{
	return fit_names[fit];
}

static void add_seconds(const char *before, const json_t *seconds, const char *unknown,
			struct buf *text)
{
	char duration[TEXT_DURATION_BYTES];

	if (json_is_integer(seconds))
		buf_printf(text, "%s%s", before,
			   text_duration(json_integer_value(seconds) * 1000, duration));
	else
		buf_puts(text, unknown);
}

static void add_fit(enum fit fit, const json_t *forecast, struct buf *text)
{
	const json_t *deadline = json_object_get(forecast, "deadline_s");
	double chance = json_number_value(json_object_get(forecast, "chance"));

	if (!json_is_integer(deadline))
		return;
	add_seconds("; within ", deadline, "", text);
	if (fit == FIT_NOT_KNOWN)
		buf_puts(text, ": not known");
	else
		buf_printf(text, ": %.0f in 100%s", chance * 100,
			   fit == FIT_NO ? ", which is less than 90" : "");
}

void answers_explain(const json_t *document, struct buf *text)
{
	const json_t *forecast = json_object_get(document, "forecast");
	const char *reason = json_string_value(json_object_get(forecast, "reason"));

	if (!forecast) {
		buf_puts(text, "how long it takes is not known: this poold gives no "
			       "forecast");
		return;
	}
	if (json_is_true(json_object_get(forecast, "known"))) {
		add_seconds("about ", json_object_get(forecast, "half_s"),
			    "longer than can be said", text);
		add_seconds(", 9 in 10 within ",
			    json_object_get(forecast, "nine_tenths_s"),
			    ", 9 in 10 not known", text);
	} else {
		buf_puts(text, "how long it takes is not known");
	}
	add_fit(answers_fit(document, true), forecast, text);
	if (reason)
		buf_printf(text, " (%s)", reason);
}

/* ---- asking ---- */

static void on_reply(void *context, const struct reply *reply)
{
	struct answer *answer = context;
	const char *url = answer->server->url;
	struct err err = {0};

	answer->is_over = true;
	if (problem_from_reply(reply, url, &answer->problem))
		return;
	answer->document =
		json_loadb(reply->body, reply->length, JSON_REJECT_DUPLICATES, NULL);
	if (!answers_check(answer->server->named.name, answer->document, &err) &&
	    !check_deadline(answer, &err))
		return;
	problem_from_err(&err, url, &answer->problem);
	json_decref(answer->document);
	answer->document = NULL;
}

void answers_send(struct answer *answer, const struct pool_server *server,
		  const struct terms *terms, const char *const *services, size_t count,
		  int64_t timeout_ms, struct client *client)
{
	answer->server = server;
	answer->deadline_s = request_deadline_s(terms);
	request_preflight(client, server, terms, services, count, timeout_ms, on_reply,
			  answer);
}

struct answer *answers_ask(const struct targets *targets, const struct terms *terms,
			   const char *const *services, size_t count, int64_t timeout_ms,
			   struct client *client)
{
	struct answer *answers = xcalloc(targets->count, sizeof(*answers));

	for (size_t i = 0; i < targets->count; i++)
		answers_send(&answers[i], targets->servers[i], &terms[i], services, count,
			     timeout_ms, client);
	while (client_run(client, RUN_MS))
		;
	return answers;
}

void answers_free(struct answer *answers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_decref(answers[i].document);
	free(answers);
}
