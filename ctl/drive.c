#include "drive.h"

#include "mem.h"
#include "text.h"
#include "view_text.h"

#include <stdlib.h>
#include <string.h>

enum {
	STEP_MS = 100,
	LONG_POLL_S = 20,
	ASK_PATIENCE_MS = 10000,
	WATCH_PATIENCE_MS = 60000,
	BACKOFF_MIN_MS = 200,
	BACKOFF_MAX_MS = 2000,
	WITHDRAW_MS = 1000,
	LOST_MOST = 5, /* reservations; then something is wrong */
	EXIT_SEVERAL = 8,
};

struct drive {
	struct client *client;
	struct job *jobs;
	size_t count;
	size_t withdrawals; /* under way */
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

static bool is_drain(const struct job *job)
{
	return job->order->aim.goal == GOAL_OUT || job->order->aim.goal == GOAL_DRAINED;
}

static bool is_resume(const struct job *job)
{
	return job->order->aim.goal == GOAL_ENDED || job->order->aim.goal == GOAL_RESUMED;
}

/* Takes the message. */
static void finish(struct job *job, int exit_status, struct buf *message)
{
	job->step = STEP_DONE;
	job->result.exit_status = exit_status;
	job->result.word = word_for(job, exit_status);
	job->result.message = message->text;
	job->finished_at = clock_mono();
}

static bool is_wait(const struct job *job)
{
	return !is_drain(job) && !is_resume(job);
}

/* What became of the request, so that nobody believes in a state that nobody saw. */
static void add_standing(const struct job *job, struct buf *message)
{
	const char *name = job->server->named.name;
	const char *what = is_drain(job) ? "drain" : "resume";
	const char *end = is_drain(job) ? "drained" : "serving";

	if (is_wait(job))
		return;
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
	if (is_drain(job))
		buf_printf(message, ", end it: poolctl resume %s", name);
	if (is_drain(job) && !job->order->is_default_id)
		buf_printf(message, " --id %s", job->order->aim.id);
	buf_puts(message, ")");
}

/* Nothing is left to ask, or the first change is acknowledged. */
static bool is_under_way(const struct job *job)
{
	return job->step == STEP_WATCH || job->asked_count;
}

static int64_t patience_ms(const struct job *job)
{
	/* Who waits with a limit of his own may be waiting for a reboot. */
	if (is_wait(job) && job->order->timeout_ms >= 0)
		return INT64_MAX;
	if (is_under_way(job) || is_wait(job))
		return WATCH_PATIENCE_MS;
	if (job->step == STEP_RESERVE && job->problem.may_be_received)
		return ASK_PATIENCE_MS;
	return job->may_be_taken || job->problem.is_retryable ? ASK_PATIENCE_MS : 0;
}

static void give_up(struct job *job)
{
	struct buf message = {0};
	int64_t silent_ms = clock_since(job->failing_since, clock_mono());

	buf_puts(&message, job->problem.text);
	if (job->problem.is_silence && silent_ms >= 1000)
		buf_printf(&message, " (for %lld s)", (long long)silent_ms / 1000);
	add_standing(job, &message);
	finish(job, job->problem.exit_status, &message);
}

/* Something that may be over in a moment: tries again until patience ends. */
static void miss(struct job *job)
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
		give_up(job);
		return;
	}
	job->backoff_ms = job->backoff_ms ? job->backoff_ms * 2 : BACKOFF_MIN_MS;
	if (job->backoff_ms > BACKOFF_MAX_MS)
		job->backoff_ms = BACKOFF_MAX_MS;
	job->retry_at = clock_add(now, job->backoff_ms);
}

/* The reservation did not last until the commit, so nothing was changed: what was seen
 * while it held is worth nothing any more. */
static void begin_anew(struct job *job)
{
	*job->token = '\0';
	job->may_be_taken = false;
	job->problem.is_retryable = true;
	job->step = STEP_RESERVE;
	if (++job->lost_count == LOST_MOST)
		give_up(job);
	else
		miss(job);
}

