/*
 * What the gates say of a server, for people and for programs.
 */
#ifndef POOLCTL_GATES_OUTPUT_H
#define POOLCTL_GATES_OUTPUT_H

#include "gates.h"
#include "options.h"

#include <stdio.h>

struct json_t;

/* The gates that the options pass; fails with ERR_USAGE. */
int gates_forced(const struct options *options, unsigned *forced, struct err *err);

/* The text, cleaned, so that it is UTF-8; null for one that is not there. */
struct json_t *gates_text_to_json(const struct buf *text);

/* A list with an object for each gate. */
struct json_t *gates_describe(const struct gate_result results[GATE__COUNT],
			      unsigned forced);

/* Prints a line for each gate that refuses, with its remedy. */
void gates_print_refusals(FILE *stream, const struct gate_result results[GATE__COUNT],
			  unsigned forced);

/* The same on standard output, `with_all` of the others too; and a line that counts
 * them. */
void gates_print(const struct gate_result results[GATE__COUNT], unsigned forced,
		 bool with_all);

/* Adds "yes", or "no: floor, dns": those that refuse and are not forced. */
void gates_summarize(const struct gate_result results[GATE__COUNT], unsigned forced,
		     struct buf *text);

#endif
