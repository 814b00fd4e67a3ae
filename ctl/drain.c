#include "commands.h"

#include "drive.h"
#include "host.h"
#include "mem.h"
#include "output_json.h"
#include "output_text.h"
#include "screen.h"
#include "targets.h"
#include "terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IDENTITY_BYTES = 2 * HOST_NAME_BYTES + 1 };

static const char no_pools[] =
	"this command takes servers; taking all of a pool's servers "
	"through maintenance is not part of this version";

/* USER@HOST, with what an id may not have replaced by '-'. */
static void find_identity(char identity[IDENTITY_BYTES])
{
	char user[HOST_NAME_BYTES], host[HOST_NAME_BYTES];

	host_user(user);
	host_name(host);
	(void)snprintf(identity, IDENTITY_BYTES, "%s@%s", user, host);
	identity[API_ID_BYTES - 1] = '\0';
	for (char *c = identity; *c; c++) {
		char one[] = {*c, '\0'}, later[] = {'x', *c, '\0'};

		if (!api_id_is_valid(c == identity ? one : later))
			*c = c == identity ? 'x' : '-';
	}
}

/* Prints the results that were not there before; the frame must not be in their way. */
static void print_lines(struct screen *screen, const struct job *jobs, size_t count,
			bool *is_printed)
{
	for (size_t i = 0; i < count; i++) {
		if (is_printed[i] || jobs[i].step != STEP_DONE)
			continue;
		is_printed[i] = true;
		screen_hide(screen);
		output_json(output_json_result(&jobs[i]));
	}
}

static void watch(struct drive *drive, const struct options *options)
{
	bool has_color = !options->has_no_color && terminal_can_draw(stderr);
	bool is_going_on = true, *is_printed;
	struct screen *screen;
	const struct job *jobs;
	size_t count;

	jobs = drive_jobs(drive, &count);
	is_printed = xcalloc(count, sizeof(*is_printed));
	screen = screen_new(jobs, count, has_color);
	while (is_going_on) {
		is_going_on = drive_step(drive);
		if (is_going_on && terminal_is_interrupted()) {
			drive_interrupt(drive);
			is_going_on = false;
		}
		if (options->output == OUTPUT_JSONL)
			print_lines(screen, jobs, count, is_printed);
		screen_show(screen);
	}
	screen_end(screen);
	screen_free(screen);
	free(is_printed);
}

static void print_results(const struct drive *drive, const struct options *options)
{
	size_t count;
	const struct job *jobs = drive_jobs(drive, &count);

	if (options->output == OUTPUT_JSON)
		output_json_results(jobs, count);
	for (size_t i = 0; options->output == OUTPUT_TABLE && i < count; i++)
		output_text_result(&jobs[i]);
}

static int run(struct order *order, const struct options *options,
	       const struct pool_config *config, struct err *err)
{
	struct client *client = NULL;
	const char **services = NULL;
	struct targets targets;
	struct drive *drive;
	int ret = -1;

	if (targets_find(config, options, no_pools, &targets, err))
		goto out;
	services = targets_spell_services(config, &targets, options, err);
	if (!services)
		goto out;
	order->aim.services = services;
	order->aim.service_count = options->services.count;
	client = client_new(err);
	if (!client)
		goto out;
	terminal_catch_interrupts();
	drive = drive_new(order, targets.servers, targets.count, client);
	watch(drive, options);
	print_results(drive, options);
	ret = drive_exit_status(drive);
	/* The client's requests know the jobs, so it goes first. */
	client_free(client);
	client = NULL;
	drive_free(drive);
out:
	client_free(client);
	targets_done(&targets);
	free(services);
	return ret;
}

static int run_with_identity(enum goal goal, const struct options *options,
			     const struct pool_config *config, struct err *err)
{
	char identity[IDENTITY_BYTES];
	struct order order = {
		.aim = {.goal = goal, .id = options->id ? options->id : identity},
		.owner = options->owner ? options->owner : identity,
		.reason = options->reason ? options->reason : "maintenance",
		.is_default_id = !options->id,
		.is_all = options->is_all,
		.timeout_ms = options->timeout_ms,
	};

	find_identity(identity);
	return run(&order, options, config, err);
}

int command_drain(const struct options *options, const struct pool_config *config,
		  struct err *err)
{
	return run_with_identity(options->has_no_wait ? GOAL_OUT : GOAL_DRAINED, options,
				 config, err);
}

int command_resume(const struct options *options, const struct pool_config *config,
		   struct err *err)
{
	if (options->is_all && options->id)
		return err_set(err, ERR_USAGE,
			       "--id names one drain, --all means all: give one");
	return run_with_identity(options->has_no_wait ? GOAL_ENDED : GOAL_RESUMED,
				 options, config, err);
}

int command_wait(const struct options *options, const struct pool_config *config,
		 struct err *err)
{
	static const enum goal goals[] = {
		[WAIT_FOR_DRAINED] = GOAL_SEEN_DRAINED,
		[WAIT_FOR_SERVING] = GOAL_SEEN_SERVING,
	};
	struct order order = {.timeout_ms = options->timeout_ms};

	if (options->wait_for == WAIT_FOR_NOTHING)
		return err_set(err, ERR_USAGE,
			       "wait for what? Give --for drained or --for serving");
	order.aim.goal = goals[options->wait_for];
	return run(&order, options, config, err);
}
