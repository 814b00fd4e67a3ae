/*
 * Tables and results for people, on standard output.
 */
#ifndef POOLCTL_OUTPUT_TEXT_H
#define POOLCTL_OUTPUT_TEXT_H

#include "buf.h"
#include "drive.h"

#include <stddef.h>

struct table;

/* The headings are given as the first row. */
struct table *table_new(size_t columns);

/* Adds a cell, which is copied and cleaned; `color` is a code of the terminal, or NULL.
 */
void table_add(struct table *table, const char *cell, const char *color);

/* Prints the rows with their columns aligned, and frees the table. */
void table_print(struct table *table);

/*
 * Adds the rows to the text instead, and frees the table.  A row takes at most so many
 * columns of the screen (0: any number).  `widths`, unless it is NULL, has the least
 * width for each column, and gets what it came to.
 */
void table_render(struct table *table, int columns, int *widths, struct buf *text);

/* How a job ended: a line on standard output if the goal was reached, and a complaint on
 * standard error if something is not as asked. */
void output_text_result(const struct job *job);

#endif
