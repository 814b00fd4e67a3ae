/*
 * How an operation ends for one server: with an exit status, and with a message
 * that says what happened and what is true of the server now.
 */
#ifndef POOLCTL_OPERATION_RESULT_H
#define POOLCTL_OPERATION_RESULT_H

#include "buf.h"
#include "operation/job.h"

/* Ends the job, and takes the message; without a text there is none. */
void operation_result_set(struct job *job, int exit_status, struct buf *message);

/* Ends it with its problem. */
void operation_result_fail(struct job *job);

/* Ends it with an error that poolctl found itself. */
void operation_result_fail_with(struct job *job, const struct err *err);

/* Ends it as its newest view says; the outcome is not OUTCOME_NOT_YET. */
void operation_result_conclude(struct job *job, enum goal_outcome outcome);

/* Ends it, as the operator no longer wants to watch. */
void operation_result_interrupt(struct job *job);

/* Ends it if the time that the operator gave is over. */
void operation_result_check_time(struct job *job);

/* Adds how to end what keeps the server out. */
void operation_result_add_way_out(const struct job *job, struct buf *message);

#endif
