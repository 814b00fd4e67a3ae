/*
 * What the parts of a drive share: drive.c is the way of a job, drive_leave.c that of a
 * drain from its turn to the commit, drive_end.c how a job ends.
 */
#ifndef POOLCTL_DRIVE_PRIVATE_H
#define POOLCTL_DRIVE_PRIVATE_H

#include "drive.h"

struct drive {
	struct outside *outside;
	struct client *client;
	struct client *looks; /* has a limit; NULL before the first */
	struct job *jobs;
	size_t count;
	size_t withdrawals; /* under way */
};

/* ---- drive_end.c ---- */

bool job_is_drain(const struct job *job);
bool job_is_resume(const struct job *job);
bool job_is_wait(const struct job *job);

/* Ends the job, and takes the message. */
void job_finish(struct job *job, int exit_status, struct buf *message);

/* Ends it with its problem, and says what became of what was asked. */
void job_give_up(struct job *job);

/* Ends it with a verdict, which is not VERDICT_NOT_YET. */
void job_conclude(struct job *job, enum verdict verdict);

/* Ends it, as the operator does not want to watch any longer. */
void job_interrupt(struct job *job);

/* Something answered well: patience with what fails begins anew. */
void job_found_well(struct job *job);

/* The problem may be over in a moment: tries again until patience ends. */
void job_miss(struct job *job);

/* Ends it if the operator's time is over. */
void job_check_time(struct job *job);

/* ---- drive_leave.c ---- */

/* At STEP_TURN: reserves the server if no other of the order is on its way. */
void leave_take_turn(const struct drive *drive, struct job *job);

/* Before each request for a reservation; false if the job ended instead. */
bool leave_begin_look(struct drive *drive, struct job *job);

void leave_on_reserved(struct job *job, const struct reply *reply);

/* Sends and settles the looks of all jobs that are at STEP_LOOK. */
void leave_send_looks(struct drive *drive);
void leave_settle_looks(struct drive *drive);

/* The reservation did not last until the commit. */
void leave_begin_anew(struct job *job);

/* Somebody else's reservation is in the way, as the problem says: withdraws, and waits
 * until it is gone, for as long as the operator wants to. */
void leave_yield(struct job *job, const struct pool_server *rival);
void leave_ask_rival(struct job *job, struct client *client, client_done *done);
void leave_on_rival(struct job *job, const struct reply *reply);

/* At STEP_YIELD: true if the operator does not want to wait any longer. */
bool leave_is_patient(const struct job *job);

/* Ends it as held by another, with what the problem says. */
void leave_give_in(struct job *job);

#endif
