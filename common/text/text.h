/*
 * Text that is safe to show, and its width on a terminal.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Replaces by `?` each control character, each character that reorders text, and
 * each byte that is not UTF-8; without UTF-8 everything but ASCII. */
void text_clean(char *text, bool has_utf8);

/* Takes user and password out of each URL in the text: "http://me:pw@host" becomes
 * "http://host"; and the secret out of each token of poold. */
void text_hide_credentials(char *text);

/* Makes one line of several, in place: line breaks and tabs, with the spaces around
 * them, become one space, and none is left at the ends. */
void text_join_lines(char *text);

/* Returns the number of columns that the text takes at most: two for a character
 * that may be wide. */
int text_columns(const char *text);

/* Returns the number of bytes of the text that fit into so many columns. */
size_t text_fit(const char *text, int columns);

/* Reads a number of 1 to 18 decimal digits, and sets `*end` to what follows them;
 * or returns -1. */
int text_read_number(const char *text, int64_t *number, const char **end);

/* Adds the number, or "?" for a negative one, which stands for unknown. */
void text_add_count(struct buf *text, int64_t count);

#endif
