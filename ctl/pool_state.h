/*
 * Whether a pool is as it should be now, whoever may leave next.
 *
 * Pure.  A server in planned maintenance is no fault as long as the floor holds.
 */
#ifndef POOLCTL_POOL_STATE_H
#define POOLCTL_POOL_STATE_H

#include "gates.h"

/* The order is that in which a person should read them. */
enum pool_check {
	POOL_MEMBERS,   /* every member answered, with something new */
	POOL_ATTENTION, /* no member needs a person */
	POOL_FLOOR,     /* as many serve as the floor asks for */
	POOL_DNS,       /* it is known, what `dns.expect` says, and the same everywhere */
	POOL_OWN_NAMES, /* the servers' own names lead to them */
	POOL_CLOCKS,    /* the servers' clocks agree */
	POOL_CHECK__COUNT
};

/* GATE_REFUSED is a fault. */
struct pool_state {
	struct gate_result results[POOL_CHECK__COUNT];
	size_t faults;
};

/* `input` needs no target; `dns` was judged.  To be freed with pool_state_done. */
void pool_state_check(const struct gates_input *input, const struct dns_view *dns,
		      struct pool_state *state);
void pool_state_done(struct pool_state *state);

/* "members", "own_names", ... */
const char *pool_check_name(enum pool_check check);

#endif
