/*
 * The report of a preflight, for people.
 */
#ifndef POOLD_PREFLIGHT_TEXT_H
#define POOLD_PREFLIGHT_TEXT_H

#include <stdio.h>

struct json_t;

/* Prints a report of preflight_to_json: the verdict, what was found, and for each
 * service what it is now and what a drain would do. */
void preflight_text_print(const struct json_t *report, FILE *stream);

#endif
