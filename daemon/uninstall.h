/*
 * Takes poold out of the system's services, unless somebody still needs it.
 */
#ifndef POOLD_UNINSTALL_H
#define POOLD_UNINSTALL_H

#include "poold_config.h"
#include "err.h"

/* See service.h; a test has its own. */
struct uninstall_service {
	int (*stop)(struct err *err);
	int (*start)(struct err *err);
	int (*uninstall)(struct err *err);
};

/*
 * Refuses with ERR_HELD while there is a drain or something to put back, before
 * poold is stopped and again after that: then poold is started again.  A poold that
 * does not stop is left as it is.  Blocks until it has stopped.
 */
int uninstall(const struct poold_config *config,
	      const struct uninstall_service *service, struct err *err);

#endif
