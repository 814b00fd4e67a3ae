/*
 * What a server's new view means for its job: what to ask for, or that its goal is
 * reached.
 */
#ifndef POOLCTL_OPERATION_VIEW_H
#define POOLCTL_OPERATION_VIEW_H

#include "operation/job.h"

/* Takes the view, which came at STEP_BEGIN, STEP_WATCH or STEP_VERIFY, and leads
 * the job to its next step. */
void operation_view_take(struct job *job, struct server_view *view);

#endif
