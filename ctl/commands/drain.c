/* `poolctl drain`: stops new sessions, and waits until the others have ended. */
#include "commands/commands.h"
#include "commands/drain_dry_run.h"
#include "commands/server_operation.h"
#include "mem.h"
#include "show/behind_balancer.h"
#include "terminal/print.h"
#include "terminal/terminal.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

/* A server that does not tell in this time how long its drain takes gets no
 * warning. */
enum { WARN_MS = 3000 };

/* ---- warnings ---- */

static bool has_deadline(const struct drain_targets *targets)
{
	for (size_t i = 0; i < targets->targets.count; i++)
		if (targets->drain_options[i].deadline_ms > 0)
			return true;
	return false;
}

static void ask_preflights(const struct drain_targets *targets,
			   struct client *client, struct exchange *preflights)
{
	struct request request = {.kind = REQUEST_PREFLIGHT,
				  .timeout_ms = WARN_MS,
				  .services = targets->services,
				  .service_count = targets->service_count};

	for (size_t i = 0; i < targets->targets.count; i++) {
		preflights[i].server = targets->targets.servers[i];
		request.drain_options = &targets->drain_options[i];
		exchange_send(&preflights[i], &request, client);
	}
	client_finish(client);
}

/* Warns of deadlines that may come before the last session has ended. */
static void warn_of_deadlines(const struct drain_targets *targets,
			      struct client *client)
{
	struct exchange *preflights;

	if (!has_deadline(targets))
		return;
	preflights = xcalloc(targets->targets.count, sizeof(*preflights));
	ask_preflights(targets, client, preflights);
	for (size_t i = 0; i < targets->targets.count; i++) {
		const struct preflight_reply *preflight = preflights[i].preflight;
		struct buf text = {0};

		if (preflight && preflight_reply_fit(preflight) >= FIT_NO) {
			preflight_reply_explain(preflight, &text);
			print_complaint("%s: the deadline may come first: %s",
					preflights[i].server->named.name,
					text.text);
		}
		buf_done(&text);
		exchange_done(&preflights[i]);
	}
	free(preflights);
}

/* ---- --force ---- */

static bool is_confirmed(const struct options *options, const char *pool)
{
	for (size_t i = 0; i < options->confirmed.count; i++)
		if (!utf8_compare_names(options->confirmed.items[i], pool))
			return true;
	return false;
}

static bool is_typed(const struct options *options, const char *pool)
{
	char line[API_TEXT_BYTES] = "";
	struct buf gates = {0};
	int ret;

	for (size_t i = 0; i < options->force.count; i++)
		buf_printf(&gates, "%s%s", i ? "," : "", options->force.items[i]);
	ret = print_prompt(
		line, sizeof(line),
		"--force=%s goes on even if these gates refuse, which can "
		"leave the users of %s without a server.\nType the name of the pool to go on: ",
		gates.text, pool);
	buf_done(&gates);
	return !ret && !utf8_compare_names(line, pool);
}

static int confirm_pool(const struct options *options, const char *pool,
			struct err *err)
{
	if (is_confirmed(options, pool))
		return 0;
	if (options->confirmed.count)
		return err_set(
			err, ERR_USAGE,
			"'%s' is not the name of the pool: give --confirm %s; "
			"nothing was changed",
			options->confirmed.items[0], pool);
	if (!terminal_can_ask())
		return err_set(
			err, ERR_USAGE,
			"--force needs confirmation, but this is not a terminal: "
			"add --confirm %s",
			pool);
	if (is_typed(options, pool))
		return 0;
	return err_set(
		err, ERR_USAGE,
		"that is not the name of the pool, '%s'; nothing was changed",
		pool);
}

/* The targets of a pool are next to each other. */
static int before(const struct drain_targets *targets,
		  const struct options *options, const struct pool_config *config,
		  struct client *client, struct err *err)
{
	const struct pool *last = NULL, *pool;

	for (size_t i = 0; options->force.count && i < targets->targets.count;
	     i++) {
		(void)pool_find_server(
			config, targets->targets.servers[i]->named.name, &pool);
		if (pool != last && confirm_pool(options, pool->named.name, err))
			return -1;
		last = pool;
	}
	warn_of_deadlines(targets, client);
	for (size_t i = 0; i < targets->targets.count; i++) {
		(void)pool_find_server(
			config, targets->targets.servers[i]->named.name, &pool);
		behind_balancer_warn(pool, targets->targets.servers[i]);
	}
	return 0;
}

static int dry_run(const struct options *options, const struct pool_config *config,
		   struct err *err)
{
	struct drain_targets targets;
	int ret = -1;

	if (!drain_targets_find(config, options, server_operation_no_pools,
				&targets, err))
		ret = server_report_all(&drain_dry_run_kind, config, &targets,
					options, err);
	drain_targets_done(&targets);
	return ret;
}

int command_drain(const struct options *options, const struct pool_config *config,
		  struct err *err)
{
	if (options->is_dry_run)
		return dry_run(options, config, err);
	return server_operation_run(options->has_no_wait ? GOAL_OUT : GOAL_DRAINED,
				    options, config, before, err);
}
