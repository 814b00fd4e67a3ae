#include "operation/operation.h"

#include "exit_status.h"
#include "mem.h"
#include "operation/admission.h"
#include "operation/admission_check.h"
#include "operation/operation_result.h"
#include "operation/operation_view.h"
#include "operation/resume_check.h"
#include "utf8.h"

#include <stdlib.h>

enum {
	STEP_MS = 100,
	LONG_POLL_S = 20,
	WITHDRAW_MS = 3000,
};

struct operation {
	struct resume_check *resume_check;
	struct client *client;
	struct client *checks; /* has a limit; NULL before the first */
	struct job *jobs;
	size_t count;
	size_t withdrawals; /* under way */
};

/* ---- replies ---- */

/* The body of the reply does not matter: what counts is what the next view says. */
static void on_taken(struct job *job)
{
	job->may_be_taken = false;
	job->is_current = false;
	*job->token = '\0';
	job->asked_count++;
	job_go(job, job->step == STEP_COMMIT ? STEP_WATCH : STEP_BEGIN);
}

/* It is known that the drain is gone; if the reason is not, asking again would not
 * help.
 */
static void on_ended(struct job *job)
{
	job->view->ended = job->exchange.drain;
	job->exchange.drain = NULL;
	operation_result_conclude(job,
				  goal_evaluate(&job->order->goal, job->view, 0));
}

static void on_good(struct job *job)
{
	switch (job->step) {
	case STEP_RESERVE:
		admission_on_reserved(job);
		break;
	case STEP_COMMIT:
	case STEP_END:
		on_taken(job);
		break;
	default:
		operation_view_take(job, job->exchange.view);
		job->exchange.view = NULL;
	}
	job_renew_patience(job);
}

/* Some refusals are no failure: the table of steps says where they lead. */
static bool is_expected(struct job *job)
{
	static const struct {
		enum step step;
		enum err_code code;
		void (*react)(struct job *job);
	} refusals[] = {
		{STEP_RESERVE, ERR_RESERVED, admission_on_refused},
		{STEP_COMMIT, ERR_NOT_RESERVED, admission_begin_anew},
		{STEP_END, ERR_UNKNOWN_DRAIN, on_good},
	};

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (job->step == refusals[i].step &&
		    job->problem.code == refusals[i].code) {
			refusals[i].react(job);
			return true;
		}
	return false;
}

static void on_problem(struct job *job)
{
	job->problem = job->exchange.problem;
	if (is_expected(job))
		return;
	if (step_info(job->step)->effect == STEP_EFFECT_UNKNOWN &&
	    job->problem.may_be_received)
		job->may_be_taken = true;
	if (!job->problem.may_pass || !job_try_again(job))
		operation_result_fail(job);
}

static bool is_about_reserve(const struct job *job)
{
	return job->exchange.request.kind == REQUEST_RESERVE;
}

static void on_reply(void *context)
{
	struct job *job = context;

	job->is_busy = false;
	if (job->step == STEP_DONE) {
		/* To be withdrawn. */
		if (is_about_reserve(job) && job->exchange.is_good)
			utf8_copy(job->token, sizeof(job->token),
				  job->exchange.token);
		return;
	}
	if (job->step == STEP_WHY)
		on_ended(job);
	else if (job->exchange.is_good)
		on_good(job);
	else
		on_problem(job);
}

/* ---- requests ---- */

/* While a service is in trouble, the next view must come when the patience with it
 * ends.
 */
static int wait_s(const struct job *job)
{
	int64_t rest_ms;

	if (!job->is_troubled)
		return LONG_POLL_S;
	rest_ms =
		GOAL_ATTENTION_MS - clock_since(job->troubled_since, clock_mono());
	return rest_ms > 1000 ? (int)((rest_ms + 999) / 1000) : 1;
}

/* Each kind of request takes of it what it needs. */
static void send_request(struct job *job, struct client *client)
{
	const struct order *order = job->order;
	const char *forced[GATE__COUNT];
	struct request request = {
		.kind = step_info(job->step)->request,
		.after = job->is_current ? job->view : NULL,
		.wait_s = wait_s(job),
		.id = job->id,
		.owner = order->owner,
		.reason = job->reason ? job->reason : order->reason,
		.seen_index = job->view ? job->view->index : 0,
		.token = job->token,
		.services = order->goal.services,
		.service_count = order->goal.service_count,
		.drain_options = job->drain_options,
		.forced = forced,
	};

	if (job->step == STEP_COMMIT && job->check)
		request.forced_count = admission_check_forced(job->check, forced);
	exchange_send(&job->exchange, &request, client);
}

static void send_next(struct operation *operation, struct job *job)
{
	job->is_busy = true;
	if (job->step == STEP_CHECK)
		admission_check_send(job->check, operation->checks);
	else if (job->step == STEP_YIELD)
		admission_ask_rival(job, operation->client);
	else
		send_request(job, operation->client);
}

static bool begin_check(struct operation *operation, struct job *job)
{
	struct err err = {0};

	if (!operation->checks)
		operation->checks = client_new(&err);
	if (operation->checks)
		return admission_begin_check(job);
	operation_result_fail_with(job, &err);
	return false;
}

/* True once all is known; the view that is asked for then is a new one. */
static bool is_tried(struct operation *operation, struct job *job)
{
	if (!job->resume_check)
		job->resume_check = resume_check_begin(operation->resume_check,
						       job->server, job->view);
	job->is_current = false;
	return resume_check_step(job->resume_check);
}

/* Does what comes before the step's request; false if that is not to be sent now.
 */
