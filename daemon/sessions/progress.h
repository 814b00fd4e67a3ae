/*
 * From samples of session counts to what may be said about a drain.
 *
 * Several sources count the sessions of one service; each is sampled at times of
 * its own. Pure: samples carry their time, and nothing here asks a clock.
 */
#ifndef POOLD_PROGRESS_H
#define POOLD_PROGRESS_H

#include "clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROGRESS_POINTS = 64, PROGRESS_SOURCES = 32 };

/* What may be said of the sessions of a service. */
enum tally {
	TALLY_UNKNOWN, /* a session source cannot tell */
	TALLY_SOME,
	TALLY_ZERO,     /* none now, but not for the whole settle time */
	TALLY_SETTLED,  /* none for the whole settle time */
	TALLY_TAKEN,    /* a new one was taken on trial: what is counted may grow */
	TALLY_ACCEPTED, /* some began lately while the service was out */
	TALLY__COUNT,
};

struct sample {
	struct mono at;          /* before it was counted: nobody looked earlier */
	struct mono answered_at; /* after it was counted; before `at`: at once */
	bool is_known;
	int64_t count; /* live sessions; only if known */
};

struct progress_source {
	/* Set by whoever makes the source. */
	bool ignores_unknown;
	int64_t gap_limit_ms; /* no time passes between samples further apart than
				 this */

	struct sample last;
	bool has_sample;
	/* Since quiet_since, when the first of them was there, each sample was
	 * zero, or one to be ignored. */
	bool is_quiet;
	struct mono quiet_since;
	bool is_zero; /* the same since zero_since, and each was zero indeed */
	struct mono zero_since;
};

struct progress {
	/* Set by whoever makes it. */
	struct progress_source sources[PROGRESS_SOURCES];
	size_t source_count;
	bool is_sum; /* each source sees other sessions; else all see the same */

	struct sample last; /* all sources as one, at the last progress_combine */
	bool has_sample;
	bool has_peak; /* they were counted since progress_restart */
	int64_t peak;  /* most sessions seen at once since then */
	bool is_out;
	struct mono out_since; /* first seen to take no sessions */
	/* The last known ones, for the rate. */
	struct sample points[PROGRESS_POINTS];
	int first, count;
};

/* A drain begins: zeros that were seen before say nothing, and the peak is a new
 * one. */
void progress_restart(struct progress *progress);

/* There were so many sessions before this process counted them; 0: nobody knows. */
void progress_remember(struct progress *progress, int64_t peak);

/* Adds a sample of one source.  A gap longer than the source's limit since the one
 * before does not count as time without sessions, and neither does a time that runs
 * backwards: nobody looked meanwhile.  Nor does the time that the first zero took
 * to come: its session may have ended just then. */
void progress_add(struct progress *progress, size_t source, struct sample sample);

/*
 * Makes one sample of what the sources said last: the most of them, or their sum.
 * It is not known while one of them is not known, unless that one is to be ignored
 * then; nor while none of them is known.
 */
void progress_combine(struct progress *progress, struct mono now);

/* Whether the service was seen to take sessions at this moment.  Zeros from before
 * it was seen out say nothing. */
void progress_see(struct progress *progress, bool is_out, struct mono now);

/*
 * True if the service is out, and there is a time of `settle_ms` up to the last
 * sample of each source in which every sample of every source let it pass: known
 * and zero, or not known and to be ignored, but of one source at least always
 * known.
 */
bool progress_is_settled(const struct progress *progress, int64_t settle_ms);

/* When progress_is_settled will be true, at the earliest; false if that is not
 * known now. */
bool progress_settles_at(const struct progress *progress, int64_t settle_ms,
			 struct mono *at);

/*
 * When the next sample is due, after one that took from `began` to `ended`: counted
 * from its end, where the settle time may have begun, so that this is over with a
 * sample and not just after one.  After a slow one, from its beginning: who is slow
 * must not be asked less often.
 */
struct mono progress_due(struct mono began, struct mono ended, int64_t every_ms);

/* Sessions that end per minute, over the last samples (a minute or so); false if
 * not known. */
bool progress_rate(const struct progress *progress, double *per_minute);

#endif
