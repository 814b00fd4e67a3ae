#include "drive_private.h"

#include "look.h"
#include "text.h"
#include "view_text.h"

enum {
	ASK_PATIENCE_MS = 10000,
	WATCH_PATIENCE_MS = 60000,
	BACKOFF_MIN_MS = 200,
	BACKOFF_MAX_MS = 2000,
};

static const char *const reached_words[GOAL__COUNT] = {
	[GOAL_OUT] = "acknowledged",     [GOAL_DRAINED] = "drained",
	[GOAL_ENDED] = "acknowledged",   [GOAL_RESUMED] = "serving",
	[GOAL_SEEN_DRAINED] = "drained", [GOAL_SEEN_SERVING] = "serving",
};

static const struct failure {
	int exit_status;
	const char *word;
} failures[] = {
	{1, "failed"}, {2, "failed"},  {3, "unreachable"},  {4, "refused"},
	{5, "held"},   {6, "timeout"}, {9, "not_verified"}, {130, "interrupted"},
};

static const char *word_for(const struct job *job, int exit_status)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (failures[i].exit_status == exit_status)
			return failures[i].word;
	return reached_words[job->order->aim.goal];
}

bool job_is_drain(const struct job *job)
{
	return job->order->aim.goal == GOAL_OUT || job->order->aim.goal == GOAL_DRAINED;
}

bool job_is_resume(const struct job *job)
{
	return job->order->aim.goal == GOAL_ENDED || job->order->aim.goal == GOAL_RESUMED;
}

bool job_is_wait(const struct job *job)
{
	return !job_is_drain(job) && !job_is_resume(job);
}

void job_finish(struct job *job, int exit_status, struct buf *message)
{
	job->step = STEP_DONE;
	job->result.exit_status = exit_status;
	job->result.word = word_for(job, exit_status);
	job->result.message = message->text;
	job->finished_at = clock_mono();
}

/* What became of the request, so that nobody believes in a state that nobody saw. */
static void add_standing(const struct job *job, struct buf *message)
{
	const char *name = job->server->named.name;
	const char *what = job_is_drain(job) ? "drain" : "resume";
	const char *end = job_is_drain(job) ? "drained" : "serving";

	if (job_is_wait(job))
		return;
	if (job->step == STEP_VERIFY) {
		buf_printf(message,
			   "; it serves as far as poold sees, and that was not verified "
			   "(verify it: poolctl resume %s)",
			   name);
		return;
	}
	if (job->step == STEP_ASK && (job->may_be_taken || job->is_busy)) {
		buf_printf(message, "; it is not known whether the %s was taken", what);
		buf_printf(message, " (see: poolctl status %s)", name);
		return;
	}
	if (!job->asked_count) {
		buf_puts(message, "; nothing was changed");
		return;
	}
	buf_printf(message, "; the %s goes on (watch it: poolctl wait %s --for %s", what,
		   name, end);
	if (job_is_drain(job))
		buf_printf(message, ", end it: poolctl resume %s", name);
	if (job_is_drain(job) && !job->order->is_default_id)
		buf_printf(message, " --id %s", job->order->aim.id);
	buf_puts(message, ")");
}

/* Nothing is left to ask, or the first change is acknowledged. */
static bool is_under_way(const struct job *job)
{
	return job->step == STEP_WATCH || job->step == STEP_VERIFY || job->asked_count;
}

static int64_t patience_ms(const struct job *job)
{
	/* Who waits with a limit of his own may be waiting for a reboot. */
	if (job_is_wait(job) && job->order->timeout_ms >= 0)
		return INT64_MAX;
	if (is_under_way(job) || job_is_wait(job))
		return WATCH_PATIENCE_MS;
	if (job->step == STEP_RESERVE && job->problem.may_be_received)
		return ASK_PATIENCE_MS;
	if (job->step == STEP_TURN)
		return ASK_PATIENCE_MS;
	return job->may_be_taken || job->problem.is_retryable ? ASK_PATIENCE_MS : 0;
}

