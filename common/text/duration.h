/*
 * Durations as people write them: "250ms", "10s", "4m10s", "2h05m", "1d".
 */
#ifndef COMMON_DURATION_H
#define COMMON_DURATION_H

#include <stdint.h>

enum { DURATION_BYTES = 32 };

#define DURATION_SYNTAX "a number and a unit (ms, s, m, h, d), like 10s or 1h30m"

/* As a regular expression of ECMA-262, for JSON Schema. */
#define DURATION_PATTERN                                                              \
	"^(?=.)([0-9]{1,18}d)?([0-9]{1,18}h)?([0-9]{1,18}m)?([0-9]{1,18}s)?([0-9]{1," \
	"18}ms)?$"

/* Reads numbers with a unit each, the largest unit first: what the functions below
 * print, and "90m".  Returns 0, or -1 for any other text and if there are more than
 * INT64_MAX milliseconds. */
int duration_parse(const char *text, int64_t *ms);

/* For people: whole seconds, from an hour on whole minutes.  A negative duration is
 * "0s". Returns `text`. */
const char *duration_print(int64_t ms, char text[DURATION_BYTES]);

/* Exactly, in the largest unit that leaves no rest: "90m", "1500ms".  Not for
 * negative durations.  Returns `text`. */
const char *duration_print_exact(int64_t ms, char text[DURATION_BYTES]);

#endif
