/*
 * The rules of the files that a table of keys cannot tell: names and addresses that meet
 * twice, floors above the pool's size, services that cannot be counted, what is no url or
 * JSON pointer.
 */
#ifndef POOLCTL_POOL_RULES_H
#define POOLCTL_POOL_RULES_H

#include "pool_config.h"

/* Checks a loaded configuration, and fills in the urls that are left out. */
void pool_rules_check(struct pool_config *config, struct mistakes *mistakes);

/* Checks a loaded poold.yaml, of which `root` is the tree. */
void poold_rules_check(const struct poold_config *config, const struct yaml_node *root,
		       struct mistakes *mistakes);

/* The row of a floor table for a pool of this size, NULL if there is none. */
const struct pool_floor_row *pool_floor_row(const struct pool *pool, size_t servers);

#endif
