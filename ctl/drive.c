#include "drive_private.h"

#include "look.h"
#include "mem.h"
#include "text.h"
#include "view_text.h"

#include <stdlib.h>
#include <string.h>

enum {
	STEP_MS = 100,
	LONG_POLL_S = 20,
	WITHDRAW_MS = 1000,
	EXIT_SEVERAL = 8,
};

static void on_problem(struct job *job)
{
	if (job->step == STEP_ASK && job->problem.code == ERR_NOT_RESERVED) {
		leave_begin_anew(job);
		return;
	}
	if (job->step == STEP_RESERVE && job->problem.code == ERR_RESERVED) {
		leave_yield(job, job->server);
		return;
	}
	if (job->problem.is_silence || job->problem.is_retryable) {
		job_miss(job);
		return;
	}
	if (job->step == STEP_ASK && job->problem.may_be_received)
		job->may_be_taken = true;
	job_give_up(job);
}

/* What the server says of itself is half of the truth, and what it says once it was tried
 * from outside counts. */
static void on_serving(struct job *job)
{
	struct buf message = {0};

	if (job->step != STEP_VERIFY) {
		job->step = STEP_VERIFY;
		return;
	}
	if (outside_is_verified(job->outside)) {
		job_conclude(job, VERDICT_REACHED);
		return;
	}
	outside_explain(job->outside, &message);
	job_finish(job, err_info(ERR_NOT_VERIFIED)->exit_status, &message);
}

/* Somebody else changed something meanwhile: once it serves again, it is tried again. */
static void on_not_yet(struct job *job)
{
	if (job->step != STEP_VERIFY)
		return;
	job->step = STEP_WATCH;
	job->outside = NULL;
}

static void judge_view(struct job *job)
{
	const struct aim *aim = &job->order->aim;
	bool is_troubled = judge_is_troubled(aim, job->view);
	enum verdict verdict;

	if (is_troubled && !job->is_troubled)
		job->troubled_since = job->view_at;
	job->is_troubled = is_troubled;
	verdict = judge(aim, job->view,
			is_troubled ? clock_since(job->troubled_since, job->view_at) : 0);
	if (verdict == VERDICT_GONE)
		job->step = STEP_WHY;
	else if (verdict == VERDICT_REACHED && aim->goal == GOAL_RESUMED)
		on_serving(job);
	else if (verdict == VERDICT_NOT_YET)
		on_not_yet(job);
	else
		job_conclude(job, verdict);
}

/* True once all is known; the view that is asked for then is a new one. */
static bool is_tried(struct drive *drive, struct job *job)
{
	if (!job->outside)
		job->outside = outside_begin(drive->outside, job->server, job->view);
	job->is_current = false;
	return outside_step(job->outside);
}

/* The drain to end next: the one that is meant, once, or one after the other. */
static const char *choose_drain_to_end(const struct job *job)
{
	const struct order *order = job->order;

	for (size_t i = 0; i < job->view->drain_count; i++) {
		const struct drain_view *drain = &job->view->drains[i];
		bool is_meant = order->is_all ? job->asked_count < API_DRAINS_LIMIT
					      : !job->asked_count &&
							!strcmp(drain->id, order->aim.id);

		if (drain->is_active && is_meant)
			return drain->id;
	}
	return NULL;
}

/* Ending a drain that is not there would change nothing, so the operator hears who else
 * keeps the server out. */
static bool is_held(struct job *job)
{
	struct buf message = {0};

	if (!server_view_count_drains(job->view))
		return false;
	buf_printf(&message, "no drain %s; kept out by ", job->order->aim.id);
	view_text_holders(job->view, &message);
	job_finish(job, judge_exit_status(VERDICT_HELD), &message);
	return true;
}

/* After a look: what is there to ask for? */
static void plan(struct job *job)
{
	const char *id = job_is_drain(job)    ? job->order->aim.id
			 : job_is_resume(job) ? choose_drain_to_end(job)
					      : NULL;

	if (!job->asked_count)
		job->was_there = judge_was_there(&job->order->aim, job->view);
	if (id) {
		copy_text(job->id, sizeof(job->id), id);
		job->step = job_is_drain(job) &&
					    !judge_is_covered(&job->order->aim, job->view)
				    ? STEP_TURN
				    : STEP_ASK;
		return;
	}
	if (job_is_resume(job) && !job->asked_count && is_held(job))
		return;
	job->step = STEP_WATCH;
	judge_view(job);
}

