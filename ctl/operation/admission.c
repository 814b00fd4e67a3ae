#include "operation/admission.h"

#include "exit_status.h"
#include "operation/admission_check.h"
#include "operation/operation_result.h"
#include "text/text.h"
#include "utf8.h"

#include <string.h>

enum {
	LOST_MOST = 5, /* reservations; then something is wrong */
	UNANSWERED_MOST =
		3, /* checks that are made again, after 0.5, 1 and 1.5 s */
	UNANSWERED_MS = 500,
	AGAIN_LEAST_MS = 100,
	AGAIN_MOST_MS = 2000,
	AGAIN_PART = 4, /* of the time that somebody has been in the way */
	SILENT_RIVAL_MS = 1000,
	/* The reservation of a poolctl that is gone has ended by then. */
	GHOST_MS = (API_TTL_USUAL_S + 5) * 1000,
	RIVAL_TIMEOUT_MS = 3000,
};

/* ---- whose turn it is ---- */

static bool is_its_turn(const struct job *job)
{
	return step_info(job->step)->turn == STEP_TURN_IS || *job->token;
}

/* Servers take their turn in the order of the configuration; nobody waits for one
 * that does not answer. */
static bool goes_before(const struct job *other, const struct job *job)
{
	return other < job && !other->is_failing &&
	       step_info(other->step)->turn == STEP_TURN_COMES;
}

bool admission_has_turn(const struct job *job, const struct job *jobs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_its_turn(&jobs[i]) || goes_before(&jobs[i], job))
			return false;
	return true;
}

/* ---- reserve ---- */

/* The check begins before the reservation, with what nobody's drain changes. */
bool admission_begin_check(struct job *job)
{
	struct err err = {0};

	job->check = admission_check_new(job->order, job->server,
					 job->drain_options, job->check, &err);
	if (!job->check)
		operation_result_fail_with(job, &err);
	return job->check;
}

/* From now on all others see the reservation: whatever decides about the commit is
 * asked for here. */
void admission_on_reserved(struct job *job)
{
	utf8_copy(job->token, sizeof(job->token), job->exchange.token);
	job->reserved_at = clock_mono();
	job_go(job, STEP_CHECK);
}

/* The reservation did not last until the commit, so nothing was changed; what was
 * seen while it lasted no longer counts. */
void admission_begin_anew(struct job *job)
{
	*job->token = '\0';
	job->may_be_taken = false;
	job->problem.is_retryable = true;
	job_go(job, STEP_TURN);
	if (++job->lost_count == LOST_MOST || !job_try_again(job))
		operation_result_fail(job);
}

/* ---- rivals ---- */

static void meet(struct job *job, const struct pool_server *rival)
{
	if (!job->rival.server)
		job->rival_since = clock_mono();
	job->rival.server = rival;
}

static int64_t rivalry_ms(const struct job *job)
{
	return clock_since(job->rival_since, clock_mono());
}

static bool is_patient(const struct job *job)
{
	return rivalry_ms(job) < job->order->lock_wait_ms;
}

static void give_in(struct job *job)
{
	job->problem.exit_status = err_info(ERR_RESERVED)->exit_status;
	operation_result_fail(job);
}

void admission_check_patience(struct job *job)
{
	if (!is_patient(job))
		give_in(job);
}

/* The operation gives up whatever is reserved at this step. */
static void yield(struct job *job, const struct pool_server *rival)
{
	meet(job, rival);
	job_renew_patience(job);
	server_view_free(job->rival_view);
	job->rival_view = NULL;
	job_go(job, STEP_YIELD);
	admission_check_patience(job);
}

void admission_on_refused(struct job *job)
{
	yield(job, job->server);
}

static bool is_same(const struct reservation_view *then,
		    const struct reservation_view *now)
{
	return now->is_held && now->created_at.ms == then->created_at.ms &&
	       !strcmp(now->id, then->id) && !strcmp(now->owner, then->owner);
}

/* Waits on while it is the same reservation.  A server that does not answer does
 * not serve: what that means, the next check tells. */
