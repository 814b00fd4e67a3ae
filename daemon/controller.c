#include "controller.h"

#include "log.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

enum {
	POLL_MS = 100,     /* how often a state in motion is looked at */
	ANSWER_MS = 10000, /* how long a control that was taken may have no effect */
	LATE_PAUSE_MS =
		60000, /* how long one that timed out (after 30 s) may still arrive */
	HINT_LEAST_MS = 2000, /* services are often too hopeful in their wait hint */
	HINT_MOST_MS = 600000,
	HINT_NONE_MS =
		30000, /* for a pending state without a hint: what the SCM allows */
	RETRY_FIRST_MS = 1000,
	RETRY_MOST_MS = 30000,
	ACTIONS_A_STEP = 12, /* more than any way through the table needs */
};

struct controller {
	const struct pool_service *service;
	struct tools tools;
	struct sessions_source source;
	int64_t settle_ms;

	enum want want;
	char *why;

	struct scm_status observed; /* valid unless state is missing or unknown */
	enum service_state state;
	struct err trouble; /* why the SCM or the store failed last */

	bool has_saved;
	struct saved saved;
	bool was_held; /* it was out and Manual under this drain: if not now, that is
			  drift */

	/* What was asked last, and what came of it. */
	enum action asked;
	struct mono asked_at;
	enum answer outcome; /* awaited, refused or failed */
	struct mono retry_at;
	int64_t retry_ms;

	/* A pause that was sent may still arrive after the drain ended. */
	bool is_pause_sent;
	struct mono pause_sent_at;
	int64_t pause_window_ms;

	/* A pending state and when it last made progress. */
	struct mono pending_since;
	uint32_t pending_checkpoint;

	struct progress progress;
	struct err uncounted; /* why the count is unknown */
	struct mono count_due;

	struct decision decision;
};

/* ---- the record ---- */

static void record(struct controller *c, const char *kind, const char *text)
{
	struct err err = {0};
	struct event event = {.time = clock_wall(),
			      .kind = kind,
			      .service = c->service->named.name,
			      .who = "poold",
			      .why = c->why,
			      .text = text};

	/* A lost line of the record must not keep poold from holding a service out. */
	if (store_add_event(c->tools.store, &event, &err))
		log_error("%s", err.text);
}

static void set_decision(struct controller *c, struct decision decision)
{
	enum phase before = c->decision.phase;
	bool is_first = !c->decision.message;

	c->decision = decision;
	if (is_first || before == decision.phase)
		return;
	char *text = xasprintf("%s -> %s, reason: %s", phase_name(before),
			       phase_name(decision.phase), decision.message);

	log_info("%s: %s", c->service->named.name, text);
	record(c, "phase", text);
	free(text);
}

/* ---- looking ---- */

static bool is_pending(enum service_state state)
{
	return state == STATE_START_PENDING || state == STATE_STOP_PENDING ||
	       state == STATE_PAUSE_PENDING || state == STATE_CONTINUE_PENDING;
}

static bool is_startup_held(enum start_type type)
{
	return type == START_MANUAL || type == START_DISABLED;
}

/* The action is done once the service is where it leads. */
static bool is_reached(enum action asked, enum service_state state)
{
	return asked == ACT_PAUSE ? reconcile_is_out(state) : state == STATE_RUNNING;
}

static void note_drift(struct controller *c)
{
	bool is_held =
		reconcile_is_out(c->state) && is_startup_held(c->observed.start_type);
	char *text;

	if (c->want != WANT_DRAINED || !c->has_saved) {
		c->was_held = false;
		return;
	}
	/* What cannot be seen now may have changed all the same: the next look tells. */
	if (c->state == STATE_UNKNOWN)
		return;
	if (c->was_held && !is_held) {
		text = xasprintf(
			"somebody else changed the service: it is %s, startup %s",
			service_state_name(c->state),
			start_type_name(c->observed.start_type));
		log_warning("%s: %s", c->service->named.name, text);
		record(c, "drift", text);
		free(text);
	}
	c->was_held = is_held;
}

/* A service that poold took out and that is gone now is never taken for one that need not
 * be there. */
