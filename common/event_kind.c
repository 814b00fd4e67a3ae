#include "event_kind.h"

#include <string.h>

/*
 * The one place that knows the ids: the Makefile makes poold.exe's message table of
 * these lines, and tests compare docs/windows.md with them.
 *
 * Actions stay out of the Event Log: they are single steps, several to a service,
 * and `saved`, `phase` and `restored` say what they led to.  Phases go there,
 * because that a service needs attention is said by its phase alone.
 */
static const struct {
	const char *name;
	int id;
	enum event_level level;
	bool is_for_event_log;
} kinds[EVENT__COUNT] = {
	[EVENT_POOLD_STARTED] = {"poold_started", 1, EVENT_LEVEL_INFO, true},
	[EVENT_LOST] = {"lost", 3, EVENT_LEVEL_ERROR, true},
	[EVENT_DRAIN_CREATED] = {"drain_created", 10, EVENT_LEVEL_INFO, true},
	[EVENT_DRAIN_CHANGED] = {"drain_changed", 11, EVENT_LEVEL_INFO, true},
	[EVENT_DRAIN_ENDED] = {"drain_ended", 12, EVENT_LEVEL_INFO, true},
	[EVENT_DRAINED] = {"drained", 13, EVENT_LEVEL_INFO, true},
	[EVENT_DEADLINE] = {"deadline", 14, EVENT_LEVEL_WARNING, true},
	[EVENT_SAVED] = {"saved", 20, EVENT_LEVEL_INFO, true},
	[EVENT_ACTION] = {"action", 21, EVENT_LEVEL_INFO, false},
	[EVENT_PHASE] = {"phase", 22, EVENT_LEVEL_INFO, true},
	[EVENT_RESTORED] = {"restored", 23, EVENT_LEVEL_INFO, true},
	[EVENT_FORGOTTEN] = {"forgotten", 24, EVENT_LEVEL_WARNING, true},
	[EVENT_DRIFT] = {"drift", 30, EVENT_LEVEL_WARNING, true},
	[EVENT_UNDONE] = {"undone", 31, EVENT_LEVEL_INFO, true},
	[EVENT_FAILED] = {"failed", 32, EVENT_LEVEL_ERROR, true},
	[EVENT_CUT] = {"cut", 33, EVENT_LEVEL_WARNING, true},
	[EVENT_CLOCK] = {"clock", 34, EVENT_LEVEL_WARNING, true},
	[EVENT_ENDED] = {"ended", 35, EVENT_LEVEL_WARNING, true},
	[EVENT_TOKENS] = {"tokens", 40, EVENT_LEVEL_INFO, true},
	[EVENT_REFUSED] = {"refused", 41, EVENT_LEVEL_WARNING, true},
};

const char *event_kind_name(enum event_kind kind)
{
	return kinds[kind].name;
}

int event_kind_from_name(const char *name)
{
	for (int i = 0; i < EVENT__COUNT; i++)
		if (!strcmp(kinds[i].name, name))
			return i;
	return -1;
}

int event_kind_id(enum event_kind kind)
{
	return kinds[kind].id;
}

enum event_level event_kind_level(enum event_kind kind)
{
	return kinds[kind].level;
}

bool event_kind_is_for_event_log(enum event_kind kind)
{
	return kinds[kind].is_for_event_log;
}
