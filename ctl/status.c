#include "status.h"

#include "client.h"
#include "commands.h"
#include "mem.h"
#include "output_json.h"
#include "output_text.h"
#include "problem.h"
#include "request.h"
#include "targets.h"
#include "terminal.h"
#include "text.h"
#include "view_text.h"

#include <jansson.h>
#include <stdlib.h>

enum {
	EXIT_SEVERAL = 8,
	RUN_MS = 1000,
	ELLIPSIS_COLUMNS = 3,
	NARROWED = 5,
	/* As a survey: so many at once, and for each so long from its turn on. */
	CONNECTIONS = 100,
	LIMIT_MS = 5000,
};

static void on_reply(void *context, const struct reply *reply)
{
	struct answer *answer = context;
	const char *url = answer->server->url;
	struct err err = {0};

	if (problem_from_reply(reply, url, &answer->problem))
		return;
	answer->view = request_read_view(answer->server, reply, &err);
	if (!answer->view)
		problem_from_err(&err, url, &answer->problem);
}

static int ask(struct answer *answers, size_t count, struct err *err)
{
	struct client *client = client_new(err);

	if (!client)
		return -1;
	client_set_limit(client, CONNECTIONS);
	for (size_t i = 0; i < count; i++)
		request_view_within(client, answers[i].server, LIMIT_MS, on_reply,
				    &answers[i]);
	while (client_run(client, RUN_MS))
		;
	client_free(client);
	return 0;
}

/* A server that is out has few left of many; one that serves just has some. */
static void add_sessions(struct table *table, const struct server_view *view)
{
	struct buf text = {0};

	text_add_count(&text, view->progress.sessions);
	if (view->phase != PHASE_SERVING && view->progress.peak != COUNT_UNKNOWN) {
		buf_puts(&text, "/");
		text_add_count(&text, view->progress.peak);
	}
	table_add(table, text.text, NULL);
	buf_done(&text);
}

/* Adds to the note, after what it says already. */
static void add_note(struct buf *note, const struct buf *more)
{
	if (more->length)
		buf_printf(note, "%s%s", note->length ? "; " : "", more->text);
}

/* Of several drains each is named. */
static void add_terms(struct buf *note, const struct server_view *view,
		      bool has_countdown)
{
	bool has_several = server_view_count_drains(view) > 1;

	for (size_t i = 0; i < view->drain_count; i++) {
		const struct drain_view *drain = &view->drains[i];
		struct buf terms = {0}, named = {0};

		if (drain->is_active)
			view_text_terms(drain, view->time, has_countdown, &terms);
		if (terms.length && has_several)
			buf_printf(&named, "%s: ", drain->id);
		if (terms.length)
			buf_puts(&named, terms.text);
		add_note(note, &named);
		buf_done(&named);
		buf_done(&terms);
	}
}

static void add_drains(struct table *table, const struct server_view *view, int columns)
{
	struct buf drains = {0};

	view_text_drains(view, &drains);
	if (drains.length && columns && text_columns(drains.text) > columns) {
		drains.length = text_fit(drains.text, columns - ELLIPSIS_COLUMNS);
		buf_puts(&drains, "...");
	}
	table_add(table, drains.text ? drains.text : "", NULL);
	buf_done(&drains);
}

static void add_outlook(struct buf *note, const struct server_view *view)
{
	struct buf outlook = {0};

	if (view->phase == PHASE_DRAINING && view->progress.eta_s >= 0)
		view_text_outlook(&view->progress, true, &outlook);
	add_note(note, &outlook);
	buf_done(&outlook);
}

static void add_notes(struct table *table, const struct server_view *view,
		      bool has_countdown)
{
	static const struct aim all_services = {.goal = GOAL_SEEN_SERVING};
	struct buf note = {0}, reserved = {0}, uncounted = {0}, cut = {0};

	judge_explain(&all_services, view, VERDICT_ATTENTION, &note);
	view_text_reservation(view, &reserved);
	add_note(&note, &reserved);
	buf_done(&reserved);
	view_text_uncounted(view, &uncounted);
	add_note(&note, &uncounted);
	buf_done(&uncounted);
	if (has_countdown)
		add_outlook(&note, view);
	add_terms(&note, view, has_countdown);
	if (view->progress.cut > 0)
		judge_explain(&all_services, view, VERDICT_CUT, &cut);
	add_note(&note, &cut);
	buf_done(&cut);
	table_add(table, note.text ? note.text : "", NULL);
	buf_done(&note);
}

/* That nobody knows is said before anything that a narrow screen has no room for. */
static void add_phase(struct table *table, const struct answer *answer, bool has_color,
		      bool has_countdown)
{
	enum phase phase = answer->view ? answer->view->phase : PHASE_ATTENTION;
	char duration[TEXT_DURATION_BYTES];
	struct buf text = {0};

	buf_puts(&text, answer->view ? phase_name(phase) : "?");
	if (!answer->view && answer->unknown_ms && has_countdown)
		buf_printf(&text, " %s", text_duration(answer->unknown_ms, duration));
	table_add(table, text.text, has_color ? text_color(phase) : NULL);
	buf_done(&text);
}

