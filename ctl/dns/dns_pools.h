/*
 * Asks DNS about several pools together, so that a resolver that is silent costs
 * its time once.
 */
#ifndef POOLCTL_DNS_POOLS_H
#define POOLCTL_DNS_POOLS_H

#include "dns/dns_view.h"

/*
 * Asks the resolvers of each pool for its name and for its servers' own names, and
 * gives one view for each pool, evaluated, to be freed with dns_view_free.  Blocks
 * for `limit_ms` at most.  Fails with ERR_INTERNAL if one of the pools could not be
 * asked at all: its view is NULL, the others are there.
 */
int dns_pools_ask(const struct pool *const *pools, size_t count, int64_t limit_ms,
		  struct dns_view **views, struct err *err);

#endif
