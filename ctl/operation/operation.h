/*
 * Brings servers where the operator wants them, and watches each until its goal is
 * reached or patience ends.  All servers at once, except that drains are admitted
 * one after the other, as each changes what the pool can spare.
 *
 * Nothing is printed here: whoever shows the progress reads the jobs between the
 * steps.
 */
#ifndef POOLCTL_OPERATION_H
#define POOLCTL_OPERATION_H

#include "operation/job.h"
#include "operation/resume_check.h"

struct operation;

/* The order, the servers and the client are the caller's and must outlive it. */
struct operation *operation_new(const struct order *order,
				const struct pool_server *const *servers,
				size_t count, struct client *client);

/* Withdraws what is reserved and was not committed; blocks for a second at most. */
void operation_free(struct operation *operation);

/* Works for at most a tenth of a second; false once all jobs are done. */
bool operation_step(struct operation *operation);

/* Ends all jobs that are not done: the operator no longer wants to watch. */
void operation_interrupt(struct operation *operation);

const struct job *operation_jobs(const struct operation *operation, size_t *count);

/* The exit status of all jobs together. */
int operation_exit_status(const struct operation *operation);

#endif