void status_row(struct table *table, const struct answer *answer, bool has_color,
		bool has_countdown, int drains_columns)
{
	const struct server_view *view = answer->view;

	table_add(table, answer->server->named.name, NULL);
	add_phase(table, answer, has_color, has_countdown);
	if (view) {
		add_sessions(table, view);
		add_drains(table, view, drains_columns);
		add_notes(table, view, has_countdown);
	} else {
		table_add(table, "?", NULL);
		table_add(table, "", NULL);
		table_add(table, answer->problem.text, NULL);
	}
}

void status_headings(struct table *table)
{
	static const char *const headings[STATUS_COLUMNS] = {
		"SERVER", "PHASE", "SESSIONS", "DRAINS", "NOTE"};

	for (size_t column = 0; column < STATUS_COLUMNS; column++)
		table_add(table, headings[column], NULL);
}

/* The answers are in the order of the file, so those of a pool are together. */
void status_tables(const struct answer *answers, size_t count, bool has_color,
		   int columns, struct buf *text)
{
	for (size_t i = 0; i < count;) {
		const struct pool *pool = answers[i].pool;
		struct table *title = table_new(1), *table = table_new(STATUS_COLUMNS);

		if (i > 0)
			buf_puts(text, "\n");
		table_add(title, pool->named.name, NULL);
		table_render(title, columns, NULL, text);
		status_headings(table);
		for (; i < count && answers[i].pool == pool; i++)
			status_row(table, &answers[i], has_color, true,
				   columns / NARROWED);
		table_render(table, columns, NULL, text);
	}
}

static void print_tables(const struct answer *answers, size_t count, bool has_color)
{
	struct buf text = {0};

	status_tables(answers, count, has_color, 0, &text);
	(void)fputs(text.text ? text.text : "", stdout);
	buf_done(&text);
}

json_t *status_describe(const struct answer *answer)
{
	const struct server_view *view = answer->view;

	if (!view)
		return json_pack("{s:s, s:b, s:i, s:s?}", "server",
				 answer->server->named.name, "answers", 0, "exit_code",
				 answer->problem.exit_status, "message",
				 answer->problem.text);
	return json_pack("{s:s, s:b, s:s, s:O}", "server", answer->server->named.name,
			 "answers", 1, "phase", phase_name(view->phase), "document",
			 view->document);
}

static void print_json(const struct answer *answers, size_t count)
{
	json_t *pools = json_array(), *servers = NULL;

	for (size_t i = 0; i < count; i++) {
		if (i == 0 || answers[i].pool != answers[i - 1].pool) {
			servers = json_array();
			(void)json_array_append_new(pools,
						    json_pack("{s:s, s:o}", "pool",
							      answers[i].pool->named.name,
							      "servers", servers));
		}
		(void)json_array_append_new(servers, status_describe(&answers[i]));
	}
	output_json(json_pack("{s:o}", "pools", pools));
}

static void print_lines(const struct answer *answers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_t *line = status_describe(&answers[i]);

		(void)json_object_set_new(line, "pool",
					  json_string(answers[i].pool->named.name));
		output_json(line);
	}
}

static int exit_status(const struct answer *answers, size_t count)
{
	int status = 0;

	for (size_t i = 0; i < count; i++) {
		int one = answers[i].view ? 0 : answers[i].problem.exit_status;

		if (i > 0 && one != status)
			return EXIT_SEVERAL;
		status = one;
	}
	return status;
}

static void print(const struct answer *answers, size_t count,
		  const struct options *options)
{
	bool has_color = !options->has_no_color && terminal_can_draw(stdout);

	if (options->output == OUTPUT_TABLE)
		print_tables(answers, count, has_color);
	else if (options->output == OUTPUT_JSON)
		print_json(answers, count);
	else
		print_lines(answers, count);
}

/* The targets are in the order of the file. */
static struct answer *list_answers(const struct pool_config *config,
				   const struct targets *targets)
{
	struct answer *answers = xcalloc(targets->count, sizeof(*answers));
	size_t i = 0;

	LIST_EACH (struct pool, pool, config->pools)
		LIST_EACH (struct pool_server, server, pool->servers)
			if (i < targets->count && targets->servers[i] == server)
				answers[i++] =
					(struct answer){.pool = pool, .server = server};
	return answers;
}

int command_status(const struct options *options, const struct pool_config *config,
		   struct err *err)
{
	struct answer *answers = NULL;
	struct targets targets;
	int ret = -1;

	if (options->is_watch && options->output == OUTPUT_JSON)
		return err_set(err, ERR_USAGE,
			       "--watch prints each change: -o table or jsonl");
	if (targets_find(config, options, NULL, &targets, err))
		goto out;
	answers = list_answers(config, &targets);
	if (options->is_watch) {
		ret = status_watch(answers, targets.count, options, err);
	} else if (!ask(answers, targets.count, err)) {
		print(answers, targets.count, options);
		ret = exit_status(answers, targets.count);
	}
	for (size_t i = 0; i < targets.count; i++)
		server_view_free(answers[i].view);
out:
	free(answers);
	targets_done(&targets);
	return ret;
}
