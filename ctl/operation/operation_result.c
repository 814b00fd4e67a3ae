#include "operation/operation_result.h"

#include "api/view_text.h"
#include "exit_status.h"
#include "operation/admission_check.h"
#include "text/duration.h"
#include "text/text.h"

#include <string.h>

enum { ONCE_MS = 3000 }; /* for the first answer to all that is asked */

static const char *const reached_words[GOAL__COUNT] = {
	[GOAL_OUT] = "acknowledged",     [GOAL_DRAINED] = "drained",
	[GOAL_ENDED] = "acknowledged",   [GOAL_RESUMED] = "serving",
	[GOAL_SEEN_DRAINED] = "drained", [GOAL_SEEN_SERVING] = "serving",
};

void operation_result_set(struct job *job, int exit_status, struct buf *message)
{
	const char *word = exit_status_word(exit_status);

	job->result = (struct job_result){
		.exit_status = exit_status,
		.word = word ? word : reached_words[job->order->goal.kind],
		.message = message->text,
	};
	job->finished_at = clock_mono();
	job_go(job, STEP_DONE);
}

/* ---- what is true of the server now ---- */

static enum step_effect effect_of(const struct job *job)
{
	enum step_effect effect = step_info(job->step)->effect;

	if (effect == STEP_EFFECT_UNVERIFIED)
		return effect;
	if (effect == STEP_EFFECT_UNKNOWN && (job->may_be_taken || job->is_busy))
		return effect;
	return job->asked_count ? STEP_EFFECT_GOES_ON : STEP_EFFECT_NOTHING;
}

static void explain_nothing(const struct job *job, struct buf *message)
{
	(void)job;
	buf_puts(message, "nothing was changed");
}

static void explain_going_on(const struct job *job, struct buf *message)
{
	const char *name = job->server->named.name;
	bool is_drain = job_is_drain(job);

	buf_printf(message, "the %s goes on (watch it: poolctl wait %s --for %s",
		   is_drain ? "drain" : "resume", name,
		   is_drain ? "drained" : "serving");
	/* The whole server need not become drained. */
	if (is_drain && job->order->goal.service_count)
		buf_printf(message, " --id %s", job->order->goal.id);
	if (is_drain)
		buf_printf(message, ", end it: poolctl resume %s", name);
	if (is_drain && !job->order->is_default_id)
		buf_printf(message, " --id %s", job->order->goal.id);
	if (is_drain && strcmp(job->order->owner, job->order->self) != 0)
		buf_printf(message, " --owner \"%s\"", job->order->owner);
	buf_puts(message, ")");
}

static void explain_unknown(const struct job *job, struct buf *message)
{
	buf_printf(message,
		   "it is unknown whether the server accepted the %s (check with: "
		   "poolctl status %s)",
		   job_is_drain(job) ? "drain" : "resume", job->server->named.name);
}

static void explain_unverified(const struct job *job, struct buf *message)
{
	buf_printf(message,
		   "poold reports that it serves, but this was not verified (to "
		   "verify it: poolctl resume %s)",
		   job->server->named.name);
}

/* Nobody shall believe in a state that nobody saw. */
static void add_effect(const struct job *job, struct buf *message)
{
	static void (*const explain[STEP_EFFECT__COUNT])(const struct job *job,
							 struct buf *message) = {
		[STEP_EFFECT_NOTHING] = explain_nothing,
		[STEP_EFFECT_GOES_ON] = explain_going_on,
		[STEP_EFFECT_UNKNOWN] = explain_unknown,
		[STEP_EFFECT_UNVERIFIED] = explain_unverified,
	};

	if (job_is_wait(job))
		return;
	buf_puts(message, "; ");
	explain[effect_of(job)](job, message);
}

/* ---- the ways to end ---- */

void operation_result_fail(struct job *job)
{
	struct buf message = {0};
	int64_t silent_ms = clock_since(job->failing_since, clock_mono());

	buf_puts(&message, job->problem.text);
	if (job->problem.is_silence && silent_ms >= 1000)
		buf_printf(&message, " (for %lld s)", (long long)silent_ms / 1000);
	add_effect(job, &message);
	operation_result_set(job, job->problem.exit_status, &message);
}

void operation_result_fail_with(struct job *job, const struct err *err)
{
	problem_from_err(err, job->server->url, &job->problem);
	operation_result_fail(job);
}

