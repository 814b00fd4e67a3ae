#include "commands/status_watch.h"

#include "backoff.h"
#include "terminal/redraw.h"
#include "mem.h"
#include "terminal/terminal.h"
#include "text/json_write.h"
#include "text/text.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

enum {
	STEP_MS = 100,
	/* A server that hangs is shown as unknown after both. */
	POLL_S = 5,
	ANSWER_MS = 2000,
	FIRST_MS = 5000, /* without waiting, as `status` does */
	BACKOFF_MIN_MS = 200,
	BACKOFF_MAX_MS = 2000,
};

/* One server, and what was last seen or printed of it. */
struct watched {
	struct status_server *server;
	bool was_seen;         /* it has answered, with a view */
	struct mono view_at;   /* when it last answered */
	struct wall seen_at;   /* the same */
	struct wall view_time; /* the server's, then */
	bool is_failing;
	struct wall failing_since;
	struct mono failing_from, retry_at;
	struct mono next_at; /* one of many is asked again from then on */
	struct backoff backoff;
	int64_t printed_index; /* -1: that it is unknown; -2: nothing yet */
	char *printed;
};

struct watch {
	struct client *client;
	struct watched *servers;
	struct status_server *shown;
	size_t count;
	struct redraw frame;
	struct output output;
};

/* ---- asking ---- */

/* Its state is unknown since it last answered: what it was says nothing about what
 * it is. */
static void miss(struct watched *watched)
{
	if (!watched->is_failing) {
		watched->failing_since =
			watched->was_seen ? watched->seen_at : clock_wall();
		watched->failing_from =
			watched->was_seen ? watched->view_at : clock_mono();
	}
	watched->is_failing = true;
	watched->retry_at = clock_add(
		clock_mono(),
		backoff_next(&watched->backoff, BACKOFF_MIN_MS, BACKOFF_MAX_MS));
}

/* Says since when, before why. */
static void date_problem(struct watched *watched)
{
	struct problem *problem = &watched->server->exchange.problem;
	char time[CLOCK_TEXT_BYTES], *text;

	text = xasprintf("unknown since %s: %s",
			 clock_print(watched->failing_since, time), problem->text);
	utf8_copy(problem->text, sizeof(problem->text), text);
	/* It may have been cut within a character. */
	text_clean(problem->text, true);
	free(text);
}

static void on_reply(void *context)
{
	struct watched *watched = context;
	const struct exchange *exchange = &watched->server->exchange;

	if (!exchange->is_good) {
		miss(watched);
		date_problem(watched);
		return;
	}
	watched->was_seen = true;
	watched->view_at = clock_mono();
	watched->seen_at = clock_wall();
	watched->view_time = exchange->view->time;
	watched->is_failing = false;
	watched->next_at = clock_add(clock_mono(), POLL_S * 1000);
	backoff_reset(&watched->backoff);
}

static void ask(struct watch *watch)
{
	struct mono now = clock_mono();

	for (size_t i = 0; i < watch->count; i++) {
		struct watched *watched = &watch->servers[i];
		struct exchange *exchange = &watched->server->exchange;
		struct request request = {.kind = REQUEST_VIEW,
					  .timeout_ms = FIRST_MS};

		if (exchange->is_busy ||
		    (watched->is_failing &&
		     clock_since(watched->retry_at, now) < 0) ||
		    (watch->count > CLIENT_MANY &&
		     clock_since(watched->next_at, now) < 0))
			continue;
		/* With many servers none may keep others waiting. */
		if (exchange->view && watch->count <= CLIENT_MANY)
			request = (struct request){.kind = REQUEST_VIEW,
						   .timeout_ms = ANSWER_MS,
						   .after = exchange->view,
						   .wait_s = POLL_S};
		exchange_send(exchange, &request, watch->client);
	}
}

/* ---- showing ---- */

