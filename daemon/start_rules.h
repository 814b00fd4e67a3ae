/*
 * What must hold of pool.yaml and poold.yaml before poold starts with them, alone
 * and beside what an earlier poold left in the store.  The start, `poold check` and
 * a reload ask the same.
 */
#ifndef POOLD_START_RULES_H
#define POOLD_START_RULES_H

#include "pool.h"
#include "store/store.h"

/* Fails with ERR_CONFIG; `commands` (struct poold_command) may be NULL. */
int start_rules_check_files(const struct pool *pool,
			    const struct pool_server *server,
			    const struct list *commands, struct err *err);

/* Only reads the store.  Fails with ERR_CONFIG, or with its error. */
int start_rules_check_store(const struct pool *pool,
			    const struct pool_server *server, struct store *store,
			    struct err *err);

/* The service of this name that is drained, in whatever spelling; or NULL. */
const struct pool_service *start_rules_find(const struct pool *pool,
					    const struct pool_server *server,
					    const char *name);

#endif
