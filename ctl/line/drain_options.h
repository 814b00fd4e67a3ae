/*
 * How drains will end: as the command line says, else as pool.yaml says.
 */
#ifndef POOLCTL_DRAIN_OPTIONS_H
#define POOLCTL_DRAIN_OPTIONS_H

#include "api.h"
#include "line/options.h"
#include "line/targets.h"

struct drain_options {
	int64_t deadline_ms; /* from now; 0: none */
	enum on_deadline on_deadline;
	enum until until;
};

/* The deadline as it is asked for: in whole seconds, rounded up; 0: none. */
int64_t drain_options_deadline_s(const struct drain_options *drain_options);

/* One for each target, in a list that the caller frees; NULL on failure, which is
 * ERR_USAGE: --on-deadline was given, but there is no deadline. */
struct drain_options *drain_options_find(const struct pool_config *config,
					 const struct targets *targets,
					 const struct options *options,
					 struct err *err);

#endif
