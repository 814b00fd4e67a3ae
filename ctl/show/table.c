#include "show/table.h"

#include "mem.h"
#include "terminal/print.h"
#include "terminal/terminal.h"
#include "text/text.h"

#include <limits.h>
#include <stdlib.h>

enum { GAP_COLUMNS = 2 };

struct cell {
	char *text;
	const char *color;
};

struct table {
	struct table_style style;
	size_t columns;
	struct cell *cells; /* the headings are the first row */
	size_t count;
	bool has_utf8;
};

struct table *table_new(const char *const *headings, struct table_style style)
{
	struct table *table = xcalloc(1, sizeof(*table));

	table->style = style;
	table->has_utf8 = terminal_takes_utf8(stdout);
	while (headings[table->columns])
		table_add(table, headings[table->columns++]);
	return table;
}

void table_free(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table);
}

struct table_style table_style(const struct table *table)
{
	return table->style;
}

void table_printf(struct table *table, const char *color, const char *format, ...)
{
	struct cell cell = {.color = table->style.has_color ? color : NULL};
	struct buf text = {0};
	va_list args;

	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	cell.text = text.text;
	text_clean(cell.text, table->has_utf8);
	table->cells =
		xrealloc(table->cells, (table->count + 1) * sizeof(*table->cells));
	table->cells[table->count++] = cell;
}

void table_add(struct table *table, const char *cell)
{
	table_printf(table, NULL, "%s", cell);
}

bool table_is_empty(const struct table *table)
{
	return table->count == table->columns;
}

static int width_of(const struct table *table, size_t column, int least)
{
	int width = least;

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
		buf_puts(text, print_no_color);
	width -= text_columns(cell->text);
	*columns_left -= text_columns(cell->text);
	if (width > *columns_left)
		width = *columns_left;
	if (width > 0)
		buf_printf(text, "%*s", width, "");
	*columns_left -= width > 0 ? width : 0;
}

static void add_row(const struct table *table, const struct cell *cells,
		    const int *widths, struct buf *text)
{
	int left =
		table->style.screen_columns ? table->style.screen_columns : INT_MAX;
	size_t last = table->columns - 1;

	for (size_t i = 0; i <= last; i++)
		add_cell(text, &cells[i], i < last ? widths[i] + GAP_COLUMNS : 0,
			 &left);
	while (text->text[text->length - 1] == ' ')
		text->length--;
	buf_puts(text, "\n");
}

void table_render(struct table *table, bool has_headings, int *widths,
		  struct buf *text)
{
	int *own = xcalloc(table->columns, sizeof(*own));

	if (!widths)
		widths = own;
	for (size_t i = 0; i < table->columns; i++)
		widths[i] = width_of(table, i, widths[i]);
	for (size_t i = has_headings ? 0 : table->columns; i < table->count;
	     i += table->columns)
		add_row(table, table->cells + i, widths, text);
	free(own);
	table_free(table);
}

void table_print(struct table *table)
{
	struct buf text = {0};

	table_render(table, true, NULL, &text);
	(void)fputs(text.text, stdout);
	buf_done(&text);
}