static enum service_state state_of_failure(const struct controller *c,
					   const struct err *err)
{
	if (err->code != ERR_SCM_MISSING)
		return STATE_UNKNOWN;
	return c->service->is_optional && !c->has_saved ? STATE_ABSENT : STATE_MISSING;
}

static void observe(struct controller *c)
{
	struct mono now = c->tools.clock();
	enum service_state before = c->state;
	struct scm_status status = {0};
	struct err err = {0};

	if (c->tools.scm->ops->observe(c->tools.scm, c->service->named.name, &status,
				       &err)) {
		c->state = state_of_failure(c, &err);
		c->trouble = err;
	} else {
		c->state = status.state;
		c->observed = status;
		if (c->asked == ACT_NONE)
			c->trouble = (struct err){0};
	}
	if (before != c->state || status.checkpoint != c->pending_checkpoint)
		c->pending_since = now;
	c->pending_checkpoint = status.checkpoint;
	if ((c->asked == ACT_PAUSE || c->asked == ACT_CONTINUE ||
	     c->asked == ACT_START) &&
	    is_reached(c->asked, c->state))
		c->asked = ACT_NONE;
	if (reconcile_is_out(c->state))
		c->is_pause_sent = false;
	else
		progress_not_out(&c->progress);
	note_drift(c);
}

static void count_sessions(struct controller *c)
{
	struct sample sample = {.is_known = true};
	struct err err = {0};

	/* The moment before the look, so that no time is counted that nobody looked at.
	 */
	sample.at = c->tools.clock();
	if (sessions_source_check(&c->source, &err) ||
	    c->tools.count_sessions(&c->source.filter, &sample.count, &err)) {
		sample.is_known = false;
		c->uncounted = err;
	}
	progress_add(&c->progress, sample, c->tools.tick_ms * 3);
	if (!reconcile_is_out(c->state))
		progress_not_out(&c->progress);
	c->count_due = clock_add(sample.at, c->tools.tick_ms);
}

/* ---- deciding ---- */

static enum answer pending_answer(const struct controller *c)
{
	int64_t hint_ms = c->observed.wait_hint_ms;

	if (!hint_ms)
		hint_ms = HINT_NONE_MS;
	if (hint_ms < HINT_LEAST_MS)
		hint_ms = HINT_LEAST_MS;
	if (hint_ms > HINT_MOST_MS)
		hint_ms = HINT_MOST_MS;
	return clock_since(c->pending_since, c->tools.clock()) > hint_ms ? ANSWER_LATE
									 : ANSWER_AWAITED;
}

static bool may_pause_arrive(const struct controller *c)
{
	return c->want == WANT_SERVING && c->is_pause_sent &&
	       clock_since(c->pause_sent_at, c->tools.clock()) <= c->pause_window_ms;
}

static enum answer answer_of(const struct controller *c)
{
	if (is_pending(c->state))
		return pending_answer(c);
	if (c->asked == ACT_NONE)
		return may_pause_arrive(c) ? ANSWER_AWAITED : ANSWER_NONE;
	if (c->outcome == ANSWER_AWAITED &&
	    clock_since(c->asked_at, c->tools.clock()) > ANSWER_MS)
		return ANSWER_LATE;
	return c->outcome;
}

static enum startup startup_of(const struct controller *c)
{
	const struct scm_status *now = &c->observed;
	bool is_flag_same = c->saved.delayed_auto_start == SCM_FLAG_UNSUPPORTED ||
			    now->delayed_auto_start == SCM_FLAG_UNSUPPORTED ||
			    now->start_type != START_AUTOMATIC ||
			    c->saved.delayed_auto_start == now->delayed_auto_start;

	if (c->want == WANT_SERVING && c->has_saved &&
	    now->start_type == c->saved.start_type && is_flag_same)
		return STARTUP_RESTORED;
	return is_startup_held(now->start_type) ? STARTUP_HELD : STARTUP_BOOTS;
}

static enum saved_state saved_of(const struct controller *c)
{
	if (!c->has_saved)
		return SAVED_NONE;
	if (c->saved.state == STATE_RUNNING)
		return SAVED_RUNNING;
	return c->saved.state == STATE_PAUSED ? SAVED_PAUSED : SAVED_STOPPED;
}