/* How many sessions were left when the drain was last seen. */
static int64_t sessions_left(const struct job *job, const struct server_view *view)
{
	if (job_is_drain(job) && server_view_drain(view, job->order->aim.id))
		return view->progress.sessions;
	return job->view ? job->view->sessions_left : COUNT_UNKNOWN;
}

static void on_view(struct job *job, const struct reply *reply)
{
	struct err err = {0};
	struct server_view *view = request_read_view(job->server, reply, &err);

	if (!view) {
		problem_from_err(&err, job->server->url, &job->problem);
		job_give_up(job);
		return;
	}
	view->sessions_left = sessions_left(job, view);
	server_view_free(job->view);
	job->view = view;
	job->view_at = clock_mono();
	job->is_current = true;
	if (job->step == STEP_BEGIN)
		plan(job);
	else
		judge_view(job);
}

/* The body of the answer is not looked at: what counts is what the next view says. */
static void on_taken(struct job *job)
{
	job->may_be_taken = false;
	job->is_current = false;
	*job->token = '\0';
	job->asked_count++;
	job->step = job_is_drain(job) ? STEP_WATCH : STEP_BEGIN;
}

/* That the drain is gone is known; if why is not, there is nothing to be had by asking
 * again. */
static void on_ended(struct job *job, const struct reply *reply)
{
	struct problem problem;
	struct err err = {0};

	if (problem_from_reply(reply, job->server->url, &problem) == 0)
		(void)server_view_read_ended(job->view, reply->body, reply->length, &err);
	job_conclude(job, judge(&job->order->aim, job->view, 0));
}

static void on_reply(void *context, const struct reply *reply)
{
	struct job *job = context;
	bool is_ok, is_gone;

	job->is_busy = false;
	if (job->step == STEP_DONE)
		return;
	if (job->step == STEP_WHY) {
		on_ended(job, reply);
		return;
	}
	if (job->step == STEP_YIELD) {
		leave_on_rival(job, reply);
		return;
	}
	is_ok = problem_from_reply(reply, job->server->url, &job->problem) == 0;
	is_gone = !is_ok && job->problem.code == ERR_UNKNOWN_DRAIN;
	if (!is_ok && !(is_gone && job->step == STEP_ASK && job_is_resume(job))) {
		on_problem(job);
		return;
	}
	if (job->step == STEP_RESERVE)
		leave_on_reserved(job, reply);
	else if (job->step == STEP_ASK)
		on_taken(job);
	else
		on_view(job, reply);
	job_found_well(job);
}

/* While a service is in trouble, the next view must come when the patience with it ends.
 */
static int wait_s(const struct job *job)
{
	int64_t rest_ms;

	if (!job->is_troubled)
		return LONG_POLL_S;
	rest_ms = JUDGE_ATTENTION_MS - clock_since(job->troubled_since, clock_mono());
	return rest_ms > 1000 ? (int)((rest_ms + 999) / 1000) : 1;
}

static void commit(struct job *job, struct client *client)
{
	const struct order *order = job->order;
	const char *forced[GATE__COUNT];
	size_t count = job->look ? look_forced(job->look, forced) : 0;

	request_drain(client, job->server, &order->aim, job->terms, order->owner,
		      order->reason, job->token, forced, count, on_reply, job);
}

static void send_next(struct job *job, struct client *client)
{
	const struct order *order = job->order;

	job->is_busy = true;
	if (job->step == STEP_WHY)
		request_one_drain(client, job->server, order->aim.id, on_reply, job);
	else if (job->step == STEP_YIELD)
		leave_ask_rival(job, client, on_reply);
	else if (job->step == STEP_RESERVE)
		request_reserve(client, job->server, &order->aim, job->terms,
				order->owner, order->reason, on_reply, job);
	else if (job->step != STEP_ASK)
		request_view(client, job->server, job->is_current ? job->view : NULL,
			     wait_s(job), on_reply, job);
	else if (job_is_drain(job))
		commit(job, client);
	else
		request_end(client, job->server, job->id, order->owner, on_reply, job);
}

static void on_withdrawn(void *context, const struct reply *reply)
{
	struct drive *drive = context;

	(void)reply;
	drive->withdrawals--;
}

/* What is reserved for a drain that will not come stands in the way of others, until its
 * time is over. */
