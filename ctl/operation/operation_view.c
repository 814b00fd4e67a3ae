#include "operation/operation_view.h"

#include "api/view_text.h"
#include "exit_status.h"
#include "operation/operation_result.h"
#include "operation/resume_check.h"
#include "mem.h"
#include "text/duration.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

enum { FRESH_MS = 5000, DOUBTS_MOST = 3 };

/* A server's own view is half of the truth: one counts that came after it was tried
 * from outside. */
static void on_serving(struct job *job)
{
	struct buf message = {0};

	if (job->step != STEP_VERIFY) {
		job_go(job, STEP_VERIFY);
		return;
	}
	if (resume_check_is_verified(job->resume_check)) {
		operation_result_conclude(job, OUTCOME_REACHED);
		return;
	}
	resume_check_explain(job->resume_check, &message);
	operation_result_set(job, err_info(ERR_NOT_VERIFIED)->exit_status,
			     &message);
}

/* Else a wait for a drain that nobody has asked for looks like one for sessions. */
static void say_if_idle(struct job *job)
{
	const struct goal *goal = &job->order->goal;
	bool is_idle = goal->kind == GOAL_SEEN_DRAINED && !goal->id &&
		       !server_view_count_drains(job->view);

	if (is_idle && !job->has_said_idle)
		buf_printf(&job->notes,
			   "nothing drains it; poolctl waits until somebody does "
			   "(poolctl drain %s)\n",
			   job->server->named.name);
	job->has_said_idle = is_idle;
}

/* Somebody else changed something meanwhile: once it serves again, it is tried
 * again. */
static void on_not_yet(struct job *job)
{
	say_if_idle(job);
	if (job->step != STEP_VERIFY)
		return;
	job_go(job, STEP_WATCH);
	job->resume_check = NULL;
}

/* What was waited for, or came late, was true once: poolctl may have stood still
 * meanwhile.  A server that is always slow is believed in the end. */
static bool may_be_old(struct job *job)
{
	if (job->exchange.request.after)
		return true;
	job->doubt_count =
		job->exchange.took_ms > FRESH_MS ? job->doubt_count + 1 : 0;
	return job->doubt_count > 0 && job->doubt_count < DOUBTS_MOST;
}

static void evaluate_view(struct job *job)
{
	const struct goal *goal = &job->order->goal;
	bool is_troubled = goal_is_troubled(goal, job->view);
	enum goal_outcome outcome;

	if (is_troubled && !job->is_troubled)
		job->troubled_since = job->view_at;
	job->is_troubled = is_troubled;
	outcome = goal_evaluate(
		goal, job->view,
		is_troubled ? clock_since(job->troubled_since, job->view_at) : 0);
	/* Nothing is concluded but from a reply of now: it is asked for at once. */
	if (outcome != OUTCOME_NOT_YET && may_be_old(job))
		job->is_current = false;
	else if (outcome == OUTCOME_GONE)
		job_go(job, STEP_WHY);
	else if (outcome == OUTCOME_REACHED && goal->kind == GOAL_RESUMED)
		on_serving(job);
	else if (outcome == OUTCOME_NOT_YET)
		on_not_yet(job);
	else
		operation_result_conclude(job, outcome);
}

/* The drain to end next: the one that is meant, once, or one after the other. */
static const struct drain_view *choose_drain_to_end(const struct job *job)
{
	const struct order *order = job->order;

	for (size_t i = 0; i < job->view->drain_count; i++) {
		const struct drain_view *drain = &job->view->drains[i];
		bool is_meant =
			order->is_all ? job->asked_count < API_DRAINS_LIMIT
				      : !job->asked_count &&
						!strcmp(drain->id, order->goal.id);

		if (drain->is_active && is_meant)
			return drain;
	}
	return NULL;
}

/* Whoever ends somebody else's drain must have said so, and hears whose it was. */
static bool may_end(struct job *job, const struct drain_view *drain)
{
	const struct order *order = job->order;
	bool is_own =
		server_view_is_own(drain->owner, drain->acts_for, order->owner);
	struct buf message = {0};

	if (!server_view_is_own(drain->owner, drain->acts_for, order->self))
		buf_printf(&job->notes, "ending drain %s of %s: %s\n", drain->id,
			   drain->owner, drain->reason);
	if (is_own || order->is_all || order->options->takes_others)
		return true;
	buf_done(&job->notes);
	buf_printf(
		&message,
		"drain %s belongs to %s: %s; nothing was changed (to end it all the "
		"same: poolctl resume %s --id %s --force=owner)",
		drain->id, drain->owner, drain->reason, job->server->named.name,
		drain->id);
	operation_result_set(job, goal_exit_status(OUTCOME_HELD), &message);
	return false;
}

/* Ending a drain that is not there would change nothing, so the operator hears who
 * else keeps the server out. */
static bool is_held(struct job *job)
{
	struct buf message = {0};

	if (!server_view_count_drains(job->view))
		return false;
	buf_printf(&message, "there is no drain %s; the server is kept out by ",
		   job->order->goal.id);
	view_text_holders(job->view, &message);
	operation_result_add_way_out(job, &message);
	operation_result_set(job, goal_exit_status(OUTCOME_HELD), &message);
	return true;
}

