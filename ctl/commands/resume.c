/* `poolctl resume`: ends drains, and waits until all is as before. */
#include "commands/commands.h"
#include "commands/server_operation.h"

#include <string.h>

int command_resume(const struct options *options, const struct pool_config *config,
		   struct err *err)
{
	struct options own = *options;

	for (size_t i = 0; i < options->force.count; i++)
		if (strcmp(options->force.items[i], "owner") != 0)
			return err_set(
				err, ERR_USAGE,
				"'resume' has no gates to force; --force=owner ends a "
				"drain that belongs to somebody else");
	own.takes_others = options->force.count > 0;
	own.force = (struct texts){0};
	if (options->is_all && options->id)
		return err_set(err, ERR_USAGE,
			       "--id cannot be combined with --all");
	return server_operation_run(options->has_no_wait ? GOAL_ENDED
							 : GOAL_RESUMED,
				    &own, config, NULL, err);
}
