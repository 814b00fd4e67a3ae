/*
 * Who goes first, of several that have reserved servers of a pool.
 *
 * Whoever has reserved a server may drain it only while the pool can spare it and
 * everything else that is reserved, too.  If it can spare some of them, a fixed order
 * settles which: that of the servers' names.  Who goes first keeps the reservation and
 * looks again until the others withdrew theirs; who does not withdraws.  Nobody commits
 * on the order alone.  tests/model/reservation.pml has the same rule.  Pure.
 */
#ifndef POOLCTL_RIVALS_H
#define POOLCTL_RIVALS_H

#include "gates.h"

/* The first is what a zeroed one says. */
enum rivalry {
	RIVALRY_REFUSED, /* the gates refuse, whoever withdraws */
	RIVALRY_LOST,    /* they pass once somebody who goes first has withdrawn */
	RIVALRY_FIRST,   /* they pass once those that come after have withdrawn */
	RIVALRY_NONE,    /* they pass */
};

/*
 * Asks the gates about a target that is reserved for the one who asks.  The results, to
 * be freed with gates_done, are of the pool as it was seen, with everything that is
 * reserved counted as gone.  `rival` is the reserved member that was lost against, or
 * that is to be waited for, else NULL.
 */
enum rivalry rivals_settle(const struct gates_input *input, unsigned forced,
			   const struct gate_member **rival,
			   struct gate_result results[GATE__COUNT]);

#endif
