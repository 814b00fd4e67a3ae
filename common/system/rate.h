/*
 * How often something may happen: so many times at once, and then one more each so
 * often.  What is more than that is left out and counted.
 */
#ifndef POOLCTL_RATE_H
#define POOLCTL_RATE_H

#include "clock.h"

#include <stdbool.h>

/* Zeroed at first. */
struct rate {
	int taken;
	struct mono since; /* up to then, those taken were given back */
	int64_t left_out;  /* since the last that was let through */
};

/* True if it may happen now; `left_out` is then for the caller to tell, and to set
 * to 0. */
bool rate_take(struct rate *rate, int at_once, int64_t every_ms, struct mono now);

#endif
