/*
 * How an operation ended for each of its servers.
 */
#ifndef POOLCTL_RESULT_OUTPUT_H
#define POOLCTL_RESULT_OUTPUT_H

#include "show/output.h"

/* Entries and rows are jobs (struct job); a row is for when the job is done, the
 * entries for the end. */
extern const struct output_kind result_output;

#endif
