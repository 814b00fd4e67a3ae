/*
 * Whether Windows has yet to start a stopped service in this boot.
 */
#ifndef POOLD_START_DUE_H
#define POOLD_START_DUE_H

#include "api.h"

#include <stdbool.h>
#include <stdint.h>

struct start_facts {
	bool was_started; /* in this boot, or somebody tried to */
	enum start_type start_type;
	bool is_delayed;
	bool has_triggers; /* that start it */
	int64_t uptime_ms; /* of the machine */
};

/* Pure.  Delayed starts begin two minutes after the others (AutoStartDelay), one
 * after the other, with no limit; the others are over after ten minutes.  What has
 * a trigger is started by that, and by no boot (Microsoft Learn, "Service Trigger
 * Events"). */
bool start_is_due(const struct start_facts *facts);

#endif
