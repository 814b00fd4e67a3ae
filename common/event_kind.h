/*
 * The kinds of events in poold's record, and what they are in the Windows Event
 * Log.
 *
 * Monitoring is set up with the ids, so an id is never given to another kind.
 */
#ifndef POOLCTL_EVENT_KIND_H
#define POOLCTL_EVENT_KIND_H

#include <stdbool.h>

enum event_level {
	EVENT_LEVEL_INFO,
	EVENT_LEVEL_WARNING,
	EVENT_LEVEL_ERROR,
	EVENT_LEVEL__COUNT,
};

enum event_kind {
	EVENT_POOLD_STARTED,
	EVENT_LOST,
	EVENT_DRAIN_CREATED,
	EVENT_DRAIN_CHANGED,
	EVENT_DRAIN_ENDED,
	EVENT_DRAINED,
	EVENT_DEADLINE,
	EVENT_SAVED,
	EVENT_ACTION,
	EVENT_PHASE,
	EVENT_RESTORED,
	EVENT_FORGOTTEN,
	EVENT_DRIFT,
	EVENT_UNDONE,
	EVENT_FAILED,
	EVENT_CUT,
	EVENT_CLOCK,
	EVENT_ENDED,
	EVENT_TOKENS,
	EVENT_REFUSED,
	EVENT__COUNT,
};

/* The name in the API, and back: -1 if no kind has that name. */
const char *event_kind_name(enum event_kind kind);
int event_kind_from_name(const char *name);

/* The event id of the Windows Event Log: 1 to 65535, another one for each kind. */
int event_kind_id(enum event_kind kind);
enum event_level event_kind_level(enum event_kind kind);

/* False for the kinds that are in the record only. */
bool event_kind_is_for_event_log(enum event_kind kind);

#endif
