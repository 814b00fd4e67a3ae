/*
 * One poold a service: two would each take the other's work for that of a stranger,
 * and what the service was before would be lost.
 */
#ifndef POOLD_SCM_LOCK_H
#define POOLD_SCM_LOCK_H

#include "pool.h"

/* The path of a file of a service, beside the SCM; the caller frees it. */
char *scm_lock_path(const char *beside, const char *service, const char *ending);

/* Locks the services of the server that are drained, until this process ends, in
 * files whose paths begin with `beside`.  Fails with ERR_STATE_LOCKED if another
 * process has locked one; if a lock cannot be made, it only warns. */
int scm_lock(const char *beside, const struct list *services, struct err *err);

/* Fails as scm_lock does, and locks nothing. */
int scm_lock_check(const char *beside, const struct list *services,
		   struct err *err);

#endif
