/*
 * UTF-8: read by character, and cut between characters only.
 */
#ifndef POOLCTL_UTF8_H
#define POOLCTL_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads one character and its length in bytes; 0 with the length 1 for a byte that
 * does not start a well-formed one (RFC 3629). */
uint32_t utf8_read(const char *text, size_t *length);

/* False for characters that a terminal obeys instead of showing, that have no width
 * (but for joiners), or that turn text around. */
bool utf8_is_shown(uint32_t character);

/* True for spaces that look like one and are another character: no-break, thin, …
 */
bool utf8_is_odd_space(uint32_t character);

/* Compares two names as Windows and DNS do, without regard to case; like strcmp().
 * Of letters beyond ASCII it knows those of Latin-1, Greek and Cyrillic. */
int utf8_compare_names(const char *a, const char *b);

/* Copies text into a fixed array and cuts what does not fit, between two
 * characters; always ends with a NUL. */
void utf8_copy(char *to, size_t size_bytes, const char *from);

/* Removes the rest of a character that was cut in two at the end of a text: with
 * it, the text could not go into JSON. */
void utf8_drop_cut(char *text);

#endif
