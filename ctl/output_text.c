#include "output_text.h"

#include "gates_output.h"
#include "look.h"
#include "mem.h"
#include "terminal.h"
#include "text.h"

#include <limits.h>
#include <stdlib.h>

enum { GAP_COLUMNS = 2, EXIT_REFUSED = 4 };

struct cell {
	char *text;
	const char *color;
};

struct table {
	size_t columns;
	struct cell *cells;
	size_t count;
	bool has_utf8;
};

struct table *table_new(size_t columns)
{
	struct table *table = xcalloc(1, sizeof(*table));

	table->columns = columns;
	table->has_utf8 = terminal_takes_utf8(stdout);
	return table;
}

void table_add(struct table *table, const char *cell, const char *color)
{
	struct cell *fresh;

	table->cells = xrealloc(table->cells, (table->count + 1) * sizeof(*table->cells));
	fresh = &table->cells[table->count++];
	*fresh = (struct cell){xstrdup(cell), color};
	text_clean(fresh->text, table->has_utf8);
}

static int width_of(const struct table *table, size_t column)
{
	int width = 0;

	for (size_t i = column; i < table->count; i += table->columns) {
		int columns = text_columns(table->cells[i].text);

		width = columns > width ? columns : width;
	}
	return width;
}

/* Adds the cell, cut to the columns that are left, and spaces up to its width. */
static void add_cell(struct buf *text, const struct cell *cell, int width,
		     int *columns_left)
{
	size_t length = text_fit(cell->text, *columns_left);

	cell->text[length] = '\0';
	if (cell->color)
		buf_puts(text, cell->color);
	buf_puts(text, cell->text);
	if (cell->color)
		buf_puts(text, text_no_color);
	width -= text_columns(cell->text);
	*columns_left -= text_columns(cell->text);
	if (width > *columns_left)
		width = *columns_left;
	if (width > 0)
		buf_printf(text, "%*s", width, "");
	*columns_left -= width > 0 ? width : 0;
}

static void add_row(struct buf *text, const struct cell *cells, size_t count,
		    const int *widths, int columns)
{
	int columns_left = columns ? columns : INT_MAX;

	for (size_t i = 0; i < count; i++)
		add_cell(text, &cells[i], i + 1 < count ? widths[i] + GAP_COLUMNS : 0,
			 &columns_left);
	buf_puts(text, "\n");
}

void table_render(struct table *table, int columns, int *widths, struct buf *text)
{
	int *own = xcalloc(table->columns, sizeof(*own));

	for (size_t i = 0; i < table->columns; i++) {
		own[i] = width_of(table, i);
		if (widths && widths[i] > own[i])
			own[i] = widths[i];
		if (widths)
			widths[i] = own[i];
	}
	for (size_t i = 0; i < table->count; i += table->columns)
		add_row(text, table->cells + i, table->columns, own, columns);
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i].text);
	free(own);
	free(table->cells);
	free(table);
}

void table_print(struct table *table)
{
	struct buf text = {0};

	table_render(table, 0, NULL, &text);
	(void)fputs(text.text ? text.text : "", stdout);
	buf_done(&text);
}

static void add_details(const struct job *job, struct buf *line)
{
	char text[TEXT_DURATION_BYTES];
	const char *took = text_duration(job_elapsed_ms(job), text);

	switch (job->order->aim.goal) {
	case GOAL_OUT:
		buf_printf(line, " (takes no new sessions; drain %s)",
			   job->order->aim.id);
		break;
	case GOAL_DRAINED:
		buf_puts(line, " (");
		text_add_count(line, job->view->progress.ended);
		buf_printf(line, " sessions ended, %lld cut, %s)",
			   (long long)job->view->progress.cut, took);
		break;
	case GOAL_ENDED:
		buf_puts(line, " (resuming)");
		break;
	default:
		buf_printf(line, " (after %s)", took);
	}
}

static void print_reached(const struct job *job)
{
	struct buf line = {0};

	buf_printf(&line, "%s: ", job->server->named.name);
	if (job->result.exit_status == 0 && job->result.message) {
		buf_puts(&line, job->result.message);
	} else if (job->was_there) {
		buf_printf(&line, "already %s",
			   phase_name(job_drain(job) ? PHASE_DRAINED : job->view->phase));
	} else {
		buf_puts(&line, job->result.word);
		add_details(job, &line);
	}
	if (job->outside)
		outside_add_unwanted(job->outside, &line);
	text_print(stdout, line.text);
	buf_done(&line);
}

void output_text_result(const struct job *job)
{
	int status = job->result.exit_status;

	if (status == 0 || status == judge_exit_status(VERDICT_CUT))
		print_reached(job);
	if (job->result.message && status != 0)
		text_complain("%s: %s", job->server->named.name, job->result.message);
	if (status == EXIT_REFUSED && look_gates(job->look))
		gates_print_refusals(stderr, look_gates(job->look), job->order->forced);
}
