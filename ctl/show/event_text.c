#include "show/event_text.h"

#include "api/view_text.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

static const char *const headings[] = {"ID",  "TIME", "KIND",   "SERVICE", "WHO",
				       "WHY", "TEXT", "CHANGE", NULL};

/* Adds a fact, unless its value is the `usual` one. */
static void add_fact(struct buf *text, const char *prefix, const char *value,
		     const char *usual)
{
	if (value && strcmp(value, usual) != 0)
		buf_printf(text, "%s%s%s", text->length ? ", " : "", prefix, value);
}

static char *describe_side(const struct event_side *side)
{
	struct buf text = {0};

	if (side->state) {
		buf_puts(&text, side->state);
		view_text_startup(side->start_type, side->is_delayed, &text);
	}
	add_fact(&text, "deadline ", side->deadline_at, "");
	add_fact(&text, "then ", side->on_deadline,
		 api_on_deadlines[ON_DEADLINE_HOLD]);
	add_fact(&text, "until ", side->until, api_untils[UNTIL_RESUME]);
	if (!text.length)
		buf_puts(&text, "-");
	return text.text;
}

/* The gates that refused the drain and were forced. */
static void add_forced(struct buf *text, const struct event_side *after)
{
	if (!after->forced_count)
		return;
	if (!strcmp(text->text, "-"))
		buf_done(text);
	else
		buf_puts(text, ", ");
	buf_puts(text, "forced: ");
	for (size_t i = 0; i < after->forced_count; i++)
		buf_printf(text, "%s%s", i ? ", " : "", after->forced[i]);
}

/* "running, automatic (delayed) -> paused, manual", or one side if both are the
 * same or one is missing; then what was forced. */
static void add_change(struct table *table, const struct event *event)
{
	char *before = describe_side(&event->before),
	     *after = describe_side(&event->after);
	bool has_both = event->before.is_given && event->after.is_given;
	struct buf change = {0};

	if (has_both && strcmp(before, after) != 0)
		buf_printf(&change, "%s -> %s", before, after);
	else
		buf_puts(&change, event->after.is_given ? after : before);
	add_forced(&change, &event->after);
	table_add(table, change.text);
	buf_done(&change);
	free(after);
	free(before);
}

/* A time that cannot be read is shown as it came. */
static const char *print_time(const char *given, char text[CLOCK_TEXT_BYTES])
{
	struct wall at;

	return given && !clock_parse(given, &at) ? clock_print(at, text) : given;
}

static void add_row(struct table *table, const void *row)
{
	const struct event *event = row;
	char *who = event->who && event->acts_for
			    ? xasprintf("%s for %s", event->who, event->acts_for)
			    : NULL;
	char time[CLOCK_TEXT_BYTES];
	const char *cells[] = {
		print_time(event->time, time), event->kind, event->service,
		who ? who : event->who,        event->why,  event->text};
	char *id = xasprintf("%lld", (long long)event->id);

	table_add(table, id);
	free(id);
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		table_add(table, cells[i] ? cells[i] : "-");
	add_change(table, event);
	free(who);
}

static json_t *describe(const void *event)
{
	return json_incref(((const struct event *)event)->document);
}

const struct output_kind event_text_kind = {
	.describe = describe,
	.headings = headings,
	.add_row = add_row,
	.describe_row = describe,
};
