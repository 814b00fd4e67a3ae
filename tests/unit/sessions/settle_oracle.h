/*
 * What "drained" has to rest on, slow and plain: all samples are kept, and every
 * moment at which the settle time may have begun is tried.  Knows nothing of
 * progress.c.
 */
#ifndef POOLCTL_SETTLE_ORACLE_H
#define POOLCTL_SETTLE_ORACLE_H

#include "mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum { ORACLE_SOURCES = 5 };

/* Counted at some moment between the two. */
struct oracle_sample {
	int64_t asked_ms, answered_ms;
	bool is_known;
	int64_t count;
};

struct oracle_source {
	bool ignores_unknown;
	int64_t gap_limit_ms;
	struct oracle_sample *samples; /* in the order in which they became known */
	size_t count, room;
	size_t first; /* what was before says nothing */
};

struct oracle {
	struct oracle_source sources[ORACLE_SOURCES];
	size_t source_count;
	bool is_out;
	int64_t out_since_ms; /* the service was never seen to take sessions since
			       */
};

static inline void oracle_done(struct oracle *oracle)
{
	for (size_t i = 0; i < ORACLE_SOURCES; i++)
		free(oracle->sources[i].samples);
	*oracle = (struct oracle){0};
}

static inline void oracle_add(struct oracle *oracle, size_t i,
			      struct oracle_sample sample)
{
	struct oracle_source *source = &oracle->sources[i];

	if (source->count == source->room) {
		source->room = source->room ? source->room * 2 : 64;
		source->samples = xrealloc(source->samples,
					   source->room * sizeof(*source->samples));
	}
	source->samples[source->count++] = sample;
}

/* What was seen so far says nothing. */
static inline void oracle_forget(struct oracle *oracle)
{
	for (size_t i = 0; i < oracle->source_count; i++)
		oracle->sources[i].first = oracle->sources[i].count;
}

static inline void oracle_restart(struct oracle *oracle)
{
	oracle_forget(oracle);
	oracle->is_out = false;
}

static inline void oracle_see(struct oracle *oracle, bool is_out, int64_t now_ms)
{
	if (!is_out || !oracle->is_out)
		oracle_forget(oracle);
	if (is_out && !oracle->is_out)
		oracle->out_since_ms = now_ms;
	oracle->is_out = is_out;
}

/* From an answer that was there by then to the last there is no gap, and all were
 * zero; or, if those may be ignored, not known.  The last alone is good for its own
 * moment. */
static inline bool oracle_was_quiet(const struct oracle *oracle, size_t i,
				    int64_t from_ms, bool is_unknown_good)
{
	const struct oracle_source *source = &oracle->sources[i];
	size_t k = source->count;

	while (k-- > source->first) {
		const struct oracle_sample *sample = &source->samples[k];
		bool is_last = k + 1 == source->count;
		int64_t gap_ms;

		if (sample->asked_ms < oracle->out_since_ms ||
		    (sample->is_known ? sample->count != 0 : !is_unknown_good))
			return false;
		if (sample->answered_ms <= from_ms ||
		    (is_last && sample->asked_ms == from_ms))
			return true;
		gap_ms = k ? sample->asked_ms - sample[-1].asked_ms : 0;
		if (gap_ms < 0 || gap_ms > source->gap_limit_ms)
			return false;
	}
	return false;
}

static inline bool oracle_holds_from(const struct oracle *oracle, int64_t from_ms,
				     int64_t settle_ms)
{
	bool is_counted = false;

	for (size_t i = 0; i < oracle->source_count; i++) {
		const struct oracle_source *source = &oracle->sources[i];

		if (!oracle_was_quiet(oracle, i, from_ms,
				      source->ignores_unknown) ||
		    source->samples[source->count - 1].asked_ms - from_ms <
			    settle_ms)
			return false;
		is_counted =
			is_counted || oracle_was_quiet(oracle, i, from_ms, false);
	}
	return is_counted;
}

static inline bool oracle_is_settled(const struct oracle *oracle, int64_t settle_ms)
{
	for (size_t i = 0; oracle->is_out && i < oracle->source_count; i++) {
		const struct oracle_source *source = &oracle->sources[i];

		for (size_t k = source->first; k < source->count; k++)
			if (oracle_holds_from(oracle,
					      source->samples[k].answered_ms,
					      settle_ms) ||
			    oracle_holds_from(oracle, source->samples[k].asked_ms,
					      settle_ms))
				return true;
	}
	return false;
}

#endif
