/*
 * How long to wait before something that failed is tried again: twice as long each
 * time.
 */
#ifndef COMMON_BACKOFF_H
#define COMMON_BACKOFF_H

#include <stdint.h>

/* Zeroed: nothing has failed. */
struct backoff {
	int64_t ms; /* the last wait */
};

/* The next wait in milliseconds: `least_ms` the first time, then doubled up to
 * `most_ms`.
 */
int64_t backoff_next(struct backoff *backoff, int64_t least_ms, int64_t most_ms);

/* It went well: the next wait is the least again. */
void backoff_reset(struct backoff *backoff);

#endif
