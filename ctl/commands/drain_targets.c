#include "commands/drain_targets.h"

#include <stdlib.h>

static int find_forced(const struct options *options, unsigned *forced,
		       struct err *err)
{
	*forced = options->accepts_broken ? GATES_BROKEN_SESSIONS : 0;
	for (size_t i = 0; i < options->force.count; i++)
		if (gate_parse_force(options->force.items[i], forced, err))
			return -1;
	return 0;
}

int drain_targets_find(const struct pool_config *config,
		       const struct options *options, const char *why_no_pools,
		       struct drain_targets *targets, struct err *err)
{
	*targets = (struct drain_targets){.service_count = options->services.count};
	if (find_forced(options, &targets->forced, err) ||
	    targets_find(config, options, why_no_pools, &targets->targets, err))
		return -1;
	targets->services =
		targets_spell_services(config, &targets->targets, options, err);
	targets->drain_options =
		drain_options_find(config, &targets->targets, options, err);
	return targets->services && targets->drain_options ? 0 : -1;
}

int drain_targets_survey(const struct pool_config *config, int64_t preflight_ms,
			 struct drain_targets *targets, struct err *err)
{
	targets->question = (struct pool_snapshot_question){
		.config = config,
		.targets = &targets->targets,
		.drain_options = targets->drain_options,
		.services = targets->services,
		.service_count = targets->service_count,
		.preflight_ms = preflight_ms,
	};
	targets->client = client_new(err);
	if (!targets->client)
		return -1;
	targets->snapshot =
		pool_snapshot_take(&targets->question, targets->client, err);
	return targets->snapshot ? 0 : -1;
}

void drain_targets_done(struct drain_targets *targets)
{
	pool_snapshot_free(targets->snapshot);
	client_free(targets->client);
	targets_done(&targets->targets);
	free(targets->drain_options);
	free(targets->services);
}
