/*
 * The results of the gates for one server, for people and for programs.
 */
#ifndef POOLCTL_GATE_OUTPUT_H
#define POOLCTL_GATE_OUTPUT_H

#include "gates/gate.h"

#include <stdio.h>

struct json_t;

/* Sets the fields `text` and `remedy`: cleaned, so that they are UTF-8, or null. */
void gate_output_write_texts(const struct gate_result *result,
			     struct json_t *object);

/* A list with an object for each gate; a new reference. */
struct json_t *gate_output_to_json(const struct gate_result results[GATE__COUNT],
				   unsigned forced);

/* Prints a line for each gate that refuses, with its remedy. */
void gate_output_print_refusals(FILE *stream,
				const struct gate_result results[GATE__COUNT],
				unsigned forced);

/* Prints the refusals on standard output, the other gates too if `has_all`, and a
 * line that counts them. */
void gate_output_print(const struct gate_result results[GATE__COUNT],
		       unsigned forced, bool has_all);

/* Adds "floor, dns": the gates that refuse and are not forced. */
void gate_output_list_refusing(const struct gate_result results[GATE__COUNT],
			       unsigned forced, struct buf *text);

/* Adds "yes", or "no: floor, dns": the gates that refuse and are not forced. */
void gate_output_summarize(const struct gate_result results[GATE__COUNT],
			   unsigned forced, struct buf *text);

#endif
