#include "sources.h"

#include "buf.h"
#include "text.h"
#include "view_text.h"

#include <jansson.h>
#include <string.h>

/* ---- reading ---- */

static bool is_text_or_null(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_string(value) || json_is_null(value);
}

static bool is_time_or_null(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	struct wall at;

	return json_is_null(value) ||
	       (json_is_string(value) && !clock_parse(json_string_value(value), &at));
}

static bool is_source(const json_t *source)
{
	const json_t *count = json_object_get(source, "count");
	bool is_known = json_is_true(json_object_get(source, "known"));

	return json_is_string(json_object_get(source, "kind")) &&
	       is_text_or_null(source, "name") &&
	       json_is_boolean(json_object_get(source, "known")) &&
	       (is_known ? json_is_integer(count) && json_integer_value(count) >= 0
			 : json_is_string(json_object_get(source, "error"))) &&
	       is_time_or_null(source, "unknown_since") &&
	       is_time_or_null(source, "sampled_at") &&
	       json_is_boolean(json_object_get(source, "ignore_unknown"));
}

bool sources_are_good(const json_t *sources)
{
	for (size_t i = 0; i < json_array_size(sources); i++)
		if (!is_source(json_array_get(sources, i)))
			return false;
	return !sources || json_is_array(sources);
}

/* A number alone does not tell who the sessions are. */
static bool can_list(const json_t *source)
{
	const char *kind = json_string_value(json_object_get(source, "kind"));

	return kind && (!strcmp(kind, "tcp") || !strcmp(kind, "rds"));
}

/* ---- printing ---- */

static bool is_worth_telling(const json_t *sources)
{
	const json_t *first = json_array_get(sources, 0);

	return json_array_size(sources) > 1 || !can_list(first) ||
	       json_is_false(json_object_get(first, "known"));
}

/* The time is a good one, or null. */
static bool read_time(const json_t *source, const char *key, struct wall *at)
{
	const char *text = json_string_value(json_object_get(source, key));

	return text && !clock_parse(text, at);
}

static void add_count(const json_t *source, struct wall now, struct buf *line)
{
	json_int_t count = json_integer_value(json_object_get(source, "count"));
	char duration[TEXT_DURATION_BYTES];
	struct wall at;

	buf_printf(line, "counted %lld", (long long)count);
	if (read_time(source, "sampled_at", &at))
		buf_printf(line, ", %s ago", text_duration(now.ms - at.ms, duration));
}

static void add_silence(const json_t *source, struct wall now, struct buf *line)
{
	view_text_silence(source, now, line);
	if (json_is_true(json_object_get(source, "ignore_unknown")))
		buf_puts(line, " (ignored)");
}

void sources_print(const char *service, const json_t *sources, struct wall now)
{
	if (!is_worth_telling(sources))
		return;
	for (size_t i = 0; i < json_array_size(sources); i++) {
		const json_t *source = json_array_get(sources, i);
		const char *name = json_string_value(json_object_get(source, "name"));
		struct buf line = {0};

		buf_printf(&line, "%s: %s%s%s: ", service,
			   json_string_value(json_object_get(source, "kind")),
			   name ? " " : "", name ? name : "");
		if (json_is_true(json_object_get(source, "known")))
			add_count(source, now, &line);
		else
			add_silence(source, now, &line);
		text_print(stdout, line.text);
		buf_done(&line);
	}
}
