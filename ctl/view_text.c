#include "view_text.h"

#include "mem.h"
#include "text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { DATE_CHARS = 10, MINUTE_CHARS = 5 };

void view_text_time(struct wall at, struct wall now, struct buf *text)
{
	char at_text[CLOCK_TEXT_BYTES], now_text[CLOCK_TEXT_BYTES];
	const char *minute = clock_format(at, at_text) + DATE_CHARS + 1;

	if (strncmp(at_text, clock_format(now, now_text), DATE_CHARS) != 0)
		buf_printf(text, "%.*s ", DATE_CHARS, at_text);
	buf_printf(text, "%.*sZ", MINUTE_CHARS, minute);
}

/* Who does not choose an id gets his own name as one, which need not be said twice. */
static void add_drain(struct buf *text, const struct drain_view *drain)
{
	buf_puts(text, drain->id);
	if (strcmp(drain->id, drain->owner) != 0)
		buf_printf(text, " of %s", drain->owner);
	buf_printf(text, " (%s)", drain->reason);
}

static void list_drains(const struct server_view *view, bool has_since, struct buf *text)
{
	const char *between = "";

	for (size_t i = 0; i < view->drain_count; i++) {
		const struct drain_view *drain = &view->drains[i];

		if (!drain->is_active)
			continue;
		buf_puts(text, between);
		add_drain(text, drain);
		if (has_since) {
			buf_puts(text, " since ");
			view_text_time(drain->created_at, view->time, text);
		}
		between = ", ";
	}
}

void view_text_drains(const struct server_view *view, struct buf *text)
{
	list_drains(view, false, text);
}

void view_text_holders(const struct server_view *view, struct buf *text)
{
	list_drains(view, true, text);
}

void view_text_reservation(const struct server_view *view, struct buf *text)
{
	const struct reservation_view *reservation = &view->reservation;

	if (!reservation->is_held)
		return;
	buf_printf(text, "reserved by %s", reservation->owner);
	if (strcmp(reservation->id, reservation->owner) != 0)
		buf_printf(text, " for %s", reservation->id);
	buf_puts(text, " since ");
	view_text_time(reservation->created_at, view->time, text);
}

static void add_deadline(const struct drain_view *drain, struct wall now,
			 bool has_countdown, struct buf *text)
{
	int64_t left_ms = drain->deadline_at.at.ms - now.ms;
	char duration[TEXT_DURATION_BYTES];

	buf_puts(text, drain->is_overdue ? "overdue since " : "deadline ");
	view_text_time(drain->deadline_at.at, now, text);
	if (drain->is_overdue)
		return;
	if (has_countdown && left_ms > 0)
		buf_printf(text, " in %s", text_duration(left_ms, duration));
	if (drain->on_deadline != ON_DEADLINE_HOLD)
		buf_printf(text, ", then %s", on_deadline_name(drain->on_deadline));
}

void view_text_terms(const struct drain_view *drain, struct wall now, bool has_countdown,
		     struct buf *text)
{
	bool has_deadline = drain->deadline_at.is_given && !drain->drained_at.is_given;

	if (has_deadline)
		add_deadline(drain, now, has_countdown, text);
	if (drain->until == UNTIL_REBOOT)
		buf_printf(text, "%suntil reboot", has_deadline ? ", " : "");
}

void view_text_startup(const json_t *object, struct buf *text)
{
	const char *type = json_string_value(json_object_get(object, "start_type"));
	bool is_delayed = json_is_true(json_object_get(object, "delayed_auto_start"));

	if (!type)
		return;
	buf_printf(text, ", %s", type);
	if (is_delayed && !strcmp(type, start_type_name(START_AUTOMATIC)))
		buf_puts(text, " (delayed)");
}

void view_text_silence(const json_t *source, struct wall now, struct buf *text)
{
	const char *since = json_string_value(json_object_get(source, "unknown_since"));
	struct wall at;

	buf_puts(text, "not known");
	if (since && !clock_parse(since, &at)) {
		buf_puts(text, " since ");
		view_text_time(at, now, text);
	}
	buf_printf(text, ": %s", json_string_value(json_object_get(source, "error")));
}

/* A pointer behind '#' tells sources apart, and is in no reason. */
static bool has_name(const char *error, const char *name)
{
	char *plain = xstrdup(name);
	bool is_there;

	plain[strcspn(plain, "#")] = '\0';
	is_there = strstr(error, plain) != NULL;
	free(plain);
	return is_there;
}

static void add_source(const char *service, const json_t *source, struct wall now,
		       struct buf *text)
{
	const char *kind = json_string_value(json_object_get(source, "kind"));
	const char *name = json_string_value(json_object_get(source, "name"));
	const char *error = json_string_value(json_object_get(source, "error"));

	if (!kind || !error || !*error ||
	    json_is_true(json_object_get(source, "ignore_unknown")))
		return;
	buf_printf(text, "%s%s: %s ", text->length ? ", " : "", service, kind);
	view_text_silence(source, now, text);
	if (name && !has_name(error, name))
		buf_printf(text, " (%s)", name);
}

void view_text_uncounted(const struct server_view *view, struct buf *text)
{
	struct buf all = {0};

	for (size_t i = 0; i < view->service_count; i++) {
		const struct service_view *service = &view->services[i];

		for (size_t k = 0;
		     !service->is_counted && k < json_array_size(service->sources); k++)
			add_source(service->name, json_array_get(service->sources, k),
				   view->time, &all);
	}
	buf_puts(text, all.text ? all.text : "");
	buf_done(&all);
}

/* Without the seconds, which nobody can know that well. */
static void add_about(int64_t seconds, struct buf *text)
{
	if (seconds < 60)
		buf_printf(text, "%llds", (long long)seconds);
	else if (seconds < 100 * 60)
		buf_printf(text, "%lldm", (long long)((seconds + 30) / 60));
	else if (seconds < 48 * 3600)
		buf_printf(text, "%lldh", (long long)((seconds + 1800) / 3600));
	else
		buf_printf(text, "%lldd", (long long)((seconds + 43200) / 86400));
}

static void add_no_outlook(const struct progress_view *progress, bool is_whole,
			   struct buf *text)
{
	if (progress->sessions <= 0)
		return;
	buf_puts(text, "time left not known");
	if (is_whole && progress->eta_unknown)
		buf_printf(text, " (%s)", progress->eta_unknown);
}

void view_text_outlook(const struct progress_view *progress, bool is_whole,
		       struct buf *text)
{
	if (progress->eta_s < 0) {
		add_no_outlook(progress, is_whole, text);
		return;
	}
	buf_puts(text, "about ");
	add_about(progress->eta_s, text);
	buf_puts(text, " left");
	if (progress->eta_basis && !strcmp(progress->eta_basis, "rate"))
		buf_puts(text, " at this rate");
	if (!is_whole || progress->eta_90_s < 0)
		return;
	buf_puts(text, ", 9 in 10 within ");
	add_about(progress->eta_90_s, text);
}
