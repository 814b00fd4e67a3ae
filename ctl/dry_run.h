/*
 * `poolctl drain --dry-run`: asks each server whether a drain could work and what it
 * would change, and the gates whether it may leave, and prints that; nothing is changed.
 */
#ifndef POOLCTL_DRY_RUN_H
#define POOLCTL_DRY_RUN_H

#include "drive.h"
#include "options.h"
#include "targets.h"

/* Blocks until all have answered; returns the exit status, or -1 with `err` set. */
int dry_run_ask(const struct order *order, const struct targets *targets,
		const struct options *options, const struct pool_config *config,
		struct client *client, struct err *err);

/* A readable report of the document in a reply, which it checks first: fails with
 * ERR_BAD_REPLY, or with ERR_CONFIG if it is another server's. */
int dry_run_report(const char *server, const struct json_t *document, struct buf *text,
		   struct err *err);

#endif