/* Nobody shall have to look up how to end what is in the way. */
void operation_result_add_way_out(const struct job *job, struct buf *message)
{
	const struct drain_view *one = NULL;

	for (size_t i = 0; i < job->view->drain_count; i++)
		if (job->view->drains[i].is_active)
			one = &job->view->drains[i];
	if (!one)
		return;
	buf_printf(message, "; to end that too: poolctl resume %s",
		   job->server->named.name);
	if (server_view_count_drains(job->view) > 1)
		buf_puts(message, " --all");
	else
		buf_printf(message, " --id %s%s", one->id,
			   server_view_is_own(one->owner, one->acts_for,
					      job->order->self)
				   ? ""
				   : " --force=owner");
}

void operation_result_conclude(struct job *job, enum goal_outcome outcome)
{
	const struct buf *other = &job->view->other_services;
	int status = goal_exit_status(outcome);
	struct buf message = {0};

	goal_explain(&job->order->goal, job->view, outcome, &message);
	if (job_is_drain(job) &&
	    (outcome == OUTCOME_ATTENTION || outcome == OUTCOME_NARROW))
		add_effect(job, &message);
	if (outcome == OUTCOME_HELD)
		operation_result_add_way_out(job, &message);
	/* What our pool.yaml asks for, nobody has seen. */
	if (status == EXIT_REACHED && other->length) {
		status = EXIT_NOT_VERIFIED;
		buf_printf(&message, "%s%s, but ", message.length ? "; " : "",
			   reached_words[job->order->goal.kind]);
		view_text_other_config(other, &message);
	}
	operation_result_set(job, status, &message);
}

void operation_result_interrupt(struct job *job)
{
	struct buf message = {0};

	buf_puts(&message, "interrupted");
	add_effect(job, &message);
	operation_result_set(job, err_info(ERR_INTERRUPTED)->exit_status, &message);
}

/* Why it is not drained yet. */
static void add_sessions(const struct server_view *view, struct buf *message)
{
	struct buf uncounted = {0};

	if (view->phase != PHASE_DRAINING)
		return;
	view_text_uncounted(view, &uncounted);
	if (uncounted.length)
		buf_printf(message, ": %s", uncounted.text);
	else if (view->progress.sessions > 0)
		buf_printf(message, ", %lld session%s left",
			   (long long)view->progress.sessions,
			   view->progress.sessions == 1 ? "" : "s");
	buf_done(&uncounted);
}

static void add_reason(const struct job *job, struct buf *message)
{
	const char *waits_for = step_info(job->step)->waits_for;

	if (job->is_failing || job_is_held_up(job)) {
		buf_printf(message, ": %s", job->problem.text);
	} else if (waits_for) {
		buf_printf(message, ": %s", waits_for);
	} else if (job->step == STEP_CHECK) {
		buf_puts(message, ": ");
		admission_check_explain_silence(job->check, message);
	} else if (job->view) {
		add_sessions(job->view, message);
	} else {
		buf_printf(message, ": no answer yet from %.200s",
			   job->server->url);
		text_hide_credentials(message->text);
	}
}

/* A change that was not acknowledged by now does not "go on". */
static enum err_code late_code(const struct job *job)
{
	if (job_is_held_up(job) || step_info(job->step)->waits_for)
		return ERR_RESERVED;
	if (!job_is_under_way(job) || (job_is_wait(job) && job->is_failing))
		return ERR_UNREACHABLE;
	return ERR_TIMEOUT;
}

/* Whether the server has said how it is since all was asked for, or cannot say it.
 */
static bool is_answered(const struct job *job)
{
	return job->is_failing || job_is_held_up(job) ||
	       (job->step == STEP_WATCH && job->is_current);
}

/* Time counts from the first answer, and what is asked for is asked once, however
 * short it is. */
void operation_result_check_time(struct job *job)
{
	int64_t limit_ms = job->order->timeout_ms, waited_ms;
	struct mono began =
		job->answered_at.ms ? job->answered_at : job->started_at;
	char text[DURATION_BYTES];
	struct buf message = {0};

	waited_ms = clock_since(began, clock_mono());
	if (!is_answered(job) && limit_ms < ONCE_MS)
		limit_ms = ONCE_MS;
	if (job->order->timeout_ms < 0 || waited_ms < limit_ms)
		return;
	buf_printf(&message, "not %s after %s",
		   job->step == STEP_VERIFY ? "verified"
					    : reached_words[job->order->goal.kind],
		   duration_print(waited_ms, text));
	add_reason(job, &message);
	add_effect(job, &message);
	operation_result_set(job, err_info(late_code(job))->exit_status, &message);
}
