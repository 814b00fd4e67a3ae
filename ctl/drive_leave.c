#include "drive_private.h"

#include "look.h"
#include "mem.h"
#include "text.h"

#include <string.h>

enum {
	LOST_MOST = 5, /* reservations; then something is wrong */
	AGAIN_LEAST_MS = 100,
	AGAIN_MOST_MS = 2000,
	AGAIN_PART = 4, /* of the time that somebody has been in the way */
	SILENT_RIVAL_MS = 1000,
	/* The reservation of a poolctl that is gone has ended by then. */
	GHOST_MS = (API_TTL_USUAL_S + 5) * 1000,
	RIVAL_ANSWER_MS = 3000,
	EXIT_REFUSED = 4,
};

/* ---- whose turn it is ---- */

static bool has_turn(const struct job *job)
{
	return job->step == STEP_RESERVE || job->step == STEP_LOOK ||
	       job->step == STEP_YIELD || (job->step == STEP_ASK && *job->token);
}

/* In the order of the configuration; but nobody waits for a server that does not answer.
 */
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
	job_found_well(job);
	job->step = STEP_RESERVE;
}

/* ---- reserve ---- */

/* The look begins before the reservation, with what nobody's drain changes. */
bool leave_begin_look(struct drive *drive, struct job *job)
{
	struct err err = {0};

	if (!drive->looks)
		drive->looks = client_new(&err);
	if (drive->looks)
		job->look =
			look_new(job->order, job->server, job->terms, job->look, &err);
	if (drive->looks && job->look)
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
	job->reserved_at = clock_mono();
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

static int64_t rivalry_ms(const struct job *job)
{
	return clock_since(job->rival_since, clock_mono());
}

bool leave_is_patient(const struct job *job)
{
	return rivalry_ms(job) < job->order->lock_wait_ms;
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
	job_found_well(job);
	server_view_free(job->rival_view);
	job->rival_view = NULL;
	job->step = STEP_YIELD;
	if (!leave_is_patient(job))
		leave_give_in(job);
}

/* No longer than the reservation lasts if it is not renewed. */
void leave_ask_rival(struct job *job, struct client *client, client_done *done)
{
	int64_t rest_s;

	if (!job->rival_view) {
		request_view_within(client, job->rival, RIVAL_ANSWER_MS, done, job);
		return;
	}
	rest_s = job->rival_view->reservation.expires_in_s + 1;
	request_next_view(client, job->rival, job->rival_view,
			  rest_s < API_TTL_LIMIT_S ? (int)rest_s : API_TTL_LIMIT_S,
			  RIVAL_ANSWER_MS, done, job);
}

static bool is_same(const struct server_view *before, const struct reservation_view *now)
{
	const struct reservation_view *then = &before->reservation;

	return now->is_held && now->created_at.ms == then->created_at.ms &&
	       !strcmp(now->id, then->id) && !strcmp(now->owner, then->owner);
}

/* Waits on while it is the same reservation.  Who does not answer does not serve: what
 * that means, the next look tells. */
void leave_on_rival(struct job *job, const struct reply *reply)
{
	struct server_view *before = job->rival_view;
	struct problem problem;
	struct err err = {0};

	job->rival_view = problem_from_reply(reply, job->rival->url, &problem)
				  ? NULL
				  : request_read_view(job->rival, reply, &err);
	if (!job->rival_view || !job->rival_view->reservation.is_held ||
	    (before && !is_same(before, &job->rival_view->reservation))) {
		job->retry_at = clock_add(
			clock_mono(), job->rival_view ? AGAIN_LEAST_MS : SILENT_RIVAL_MS);
		job->step = STEP_TURN;
	}
	server_view_free(before);
}

/* Keeps the reservation and looks again: those that come after withdraw; if they are
 * gone, theirs ends by itself. */
static void go_first(struct job *job)
{
	int64_t pause_ms;

	meet(job, look_rival(job->look));
	if (rivalry_ms(job) >= GHOST_MS && !leave_is_patient(job)) {
		leave_give_in(job);
		return;
	}
	pause_ms = rivalry_ms(job) / AGAIN_PART;
	if (pause_ms < AGAIN_LEAST_MS)
		pause_ms = AGAIN_LEAST_MS;
	if (pause_ms > AGAIN_MOST_MS)
		pause_ms = AGAIN_MOST_MS;
	job->retry_at = clock_add(clock_mono(), pause_ms);
	job->step = STEP_RESERVE;
}

/* ---- look ---- */

/* Whatever was seen, it was not under one reservation. */
static void on_late_look(struct job *job)
{
	struct err err = {0};

	(void)err_set(&err, ERR_NOT_RESERVED,
		      "to look at the pool took longer than a reservation lasts");
	problem_from_err(&err, job->server->url, &job->problem);
	leave_begin_anew(job);
}

static void on_looked(struct job *job)
{
	enum rivalry rivalry;
	struct buf text = {0};

	if (clock_since(job->reserved_at, clock_mono()) >= API_TTL_USUAL_S * 1000) {
		on_late_look(job);
		return;
	}
	rivalry = look_settle(job->look);
	job->problem = (struct problem){.exit_status = EXIT_REFUSED};
	if (rivalry != RIVALRY_NONE)
		look_explain(job->look, &text);
	copy_text(job->problem.text, sizeof(job->problem.text),
		  text.text ? text.text : "");
	text_clean(job->problem.text, true);
	buf_done(&text);
	switch (rivalry) {
	case RIVALRY_NONE:
		job->rival = NULL;
		job->step = STEP_ASK;
		break;
	case RIVALRY_FIRST:
		go_first(job);
		break;
	case RIVALRY_LOST:
		leave_yield(job, look_rival(job->look));
		break;
	default:
		job_give_up(job);
	}
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
