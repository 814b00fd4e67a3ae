#include "status.h"

#include "client.h"
#include "frame.h"
#include "mem.h"
#include "output_json.h"
#include "request.h"
#include "terminal.h"
#include "text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum {
	STEP_MS = 100,
	/* A server that hangs is shown as unknown after both. */
	POLL_S = 5,
	ANSWER_MS = 2000,
	BACKOFF_MIN_MS = 200,
	BACKOFF_MAX_MS = 2000,
};

/* One server, and what was last seen or printed of it. */
struct watched {
	struct answer *answer;
	bool is_busy, has_answered;
	struct mono view_at;   /* when it last answered */
	struct wall seen_at;   /* the same */
	struct wall view_time; /* the server's, then */
	bool is_failing;
	struct wall failing_since;
	struct mono failing_from, retry_at;
	int64_t backoff_ms;
	int64_t printed_index; /* -1: that it is unknown; -2: nothing yet */
	char *printed;
};

struct watch {
	struct client *client;
	struct watched *servers;
	struct answer *answers;
	size_t count;
	bool has_color, has_headings;
	int widths[STATUS_COLUMNS + 1];
	struct frame frame;
};

/* ---- asking ---- */

/* Its state is unknown since it last answered: what it was says nothing about what it
 * is. */
static void miss(struct watched *watched)
{
	struct answer *answer = watched->answer;

	if (!watched->is_failing) {
		watched->failing_since = answer->view ? watched->seen_at : clock_wall();
		watched->failing_from = answer->view ? watched->view_at : clock_mono();
	}
	server_view_free(answer->view);
	answer->view = NULL;
	watched->is_failing = true;
	watched->backoff_ms =
		watched->backoff_ms ? watched->backoff_ms * 2 : BACKOFF_MIN_MS;
	if (watched->backoff_ms > BACKOFF_MAX_MS)
		watched->backoff_ms = BACKOFF_MAX_MS;
	watched->retry_at = clock_add(clock_mono(), watched->backoff_ms);
}

/* Says since when, before why. */
static void date_problem(struct watched *watched)
{
	struct problem *problem = &watched->answer->problem;
	char time[CLOCK_TEXT_BYTES], *text;

	text = xasprintf("unknown since %s: %s",
			 clock_format(watched->failing_since, time), problem->text);
	copy_text(problem->text, sizeof(problem->text), text);
	/* It may have been cut within a character. */
	text_clean(problem->text, true);
	free(text);
}

static void on_reply(void *context, const struct reply *reply)
{
	struct watched *watched = context;
	struct answer *answer = watched->answer;
	const char *url = answer->server->url;
	struct server_view *view = NULL;
	struct err err = {0};

	watched->is_busy = false;
	watched->has_answered = true;
	if (!problem_from_reply(reply, url, &answer->problem)) {
		view = request_read_view(answer->server, reply, &err);
		if (!view)
			problem_from_err(&err, url, &answer->problem);
	}
	if (!view) {
		miss(watched);
		date_problem(watched);
		return;
	}
	server_view_free(answer->view);
	answer->view = view;
	watched->view_at = clock_mono();
	watched->seen_at = clock_wall();
	watched->view_time = view->time;
	watched->is_failing = false;
	watched->backoff_ms = 0;
}

static void ask_one(struct client *client, struct watched *watched)
{
	const struct answer *answer = watched->answer;

	watched->is_busy = true;
	if (answer->view)
		request_next_view(client, answer->server, answer->view, POLL_S, ANSWER_MS,
				  on_reply, watched);
	else
		request_view(client, answer->server, NULL, 0, on_reply, watched);
}

static void ask(struct watch *watch)
{
	struct mono now = clock_mono();

	for (size_t i = 0; i < watch->count; i++) {
		struct watched *watched = &watch->servers[i];

		if (!watched->is_busy &&
		    (!watched->is_failing || clock_since(watched->retry_at, now) >= 0))
			ask_one(watch->client, watched);
	}
}

/* ---- showing ---- */

/* Deadlines come nearer while nothing else changes. */
static void let_time_pass(struct watched *watched)
{
	watched->answer->unknown_ms =
		watched->is_failing ? 1 + clock_since(watched->failing_from, clock_mono())
				    : 0;
	if (watched->answer->view)
		watched->answer->view->time.ms =
			watched->view_time.ms +
			clock_since(watched->view_at, clock_mono());
}