static void watch(struct job *job)
{
	job_go(job, STEP_WATCH);
	evaluate_view(job);
}

/* ---- a drain that is there, and is asked for again ---- */

static void note_change(struct buf *text, const char *what, const char *was)
{
	buf_printf(text, "%s%s was %s", text->length ? ", " : "", what, was);
}

static void note_changes(const struct drain_view *drain, const struct job *job,
			 struct buf *text)
{
	const struct drain_options *now = job->drain_options;
	char was[DURATION_BYTES] = "none";

	if (strcmp(drain->reason, job->reason) != 0)
		note_change(text, "reason", drain->reason);
	if (drain->deadline_s)
		(void)duration_print_exact(drain->deadline_s * 1000, was);
	if (drain->deadline_s != drain_options_deadline_s(now))
		note_change(text, "deadline", was);
	if (now->deadline_ms && drain->on_deadline != now->on_deadline)
		note_change(text, "on-deadline",
			    api_on_deadlines[drain->on_deadline]);
	if (drain->until != now->until)
		note_change(text, "until", api_untils[drain->until]);
	if (!goal_is_covered(&job->order->goal, job->view))
		note_change(text, "what it covers", "less");
}

/* What is not said keeps what the drain has, and what is said and differs is named.
 */
static void keep_drain(struct job *job, const struct drain_view *drain)
{
	const struct options *options = job->order->options;
	struct buf changes = {0};

	job->kept = *job->drain_options;
	/* --on-deadline needs a deadline: that of pool.yaml, if the drain has none.
	 */
	if (options->deadline_ms < 0 &&
	    (drain->deadline_s || options->on_deadline <= ON_DEADLINE_HOLD))
		job->kept.deadline_ms = drain->deadline_s * 1000;
	if (options->on_deadline < 0)
		job->kept.on_deadline = drain->on_deadline;
	if (options->until < 0)
		job->kept.until = drain->until;
	job->drain_options = &job->kept;
	free(job->reason);
	job->reason = xstrdup(options->reason ? options->reason : drain->reason);
	note_changes(drain, job, &changes);
	if (changes.length)
		buf_printf(&job->notes, "changing drain %s: %s\n", drain->id,
			   changes.text);
	buf_done(&changes);
}

static void plan_drain(struct job *job)
{
	const struct goal *goal = &job->order->goal;
	const struct drain_view *drain = job_drain(job);

	if (drain &&
	    server_view_is_own(drain->owner, drain->acts_for, job->order->owner))
		keep_drain(job, drain);
	utf8_copy(job->id, sizeof(job->id), goal->id);
	job_go(job, goal_is_covered(goal, job->view) ? STEP_COMMIT : STEP_TURN);
}

static void plan_resume(struct job *job)
{
	const struct drain_view *drain = choose_drain_to_end(job);

	if (drain) {
		utf8_copy(job->id, sizeof(job->id), drain->id);
		if (may_end(job, drain))
			job_go(job, STEP_END);
	} else if (job->asked_count || !is_held(job)) {
		watch(job);
	}
}

/* What cannot end well is not begun.  A resume puts back what it can. */
static bool is_other_config(struct job *job)
{
	struct buf message = {0};

	if (job_is_resume(job) || !job->view->other_services.length)
		return false;
	view_text_other_config(&job->view->other_services, &message);
	if (job_is_drain(job))
		buf_puts(&message, "; nothing was changed");
	operation_result_set(job,
			     job_is_drain(job) ? EXIT_REFUSED : EXIT_NOT_VERIFIED,
			     &message);
	return true;
}

static void plan_wait(struct job *job)
{
	if (job->order->goal.id)
		utf8_copy(job->id, sizeof(job->id), job->order->goal.id);
	watch(job);
}

/* Decides what to ask for. */
static void plan(struct job *job)
{
	if (is_other_config(job))
		return;
	if (!job->asked_count)
		job->was_there = goal_was_there(&job->order->goal, job->view);
	if (job_is_drain(job))
		plan_drain(job);
	else if (job_is_resume(job))
		plan_resume(job);
	else
		plan_wait(job);
}

/* How many sessions were left when the drain was last seen. */
static int64_t sessions_left(const struct job *job, const struct server_view *view)
{
	if (!job_is_resume(job) && job->order->goal.id &&
	    server_view_drain(view, job->order->goal.id))
		return view->progress.sessions;
	return job->view ? job->view->sessions_left : COUNT_UNKNOWN;
}

static void note_drain_age(struct job *job)
{
	const struct drain_view *drain = job_drain(job);

	if (!drain || job->has_drain_age)
		return;
	job->has_drain_age = true;
	job->drain_age_ms = job->view->time.ms - drain->created_at.ms;
	job->drain_seen_at = job->view_at;
}

void operation_view_take(struct job *job, struct server_view *view)
{
	view->sessions_left = sessions_left(job, view);
	server_view_free(job->view);
	job->view = view;
	job->view_at = clock_mono();
	if (!job->answered_at.ms)
		job->answered_at = job->view_at;
	job->is_current = true;
	note_drain_age(job);
	if (job->step == STEP_BEGIN)
		plan(job);
	else
		evaluate_view(job);
}
