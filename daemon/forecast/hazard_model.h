/*
 * What the ends that were seen say about how likely a session of any age is to end.
 *
 * On the scale of lifetimes.h, where a bin is a sixteenth of an age, the rate of
 * ending of a bin is that of its own sessions (ends by risk, as in an estimate by
 * Kaplan and Meier), together with as much of the bins before and after it as
 * agrees with them: a time limit ends what was learned before it.  Beyond the
 * oldest session ever seen the rate goes on as it was, less and less surely, and
 * from there to the usual one.  A rate that stays as it is on this scale falls as
 * 1/age: a session that has stayed for long will stay for long.
 *
 * How little is known is part of it: there are HAZARD_MODEL_DRAWS models, which are
 * as far apart as what was seen leaves open.  They are always the same for the same
 * lifetimes.
 */
#ifndef POOLD_HAZARD_MODEL_H
#define POOLD_HAZARD_MODEL_H

#include "forecast/lifetimes.h"

enum { HAZARD_MODEL_DRAWS = 32 };

/* All of it per bin and draw. */
struct hazard_model {
	/* Of ending, per unit of the scale. */
	double rate[LIFETIMES_BINS][HAZARD_MODEL_DRAWS];
	/* Minus the logarithm of the chance to get to where the bin begins. */
	double until[LIFETIMES_BINS][HAZARD_MODEL_DRAWS];
	/* Mean seconds that a new session has from there on. */
	double rest[LIFETIMES_BINS][HAZARD_MODEL_DRAWS];
};

/* Less than a millisecond. */
void hazard_model_init(struct hazard_model *model,
		       const struct lifetimes *lifetimes);

/*
 * The logarithm of the share of sessions that stay to this age, for each draw; what
 * they are the share of cancels out between two ages.  `is_least`: of the sessions
 * that one meets at some moment, the share that is older than that; -HUGE_VAL if
 * that is too small for a number.
 */
void hazard_model_share(const struct hazard_model *model, double age_s,
			bool is_least, double logs[HAZARD_MODEL_DRAWS]);

#endif
