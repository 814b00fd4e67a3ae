/*
 * What stays behind a load balancer, also where DNS balances the rest (the key
 * `behind_balancer`): a drain does not take it out there, so the operator is told.
 */
#ifndef POOLCTL_BEHIND_BALANCER_H
#define POOLCTL_BEHIND_BALANCER_H

#include "buf.h"
#include "pool_config.h"

struct json_t;

/* Adds to `text` which services of the server these are, and what the balancer can probe;
 * nothing if there are none. */
void behind_balancer_explain(const struct pool *pool, const struct pool_server *server,
			     struct buf *text);

/* The same as a list, as docs/output.md has it; a new reference. */
struct json_t *behind_balancer_to_json(const struct pool *pool,
				       const struct pool_server *server);

/* Prints it as a note of a report on standard output, if there is something to say. */
void behind_balancer_print(const struct pool *pool, const struct pool_server *server);

/* Prints a line for each server that has such services on standard error. */
void behind_balancer_warn(const struct pool_config *config,
			  const struct pool_server *const *servers, size_t count);

#endif
