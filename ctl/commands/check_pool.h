/*
 * `poolctl check POOL`: a pool on one screen: what DNS says, which servers may
 * leave, and whether all is as it should be.
 */
#ifndef POOLCTL_CHECK_POOL_H
#define POOLCTL_CHECK_POOL_H

#include "commands/drain_targets.h"
#include "line/options.h"

/* Asks the pools, all of whose members are the targets, and prints them; returns
 * the exit status, or -1 with `err` set. */
int check_pools(const struct pool_config *config, struct drain_targets *targets,
		const struct options *options, struct err *err);

#endif