static void on_problem(struct job *job)
{
	if (job->step == STEP_ASK && job->problem.code == ERR_NOT_RESERVED) {
		begin_anew(job);
		return;
	}
	if (job->problem.is_silence || job->problem.is_retryable) {
		miss(job);
		return;
	}
	if (job->step == STEP_ASK && job->problem.may_be_received)
		job->may_be_taken = true;
	give_up(job);
}

static void conclude(struct job *job, enum verdict verdict)
{
	struct buf message = {0};

	judge_explain(&job->order->aim, job->view, verdict, &message);
	if (is_drain(job) && (verdict == VERDICT_ATTENTION || verdict == VERDICT_NARROW))
		add_standing(job, &message);
	finish(job, judge_exit_status(verdict), &message);
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
	else if (verdict != VERDICT_NOT_YET)
		conclude(job, verdict);
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
	finish(job, judge_exit_status(VERDICT_HELD), &message);
	return true;
}

/* After a look: what is there to ask for? */
static void plan(struct job *job)
{
	const char *id = is_drain(job)    ? job->order->aim.id
			 : is_resume(job) ? choose_drain_to_end(job)
					  : NULL;

	if (!job->asked_count)
		job->was_there = judge_was_there(&job->order->aim, job->view);
	if (id) {
		copy_text(job->id, sizeof(job->id), id);
		job->step =
			is_drain(job) && !judge_is_covered(&job->order->aim, job->view)
				? STEP_RESERVE
				: STEP_ASK;
		return;
	}
	if (is_resume(job) && !job->asked_count && is_held(job))
		return;
	job->step = STEP_WATCH;
	judge_view(job);
}

/* How many sessions were left when the drain was last seen. */
static int64_t sessions_left(const struct job *job, const struct server_view *view)
{
	if (is_drain(job) && server_view_drain(view, job->order->aim.id))
		return view->progress.sessions;
	return job->view ? job->view->sessions_left : COUNT_UNKNOWN;
}

static void on_view(struct job *job, const struct reply *reply)
{
	struct err err = {0};
	struct server_view *view = request_read_view(job->server, reply, &err);

	if (!view) {
		problem_from_err(&err, job->server->url, &job->problem);
		give_up(job);
		return;
	}
	view->sessions_left = sessions_left(job, view);
	server_view_free(job->view);
	job->view = view;
	job->view_at = clock_mono();
	job->is_current = true;
	if (job->step == STEP_LOOK)
		plan(job);
	else
		judge_view(job);
}

/* From now on all others see the reservation: whatever is looked at before the commit is
 * looked at here. */
static void on_reserved(struct job *job, const struct reply *reply)
{
	struct err err = {0};

	if (request_read_token(reply, job->token, &err)) {
		problem_from_err(&err, job->server->url, &job->problem);
		give_up(job);
		return;
	}
	job->step = STEP_ASK;
}

/* The body of the answer is not looked at: what counts is what the next view says. */
static void on_taken(struct job *job)
{
	job->may_be_taken = false;
	job->is_current = false;
	*job->token = '\0';
	job->asked_count++;
	job->step = is_drain(job) ? STEP_WATCH : STEP_LOOK;
}

/* That the drain is gone is known; if why is not, there is nothing to be had by asking
 * again. */
