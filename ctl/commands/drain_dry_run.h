/*
 * `poolctl drain --dry-run`: says whether each server could be drained, what a
 * drain would change, and what the gates say; changes nothing.
 */
#ifndef POOLCTL_DRAIN_DRY_RUN_H
#define POOLCTL_DRAIN_DRY_RUN_H

#include "commands/server_report.h"

extern const struct server_report_kind drain_dry_run_kind;

/* Adds a readable report of a server's preflight. */
void drain_dry_run_explain(const struct preflight_reply *preflight,
			   struct buf *text);

#endif