/* Deadlines come nearer while nothing else changes. */
static void let_time_pass(struct watched *watched)
{
	struct status_server *server = watched->server;

	server->unknown_ms =
		watched->is_failing
			? 1 + clock_since(watched->failing_from, clock_mono())
			: 0;
	if (server->exchange.view)
		server->exchange.view->time.ms =
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
	status_table_draw(
		watch->shown, watch->count,
		(struct table_style){watch->output.style.has_color, columns - 1},
		&text);
	cut_rows(&text, rows - 1);
	redraw_show(&watch->frame, text.text);
	buf_done(&text);
}

/* True if its row is another one than before. */
static bool has_changed(struct watched *watched)
{
	struct table *table =
		table_new(status_table_headings, (struct table_style){0});
	struct buf row = {0};
	bool is_same;

	status_table_add_row(table, watched->server, false);
	table_render(table, false, NULL, &row);
	is_same = watched->printed && !strcmp(row.text, watched->printed);
	free(watched->printed);
	watched->printed = row.text;
	return !is_same;
}

/* The time alone is no change. */
static void add_row(struct table *table, const void *row)
{
	struct watched *watched = (struct watched *)row;
	const struct server_view *view = watched->server->exchange.view;
	char time[CLOCK_TEXT_BYTES];

	if (!has_changed(watched))
		return;
	table_add(table, clock_print(view ? view->time : clock_wall(), time));
	status_table_add_row(table, watched->server, false);
}

static json_t *describe_row(const void *row)
{
	struct watched *watched = (struct watched *)row;
	const struct server_view *view = watched->server->exchange.view;
	int64_t index = view ? view->index : -1;
	char time[CLOCK_TEXT_BYTES];
	json_t *object;

	if (index == watched->printed_index)
		return NULL;
	watched->printed_index = index;
	object = status_table_describe_row(watched->server);
	if (watched->is_failing)
		json_write_text(object, "since",
				clock_format(watched->failing_since, time));
	return object;
}

static void show(struct watch *watch)
{
	if (output_can_be_drawn(&watch->output)) {
		draw(watch);
		return;
	}
	for (size_t i = 0; i < watch->count; i++) {
		struct watched *watched = &watch->servers[i];

		if (watched->was_seen || watched->is_failing)
			output_row(&watch->output, watched);
	}
}

/* ---- the loop ---- */

static void run(struct watch *watch)
{
	/* Also when nobody reads what is printed any more. */
	while (!terminal_is_interrupted() && !ferror(stdout)) {
		ask(watch);
		(void)client_run(watch->client, STEP_MS);
		show(watch);
	}
}

int status_watch(struct status_server *servers, size_t count,
		 const struct options *options, struct err *err)
{
	static const char *const headings[] = {
		"TIME", "SERVER", "PHASE", "SESSIONS", "DRAINS", "NOTE", NULL};
	static const struct output_kind kind = {.headings = headings,
						.add_row = add_row,
						.describe_row = describe_row};
	struct watch watch = {
		.client = client_new(err),
		.servers = xcalloc(count, sizeof(*watch.servers)),
		.shown = servers,
		.count = count,
		.frame.stream = stdout,
	};

	for (size_t i = 0; i < count; i++) {
		struct exchange *exchange = &servers[i].exchange;

		watch.servers[i].server = &servers[i];
		watch.servers[i].printed_index = -2;
		exchange->on_over = on_reply;
		exchange->context = &watch.servers[i];
		utf8_copy(exchange->problem.text, sizeof(exchange->problem.text),
			  "asking");
	}
	output_begin(&watch.output, &kind, options, true);
	if (watch.client) {
		client_set_limit(watch.client, CLIENT_MANY);
		terminal_catch_interrupts("poolctl: ended at once\n");
		run(&watch);
	}
	for (size_t i = 0; i < count; i++)
		free(watch.servers[i].printed);
	free(watch.servers);
	redraw_done(&watch.frame);
	if (!watch.client)
		return -1;
	client_free(watch.client);
	return err_info(ferror(stdout) ? ERR_INTERNAL : ERR_INTERRUPTED)
		->exit_status;
}
