/*
 * How long the sessions of one service last, as far as it was seen.
 *
 * Ages are cut into bins, each a sixteenth wider than the one before.  A session
 * that was watched from one age to another was at risk in the bins between, and
 * ended in one of them or not at all.  Ends and risk per bin are all that is kept;
 * a session that is still alive therefore says as much as it can (it did not end),
 * and one that was first seen at a known age says nothing about younger ones.
 *
 * A session of which nobody knows how old it is does not belong in here: which of
 * the long ones one meets is no accident.
 *
 * Pure: no clock, no memory.
 */
#ifndef POOLD_LIFETIMES_H
#define POOLD_LIFETIMES_H

#include "buf.h"
#include "err.h"

#include <stdbool.h>

/* Up to 18 on the scale below, which is two years. */
enum { LIFETIMES_BINS = 288, LIFETIMES_BINS_PER_UNIT = 16 };

/* Zeroed, it knows nothing yet. */
struct lifetimes {
	double ends[LIFETIMES_BINS]; /* sessions that ended at an age in this bin */
	double risk[LIFETIMES_BINS]; /* sessions that lived through it, parts as
					parts */
};

/* An age in seconds on the scale of the bins: ln(1 + age), 0 to 18.  Older counts
 * as 18, less than 0 as 0. */
double lifetimes_scale(double age_s);

/*
 * Adds `sessions` that were watched from one age to the other (in seconds; a `to_s`
 * before `from_s` counts as the same), and whether they ended then.
 *
 * Old behaviour fades: a bin that has seen much is halved, ends and risk, so that
 * what comes next counts for more.  What was seen of rare old sessions is not lost
 * by that, however many young ones there are.
 */
void lifetimes_add(struct lifetimes *lifetimes, double from_s, double to_s,
		   double sessions, bool has_ended);

/* How many ends it still remembers. */
double lifetimes_ends(const struct lifetimes *lifetimes);

/* The greatest age in seconds up to which a session was watched, to a sixteenth. */
double lifetimes_oldest(const struct lifetimes *lifetimes);

/* Appends it as one line of printable text without its end, at most
 * LIFETIMES_TEXT_BYTES: what lifetimes_parse reads. */
enum { LIFETIMES_TEXT_BYTES = 40 * LIFETIMES_BINS };
void lifetimes_print(const struct lifetimes *lifetimes, struct buf *text);

/* Fails with ERR_STORE on anything that lifetimes_print does not write; what was
 * there is then as it was. */
int lifetimes_parse(struct lifetimes *lifetimes, const char *text, struct err *err);

#endif
