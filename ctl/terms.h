/*
 * How drains are to end: what the command line says, over what pool.yaml says.
 */
#ifndef POOLCTL_TERMS_H
#define POOLCTL_TERMS_H

#include "options.h"
#include "request.h"
#include "targets.h"

/* One for each target, in a list that the caller frees; NULL on failure, which is
 * ERR_USAGE: something is asked for at a deadline, and there is none. */
struct terms *terms_find(const struct pool_config *config, const struct targets *targets,
			 const struct options *options, struct err *err);

#endif
