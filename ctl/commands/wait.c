/* `poolctl wait`: waits until servers are drained, or serve; asks for nothing. */
#include "commands/commands.h"
#include "commands/server_operation.h"

int command_wait(const struct options *options, const struct pool_config *config,
		 struct err *err)
{
	static const enum goal_kind goals[] = {
		[WAIT_FOR_DRAINED] = GOAL_SEEN_DRAINED,
		[WAIT_FOR_SERVING] = GOAL_SEEN_SERVING,
	};

	if (options->wait_for == WAIT_FOR_NOTHING)
		return err_set(err, ERR_USAGE,
			       "'wait' needs --for drained or --for serving");
	if (options->id && options->wait_for == WAIT_FOR_SERVING)
		return err_set(
			err, ERR_USAGE,
			"--id needs --for drained: a drain that is not there does "
			"not say what serves");
	return server_operation_run(goals[options->wait_for], options, config, NULL,
				    err);
}
