/*
 * What the ends that were seen say about how likely a session of any age is to end.
 *
 * On the scale of lifetimes.h, where a bin is a sixteenth of an age, the rate of ending
 * is a walk from bin to bin: mostly small steps, now and then a big one (a time limit).
 * Where much was seen, it goes where the ends and the risk are; beyond the oldest session
 * ever seen it goes on as it was, less and less surely, and from there to what is usual.
 * A rate that stays as it is on this scale is one that falls as 1/age: who has stayed for
 * long will stay for long.
 *
 * Instead of one answer there are HAZARDS_DRAWS of them, each as likely as what was seen
 * makes it.  They are always the same for the same lifetimes.
 */
#ifndef POOLD_HAZARDS_H
#define POOLD_HAZARDS_H

#include "lifetimes.h"

enum { HAZARDS_DRAWS = 32 };

/* All of it per bin and draw. */
struct hazards {
	double rate[LIFETIMES_BINS][HAZARDS_DRAWS]; /* of ending, per unit of the scale */
	double until[LIFETIMES_BINS]
		    [HAZARDS_DRAWS]; /* summed up to where the bin begins */
	double rest[LIFETIMES_BINS][HAZARDS_DRAWS]; /* mean seconds that a new session
						       has from there on */
};

/* Two million multiplications: a millisecond or two. */
void hazards_init(struct hazards *hazards, const struct lifetimes *lifetimes);

/* What stands between age 0 and this one: minus the logarithm of the chance to get there.
 */
void hazards_until(const struct hazards *hazards, double age_s,
		   double until[HAZARDS_DRAWS]);

/* Mean seconds that a new session has after this age: of all sessions that one meets at
 * some moment, the share that is older than that, but for a factor. */
void hazards_rest(const struct hazards *hazards, double age_s,
		  double rest[HAZARDS_DRAWS]);

#endif