/* Cuts the text to so many lines; the last one says how many there are not. */
static void cut_rows(struct buf *text, int rows)
{
	char *line = text->text;
	int more = 0;

	for (int i = 0; i < rows - 1; i++) {
		char *end = strchr(line, '\n');

		if (!end)
			return;
		line = end + 1;
	}
	for (const char *at = line; (at = strchr(at, '\n')); at++)
		more++;
	if (more < 2)
		return;
	text->length = (size_t)(line - text->text);
	buf_printf(text, "(%d lines more)\n", more);
}

static void draw(struct watch *watch)
{
	struct buf text = {0};
	int columns, rows;

	for (size_t i = 0; i < watch->count; i++)
		let_time_pass(&watch->servers[i]);
	terminal_size(stdout, &columns, &rows);
	status_tables(watch->answers, watch->count, watch->has_color, columns - 1, &text);
	cut_rows(&text, rows - 1);
	frame_show(&watch->frame, text.text);
	buf_done(&text);
}

/* The first cell of the row is the time, which alone is no change. */
static void print_row(struct watch *watch, struct watched *watched)
{
	const struct answer *answer = watched->answer;
	struct table *table = table_new(STATUS_COLUMNS), *timed;
	char time[CLOCK_TEXT_BYTES];
	int widths[STATUS_COLUMNS] = {0};
	struct buf row = {0}, line = {0};

	status_row(table, answer, false, false, 0);
	table_render(table, 0, widths, &row);
	if (!watched->printed || strcmp(row.text, watched->printed) != 0) {
		timed = table_new(STATUS_COLUMNS + 1);
		if (!watch->has_headings) {
			table_add(timed, "TIME", NULL);
			status_headings(timed);
		}
		watch->has_headings = true;
		table_add(timed,
			  clock_format(answer->view ? answer->view->time : clock_wall(),
				       time),
			  NULL);
		status_row(timed, answer, false, false, 0);
		table_render(timed, 0, watch->widths, &line);
		(void)fputs(line.text, stdout);
		(void)fflush(stdout);
		buf_done(&line);
	}
	free(watched->printed);
	watched->printed = row.text;
}

static void print_object(struct watched *watched)
{
	const struct answer *answer = watched->answer;
	int64_t index = answer->view ? answer->view->index : -1;
	char time[CLOCK_TEXT_BYTES];
	json_t *line;

	if (index == watched->printed_index)
		return;
	watched->printed_index = index;
	line = status_describe(answer);
	(void)json_object_set_new(line, "pool", json_string(answer->pool->named.name));
	if (watched->is_failing)
		(void)json_object_set_new(
			line, "since",
			json_string(clock_format(watched->failing_since, time)));
	output_json(line);
}

static void show(struct watch *watch, enum output output)
{
	if (watch->frame.stream) {
		draw(watch);
		return;
	}
	for (size_t i = 0; i < watch->count; i++) {
		struct watched *watched = &watch->servers[i];

		if (!watched->has_answered)
			continue;
		if (output == OUTPUT_TABLE)
			print_row(watch, watched);
		else
			print_object(watched);
	}
}

/* ---- the loop ---- */

static void run(struct watch *watch, enum output output)
{
	/* Also when nobody reads what is printed any more. */
	while (!terminal_is_interrupted() && !ferror(stdout)) {
		ask(watch);
		(void)client_run(watch->client, STEP_MS);
		show(watch, output);
	}
}

int status_watch(struct answer *answers, size_t count, const struct options *options,
		 struct err *err)
{
	bool can_draw = terminal_can_draw(stdout);
	struct watch watch = {
		.client = client_new(err),
		.servers = xcalloc(count, sizeof(*watch.servers)),
		.answers = answers,
		.count = count,
		.has_color = can_draw && !options->has_no_color,
	};

	for (size_t i = 0; i < count; i++) {
		watch.servers[i].answer = &answers[i];
		watch.servers[i].printed_index = -2;
		copy_text(answers[i].problem.text, sizeof(answers[i].problem.text),
			  "asking");
	}
	if (can_draw && options->output == OUTPUT_TABLE)
		watch.frame.stream = stdout;
	if (watch.client) {
		terminal_catch_interrupts();
		run(&watch, (enum output)options->output);
	}
	for (size_t i = 0; i < count; i++)
		free(watch.servers[i].printed);
	free(watch.servers);
	frame_done(&watch.frame);
	if (!watch.client)
		return -1;
	client_free(watch.client);
	return err_info(ERR_INTERRUPTED)->exit_status;
}
