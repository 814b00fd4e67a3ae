#include "api/view_text.h"

#include "mem.h"
#include "text/duration.h"

#include <stdlib.h>
#include <string.h>

enum { DATE_CHARS = 10, MINUTE_CHARS = 5, DAY_MS = 86400000 };

void view_text_time(struct wall at, struct wall now, struct buf *text)
{
	char at_text[CLOCK_TEXT_BYTES], now_text[CLOCK_TEXT_BYTES];
	const char *minute = clock_print(at, at_text) + DATE_CHARS + 1;

	if (strncmp(at_text, clock_print(now, now_text), DATE_CHARS) != 0)
		buf_printf(text, "%.*s ", DATE_CHARS, at_text);
	/* "Z" or nothing: whoever asked for the local time knows the zone. */
	buf_printf(text, "%.*s%s", MINUTE_CHARS, minute,
		   strchr(minute, 'Z') ? "Z" : "");
}

/* The default id is the owner's name, which need not be said twice. */
static void add_drain(struct buf *text, const struct drain_view *drain)
{
	buf_puts(text, drain->id);
	if (strcmp(drain->id, drain->owner) != 0)
		buf_printf(text, " of %s", drain->owner);
	if (drain->acts_for && strcmp(drain->id, drain->acts_for) != 0)
		buf_printf(text, " for %s", drain->acts_for);
	buf_printf(text, " (%s)", drain->reason);
}

static void list_drains(const struct server_view *view, bool has_since,
			struct buf *text)
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
	char duration[DURATION_BYTES];

	buf_puts(text, drain->is_overdue ? "overdue since " : "deadline ");
	view_text_time(drain->deadline_at.at, now, text);
	if (drain->is_overdue)
		return;
	if (has_countdown && left_ms > 0)
		buf_printf(text, " in %s", duration_print(left_ms, duration));
	if (drain->on_deadline != ON_DEADLINE_HOLD)
		buf_printf(text, ", then %s", api_on_deadlines[drain->on_deadline]);
}

void view_text_drain_options(const struct drain_view *drain, struct wall now,
			     bool has_countdown, struct buf *text)
{
	bool has_deadline =
		drain->deadline_at.is_given && !drain->drained_at.is_given;

	if (has_deadline)
		add_deadline(drain, now, has_countdown, text);
	if (drain->until == UNTIL_REBOOT)
		buf_printf(text, "%suntil reboot", has_deadline ? ", " : "");
}

void view_text_startup(const char *start_type, bool is_delayed, struct buf *text)
{
	if (!start_type)
		return;
	buf_printf(text, ", %s", start_type);
	if (is_delayed && !strcmp(start_type, api_start_types[START_AUTOMATIC]))
		buf_puts(text, " (delayed)");
}

void view_text_other_config(const struct buf *difference, struct buf *text)
{
	if (difference->length)
		buf_printf(
			text,
			"its poold has another pool.yaml (%s): restart poold there, or "
			"use the same pool.yaml and version",
			difference->text);
}

void view_text_silence(const struct session_source *source, struct wall now,
		       struct buf *text)
{
	buf_puts(text, "unknown");
	if (source->unknown_since.is_given) {
		buf_puts(text, " since ");
		view_text_time(source->unknown_since.at, now, text);
	}
	buf_printf(text, ": %s", source->error);
}

/* A pointer behind '#' tells sources apart; it is never in a reason. */
static bool has_name(const char *error, const char *name)
{
	char *plain = xstrdup(name);
	bool is_there;

	plain[strcspn(plain, "#")] = '\0';
	is_there = strstr(error, plain) != NULL;
	free(plain);
	return is_there;
}

static void add_source(const char *service, const struct session_source *source,
		       struct wall now, struct buf *text)
{
	buf_printf(text, "%s%s: %s ", text->length ? ", " : "", service,
		   source->kind);
	view_text_silence(source, now, text);
	if (source->name && !has_name(source->error, source->name))
		buf_printf(text, " (%s)", source->name);
}

void view_text_uncounted(const struct server_view *view, struct buf *text)
{
	enum { SHOWN_LIMIT = 2 };
	struct buf all = {0};
	size_t unknown = 0;

	for (size_t i = 0; i < view->service_count; i++) {
		const struct service_view *service = &view->services[i];

		for (size_t k = 0;
		     !service->is_counted && k < service->sources.count; k++) {
			const struct session_source *source =
				&service->sources.items[k];

			if (source->is_known || source->is_ignored)
				continue;
			if (++unknown <= SHOWN_LIMIT)
				add_source(service->name, source, view->time, &all);
		}
	}
	if (unknown > SHOWN_LIMIT)
		buf_printf(
			text,
			"%zu session sources cannot be read: poolctl sessions %s",
			unknown, view->server);
	else
		buf_puts(text, all.text ? all.text : "");
	buf_done(&all);
}

/* Rounded, as seconds would be false precision. */
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

static void add_unknown_eta(const struct progress_view *progress, bool is_whole,
			    struct buf *text)
{
	if (progress->sessions <= 0)
		return;
	buf_puts(text, "time left unknown");
	if (is_whole && progress->eta_unknown)
		buf_printf(text, " (%s)", progress->eta_unknown);
}

void view_text_eta(const struct progress_view *progress, bool is_whole,
		   struct buf *text)
{
	if (progress->eta_s < 0) {
		add_unknown_eta(progress, is_whole, text);
		return;
	}
	buf_puts(text, "about ");
	add_about(progress->eta_s, text);
	buf_puts(text, " left");
	if (progress->eta_basis && !strcmp(progress->eta_basis, "rate"))
		buf_puts(text, " at this rate");
	if (!is_whole || progress->eta_90_s < 0)
		return;
	buf_puts(text, ", 90% likely within ");
	add_about(progress->eta_90_s, text);
}

bool view_text_certificate(struct moment ends, struct wall now, struct buf *text)
{
	char end[CLOCK_TEXT_BYTES];

	if (!ends.is_given ||
	    ends.at.ms - now.ms > (int64_t)API_CERTIFICATE_WARN_DAYS * DAY_MS)
		return false;
	buf_printf(text, "%s at %s", ends.at.ms > now.ms ? "ends" : "ended",
		   clock_print(ends.at, end));
	return true;
}
