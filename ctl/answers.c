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
	       (json_is_integer(value) && json_integer_value(value) >= 0);
}

/* An older poold gives none. */
static bool is_forecast(const json_t *forecast)
{
	const json_t *chance = json_object_get(forecast, "chance");

	return !forecast ||
	       (is_flag(forecast, "known") && is_seconds_or_null(forecast, "half_s") &&
		is_seconds_or_null(forecast, "nine_tenths_s") &&
		is_text_or_null(forecast, "reason") &&
		(json_is_null(chance) || json_is_number(chance)));
}

int answers_check(const char *server, const json_t *document, struct err *err)
{
	const char *name = json_string_value(json_object_get(document, "server"));

	if (!name || !is_flag(document, "possible") ||
	    !is_list(document, "findings", is_finding) ||
	    !is_list(document, "services", is_service) ||
	    !is_forecast(json_object_get(document, "forecast")))
		return err_set(err, ERR_BAD_REPLY,
			       "the reply is not the report of a preflight");
	if (strcmp(name, server) != 0)
		return err_set(err, ERR_CONFIG,
			       "it is server '%.100s' that answers there, not '%s'", name,
			       server);
	return 0;
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

	if (!has_deadline)
		return FIT_NO_DEADLINE;
	if (!json_is_number(chance))
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

	if (problem_from_reply(reply, url, &answer->problem))
		return;
	answer->document =
		json_loadb(reply->body, reply->length, JSON_REJECT_DUPLICATES, NULL);
	if (!answers_check(answer->server->named.name, answer->document, &err))
		return;
	problem_from_err(&err, url, &answer->problem);
	json_decref(answer->document);
	answer->document = NULL;
}

struct answer *answers_ask(const struct targets *targets, const struct terms *terms,
			   const char *const *services, size_t count, int64_t timeout_ms,
			   struct client *client)
{
	struct answer *answers = xcalloc(targets->count, sizeof(*answers));

	for (size_t i = 0; i < targets->count; i++) {
		answers[i].server = targets->servers[i];
		request_preflight(client, answers[i].server, &terms[i], services, count,
				  timeout_ms, on_reply, &answers[i]);
	}
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
