/*
 * What one command asks of every server that it names.
 */
#ifndef POOLCTL_ORDER_H
#define POOLCTL_ORDER_H

#include "line/drain_options.h"
#include "operation/goal.h"
#include "pool.h"

struct order {
	struct goal goal;
	const struct pool_config *config;
	const struct options *options; /* what was said of it, and what was not */
	const char *owner, *reason;
	const char *self;   /* the owner that poolctl would choose */
	bool is_default_id; /* poolctl chose the id, and will choose the same again
			     */
	bool is_all;        /* resume: whatever drains are active */
	int64_t timeout_ms; /* negative: none */

	/* Of a drain. */
	const struct drain_options *drain_options; /* one for each server */
	unsigned forced;      /* gates that may refuse, as a set */
	bool accepts_broken;  /* the gate about DNS is passed by that */
	int64_t lock_wait_ms; /* for how long to wait for others' reservations */
};

#endif
