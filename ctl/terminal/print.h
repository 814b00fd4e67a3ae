/*
 * Prints to people, line by line: cleaned, so that no server controls the
 * operator's terminal.
 */
#ifndef POOLCTL_PRINT_H
#define POOLCTL_PRINT_H

#include "compat.h"

#include "api.h"

#include <stddef.h>
#include <stdio.h>

/* Prints one line; a line feed within the text is cleaned away too. */
void print_line(FILE *stream, const char *format, ...) PRINTF_LIKE(2, 3);

/* Prints each line of the text, which may be NULL, and flushes the stream. */
void print_lines(FILE *stream, const char *text);

/* Prints one line that begins with "poolctl: " on standard error. */
void print_complaint(const char *format, ...) PRINTF_LIKE(1, 2);

/* The same for each line of a text, which may be NULL. */
void print_complaints(const char *text);

/* Asks on standard error, and reads a line from standard input, without the spaces
 * around it; -1 at its end. */
int print_prompt(char *line, size_t size, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* The terminal's code for the colour of a phase, and the one that ends it. */
const char *print_color(enum phase phase);
extern const char print_no_color[];

#endif