static enum tally tally_of(const struct controller *c)
{
	const struct progress *progress = &c->progress;

	if (!progress->has_sample || !progress->last.is_known)
		return TALLY_UNKNOWN;
	if (progress->last.count)
		return TALLY_SOME;
	return progress_is_settled(progress, c->settle_ms) ? TALLY_SETTLED : TALLY_ZERO;
}

static struct decision decide(const struct controller *c)
{
	return reconcile_next(&(struct situation){
		.want = c->want,
		.state = c->state,
		.accepts_pause = c->observed.accepts_pause,
		.startup = startup_of(c),
		.saved = saved_of(c),
		.answer = answer_of(c),
		.tally = tally_of(c),
	});
}

/* ---- acting ---- */

/* Where a state in motion leads is what the service was meant to be. */
static enum service_state lasting_state(enum service_state state)
{
	switch (state) {
	case STATE_START_PENDING:
	case STATE_CONTINUE_PENDING:
		return STATE_RUNNING;
	case STATE_PAUSE_PENDING:
		return STATE_PAUSED;
	case STATE_STOP_PENDING:
		return STATE_STOPPED;
	default:
		return state;
	}
}

static int save(struct controller *c, struct err *err)
{
	struct saved saved = {
		.state = lasting_state(c->state),
		.start_type = c->observed.start_type,
		.delayed_auto_start = c->observed.delayed_auto_start,
	};
	char *text = xasprintf("was %s, startup %s", service_state_name(saved.state),
			       start_type_name(saved.start_type));
	int ret = store_put_saved(c->tools.store, c->service->named.name, &saved, err);

	record(c, "saved", text);
	free(text);
	if (store_commit(c->tools.store, ret ? NULL : err) || ret)
		return -1;
	c->saved = saved;
	c->has_saved = true;
	return 0;
}

static int forget(struct controller *c, struct err *err)
{
	int ret = store_delete_saved(c->tools.store, c->service->named.name, err);

	record(c, "restored", "everything is as it was before the drain");
	if (store_commit(c->tools.store, ret ? NULL : err) || ret)
		return -1;
	c->has_saved = false;
	return 0;
}

static int run_action(struct controller *c, enum action action, struct err *err)
{
	const struct scm_ops *ops = c->tools.scm->ops;
	const char *name = c->service->named.name;

	switch (action) {
	case ACT_SAVE:
		return save(c, err);
	case ACT_SET_MANUAL:
		return ops->set_startup(c->tools.scm, name, START_MANUAL,
					SCM_FLAG_UNSUPPORTED, err);
	case ACT_PAUSE:
		return ops->control(c->tools.scm, name, SCM_PAUSE, err);
	case ACT_RESTORE_STARTUP:
		return ops->set_startup(c->tools.scm, name, c->saved.start_type,
					c->saved.delayed_auto_start, err);
	case ACT_CONTINUE:
		return ops->control(c->tools.scm, name, SCM_CONTINUE, err);
	case ACT_START:
		return ops->start(c->tools.scm, name, err);
	case ACT_FORGET:
		return forget(c, err);
	default:
		return 0;
	}
}

static void plan_retry(struct controller *c, bool is_repeated)
{
	c->retry_ms = is_repeated ? c->retry_ms * 2 : RETRY_FIRST_MS;
	if (c->retry_ms > RETRY_MOST_MS)
		c->retry_ms = RETRY_MOST_MS;
	c->retry_at = clock_add(c->tools.clock(), c->retry_ms);
}

/* "Not now" is asked again at every look for a while, as states pass; then it is a
 * failure. */
static void note_failure(struct controller *c, enum action action, const struct err *err)
{
	struct mono now = c->tools.clock();
	bool is_repeated = c->asked == action &&
			   (c->outcome == ANSWER_REFUSED || c->outcome == ANSWER_FAILED);
	bool is_new = c->asked != action;

	c->trouble = *err;
	if (is_new)
		c->asked_at = now;
	c->asked = action;
	if (err->code == ERR_SCM_NOT_NOW && clock_since(c->asked_at, now) <= ANSWER_MS) {
		c->outcome = ANSWER_NONE;
		c->retry_at = clock_add(now, POLL_MS);
		return;
	}
	c->outcome = err->code == ERR_SCM_REFUSED ? ANSWER_REFUSED : ANSWER_FAILED;
	plan_retry(c, is_repeated);
	if (is_repeated)
		return;
	log_warning("%s: %s", c->service->named.name, err->text);
	record(c, "failed", err->text);
}