static void on_rival(void *context)
{
	struct job *job = context;
	struct server_view *before = job->rival_view, *now = job->rival.view;

	job->is_busy = false;
	if (job->step != STEP_YIELD)
		return;
	job->rival_view = now;
	job->rival.view = NULL;
	if (!now || !now->reservation.is_held ||
	    (before && !is_same(&before->reservation, &now->reservation))) {
		job->retry_at = clock_add(clock_mono(),
					  now ? AGAIN_LEAST_MS : SILENT_RIVAL_MS);
		job_go(job, STEP_TURN);
	}
	server_view_free(before);
}

/* No longer than the reservation lasts if it is not renewed. */
void admission_ask_rival(struct job *job, struct client *client)
{
	struct request request = {.kind = REQUEST_VIEW,
				  .timeout_ms = RIVAL_TIMEOUT_MS,
				  .after = job->rival_view};

	if (job->rival_view) {
		int64_t rest_s = job->rival_view->reservation.expires_in_s + 1;

		request.wait_s =
			rest_s < API_TTL_LIMIT_S ? (int)rest_s : API_TTL_LIMIT_S;
	}
	job->rival.on_over = on_rival;
	job->rival.context = job;
	exchange_send(&job->rival, &request, client);
}

/* Keeps the reservation and checks again: those that come after withdraw; if they
 * are gone, theirs ends by itself. */
static void go_first(struct job *job)
{
	int64_t pause_ms;

	meet(job, admission_check_rival(job->check));
	if (rivalry_ms(job) >= GHOST_MS && !is_patient(job)) {
		give_in(job);
		return;
	}
	pause_ms = rivalry_ms(job) / AGAIN_PART;
	if (pause_ms < AGAIN_LEAST_MS)
		pause_ms = AGAIN_LEAST_MS;
	if (pause_ms > AGAIN_MOST_MS)
		pause_ms = AGAIN_MOST_MS;
	job->retry_at = clock_add(clock_mono(), pause_ms);
	job_go(job, STEP_RESERVE);
}

/* ---- check ---- */

/* Not everything was seen under one reservation. */
static void on_late_check(struct job *job)
{
	struct err err = {0};

	(void)err_set(&err, ERR_NOT_RESERVED,
		      "the check of the pool came too late: it took longer than a "
		      "reservation lasts (%d s)",
		      API_TTL_USUAL_S);
	problem_from_err(&err, job->server->url, &job->problem);
	/* Nobody holds it. */
	job->problem.exit_status = EXIT_UNREACHABLE;
	admission_begin_anew(job);
}

/* Whoever did not answer may do so in a moment. */
static void check_again(struct job *job)
{
	job->retry_at =
		clock_add(clock_mono(), ++job->unanswered_count * UNANSWERED_MS);
	job_go(job, STEP_RESERVE);
}

static void set_problem(struct job *job)
{
	struct buf text = {0};

	admission_check_explain(job->check, &text);
	job->problem = (struct problem){.exit_status = EXIT_REFUSED};
	utf8_copy(job->problem.text, sizeof(job->problem.text), text.text);
	text_clean(job->problem.text, true);
	buf_done(&text);
}

void admission_finish_check(struct job *job)
{
	enum contention contention;

	if (!job->is_busy || !admission_check_is_over(job->check))
		return;
	job->is_busy = false;
	if (clock_since(job->reserved_at, clock_mono()) >= API_TTL_USUAL_S * 1000) {
		on_late_check(job);
		return;
	}
	contention = admission_check_finish(job->check);
	if (contention == CONTENTION_NONE) {
		job->rival.server = NULL;
		job_go(job, STEP_COMMIT);
		return;
	}
	set_problem(job);
	if (contention == CONTENTION_FIRST)
		go_first(job);
	else if (contention == CONTENTION_LOST)
		yield(job, admission_check_rival(job->check));
	else if (admission_check_may_pass(job->check) &&
		 job->unanswered_count < UNANSWERED_MOST)
		check_again(job);
	else
		operation_result_fail(job);
}