static bool prepare(struct operation *operation, struct job *job)
{
	switch (job->step) {
	case STEP_TURN:
		if (!admission_has_turn(job, operation->jobs, operation->count))
			return false;
		job_renew_patience(job);
		job_go(job, STEP_RESERVE);
		return begin_check(operation, job);
	case STEP_RESERVE:
		return begin_check(operation, job);
	case STEP_VERIFY:
		return is_tried(operation, job);
	default:
		return job->step != STEP_DONE;
	}
}

static void go_on(struct operation *operation, struct job *job)
{
	if (!job->is_busy && clock_since(job->retry_at, clock_mono()) >= 0 &&
	    prepare(operation, job))
		send_next(operation, job);
}

/* ---- reservations that are given up ---- */

static void on_withdrawn(void *context, const struct reply *reply)
{
	struct operation *operation = context;

	(void)reply;
	operation->withdrawals--;
}

/* A reservation for a drain that will not come would stand in the way of others
 * until its time is over. */
static void withdraw(struct operation *operation)
{
	size_t before = operation->withdrawals;

	for (size_t i = 0; i < operation->count; i++) {
		struct job *job = &operation->jobs[i];

		if (!step_info(job->step)->gives_back || !*job->token)
			continue;
		operation->withdrawals++;
		request_send(&(struct request){.kind = REQUEST_WITHDRAW,
					       .id = job->id,
					       .token = job->token,
					       .owner = job->order->owner},
			     job->server, operation->client, NULL, on_withdrawn,
			     operation);
		*job->token = '\0';
	}
	/* Before anything that takes time. */
	if (operation->withdrawals > before)
		(void)client_run(operation->client, 0);
}

/* Also one whose reply had not come when the job ended. */
static bool is_withdrawing(const struct operation *operation)
{
	for (size_t i = 0; i < operation->count; i++) {
		const struct job *job = &operation->jobs[i];

		if (*job->token || (job->exchange.is_busy && is_about_reserve(job)))
			return true;
	}
	return operation->withdrawals > 0;
}

/* ---- all jobs ---- */

/* During a check, replies to other requests wait for those to it. */
static void run_clients(struct operation *operation)
{
	bool is_checking = false;

	for (size_t i = 0; i < operation->count; i++)
		is_checking = is_checking || operation->jobs[i].step == STEP_CHECK;
	if (is_checking)
		(void)client_run(operation->checks, STEP_MS);
	(void)client_run(operation->client, is_checking ? 0 : STEP_MS);
}

static void check_time(struct job *job)
{
	if (job->step == STEP_CHECK)
		admission_finish_check(job);
	if (job->step == STEP_YIELD)
		admission_check_patience(job);
	if (job->step != STEP_DONE)
		operation_result_check_time(job);
}

bool operation_step(struct operation *operation)
{
	bool is_going_on = false;

	for (size_t i = 0; i < operation->count; i++)
		go_on(operation, &operation->jobs[i]);
	run_clients(operation);
	for (size_t i = 0; i < operation->count; i++) {
		check_time(&operation->jobs[i]);
		is_going_on = is_going_on || operation->jobs[i].step != STEP_DONE;
	}
	withdraw(operation);
	return is_going_on;
}

void operation_interrupt(struct operation *operation)
{
	for (size_t i = 0; i < operation->count; i++)
		if (operation->jobs[i].step != STEP_DONE)
			operation_result_interrupt(&operation->jobs[i]);
}

struct operation *operation_new(const struct order *order,
				const struct pool_server *const *servers,
				size_t count, struct client *client)
{
	struct operation *operation = xcalloc(1, sizeof(*operation));

	operation->client = client;
	operation->resume_check = resume_check_new(order->config, client);
	operation->count = count;
	operation->jobs = xcalloc(count, sizeof(*operation->jobs));
	for (size_t i = 0; i < count; i++) {
		struct job *job = &operation->jobs[i];

		job->order = order;
		job->server = servers[i];
		if (order->drain_options)
			job->drain_options = &order->drain_options[i];
		job->exchange = (struct exchange){
			.server = servers[i], .on_over = on_reply, .context = job};
		job->started_at = clock_mono();
	}
	return operation;
}

static void free_job(struct job *job)
{
	exchange_done(&job->exchange);
	exchange_done(&job->rival);
	admission_check_free(job->check);
	server_view_free(job->rival_view);
	server_view_free(job->view);
	buf_done(&job->notes);
	free(job->reason);
	free(job->result.message);
}

void operation_free(struct operation *operation)
{
	struct mono began = clock_mono();

	if (!operation)
		return;
	withdraw(operation);
	while (is_withdrawing(operation) &&
	       clock_since(began, clock_mono()) < WITHDRAW_MS) {
		(void)client_run(operation->client, STEP_MS);
		withdraw(operation);
	}
	client_free(operation->checks);
	for (size_t i = 0; i < operation->count; i++)
		free_job(&operation->jobs[i]);
	resume_check_free(operation->resume_check);
	free(operation->jobs);
	free(operation);
}

const struct job *operation_jobs(const struct operation *operation, size_t *count)
{
	*count = operation->count;
	return operation->jobs;
}

int operation_exit_status(const struct operation *operation)
{
	int status = operation->count ? operation->jobs[0].result.exit_status : 0;

	for (size_t i = 0; i < operation->count; i++) {
		int other = operation->jobs[i].result.exit_status;

		if (other == EXIT_INTERRUPTED)
			return other;
		status = exit_status_combine(status, other);
	}
	return status;
}