static void withdraw(struct drive *drive)
{
	size_t before = drive->withdrawals;

	for (size_t i = 0; i < drive->count; i++) {
		struct job *job = &drive->jobs[i];

		if ((job->step != STEP_DONE && job->step != STEP_YIELD) || !*job->token)
			continue;
		drive->withdrawals++;
		request_withdraw(drive->client, job->server, job->id, job->token,
				 job->order->owner, on_withdrawn, drive);
		*job->token = '\0';
	}
	/* Before anything that takes time. */
	if (drive->withdrawals > before)
		(void)client_run(drive->client, 0);
}

static void go_on(struct drive *drive, struct job *job)
{
	if (job->step == STEP_DONE || job->step == STEP_LOOK || job->is_busy ||
	    clock_since(job->retry_at, clock_mono()) < 0)
		return;
	if (job->step == STEP_TURN)
		leave_take_turn(drive, job);
	if (job->step == STEP_VERIFY && !is_tried(drive, job))
		return;
	if (job->step != STEP_TURN &&
	    (job->step != STEP_RESERVE || leave_begin_look(drive, job)))
		send_next(job, drive->client);
}

/* While there is a look, the others' replies wait for its own. */
static void run_clients(struct drive *drive)
{
	bool is_looking = false;

	leave_send_looks(drive);
	for (size_t i = 0; i < drive->count; i++)
		is_looking = is_looking || drive->jobs[i].step == STEP_LOOK;
	if (is_looking)
		(void)client_run(drive->looks, STEP_MS);
	(void)client_run(drive->client, is_looking ? 0 : STEP_MS);
	leave_settle_looks(drive);
}

bool drive_step(struct drive *drive)
{
	bool is_going_on = false;

	for (size_t i = 0; i < drive->count; i++)
		go_on(drive, &drive->jobs[i]);
	run_clients(drive);
	for (size_t i = 0; i < drive->count; i++) {
		if (drive->jobs[i].step != STEP_DONE)
			job_check_time(&drive->jobs[i]);
		is_going_on = is_going_on || drive->jobs[i].step != STEP_DONE;
	}
	withdraw(drive);
	return is_going_on;
}

void drive_interrupt(struct drive *drive)
{
	for (size_t i = 0; i < drive->count; i++) {
		struct job *job = &drive->jobs[i];

		if (job->step != STEP_DONE)
			job_interrupt(job);
	}
}

struct drive *drive_new(const struct order *order,
			const struct pool_server *const *servers, size_t count,
			struct client *client)
{
	struct drive *drive = xcalloc(1, sizeof(*drive));

	drive->client = client;
	drive->outside = outside_new(order->config, client);
	drive->count = count;
	drive->jobs = xcalloc(count, sizeof(*drive->jobs));
	for (size_t i = 0; i < count; i++)
		drive->jobs[i] =
			(struct job){.order = order,
				     .server = servers[i],
				     .terms = order->terms ? &order->terms[i] : NULL,
				     .started_at = clock_mono()};
	return drive;
}

void drive_free(struct drive *drive)
{
	struct mono began = clock_mono();

	if (!drive)
		return;
	withdraw(drive);
	while (drive->withdrawals && clock_since(began, clock_mono()) < WITHDRAW_MS)
		(void)client_run(drive->client, STEP_MS);
	client_free(drive->looks);
	for (size_t i = 0; i < drive->count; i++) {
		look_free(drive->jobs[i].look);
		server_view_free(drive->jobs[i].rival_view);
		free(drive->jobs[i].result.message);
		server_view_free(drive->jobs[i].view);
	}
	outside_free(drive->outside);
	free(drive->jobs);
	free(drive);
}

const struct job *drive_jobs(const struct drive *drive, size_t *count)
{
	*count = drive->count;
	return drive->jobs;
}

int drive_exit_status(const struct drive *drive)
{
	int status = drive->count ? drive->jobs[0].result.exit_status : 0;

	for (size_t i = 0; i < drive->count; i++) {
		int other = drive->jobs[i].result.exit_status;

		if (other == err_info(ERR_INTERRUPTED)->exit_status)
			return other;
		if (other != status)
			status = EXIT_SEVERAL;
	}
	return status;
}

const struct drain_view *job_drain(const struct job *job)
{
	return job->view && job_is_drain(job)
		       ? server_view_drain(job->view, job->order->aim.id)
		       : NULL;
}

int64_t job_elapsed_ms(const struct job *job)
{
	struct mono end = job->step == STEP_DONE ? job->finished_at : clock_mono();
	const struct drain_view *drain = job_drain(job);

	if (!drain)
		return clock_since(job->started_at, end);
	return job->view->time.ms - drain->created_at.ms + clock_since(job->view_at, end);
}
