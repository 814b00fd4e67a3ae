#include "commands.h"

#include "answers.h"
#include "api.h"
#include "behind_balancer.h"
#include "drive.h"
#include "gates_output.h"
#include "host.h"
#include "identity.h"
#include "mem.h"
#include "output_json.h"
#include "output_text.h"
#include "dry_run.h"
#include "screen.h"
#include "targets.h"
#include "terminal.h"
#include "terms.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For a server that does not say what it thinks of the deadline, nobody waits longer. */
enum { WARN_MS = 3000 };

static const char no_pools[] =
	"this command takes servers; taking all of a pool's servers "
	"through maintenance is not part of this version";

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

/* Says, before it is asked for, what a deadline is up against.  A server that does not
 * answer now is told about when it is asked for the drain. */
static void warn_of_deadlines(const struct order *order, const struct targets *targets,
			      struct client *client)
{
	struct answer *answers = answers_ask(targets, order->terms, order->aim.services,
					     order->aim.service_count, WARN_MS, client);

	for (size_t i = 0; i < targets->count; i++) {
		const char *name = targets->servers[i]->named.name;
		bool has_deadline = order->terms[i].deadline_ms > 0;
		struct buf text = {0};

		if (!answers[i].document ||
		    answers_fit(answers[i].document, has_deadline) < FIT_NO)
			continue;
		answers_explain(answers[i].document, &text);
		text_complain("%s: the deadline may come first: %s", name, text.text);
		buf_done(&text);
	}
	answers_free(answers, targets->count);
}

static bool has_deadline(const struct terms *terms, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (terms[i].deadline_ms > 0)
			return true;
	return false;
}

static bool is_drain(const struct order *order)
{
	return order->aim.goal == GOAL_OUT || order->aim.goal == GOAL_DRAINED;
}

static int drive_all(const struct order *order, const struct targets *targets,
		     const struct options *options, struct client *client)
{
	struct drive *drive = drive_new(order, targets->servers, targets->count, client);
	int status;

	terminal_catch_interrupts();
	watch(drive, options);
	print_results(drive, options);
	status = drive_exit_status(drive);
	drive_free(drive);
	return status;
}

/* ---- whoever passes a gate says of which pool ---- */

static bool is_confirmed(const struct options *options, const char *pool)
{
	for (size_t i = 0; i < options->confirmed.count; i++)
		if (!strcmp(options->confirmed.items[i], pool))
			return true;
	return false;
}

static int ask_for_pool(const struct options *options, const char *pool, struct err *err)
{
	char line[API_TEXT_BYTES] = "";

	if (!terminal_can_ask())
		return err_set(
			err, ERR_USAGE,
			"--force asks for the name of the pool, and there is nobody "
			"to be asked: give --confirm %s",
			pool);
	(void)fprintf(stderr,
		      "--force=%s goes on although these gates refuse, which can take "
		      "the users of %s out of service.\nThe name of the pool, to go on: ",
		      options->force, pool);
	if (!text_read_line(line, sizeof(line)) && !strcmp(line, pool))
		return 0;
	return err_set(err, ERR_USAGE,
		       "that is not the name of the pool; nothing was changed");
}

static int confirm_force(const struct pool_config *config, const struct targets *targets,
			 const struct options *options, struct err *err)
{
	const struct pool *last = NULL, *pool;

	if (!options->force || options->is_dry_run)
		return 0;
	for (size_t i = 0; i < targets->count; i++, last = pool) {
		(void)pool_find_server(config, targets->servers[i]->named.name, &pool);
		if (pool != last && !is_confirmed(options, pool->named.name) &&
		    ask_for_pool(options, pool->named.name, err))
			return -1;
	}
	return 0;
}

static int run(struct order *order, const struct options *options,
	       const struct pool_config *config, struct err *err)
{
	struct client *client = NULL;
	const char **services = NULL;
	struct terms *terms = NULL;
	struct targets targets = {0};
	int ret = -1;

	if (gates_forced(options, &order->forced, err) ||
	    targets_find(config, options, no_pools, &targets, err) ||
	    confirm_force(config, &targets, options, err))
		goto out;
	services = targets_spell_services(config, &targets, options, err);
	terms = terms_find(config, &targets, options, err);
	if (!services || !terms)
		goto out;
	order->aim.services = services;
	order->aim.service_count = options->services.count;
	order->terms = terms;
	order->config = config;
	client = client_new(err);
	if (!client)
		goto out;
	if (is_drain(order) && !options->is_dry_run && has_deadline(terms, targets.count))
		warn_of_deadlines(order, &targets, client);
	if (is_drain(order) && !options->is_dry_run)
		behind_balancer_warn(config, targets.servers, targets.count);
	if (options->is_dry_run)
		ret = dry_run_ask(order, &targets, options, config, client, err);
	else
		ret = drive_all(order, &targets, options, client);
out:
	client_free(client);
	targets_done(&targets);
	free(terms);
	free(services);
	return ret;
}

static int run_with_identity(enum goal goal, const struct options *options,
			     const struct pool_config *config, struct err *err)
{
	char user[HOST_NAME_BYTES], host[HOST_NAME_BYTES];
	struct identity identity;
	struct order order = {
		.aim = {.goal = goal, .id = options->id ? options->id : identity.id},
		.owner = options->owner ? options->owner : identity.owner,
		.reason = options->reason ? options->reason : "maintenance",
		.is_default_id = !options->id,
		.is_all = options->is_all,
		.timeout_ms = options->timeout_ms,
		.accepts_broken = options->accepts_broken,
		.lock_wait_ms = options->lock_wait_ms,
	};

	host_user(user);
	host_name(host);
	identity_find(host_env, user, host, &identity);
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
