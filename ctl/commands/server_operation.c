#include "commands/server_operation.h"

#include "api/view_text.h"
#include "line/identity.h"
#include "mem.h"
#include "show/progress_display.h"
#include "show/result_output.h"
#include "terminal/print.h"
#include "terminal/terminal.h"
#include "system/host.h"

#include <stdlib.h>
#include <string.h>

const char server_operation_no_pools[] =
	"name its servers (this version does not take a whole pool through maintenance)";

static void warn_of_config(const struct job *job)
{
	struct buf text = {0};

	if (job->view)
		view_text_other_config(&job->view->other_pool, &text);
	if (text.length)
		print_complaint("%s: %s", job->server->named.name, text.text);
	buf_done(&text);
}

/* What the jobs change that was somebody's wish, each line once. */
static void show_notes(struct progress_display *display, const struct job *jobs,
		       size_t count, size_t *shown)
{
	for (size_t i = 0; i < count; i++) {
		const struct buf *notes = &jobs[i].notes;

		while (shown[i] < notes->length) {
			const char *line = notes->text + shown[i];
			size_t length = strcspn(line, "\n");

			progress_display_hide(display);
			print_line(stderr, "%s: %.*s", jobs[i].server->named.name,
				   (int)length, line);
			shown[i] += length + 1;
		}
	}
}

/* Hands over the jobs that are done now and were not before; the progress must not
 * be in the way of what is printed. */
static void show_done(struct progress_display *display, const struct job *jobs,
		      size_t count, bool *is_shown, struct output *output)
{
	for (size_t i = 0; i < count; i++) {
		if (is_shown[i] || jobs[i].step != STEP_DONE)
			continue;
		is_shown[i] = true;
		progress_display_hide(display);
		warn_of_config(&jobs[i]);
		output_row(output, &jobs[i]);
	}
}

static void watch(struct operation *operation, struct output *output,
		  const struct options *options)
{
	bool has_color = !options->has_no_color && terminal_can_draw(stderr);
	size_t count;
	const struct job *jobs = operation_jobs(operation, &count);
	size_t *shown_notes = xcalloc(count, sizeof(*shown_notes));
	bool is_going_on = true, *is_shown = xcalloc(count, sizeof(*is_shown));
	struct progress_display *display =
		progress_display_new(jobs, count, has_color, options->heartbeat_ms);

	while (is_going_on) {
		is_going_on = operation_step(operation);
		if (is_going_on && terminal_is_interrupted()) {
			operation_interrupt(operation);
			is_going_on = false;
		}
		show_notes(display, jobs, count, shown_notes);
		show_done(display, jobs, count, is_shown, output);
		progress_display_show(display);
	}
	progress_display_end(display);
	progress_display_free(display);
	free(is_shown);
	free(shown_notes);
	for (size_t i = 0; i < count; i++)
		output_entry(output, &jobs[i]);
}

/* For somebody who does not wait until poolctl has put things in order. */
static char *last_words(const struct order *order, const struct targets *targets)
{
	static const char *const left[GOAL__COUNT] = {
		[GOAL_OUT] =
			"a drain that a server accepted goes on, and a reservation "
			"ends by itself within 15 s",
		[GOAL_DRAINED] = "a drain that a server accepted goes on, and a "
				 "reservation ends by itself within 15 s",
		[GOAL_ENDED] = "what a server accepted goes on",
		[GOAL_RESUMED] = "what a server accepted goes on",
		[GOAL_SEEN_DRAINED] = "nothing was asked for",
		[GOAL_SEEN_SERVING] = "nothing was asked for",
	};
	struct buf words = {0};

	buf_printf(&words, "poolctl: ended at once; %s (see: poolctl status",
		   left[order->goal.kind]);
	for (size_t i = 0; i < targets->count; i++)
		buf_printf(&words, " %s", targets->servers[i]->named.name);
	buf_puts(&words, ")\n");
	return words.text;
}

static int run(const struct order *order, const struct targets *targets,
	       const struct options *options, struct client *client)
{
	struct operation *operation =
		operation_new(order, targets->servers, targets->count, client);
	char *words = last_words(order, targets);
	struct output output;
	int status;

	terminal_catch_interrupts(words);
	terminal_outlive_readers();
	output_begin(&output, &result_output, options, false);
	watch(operation, &output, options);
	output_end(&output);
	status = operation_exit_status(operation);
	operation_free(operation);
	return status;
}

/* Whoever only waits asks for nothing, and needs no name. */
static void identify(enum goal_kind goal, const struct options *options,
		     struct identity *identity, struct order *order)
{
	char user[HOST_NAME_BYTES], host[HOST_NAME_BYTES];

	order->goal.id = options->id;
	if (goal == GOAL_SEEN_DRAINED || goal == GOAL_SEEN_SERVING)
		return;
	host_user(user);
	host_name(host);
	identity_find(host_env, user, host, identity);
	order->goal.id = options->id ? options->id : identity->id;
	order->self = identity->owner;
	order->owner = options->owner ? options->owner : identity->owner;
	order->is_default_id = !options->id;
}

int server_operation_run(enum goal_kind goal, const struct options *options,
			 const struct pool_config *config,
			 server_operation_before *before, struct err *err)
{
	struct drain_targets targets;
	struct client *client = NULL;
	struct identity identity;
	int ret = -1;

	if (!drain_targets_find(config, options, server_operation_no_pools,
				&targets, err))
		client = client_new(err);
	if (client &&
	    (!before || !before(&targets, options, config, client, err))) {
		struct order order = {
			.goal = {.kind = goal,
				 .services = targets.services,
				 .service_count = targets.service_count},
			.config = config,
			.options = options,
			.reason = options->reason ? options->reason : "maintenance",
			.is_all = options->is_all,
			.timeout_ms = options->timeout_ms,
			.drain_options = targets.drain_options,
			.forced = targets.forced,
			.accepts_broken = options->accepts_broken,
			.lock_wait_ms = options->lock_wait_ms,
		};

		identify(goal, options, &identity, &order);
		ret = run(&order, &targets.targets, options, client);
	}
	client_free(client);
	drain_targets_done(&targets);
	return ret;
}
