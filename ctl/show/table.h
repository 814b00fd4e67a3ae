/*
 * Tables for people: rows of cells under headings, aligned.
 */
#ifndef POOLCTL_TABLE_H
#define POOLCTL_TABLE_H

#include "buf.h"
#include "compat.h"

#include <stdbool.h>
#include <stddef.h>

struct table;

/* How tables look. */
struct table_style {
	bool has_color;
	int screen_columns; /* a row takes no more of them; 0: any number */
};

/* The headings end with NULL: as many as a row has cells. */
struct table *table_new(const char *const *headings, struct table_style style);
void table_free(struct table *table);

struct table_style table_style(const struct table *table);

/* Adds the next cell of the row, which is copied and cleaned. */
void table_add(struct table *table, const char *cell);

/* The same, formatted; in a colour (a code of the terminal, or NULL) if the style
 * has colours. */
void table_printf(struct table *table, const char *color, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* True if no row was added. */
bool table_is_empty(const struct table *table);

/*
 * Adds the rows to the text, and frees the table.  `widths`, unless it is NULL, has
 * the least width for each column, and gets what it came to: so rows that come one
 * by one, each in a table of its own, stay aligned.
 */
void table_render(struct table *table, bool has_headings, int *widths,
		  struct buf *text);

/* Prints the headings and rows on standard output, and frees the table. */
void table_print(struct table *table);

#endif