static void note_success(struct controller *c, enum action action)
{
	bool is_control =
		action == ACT_PAUSE || action == ACT_CONTINUE || action == ACT_START;
	bool is_repeated = c->asked == action;

	c->trouble = (struct err){0};
	c->asked = is_control ? action : ACT_NONE;
	c->outcome = ANSWER_AWAITED;
	/* What had no effect once is asked again at a growing distance. */
	if (is_control && !is_repeated)
		c->asked_at = c->tools.clock();
	if (is_control)
		plan_retry(c, is_repeated);
}

static bool is_due(const struct controller *c, enum action action)
{
	return c->asked != action || clock_since(c->retry_at, c->tools.clock()) >= 0;
}

/* Carries out one action; false if it failed or must wait, so that this round is over. */
static bool act(struct controller *c, enum action action)
{
	struct err err = {0};
	int ret;

	if (action == ACT_NONE || action == ACT_WAIT || !is_due(c, action))
		return false;
	if (action != ACT_SAVE && action != ACT_FORGET && c->asked != action)
		record(c, "action", action_name(action));
	ret = run_action(c, action, &err);
	/* A control that timed out counts as sent: the service may take it yet. */
	if (action == ACT_PAUSE && (!ret || err.code == ERR_SCM_FAILED)) {
		c->is_pause_sent = true;
		c->pause_window_ms = ret ? LATE_PAUSE_MS : ANSWER_MS;
		c->pause_sent_at = c->tools.clock();
	}
	if (ret) {
		note_failure(c, action, &err);
		return false;
	}
	log_info("%s: %s", c->service->named.name, action_name(action));
	note_success(c, action);
	return true;
}

static int64_t next_look_ms(const struct controller *c)
{
	bool is_moving = is_pending(c->state) || c->asked != ACT_NONE ||
			 c->decision.action != ACT_NONE;
	int64_t until_count_ms = clock_since(c->tools.clock(), c->count_due);

	if (until_count_ms < 1)
		return 1;
	return is_moving && until_count_ms > POLL_MS ? POLL_MS : until_count_ms;
}

int64_t controller_step(struct controller *c)
{
	observe(c);
	set_decision(c, decide(c));
	/* Acting comes before counting: a service that is to be out should be out first.
	 */
	for (int i = 0; i < ACTIONS_A_STEP && act(c, c->decision.action); i++) {
		observe(c);
		set_decision(c, decide(c));
	}
	if (clock_since(c->count_due, c->tools.clock()) >= 0) {
		count_sessions(c);
		set_decision(c, decide(c));
	}
	return next_look_ms(c);
}

/* ---- from outside ---- */

struct controller *controller_new(const struct pool *pool,
				  const struct pool_server *server,
				  const struct pool_service *service,
				  const struct tools *tools, struct err *err)
{
	struct controller *c = xcalloc(1, sizeof(*c));
	int got;

	c->service = service;
	c->tools = *tools;
	c->settle_ms = pool_settle_ms(pool, server, service);
	c->state = STATE_UNKNOWN;
	sessions_source_init(&c->source, pool, server, service);
	got = store_get_saved(tools->store, service->named.name, &c->saved, err);
	c->has_saved = got == 1;
	if (got >= 0)
		return c;
	controller_free(c);
	return NULL;
}

void controller_free(struct controller *c)
{
	if (!c)
		return;
	sessions_source_done(&c->source);
	free(c->why);
	free(c);
}

void controller_want(struct controller *c, enum want want, const char *why)
{
	free(c->why);
	c->why = xstrdup(why);
	if (c->want == want)
		return;
	c->want = want;
	/* What was asked for the other direction is no longer waited for, but for a pause
	 * that may still arrive. */
	c->asked = ACT_NONE;
	if (want == WANT_DRAINED) {
		progress_restart(&c->progress);
		c->count_due = c->tools.clock();
	}
	/* Said before it is done: doing it may take as long as the SCM likes. */
	if (c->decision.message)
		set_decision(c, decide(c));
}

