/*
 * Is a pool as it should be now?
 *
 * Pure.  A server in maintenance is not a fault as long as the floor holds, even if
 * no other server may leave until it is back.
 */
#ifndef POOLCTL_POOL_STATE_H
#define POOLCTL_POOL_STATE_H

#include "gates/gate.h"

/* The order is that in which a person should read them. */
enum pool_state_check {
	POOL_MEMBERS,   /* every member answered, and not with an old state */
	POOL_CONFIG,    /* their poolds know the services as our pool.yaml does */
	POOL_ATTENTION, /* no member needs a person */
	POOL_FLOOR,     /* as many serve as the floor asks for */
	POOL_DNS, /* known, as `dns.expect` says, the same for all resolvers */
	POOL_OWN_NAMES,    /* the servers' own names resolve to them */
	POOL_CLOCKS,       /* the servers' clocks agree */
	POOL_CERTIFICATES, /* none ends within API_CERTIFICATE_WARN_DAYS */
	POOL_CHECK__COUNT
};

/* GATE_REFUSED is a fault. */
struct pool_state {
	struct gate_result results[POOL_CHECK__COUNT];
	size_t faults;
};

/* `input` needs no target; `dns` was evaluated.  To be freed with pool_state_done.
 */
void pool_state_check(const struct gate_input *input, const struct dns_view *dns,
		      struct pool_state *state);
void pool_state_done(struct pool_state *state);

/* "members", "own_names", ... */
const char *pool_state_check_name(enum pool_state_check check);

#endif
