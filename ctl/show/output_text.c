#include "show/output.h"

#include "text/text.h"

#include <stdio.h>

static void put(struct output *output, const struct buf *text)
{
	if (output->text)
		buf_puts(output->text, text->text);
	else
		(void)fputs(text->text, stdout);
}

static void start_table(struct output *output)
{
	if (!output->table)
		output->table = table_new(output->kind->headings, output->style);
}

static void end_table(struct output *output)
{
	struct buf text = {0};

	if (!output->table)
		return;
	table_render(output->table, true, NULL, &text);
	output->table = NULL;
	put(output, &text);
	buf_done(&text);
}

/* A table without rows shows its headings. */
static void begin(struct output *output)
{
	if (output->kind->headings && !output->kind->title && !output->is_live)
		start_table(output);
}

static void put_title(struct output *output, const char *title)
{
	const char *const headings[] = {title, NULL};
	struct buf text = {0};

	if (output->titles++)
		buf_puts(&text, "\n");
	table_render(table_new(headings, output->style), true, NULL, &text);
	put(output, &text);
	buf_done(&text);
}

static void entry(struct output *output, const void *entry)
{
	const struct output_kind *kind = output->kind;

	if (kind->title || kind->print)
		end_table(output);
	if (kind->title)
		put_title(output, kind->title(entry));
	if (kind->print)
		kind->print(entry);
}

static void show_live(struct output *output, const void *row)
{
	struct table *table = table_new(output->kind->headings, output->style);
	struct buf text = {0};

	output->kind->add_row(table, row);
	if (table_is_empty(table)) {
		table_free(table);
		return;
	}
	table_render(table, !output->has_headings, output->widths, &text);
	output->has_headings = true;
	put(output, &text);
	(void)fflush(stdout);
	buf_done(&text);
}

static void row(struct output *output, const void *row)
{
	if (!output->kind->add_row)
		return;
	if (output->is_live) {
		show_live(output, row);
		return;
	}
	start_table(output);
	output->kind->add_row(output->table, row);
}

const struct output_writer output_text = {
	.can_be_live = true,
	.can_be_drawn = true,
	.begin = begin,
	.entry = entry,
	.row = row,
	.end = end_table,
};
