/*
 * `poolctl status --watch`.
 */
#ifndef POOLCTL_STATUS_WATCH_H
#define POOLCTL_STATUS_WATCH_H

#include "commands/status_table.h"
#include "line/options.h"

/* Shows the servers and each change until Ctrl-C, and returns that exit status; -1
 * with `err` set if it cannot begin.  The caller frees what came of the exchanges.
 */
int status_watch(struct status_server *servers, size_t count,
		 const struct options *options, struct err *err);

#endif
