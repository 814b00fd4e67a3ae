#include "event_text.h"

#include "text.h"
#include "view_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const struct column {
	const char *heading, *key;
} columns[] = {
	{"TIME", "time"}, {"KIND", "kind"}, {"SERVICE", "service"},
	{"WHO", "who"},   {"TEXT", "text"},
};

enum { COLUMNS_COUNT = sizeof(columns) / sizeof(columns[0]) };

_Static_assert(COLUMNS_COUNT + 1 == EVENT_TEXT_COLUMNS, "one more for the change");

bool event_text_is_event(const json_t *event)
{
	for (size_t i = 0; i < COLUMNS_COUNT; i++) {
		const json_t *value = json_object_get(event, columns[i].key);

		if (!json_is_string(value) && !json_is_null(value))
			return false;
	}
	return json_is_integer(json_object_get(event, "id"));
}

json_t *event_text_read(const struct reply *reply, int64_t *last, struct err *err)
{
	json_t *document =
		json_loadb(reply->body, reply->length, JSON_REJECT_DUPLICATES, NULL);
	json_t *list = json_incref(json_object_get(document, "events")), *event;
	bool is_good = json_is_integer(json_object_get(document, "last"));
	size_t i;

	*last = json_integer_value(json_object_get(document, "last"));
	is_good = is_good && json_is_array(list);
	json_array_foreach (list, i, event)
		is_good = is_good && event_text_is_event(event);
	json_decref(document);
	if (is_good)
		return list;
	json_decref(list);
	(void)err_set(err, ERR_BAD_REPLY, "the reply is not a list of events");
	return NULL;
}

/* What of a drain is worth a person's time; a `usual` value is not. */
static const struct fact {
	const char *key, *prefix, *usual;
} facts[] = {
	{"deadline_at", "deadline ", ""},
	{"on_deadline", "then ", "hold"},
	{"until", "until ", "resume"},
};

static char *describe(const json_t *side)
{
	const char *state = json_string_value(json_object_get(side, "state"));
	struct buf text = {0};

	if (state) {
		buf_puts(&text, state);
		view_text_startup(side, &text);
	}
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		const char *value =
			json_string_value(json_object_get(side, facts[i].key));

		if (!value || !strcmp(value, facts[i].usual))
			continue;
		buf_printf(&text, "%s%s%s", text.length ? ", " : "", facts[i].prefix,
			   value);
	}
	if (!text.length)
		buf_puts(&text, "-");
	return text.text;
}

/* The gates that refused the drain and were passed all the same. */
static void add_forced(struct buf *text, const json_t *after)
{
	const json_t *forced = json_object_get(after, "forced");

	if (!json_array_size(forced))
		return;
	if (!strcmp(text->text, "-"))
		buf_done(text);
	else
		buf_puts(text, ", ");
	buf_puts(text, "forced: ");
	for (size_t i = 0; i < json_array_size(forced); i++) {
		const char *gate = json_string_value(json_array_get(forced, i));

		buf_printf(text, "%s%s", i ? ", " : "", gate ? gate : "?");
	}
}

/* "running, automatic (delayed) -> paused, manual", or one side if they are the same, or
 * one is not told; then what was forced. */
static void add_change(struct table *table, const json_t *event)
{
	const json_t *sides[] = {json_object_get(event, "before"),
				 json_object_get(event, "after")};
	char *before = describe(sides[0]), *after = describe(sides[1]);
	bool has_both = json_is_object(sides[0]) && json_is_object(sides[1]);
	struct buf change = {0};

	if (has_both && strcmp(before, after) != 0)
		buf_printf(&change, "%s -> %s", before, after);
	else
		buf_puts(&change, json_is_object(sides[1]) ? after : before);
	add_forced(&change, sides[1]);
	table_add(table, change.text, NULL);
	buf_done(&change);
	free(after);
	free(before);
}

void event_text_headings(struct table *table)
{
	for (size_t column = 0; column < COLUMNS_COUNT; column++)
		table_add(table, columns[column].heading, NULL);
	table_add(table, "CHANGE", NULL);
}

void event_text_row(struct table *table, const json_t *event)
{
	for (size_t column = 0; column < COLUMNS_COUNT; column++) {
		const json_t *value = json_object_get(event, columns[column].key);

		table_add(table, json_is_string(value) ? json_string_value(value) : "-",
			  NULL);
	}
	add_change(table, event);
}
