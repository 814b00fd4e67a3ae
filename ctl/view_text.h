/*
 * What a server says of its drains and services, in words for people.
 */
#ifndef POOLCTL_VIEW_TEXT_H
#define POOLCTL_VIEW_TEXT_H

#include "server_view.h"

/* Adds "08:30Z", or "2026-05-01 08:30Z" if that is another day than `now`. */
void view_text_time(struct wall at, struct wall now, struct buf *text);

/* Adds "ID of OWNER (REASON), ..." for the active drains. */
void view_text_drains(const struct server_view *view, struct buf *text);

/* The same, with " since 08:30Z" for each: for who is told that others hold a server. */
void view_text_holders(const struct server_view *view, struct buf *text);

/* Adds "reserved by OWNER for ID since 08:30Z" if somebody is about to drain the server.
 */
void view_text_reservation(const struct server_view *view, struct buf *text);

/*
 * Adds how the drain is to end, if there is something to say: "deadline 08:30Z in 12m05s,
 * then stop, until reboot", "overdue since 08:30Z".  `now` is the server's time;
 * without `has_countdown` the text stays the same while time passes.
 */
void view_text_terms(const struct drain_view *drain, struct wall now, bool has_countdown,
		     struct buf *text);

/* Adds "not known since 08:30Z: why", of a session source that says so. */
void view_text_silence(const struct json_t *source, struct wall now, struct buf *text);

/* Adds "SERVICE: http not known since 08:30Z: why, ..." for each source because of which
 * a service's sessions cannot be counted; with its name, if the reason has it not. */
void view_text_uncounted(const struct server_view *view, struct buf *text);

/* Adds "about 11m left, 9 in 10 within 25m", or that it is not known, and why; without
 * `is_whole` only the beginning.  Nothing if nothing is to be waited for. */
void view_text_outlook(const struct progress_view *progress, bool is_whole,
		       struct buf *text);

/* Adds ", automatic (delayed)" or the like, from an object that may have `start_type` and
 * `delayed_auto_start`; Windows keeps the flag of other types too, where it means
 * nothing. */
void view_text_startup(const struct json_t *object, struct buf *text);

#endif
