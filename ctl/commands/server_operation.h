/*
 * Runs an operation on servers, shows its progress, and prints how it ended:
 * `drain`, `resume` and `wait`.
 */
#ifndef POOLCTL_SERVER_OPERATION_H
#define POOLCTL_SERVER_OPERATION_H

#include "commands/drain_targets.h"
#include "line/options.h"
#include "operation/operation.h"

/* Why no pool can be named; for drain_targets_find. */
extern const char server_operation_no_pools[];

/* What a command does once the command line is known to be good; -1 with `err` set
 * stops it before anything is asked for. */
typedef int server_operation_before(const struct drain_targets *targets,
				    const struct options *options,
				    const struct pool_config *config,
				    struct client *client, struct err *err);

/*
 * Brings the servers of the command line where the goal says.  `before` may be
 * NULL. Blocks until that is over, or the operator interrupts it; returns the exit
 * status, or -1 with `err` set.
 */
int server_operation_run(enum goal_kind goal, const struct options *options,
			 const struct pool_config *config,
			 server_operation_before *before, struct err *err);

#endif
