/*
 * The rules of the files that a table of keys cannot tell: names and addresses that
 * meet twice, floors above the pool's size, services that cannot be counted, what
 * is no url or JSON pointer.
 */
#ifndef POOLCTL_POOL_RULES_H
#define POOLCTL_POOL_RULES_H

#include "pool.h"

/* Checks a loaded configuration, and fills in the urls and floors that are left
 * out. */
void pool_rules_check(struct pool_config *config, struct mistakes *mistakes);

/* Adds a mistake if the text is given and is no JSON pointer. */
void pool_rules_check_pointer(const char *pointer, const struct place *place,
			      struct mistakes *mistakes);

#endif
