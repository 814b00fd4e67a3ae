#include "drive_private.h"

#include "look.h"
#include "mem.h"
#include "text.h"

enum {
	LOST_MOST = 5, /* reservations; then something is wrong */
	AGAIN_MS = 100,
	SILENT_RIVAL_MS = 1000,
	/* The reservation of a poolctl that is gone has ended by then. */
	GHOST_MS = (API_TTL_USUAL_S + 5) * 1000,
	EXIT_REFUSED = 4,
};

static void forget_look(struct job *job)
{
	look_free(job->look);
	job->look = NULL;
}

/* ---- whose turn it is ---- */

static bool has_turn(const struct job *job)
{
	return job->step == STEP_RESERVE || job->step == STEP_LOOK ||
	       job->step == STEP_YIELD || (job->step == STEP_ASK && *job->token);
}

/* In the order of the command; but nobody waits for a server that does not answer. */
static bool goes_before(const struct job *other, const struct job *job)
{
	return other < job && !other->is_failing &&
	       (other->step == STEP_BEGIN || other->step == STEP_TURN);
}

void leave_take_turn(const struct drive *drive, struct job *job)
{
	for (size_t i = 0; i < drive->count; i++)
		if (has_turn(&drive->jobs[i]) || goes_before(&drive->jobs[i], job))
			return;
	forget_look(job);
	job->step = STEP_RESERVE;
}

/* ---- reserve ---- */

/* The look begins before the reservation, with what nobody's drain changes. */
bool leave_begin_look(struct drive *drive, struct job *job)
{
	struct err err = {0};

	if (!drive->looks)
		drive->looks = client_new(&err);
	if (drive->looks && !job->look)
		job->look = look_new(job->order, job->server, job->terms, &err);
	if (job->look)
		return true;
	problem_from_err(&err, job->server->url, &job->problem);
	job_give_up(job);
	return false;
}

/* From now on all others see the reservation: whatever is looked at before the commit is
 * looked at here. */
void leave_on_reserved(struct job *job, const struct reply *reply)
{
	struct err err = {0};

	if (request_read_token(reply, job->token, &err)) {
		problem_from_err(&err, job->server->url, &job->problem);
		job_give_up(job);
		return;
	}
	job->step = STEP_LOOK;
	job->is_looking = false;
}

/* The reservation did not last until the commit, so nothing was changed: what was seen
 * while it held is worth nothing any more. */
void leave_begin_anew(struct job *job)
{
	*job->token = '\0';
	job->may_be_taken = false;
	job->problem.is_retryable = true;
	job->step = STEP_TURN;
	if (++job->lost_count == LOST_MOST)
		job_give_up(job);
	else
		job_miss(job);
}

/* ---- rivals ---- */

static void meet(struct job *job, const struct pool_server *rival)
{
	if (!job->rival)
		job->rival_since = clock_mono();
	job->rival = rival;
}

static bool is_over(const struct job *job, int64_t limit_ms)
{
	return clock_since(job->rival_since, clock_mono()) >= limit_ms;
}

bool leave_is_patient(const struct job *job)
{
	return !is_over(job, job->order->lock_wait_ms);
}

void leave_give_in(struct job *job)
{
	job->problem.exit_status = err_info(ERR_RESERVED)->exit_status;
	job_give_up(job);
}

/* It is the drive that withdraws, whatever is reserved at this step. */
void leave_yield(struct job *job, const struct pool_server *rival)
{
	meet(job, rival);
	server_view_free(job->rival_view);
	job->rival_view = NULL;
	job->step = STEP_YIELD;
	if (!leave_is_patient(job))
		leave_give_in(job);
}

void leave_on_rival(struct job *job, const struct reply *reply)
{
	struct problem problem;
	struct err err = {0};

	server_view_free(job->rival_view);
	job->rival_view = problem_from_reply(reply, job->rival->url, &problem)
				  ? NULL
				  : request_read_view(job->rival, reply, &err);
	if (job->rival_view && job->rival_view->reservation.is_held)
		return;
	/* Who does not answer does not serve: what that means, the next look tells. */
	job->retry_at =
		clock_add(clock_mono(), job->rival_view ? AGAIN_MS : SILENT_RIVAL_MS);
	job->step = STEP_TURN;
}

/* Keeps the reservation and looks again: those that come after withdraw; if they are
 * gone, theirs ends by itself. */
static void go_first(struct job *job)
{
	meet(job, look_rival(job->look));
	if (is_over(job, GHOST_MS) && !leave_is_patient(job)) {
		leave_give_in(job);
		return;
	}
	forget_look(job);
	job->retry_at = clock_add(clock_mono(), AGAIN_MS);
	job->step = STEP_RESERVE;
}

/* ---- look ---- */

static void on_looked(struct job *job)
{
	enum rivalry rivalry = look_settle(job->look);
	struct buf text = {0};

	job->problem = (struct problem){.exit_status = EXIT_REFUSED};
	if (rivalry != RIVALRY_NONE)
		look_explain(job->look, &text);
	copy_text(job->problem.text, sizeof(job->problem.text),
		  text.text ? text.text : "");
	text_clean(job->problem.text, true);
	buf_done(&text);
	if (rivalry == RIVALRY_NONE)
		job->step = STEP_ASK;
	else if (rivalry == RIVALRY_FIRST)
		go_first(job);
	else if (rivalry == RIVALRY_LOST)
		leave_yield(job, look_rival(job->look));
	else
		job_give_up(job);
}

void leave_send_looks(struct drive *drive)
{
	for (size_t i = 0; i < drive->count; i++) {
		struct job *job = &drive->jobs[i];

		if (job->step != STEP_LOOK || job->is_looking)
			continue;
		look_send(job->look, drive->looks);
		job->is_looking = true;
	}
}

void leave_settle_looks(struct drive *drive)
{
	for (size_t i = 0; i < drive->count; i++) {
		struct job *job = &drive->jobs[i];

		if (job->step == STEP_LOOK && job->is_looking && look_is_over(job->look))
			on_looked(job);
	}
}
