#include "operation/job.h"

#include <assert.h>

enum {
	SHORT_MS = 10000,
	LONG_MS = 60000,
	BACKOFF_MIN_MS = 200,
	BACKOFF_MAX_MS = 2000,
};

void job_go(struct job *job, enum step step)
{
	assert(step_may_follow(job->step, step));
	job->step = step;
}

bool job_is_drain(const struct job *job)
{
	enum goal_kind kind = job->order->goal.kind;

	return kind == GOAL_OUT || kind == GOAL_DRAINED;
}

bool job_is_resume(const struct job *job)
{
	enum goal_kind kind = job->order->goal.kind;

	return kind == GOAL_ENDED || kind == GOAL_RESUMED;
}

bool job_is_wait(const struct job *job)
{
	return !job_is_drain(job) && !job_is_resume(job);
}

bool job_is_under_way(const struct job *job)
{
	return job->asked_count ||
	       step_info(job->step)->patience == STEP_PATIENCE_LONG;
}

const struct drain_view *job_drain(const struct job *job)
{
	return job->view && job->order->goal.id && !job_is_resume(job)
		       ? server_view_drain(job->view, job->order->goal.id)
		       : NULL;
}

bool job_is_held_up(const struct job *job)
{
	return job->rival.server && step_info(job->step)->turn != STEP_TURN_NONE;
}

int64_t job_elapsed_ms(const struct job *job)
{
	struct mono end = job->step == STEP_DONE ? job->finished_at : clock_mono();

	if (!job->has_drain_age)
		return clock_since(job->started_at, end);
	return job->drain_age_ms + clock_since(job->drain_seen_at, end);
}

/* ---- patience ---- */

static int64_t patience_ms(const struct job *job)
{
	bool is_write = step_info(job->step)->patience == STEP_PATIENCE_WRITE;
	bool may_be_received = job->may_be_taken || job->problem.may_be_received;

	/* Who never had a credential has to make one. */
	if (job->problem.code == ERR_NOT_AUTHORISED && !job->view)
		return 0;
	/* A reboot may be what an operator waits for with a limit. */
	if (job_is_wait(job) && job->order->timeout_ms >= 0)
		return INT64_MAX;
	if (job_is_under_way(job) || job_is_wait(job))
		return LONG_MS;
	return job->problem.is_retryable || (is_write && may_be_received) ? SHORT_MS
									  : 0;
}

bool job_try_again(struct job *job)
{
	struct mono now = clock_mono();

	if (!job->is_failing)
		job->failing_since = now;
	job->is_failing = true;
	job->is_current = false;
	if (clock_since(job->failing_since, now) < patience_ms(job)) {
		job->retry_at =
			clock_add(now, backoff_next(&job->backoff, BACKOFF_MIN_MS,
						    BACKOFF_MAX_MS));
		return true;
	}
	if (job_is_under_way(job))
		job->problem.exit_status = err_info(ERR_UNREACHABLE)->exit_status;
	return false;
}

void job_renew_patience(struct job *job)
{
	job->is_failing = false;
	backoff_reset(&job->backoff);
}