const char *controller_name(const struct controller *c)
{
	return c->service->named.name;
}

enum phase controller_phase(const struct controller *c)
{
	return c->decision.phase;
}

bool controller_is_absent(const struct controller *c)
{
	return c->state == STATE_ABSENT;
}

bool controller_is_out(const struct controller *c)
{
	return reconcile_is_out(c->state);
}

bool controller_has_saved(const struct controller *c)
{
	return c->has_saved;
}

const struct progress *controller_progress(const struct controller *c)
{
	return &c->progress;
}

static json_t *flag_to_json(enum scm_flag flag)
{
	return flag == SCM_FLAG_UNSUPPORTED ? json_null()
					    : json_boolean(flag == SCM_FLAG_YES);
}

static json_t *observed_to_json(const struct controller *c)
{
	const struct scm_status *now = &c->observed;

	if (c->state >= STATE_MISSING)
		return json_pack("{ss sn sn sn sn}", "state",
				 service_state_name(c->state), "start_type",
				 "delayed_auto_start", "accepts_pause", "pid");
	return json_pack("{ss ss so sb sI}", "state", service_state_name(c->state),
			 "start_type", start_type_name(now->start_type),
			 "delayed_auto_start", flag_to_json(now->delayed_auto_start),
			 "accepts_pause", now->accepts_pause, "pid",
			 (json_int_t)now->pid);
}

static json_t *saved_to_json(const struct controller *c)
{
	if (!c->has_saved)
		return json_null();
	return json_pack("{ss ss so}", "state", service_state_name(c->saved.state),
			 "start_type", start_type_name(c->saved.start_type),
			 "delayed_auto_start", flag_to_json(c->saved.delayed_auto_start));
}

static json_t *sessions_to_json(const struct controller *c)
{
	bool is_known = c->progress.has_sample && c->progress.last.is_known;
	json_int_t count = (json_int_t)c->progress.last.count;
	json_t *source = json_pack("{ss so}", "kind", "tcp", "count",
				   is_known ? json_integer(count) : json_null());

	if (!is_known && c->uncounted.code)
		(void)json_object_set_new(source, "error",
					  json_string(c->uncounted.text));
	return json_pack("{sb so sI s[o]}", "known", is_known, "count",
			 is_known ? json_integer(count) : json_null(), "peak",
			 (json_int_t)c->progress.peak, "sources", source);
}

static json_t *message_of(const struct controller *c)
{
	bool has_detail = c->trouble.code && c->decision.phase == PHASE_ATTENTION;

	if (c->decision.phase == PHASE_DRAINING && c->progress.last.count > 0 &&
	    reconcile_is_out(c->state) && c->progress.last.is_known)
		return json_sprintf("%lld sessions left",
				    (long long)c->progress.last.count);
	if (c->decision.phase == PHASE_DRAINING && !c->progress.last.is_known &&
	    reconcile_is_out(c->state))
		return json_sprintf("%s: %s", c->decision.message, c->uncounted.text);
	return json_sprintf("%s%s%s%s", c->decision.message, has_detail ? " (" : "",
			    has_detail ? c->trouble.text : "", has_detail ? ")" : "");
}

static json_t *components_to_json(const struct controller *c)
{
	json_t *components = json_array();

	LIST_EACH (char *, component, c->service->components)
		(void)json_array_append_new(components, json_string(*component));
	return components;
}

json_t *controller_to_json(const struct controller *c)
{
	const char *name = c->service->named.name;
	const char *display = c->observed.display_name;

	if (!*display && c->service->display_name)
		display = c->service->display_name;

	return json_pack("{ss ss so ss ss ss so so so so}", "name", name, "display_name",
			 *display ? display : name, "components", components_to_json(c),
			 "phase", phase_name(c->decision.phase), "wanted",
			 want_name(c->want), "method", "pause", "message", message_of(c),
			 "observed", observed_to_json(c), "saved", saved_to_json(c),
			 "sessions", sessions_to_json(c));
}
