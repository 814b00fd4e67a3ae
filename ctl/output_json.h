/*
 * What poolctl says to programs, as JSON on standard output.
 */
#ifndef POOLCTL_OUTPUT_JSON_H
#define POOLCTL_OUTPUT_JSON_H

#include "drive.h"

struct json_t;

/* Prints the value in one line, and drops the reference to it. */
void output_json(struct json_t *value);

/* How a job ended, as an object. */
struct json_t *output_json_result(const struct job *job);

/* All of them, as an array. */
void output_json_results(const struct job *jobs, size_t count);

#endif
