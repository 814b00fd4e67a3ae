/*
 * A drain's way from its turn to its commit: reserve the server, check that the
 * pool can spare it, give way to others.
 */
#ifndef POOLCTL_ADMISSION_H
#define POOLCTL_ADMISSION_H

#include "operation/job.h"

/* At STEP_TURN: true if no other of the jobs is before it, or on its way. */
bool admission_has_turn(const struct job *job, const struct job *jobs,
			size_t count);

/* Before each request for a reservation: begins the check.  False if the job ended
 * instead. */
bool admission_begin_check(struct job *job);

/* The server is reserved. */
void admission_on_reserved(struct job *job);

/* At STEP_CHECK: goes on if the check is over. */
void admission_finish_check(struct job *job);

/* The reservation ended before the commit: reserves again. */
void admission_begin_anew(struct job *job);

/* Somebody else has reserved the server, as the problem says: waits until that
 * reservation is gone. */
void admission_on_refused(struct job *job);

/* At STEP_YIELD: asks the server whose reservation is in the way; ends the job if
 * the operator does not want to wait any longer. */
void admission_ask_rival(struct job *job, struct client *client);
void admission_check_patience(struct job *job);

#endif
