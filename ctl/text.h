/*
 * Text that is safe to show: what peers send may not control the operator's terminal.
 *
 * Every line that poolctl prints goes through here.
 */
#ifndef POOLCTL_TEXT_H
#define POOLCTL_TEXT_H

#include "compat.h"

#include "api.h"
#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { TEXT_DURATION_BYTES = 24 };

/* Makes each control character, each that reorders text, and each byte that is no UTF-8
 * into a `?`; without UTF-8 everything but ASCII. */
void text_clean(char *text, bool has_utf8);

/* How many columns the text takes at most; one more for a character that may be wide. */
int text_columns(const char *text);

/* How many bytes of the text fit into so many columns. */
size_t text_fit(const char *text, int columns);

/* Prints one line, cleaned. */
void text_print(FILE *stream, const char *line);

/* Prints a text of several lines, each cleaned; takes the line feeds out of the text. */
void text_print_lines(FILE *stream, char *text);

/* Reads a line from standard input, without the spaces around it; -1 at its end. */
int text_read_line(char *line, size_t size);

/* Prints "poolctl: ..." on standard error. */
void text_complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* "42s", "4m10s", "2h05m"; returns `text`. */
const char *text_duration(int64_t ms, char text[TEXT_DURATION_BYTES]);

/* Adds the number, or "?" for a negative one, which means that nobody knows. */
void text_add_count(struct buf *text, int64_t count);

/* The terminal's code for the colour of a phase, and the one that ends it. */
const char *text_color(enum phase phase);
extern const char text_no_color[];

#endif
