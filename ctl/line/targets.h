/*
 * The servers that the arguments of a command name.
 */
#ifndef POOLCTL_TARGETS_H
#define POOLCTL_TARGETS_H

#include "line/options.h"
#include "pool.h"

struct targets {
	/* Each once, in the order of the file. */
	const struct pool_server **servers;
	size_t count;
};

/*
 * Fails with ERR_USAGE for an argument that is no server.  If `why_no_pools` is
 * NULL, pools are taken as well, and no argument means all; otherwise it is the
 * hint for an argument that is a pool.
 */
int targets_find(const struct pool_config *config, const struct options *options,
		 const char *why_no_pools, struct targets *targets,
		 struct err *err);
/*
 * Spells the services that the options name as these servers' SCMs know them: by
 * short name, display name or component.  The list is to be freed, its texts are
 * the configuration's.  NULL on failure, as pool_resolve_service, and if a word
 * means different services on different servers.
 */
const char **targets_spell_services(const struct pool_config *config,
				    const struct targets *targets,
				    const struct options *options, struct err *err);

void targets_done(struct targets *targets);

#endif
