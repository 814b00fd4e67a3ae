#include "commands/status_watch.h"

#include "exit_status.h"
#include "commands/commands.h"
#include "mem.h"
#include "line/targets.h"

#include <stdlib.h>

enum { LIMIT_MS = 5000 }; /* for each server, from its turn on */

static int ask(struct status_server *servers, size_t count, struct err *err)
{
	const struct request request = {.kind = REQUEST_VIEW,
					.timeout_ms = LIMIT_MS};
	struct exchange **exchanges = xcalloc(count, sizeof(*exchanges));
	int ret;

	for (size_t i = 0; i < count; i++)
		exchanges[i] = &servers[i].exchange;
	ret = exchange_ask_all(exchanges, count, &request, err);
	free(exchanges);
	return ret;
}

static int exit_status(const struct status_server *servers, size_t count)
{
	int status = 0;

	for (size_t i = 0; i < count; i++) {
		const struct exchange *exchange = &servers[i].exchange;
		int one = exchange->view ? 0 : exchange->problem.exit_status;

		status = i ? exit_status_combine(status, one) : one;
	}
	return status;
}

/* The targets are in the order of the file. */
static struct status_server *list_servers(const struct pool_config *config,
					  const struct targets *targets)
{
	struct status_server *servers = xcalloc(targets->count, sizeof(*servers));
	size_t i = 0;

	LIST_EACH (struct pool, pool, config->pools)
		LIST_EACH (struct pool_server, server, pool->servers)
			if (i < targets->count && targets->servers[i] == server)
				servers[i++] = (struct status_server){
					.pool = pool, .exchange.server = server};
	return servers;
}

int command_status(const struct options *options, const struct pool_config *config,
		   struct err *err)
{
	struct status_server *servers = NULL;
	struct targets targets;
	struct output output;
	int ret = -1;

	if (options->is_watch && output_check_live(options, "--watch", err))
		return -1;
	if (targets_find(config, options, NULL, &targets, err))
		goto out;
	servers = list_servers(config, &targets);
	if (options->is_watch) {
		ret = status_watch(servers, targets.count, options, err);
	} else if (!ask(servers, targets.count, err)) {
		output_begin(&output, &status_table_kind, options, false);
		status_table_show(servers, targets.count, &output);
		ret = exit_status(servers, targets.count);
	}
	for (size_t i = 0; i < targets.count; i++)
		exchange_done(&servers[i].exchange);
out:
	free(servers);
	targets_done(&targets);
	return ret;
}
