/*
 * What a command line of `drain` or `check` is about: servers, services, and how a
 * drain of them would end.
 */
#ifndef POOLCTL_DRAIN_TARGETS_H
#define POOLCTL_DRAIN_TARGETS_H

#include "gates/pool_snapshot.h"
#include "line/drain_options.h"
#include "line/targets.h"

struct drain_targets {
	struct targets targets;
	const char **services; /* none: all */
	size_t service_count;
	struct drain_options *drain_options; /* one for each target */
	unsigned forced;                     /* gates that may refuse, as a set */

	/* Of drain_targets_survey. */
	struct client *client;
	struct pool_snapshot_question question;
	struct pool_snapshot *snapshot;
};

/* Reads the command line; `why_no_pools` as in targets_find.  On failure, `err`
 * says what is wrong with it.  Call drain_targets_done in any case. */
int drain_targets_find(const struct pool_config *config,
		       const struct options *options, const char *why_no_pools,
		       struct drain_targets *targets, struct err *err);

/* Fills the snapshot: asks DNS, all members of the pools, and each target for its
 * preflight, which has `preflight_ms`.  Blocks. */
int drain_targets_survey(const struct pool_config *config, int64_t preflight_ms,
			 struct drain_targets *targets, struct err *err);

void drain_targets_done(struct drain_targets *targets);

#endif
