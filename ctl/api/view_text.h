/*
 * A server's drains and services, in words for people.
 */
#ifndef POOLCTL_VIEW_TEXT_H
#define POOLCTL_VIEW_TEXT_H

#include "api/server_view.h"

/* Adds "08:30Z", or "2026-05-01 08:30Z" if that is another day than `now`. */
void view_text_time(struct wall at, struct wall now, struct buf *text);

/* Adds "ID of OWNER (REASON), ..." for the active drains. */
void view_text_drains(const struct server_view *view, struct buf *text);

/* The same, with " since 08:30Z" for each. */
void view_text_holders(const struct server_view *view, struct buf *text);

/* Adds "reserved by OWNER for ID since 08:30Z" if the server is reserved. */
void view_text_reservation(const struct server_view *view, struct buf *text);

/*
 * Adds how the drain will end, if that is not the default: "deadline 08:30Z in
 * 12m05s, then stop, until reboot", "overdue since 08:30Z".  `now` is the server's
 * time; without `has_countdown` the text stays the same while time passes.
 */
void view_text_drain_options(const struct drain_view *drain, struct wall now,
			     bool has_countdown, struct buf *text);

/* Adds "unknown since 08:30Z: why", for a session source that is unknown. */
void view_text_silence(const struct session_source *source, struct wall now,
		       struct buf *text);

/* Adds "SERVICE: http unknown since 08:30Z: why, ..." for each source that keeps a
 * service's sessions from being counted; with the source's name, unless the reason
 * has it.  If they are more than two, adds how many, and the command that lists
 * them. */
void view_text_uncounted(const struct server_view *view, struct buf *text);

/* Adds "about 11m left, 90% likely within 25m", or that the time is unknown, and
 * why; without `is_whole` only the beginning.  Adds nothing if no session is left.
 */
void view_text_eta(const struct progress_view *progress, bool is_whole,
		   struct buf *text);

/* Adds what to do about the difference (see server_view_compare), if there is one.
 */
void view_text_other_config(const struct buf *difference, struct buf *text);

/* Adds "ends at 2026-05-01T08:30:00Z", or "ended at ...", if a certificate does so
 * within API_CERTIFICATE_WARN_DAYS; false: it does not, or `ends` is not given. */
bool view_text_certificate(struct moment ends, struct wall now, struct buf *text);

/* Adds ", automatic (delayed)" or the like; nothing without a type.  Windows keeps
 * the flag of other types too, where it means nothing. */
void view_text_startup(const char *start_type, bool is_delayed, struct buf *text);

#endif
