/*
 * How often the requests of an address came with a wrong credential.
 *
 * An address may fail a few times at once, and then once each two seconds: beyond
 * that, its credentials are not even looked at for a while, so that guessing is
 * slow. It costs neither a thread nor a connection.  Of IPv6, the 64 bits of a
 * network count as one address.  Pure.
 */
#ifndef POOLD_FAILURES_H
#define POOLD_FAILURES_H

#include "clock.h"
#include "net_address.h"

enum {
	FAILURES_AT_ONCE = 10,
	FAILURES_EVERY_MS = 2000,
	/* With more addresses, the one that failed longest ago is forgotten. */
	FAILURES_ADDRESSES = 256,
};

struct failing_address {
	struct net_address address;
	int count;
	struct mono since; /* up to then, those in the past were forgiven */
	struct mono last;
};

/* Zeroed at first. */
struct failures {
	struct failing_address items[FAILURES_ADDRESSES];
	int used;
};

/* True while the address has failed too often. */
bool failures_is_slowed(struct failures *failures,
			const struct net_address *address, struct mono now);

void failures_note(struct failures *failures, const struct net_address *address,
		   struct mono now);

#endif
