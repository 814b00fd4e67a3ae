/*
 * Which poolctl goes first, if several have reserved servers of a pool.
 *
 * Whoever has reserved a server may drain it only while the pool can spare it and
 * everything else that is reserved.  If it can spare only some of them, a fixed
 * order decides: that of the servers' names.  The poolctl that goes first keeps its
 * reservation and checks again until the others have withdrawn theirs; all others
 * withdraw.  Nobody commits on the order alone.  tests/model/reservation.pml has
 * the same rule.  Pure.
 */
#ifndef POOLCTL_CONTENTION_H
#define POOLCTL_CONTENTION_H

#include "gates/gate.h"

/* The first is what a zeroed one says. */
enum contention {
	CONTENTION_REFUSED, /* the gates refuse, whoever withdraws */
	CONTENTION_LOST,  /* they pass once somebody who goes first has withdrawn */
	CONTENTION_FIRST, /* they pass once those that come after have withdrawn */
	CONTENTION_NONE,  /* they pass */
};

/*
 * Asks the gates about a target that is reserved for the one who asks.  The
 * results, to be freed with gate_done, are of the pool as it was seen, with
 * everything that is reserved counted as gone.  `rival` is the reserved member that
 * was lost against, or that is to be waited for, else NULL.
 */
enum contention contention_resolve(const struct gate_input *input, unsigned forced,
				   const struct gate_member **rival,
				   struct gate_result results[GATE__COUNT]);

#endif