void job_give_up(struct job *job)
{
	struct buf message = {0};
	int64_t silent_ms = clock_since(job->failing_since, clock_mono());

	buf_puts(&message, job->problem.text);
	if (job->problem.is_silence && silent_ms >= 1000)
		buf_printf(&message, " (for %lld s)", (long long)silent_ms / 1000);
	add_standing(job, &message);
	job_finish(job, job->problem.exit_status, &message);
}

void job_found_well(struct job *job)
{
	job->is_failing = false;
	job->backoff_ms = 0;
}

void job_miss(struct job *job)
{
	struct mono now = clock_mono();

	if (!job->is_failing)
		job->failing_since = now;
	job->is_failing = true;
	job->is_current = false;
	if (job->step == STEP_ASK && job->problem.may_be_received)
		job->may_be_taken = true;
	if (clock_since(job->failing_since, now) >= patience_ms(job)) {
		if (is_under_way(job))
			job->problem.exit_status = err_info(ERR_UNREACHABLE)->exit_status;
		job_give_up(job);
		return;
	}
	job->backoff_ms = job->backoff_ms ? job->backoff_ms * 2 : BACKOFF_MIN_MS;
	if (job->backoff_ms > BACKOFF_MAX_MS)
		job->backoff_ms = BACKOFF_MAX_MS;
	job->retry_at = clock_add(now, job->backoff_ms);
}

void job_conclude(struct job *job, enum verdict verdict)
{
	struct buf message = {0};

	judge_explain(&job->order->aim, job->view, verdict, &message);
	if (job_is_drain(job) &&
	    (verdict == VERDICT_ATTENTION || verdict == VERDICT_NARROW))
		add_standing(job, &message);
	job_finish(job, judge_exit_status(verdict), &message);
}

/* Why it is not drained yet. */
static void add_reason(const struct job *job, struct buf *message)
{
	const struct server_view *view = job->view;
	struct buf uncounted = {0};

	if (view->phase != PHASE_DRAINING)
		return;
	view_text_uncounted(view, &uncounted);
	if (uncounted.length)
		buf_printf(message, ": %s", uncounted.text);
	else if (view->progress.sessions > 0)
		buf_printf(message, ", %lld sessions left",
			   (long long)view->progress.sessions);
	buf_done(&uncounted);
}

bool job_is_held_up(const struct job *job)
{
	return job->rival && !job->asked_count && job->step < STEP_ASK;
}

static void add_silence(const struct job *job, struct buf *message)
{
	buf_puts(message, ": ");
	look_explain_silence(job->look, message);
}

/* The end of patience of the operator; what was not acknowledged by then is not "going
 * on". */
void job_check_time(struct job *job)
{
	int64_t waited_ms = clock_since(job->started_at, clock_mono());
	bool is_lost = !is_under_way(job) || (job_is_wait(job) && job->is_failing);
	bool is_held_up = job_is_held_up(job) || job->step == STEP_TURN;
	enum err_code code = is_held_up ? ERR_RESERVED
			     : is_lost  ? ERR_UNREACHABLE
					: ERR_TIMEOUT;
	char text[TEXT_DURATION_BYTES];
	struct buf message = {0};

	if (job->step == STEP_YIELD && !leave_is_patient(job)) {
		leave_give_in(job);
		return;
	}
	if (job->order->timeout_ms < 0 || waited_ms < job->order->timeout_ms)
		return;
	buf_printf(&message, "not %s after %s",
		   job->step == STEP_VERIFY ? "verified"
					    : reached_words[job->order->aim.goal],
		   text_duration(waited_ms, text));
	if (job->is_failing || job_is_held_up(job))
		buf_printf(&message, ": %s", job->problem.text);
	else if (job->step == STEP_TURN)
		buf_puts(&message, ": another server of the command was to go first");
	else if (job->step == STEP_LOOK)
		add_silence(job, &message);
	else if (job->view)
		add_reason(job, &message);
	else
		buf_printf(&message, ": no answer yet from %.200s", job->server->url);
	add_standing(job, &message);
	job_finish(job, err_info(code)->exit_status, &message);
}

void job_interrupt(struct job *job)
{
	struct buf message = {0};

	buf_puts(&message, "interrupted");
	add_standing(job, &message);
	job_finish(job, err_info(ERR_INTERRUPTED)->exit_status, &message);
}
