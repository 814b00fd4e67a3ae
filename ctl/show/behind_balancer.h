/*
 * Services that stay behind a load balancer even where DNS balances the rest (the
 * key `behind_balancer`): a drain does not take them out there, so the operator is
 * told.
 */
#ifndef POOLCTL_BEHIND_BALANCER_H
#define POOLCTL_BEHIND_BALANCER_H

#include "pool.h"

struct json_t;

/* The services as a list, as docs/output.md has it; a new reference. */
struct json_t *behind_balancer_to_json(const struct pool *pool,
				       const struct pool_server *server);

/* Prints a note on standard output that names these services, and what the balancer
 * can probe; nothing if there are none. */
void behind_balancer_print(const struct pool *pool,
			   const struct pool_server *server);

/* Prints the same on standard error, as a complaint. */
void behind_balancer_warn(const struct pool *pool,
			  const struct pool_server *server);

#endif
