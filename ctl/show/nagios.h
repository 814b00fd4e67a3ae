/*
 * `poolctl check POOL --nagios`: one line with performance data, and the exit
 * statuses that Nagios and Icinga know.
 */
#ifndef POOLCTL_NAGIOS_H
#define POOLCTL_NAGIOS_H

#include "gates/pool_snapshot.h"
#include "gates/pool_state.h"

/* Their exit statuses; a higher one is worse, but that UNKNOWN is not worse than
 * CRITICAL. */
enum nagios_status { NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN };

/* What is said so far; all zero at first. */
struct nagios {
	struct buf text, data;
	enum nagios_status status;
};

/* Adds a pool: how many serve, each fault, and the numbers. */
void nagios_add(struct nagios *line, const struct pool_snapshot_pool *pool,
		const struct pool_state *state);

/* Prints the line, and returns the exit status; frees what was added. */
int nagios_print(struct nagios *line);

/* Prints the line of a check that could not be made; returns NAGIOS_UNKNOWN. */
int nagios_fail(const char *why);

#endif