static void on_ended(struct job *job, const struct reply *reply)
{
	struct problem problem;
	struct err err = {0};

	if (problem_from_reply(reply, job->server->url, &problem) == 0)
		(void)server_view_read_ended(job->view, reply->body, reply->length, &err);
	conclude(job, judge(&job->order->aim, job->view, 0));
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
	is_ok = problem_from_reply(reply, job->server->url, &job->problem) == 0;
	is_gone = !is_ok && job->problem.code == ERR_UNKNOWN_DRAIN;
	if (!is_ok && !(is_gone && job->step == STEP_ASK && is_resume(job))) {
		on_problem(job);
		return;
	}
	if (job->step == STEP_RESERVE)
		on_reserved(job, reply);
	else if (job->step == STEP_ASK)
		on_taken(job);
	else
		on_view(job, reply);
	job->is_failing = false;
	job->backoff_ms = 0;
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

static void send_next(struct job *job, struct client *client)
{
	const struct order *order = job->order;

	job->is_busy = true;
	if (job->step == STEP_WHY)
		request_one_drain(client, job->server, order->aim.id, on_reply, job);
	else if (job->step == STEP_RESERVE)
		request_reserve(client, job->server, &order->aim, job->terms,
				order->owner, order->reason, on_reply, job);
	else if (job->step != STEP_ASK)
		request_view(client, job->server, job->is_current ? job->view : NULL,
			     wait_s(job), on_reply, job);
	else if (is_drain(job))
		request_drain(client, job->server, &order->aim, job->terms, order->owner,
			      order->reason, job->token, NULL, 0, on_reply, job);
	else
		request_end(client, job->server, job->id, order->owner, on_reply, job);
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

/* The end of patience of the operator; what was not acknowledged by then is not "going
 * on". */
static void check_time(struct job *job)
{
	int64_t waited_ms = clock_since(job->started_at, clock_mono());
	bool is_lost = !is_under_way(job) || (is_wait(job) && job->is_failing);
	enum err_code code = is_lost ? ERR_UNREACHABLE : ERR_TIMEOUT;
	char text[TEXT_DURATION_BYTES];
	struct buf message = {0};

	if (job->order->timeout_ms < 0 || waited_ms < job->order->timeout_ms)
		return;
	buf_printf(&message, "not %s after %s", reached_words[job->order->aim.goal],
		   text_duration(waited_ms, text));
	if (job->is_failing)
		buf_printf(&message, ": %s", job->problem.text);
	else if (job->view)
		add_reason(job, &message);
	else
		buf_printf(&message, ": no answer yet from %.200s", job->server->url);
	add_standing(job, &message);
	finish(job, err_info(code)->exit_status, &message);
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
	for (size_t i = 0; i < drive->count; i++) {
		struct job *job = &drive->jobs[i];

		if (job->step != STEP_DONE || !*job->token)
			continue;
		drive->withdrawals++;
		request_withdraw(drive->client, job->server, job->id, job->token,
				 job->order->owner, on_withdrawn, drive);
		*job->token = '\0';
	}
}

bool drive_step(struct drive *drive)
{
	struct mono now = clock_mono();
	bool is_going_on = false;

	for (size_t i = 0; i < drive->count; i++) {
		struct job *job = &drive->jobs[i];

		if (job->step != STEP_DONE && !job->is_busy &&
		    (!job->is_failing || clock_since(job->retry_at, now) >= 0))
			send_next(job, drive->client);
	}
	(void)client_run(drive->client, STEP_MS);
	for (size_t i = 0; i < drive->count; i++) {
		if (drive->jobs[i].step != STEP_DONE)
			check_time(&drive->jobs[i]);
		is_going_on = is_going_on || drive->jobs[i].step != STEP_DONE;
	}
	withdraw(drive);
	return is_going_on;
}

void drive_interrupt(struct drive *drive)
{
	for (size_t i = 0; i < drive->count; i++) {
		struct job *job = &drive->jobs[i];
		struct buf message = {0};

		if (job->step == STEP_DONE)
			continue;
		buf_puts(&message, "interrupted");
		add_standing(job, &message);
		finish(job, err_info(ERR_INTERRUPTED)->exit_status, &message);
	}
}

struct drive *drive_new(const struct order *order,
			const struct pool_server *const *servers, size_t count,
			struct client *client)
{
	struct drive *drive = xcalloc(1, sizeof(*drive));

	drive->client = client;
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
	for (size_t i = 0; i < drive->count; i++) {
		free(drive->jobs[i].result.message);
		server_view_free(drive->jobs[i].view);
	}
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
	return job->view && is_drain(job)
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
