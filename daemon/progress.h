/*
 * From samples of the session count to what may be said about a drain.
 *
 * Pure: samples carry their time, and nothing here asks a clock.
 */
#ifndef POOLD_PROGRESS_H
#define POOLD_PROGRESS_H

#include "clock.h"

#include <stdbool.h>
#include <stdint.h>

enum { PROGRESS_POINTS = 64 };

struct sample {
	struct mono at;
	bool is_known;
	int64_t count; /* live sessions; only if known */
};

struct progress {
	struct sample last;
	bool has_sample;
	int64_t peak;         /* most sessions seen at once since progress_restart */
	bool is_zero_running; /* every sample since zero_since was zero */
	struct mono zero_since;
	struct sample points[PROGRESS_POINTS]; /* the last known samples, for the rate */
	int first, count;
};

/* A drain begins: what was seen before no longer counts, neither peak nor zeros. */
void progress_restart(struct progress *progress);

/*
 * Adds a sample.  A gap longer than `gap_limit_ms` since the one before does not count as
 * time without sessions: nobody looked meanwhile.
 */
void progress_add(struct progress *progress, struct sample sample, int64_t gap_limit_ms);

/* The service takes sessions (again): zeros seen so far say nothing. */
void progress_not_out(struct progress *progress);

/* True if every sample of the last `settle_ms` was known and zero. */
bool progress_is_settled(const struct progress *progress, int64_t settle_ms);

/* Sessions that end per minute, over the last samples (a minute or so); false if not
 * known. */
bool progress_rate(const struct progress *progress, double *per_minute);

#endif
