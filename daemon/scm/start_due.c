#include "scm/start_due.h"

enum { BOOT_OVER_MS = 10 * 60 * 1000 };

bool start_is_due(const struct start_facts *facts)
{
	if (facts->was_started || facts->start_type != START_AUTOMATIC ||
	    facts->has_triggers)
		return false;
	return facts->is_delayed || facts->uptime_ms < BOOT_OVER_MS;
}
