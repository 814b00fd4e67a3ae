#include "held.h"

#include "log.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

enum {
	ACTIONS_A_STEP = 12, /* more than any way through the table needs */
	PASSES_A_STEP = 4,
};

/* ---- the record ---- */

void controller_record(struct controller *c, struct line line)
{
	line.service = c->service->named.name;
	line.who = "poold";
	line.why = c->why;
	record_add(c->tools.record, &line);
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
	controller_record(c, (struct line){.kind = EVENT_PHASE, .text = text});
	free(text);
}

static int put_saved(struct controller *c, struct err *err)
{
	return store_put_saved(c->tools.store, c->service->named.name, &c->saved, err);
}

/* ---- looking ---- */

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
		if (c->asking.asked == ACT_NONE)
			c->trouble = (struct err){0};
	}
	asking_looked(&c->asking, before, c->state, status.checkpoint, c->tools.clock());
	counting_see(&c->counting, reconcile_is_out(c->state), c->state == STATE_STOPPED);
}

/* ---- deciding ---- */

static enum saved_state saved_of(const struct controller *c)
{
	if (!c->has_saved)
		return SAVED_NONE;
	if (c->saved.start_type == START_DISABLED && c->state == STATE_STOPPED &&
	    !held_is_to_be_enabled(c))
		return SAVED_STOPPED;
	if (c->saved.state == STATE_RUNNING)
		return SAVED_RUNNING;
	return c->saved.state == STATE_PAUSED ? SAVED_PAUSED : SAVED_STOPPED;
}

static struct decision decide(const struct controller *c)
{
	struct mono now = c->tools.clock();

	return reconcile_next(&(struct situation){
		.want = c->wanted.want,
		.state = c->state,
		.accepts_pause = c->observed.accepts_pause,
		.startup = held_startup(c),
		.saved = saved_of(c),
		.answer = asking_answer(&c->asking, c->wanted.want, c->state,
					c->observed.wait_hint_ms, now),
		.tally = counting_tally(&c->counting, c->settle_ms),
		.may_cut = c->wanted.may_cut,
		.is_coming_back = drift_is_coming_back(&c->drift, now),
	});
}

/* ---- acting ---- */

/* Where a state in motion leads is what the service was meant to be; so is where the boot
 * would have led one that starts automatically and had no turn yet. */
static enum service_state lasting_state(const struct controller *c)
{
	switch (c->state) {
	case STATE_START_PENDING:
	case STATE_CONTINUE_PENDING:
		return STATE_RUNNING;
	case STATE_PAUSE_PENDING:
		return STATE_PAUSED;
	case STATE_STOP_PENDING:
		return STATE_STOPPED;
	case STATE_STOPPED:
		return c->observed.is_start_due ? STATE_RUNNING : STATE_STOPPED;
	default:
		return c->state;
	}
}

static int claim_save(struct controller *c, struct err *err)
{
	char *text;

	c->saved = (struct saved){
		.state = lasting_state(c),
		.start_type = c->observed.start_type,
		.delayed_auto_start = c->observed.delayed_auto_start,
	};
	text = xasprintf("was %s, startup %s; it is being taken out",
			 service_state_name(c->saved.state),
			 start_type_name(c->saved.start_type));
	controller_record(c, (struct line){.kind = EVENT_SAVED,
					   .text = text,
					   .before = saved_to_json(&c->saved),
					   .is_tied = true});
	free(text);
	return put_saved(c, err);
}

static const char *end_text(const struct controller *c)
{
	if (c->state == STATE_MISSING)
		return "the service was uninstalled; this is what it was before the drain";
	return c->state == c->saved.state
		       ? "everything is as it was before the drain"
		       : "the startup type is as it was before the drain; it did not run "
			 "then, and its state is left as it is";
}

static int claim_forget(struct controller *c, struct err *err)
{
	controller_record(c, (struct line){.kind = c->state == STATE_MISSING
							   ? EVENT_FORGOTTEN
							   : EVENT_RESTORED,
					   .text = end_text(c),
					   .before = saved_to_json(&c->saved),
					   .after = controller_seen_to_json(c),
					   .is_tied = true});
	return store_delete_saved(c->tools.store, c->service->named.name, err);
}

/* How many sessions a stop ends is written before it ends them. */
static int claim_cut(struct controller *c, struct err *err)
{
	c->is_stop_refused = false;
	c->saved.cutting =
		counting_is_known(&c->counting) ? c->counting.progress.last.count : -1;
	controller_record(c, (struct line){.kind = EVENT_ACTION,
					   .text = "to be stopped, with these sessions",
					   .before = controller_seen_to_json(c),
					   .is_tied = true});
	return put_saved(c, err);
}

static void note_failure(struct controller *c, enum action action, const struct err *err)
{
	c->trouble = *err;
	if (!asking_failed(&c->asking, action, err, c->tools.clock()))
		return;
	log_warning("%s: %s", c->service->named.name, err->text);
	controller_record(c, (struct line){.kind = EVENT_FAILED,
					   .text = err->text,
					   .after = controller_seen_to_json(c)});
}

static bool is_due(const struct controller *c, enum action action)
{
	struct mono now = c->tools.clock();
	bool is_undoing = c->is_adrift && (action == ACT_SET_STARTUP ||
					   action == ACT_PAUSE || action == ACT_STOP);

	return asking_is_due(&c->asking, action, now) &&
	       (!is_undoing || drift_may_be_undone(&c->drift, now));
}

/* The store says what goes wrong when it is committed. */
static void put_stale(struct controller *c)
{
	if (c->has_saved && c->is_saved_stale)
		(void)put_saved(c, NULL);
}

/* Puts what must be on disk before the next action into the open transaction. */
static void claim(struct controller *c)
{
	static int (*const claims[ACT__COUNT])(struct controller *, struct err *) = {
		[ACT_SAVE] = claim_save,
		[ACT_FORGET] = claim_forget,
		[ACT_STOP] = claim_cut,
	};
	enum action action = c->decision.action;

	/* It was to be stopped, and then there was no more reason to. */
	if (c->is_cut_written) {
		c->is_cut_written = false;
		held_forget_cutting(c);
	}
	put_stale(c);
	/* Whether there still are sessions to cut is seen now. */
	if (action == ACT_STOP && is_due(c, action)) {
		counting_count(&c->counting, false);
		set_decision(c, decide(c));
		action = c->decision.action;
	}
	if (!claims[action] || !is_due(c, action))
		return;
	c->claimed = action;
	(void)claims[action](c, NULL);
}

static void on_committed(struct controller *c, const struct err *err)
{
	enum action action = c->claimed;

	c->claimed = ACT_NONE;
	if (!err->code)
		c->is_saved_stale = false;
	if (action == ACT_NONE)
		return;
	if (err->code) {
		if (action == ACT_STOP)
			c->saved.cutting = 0;
		note_failure(c, action, err);
		return;
	}
	if (action == ACT_STOP) {
		c->is_cut_written = true;
		return;
	}
	c->has_saved = action == ACT_SAVE;
	asking_done(&c->asking, action, c->tools.clock());
	c->trouble = (struct err){0};
	log_info("%s: %s", c->service->named.name, action_name(action));
	set_decision(c, decide(c));
}

static int run_action(struct controller *c, enum action action, struct err *err)
{
	const struct scm_ops *ops = c->tools.scm->ops;
	const char *name = c->service->named.name;
	enum start_type type = held_wanted_startup(c);

	switch (action) {
	case ACT_SET_STARTUP:
	case ACT_RESTORE_STARTUP:
		return ops->set_startup(c->tools.scm, name, type,
					type == c->saved.start_type
						? c->saved.delayed_auto_start
						: SCM_FLAG_UNSUPPORTED,
					err);
	case ACT_PAUSE:
		return ops->control(c->tools.scm, name, SCM_PAUSE, err);
	case ACT_STOP:
		return ops->control(c->tools.scm, name, SCM_STOP, err);
	case ACT_CONTINUE:
		return ops->control(c->tools.scm, name, SCM_CONTINUE, err);
	case ACT_START:
		return ops->start(c->tools.scm, name, err);
	default:
		return 0;
	}
}

static bool is_on_the_scm(const struct controller *c, enum action action)
{
	if (action == ACT_STOP)
		return c->is_cut_written;
	return action != ACT_NONE && action != ACT_WAIT && action != ACT_SAVE &&
	       action != ACT_FORGET;
}

/* Carries out one action; false if it failed or must wait, so that this round is over. */
static bool act(struct controller *c, enum action action)
{
	json_t *before = controller_seen_to_json(c);
	struct err err = {0};

	if (run_action(c, action, &err)) {
		json_decref(before);
		c->is_cut_written = false;
		/* One that timed out may be taken yet. */
		c->is_stop_refused = action == ACT_STOP && err.code != ERR_SCM_FAILED;
		note_failure(c, action, &err);
		return false;
	}
	c->is_cut_written = false;
	c->trouble = (struct err){0};
	asking_done(&c->asking, action, c->tools.clock());
	log_info("%s: %s", c->service->named.name, action_name(action));
	observe(c);
	controller_record(c, (struct line){.kind = EVENT_ACTION,
					   .text = action_name(action),
					   .before = json_incref(before),
					   .after = controller_seen_to_json(c)});
	held_note_change(c, before);
	set_decision(c, decide(c));
	json_decref(before);
	return true;
}

/* ---- a round ---- */

static void look(struct controller *c)
{
	const struct progress *progress = &c->counting.progress;
	json_t *before = controller_seen_to_json(c);

	observe(c);
	held_note_change(c, before);
	json_decref(before);
	if (probe_look(&c->counting.probe, progress->is_out, progress->out_since,
		       c->tools.wall_clock()))
		held_note_taken(c);
	set_decision(c, decide(c));
	claim(c);
}

/* Acting comes before counting: a service that is to be out should be out first.  True if
 * something is to be written next. */
static bool act_all(struct controller *c)
{
	enum action action = c->decision.action;

	for (int i = 0; i < ACTIONS_A_STEP && is_on_the_scm(c, action) &&
			is_due(c, action) && act(c, action);
	     i++)
		action = c->decision.action;
	if (clock_since(c->counting.due, c->tools.clock()) >= 0) {
		counting_count(&c->counting, false);
		set_decision(c, decide(c));
	}
	action = c->decision.action;
	return (action == ACT_SAVE || action == ACT_FORGET || action == ACT_STOP) &&
	       is_due(c, action);
}

static int64_t next_look_ms(const struct controller *c)
{
	bool is_moving = asking_is_pending(c->state) || c->asking.asked != ACT_NONE ||
			 c->decision.action != ACT_NONE;
	int64_t until_count_ms = clock_since(c->tools.clock(), c->counting.due);

	if (until_count_ms < 1)
		return 1;
	return is_moving && until_count_ms > ASKING_POLL_MS ? ASKING_POLL_MS
							    : until_count_ms;
}

/* A record that cannot be written must not keep poold from holding services out: only
 * what was claimed fails with it. */
static void commit(struct controller *const *controllers, size_t count)
{
	struct err err = {0};

	(void)record_commit(controllers[0]->tools.record, &err);
	for (size_t i = 0; i < count; i++)
		on_committed(controllers[i], &err);
}

int64_t controllers_step(struct controller *const *controllers, size_t count)
{
	int64_t next_ms = controllers[0]->tools.tick_ms;
	bool is_going_on = true;

	for (int pass = 0; pass < PASSES_A_STEP && is_going_on; pass++) {
		is_going_on = false;
		for (size_t i = 0; i < count; i++)
			look(controllers[i]);
		commit(controllers, count);
		for (size_t i = 0; i < count; i++)
			is_going_on = act_all(controllers[i]) || is_going_on;
	}
	for (size_t i = 0; i < count; i++)
		put_stale(controllers[i]);
	commit(controllers, count);
	for (size_t i = 0; i < count; i++) {
		int64_t due_ms = next_look_ms(controllers[i]);

		next_ms = due_ms < next_ms ? due_ms : next_ms;
	}
	return next_ms;
}

/* ---- from outside ---- */

static int init_counting(struct controller *c, const struct pool *pool,
			 const struct pool_server *server, struct err *err)
{
	const struct counting_tools tools = {
		.list_sessions = c->tools.list_sessions,
		.clock = c->tools.clock,
		.wall_clock = c->tools.wall_clock,
		.tick_ms = c->tools.tick_ms,
		.commands = c->tools.commands,
		.has_no_threads = c->tools.has_no_threads,
	};

	return counting_init(&c->counting, pool, server, c->service, &tools, err);
}

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
	c->held_type = pool_startup_while_drained(pool, server);
	c->state = STATE_UNKNOWN;
	if (init_counting(c, pool, server, err)) {
		controller_free(c);
		return NULL;
	}
	learning_open(&c->counting.learning, tools->store, service->named.name,
		      tools->clock());
	got = store_get_saved(tools->store, service->named.name, &c->saved, err);
	c->has_saved = got == 1;
	if (c->has_saved && !c->saved.is_held)
		asking_expect_pause(&c->asking, tools->clock());
	if (got >= 0)
		return c;
	controller_free(c);
	return NULL;
}

void controller_free(struct controller *c)
{
	if (!c)
		return;
	counting_done(&c->counting);
	free(c->why);
	free(c);
}

static bool is_another(const struct wanted *a, const struct wanted *b)
{
	return a->want != b->want || a->leaves_startup != b->leaves_startup ||
	       a->may_cut != b->may_cut;
}

void controller_want(struct controller *c, const struct wanted *wanted)
{
	const struct drain *cover = wanted->cover;
	bool is_turn = c->wanted.want != wanted->want, is_first = !c->why;
	bool is_new = is_another(&c->wanted, wanted);

	free(c->why);
	c->why = cover ? xasprintf("drain %s of %s: %s", cover->id, cover->owner,
				   cover->reason)
		       : xstrdup("no drain covers it");
	/* What poold itself will change now is no drift, and what somebody did to another
	 * drain is no concern of this one.  What an earlier poold held is compared. */
	if (!is_first && is_turn) {
		c->saved.is_held = c->is_adrift = false;
		c->saved.peak = 0;
		c->drift = (struct drift){0};
	}
	c->wanted = *wanted;
	c->wanted.cover = NULL;
	if (is_turn)
		asking_turn(&c->asking);
	if (is_turn && wanted->want == WANT_DRAINED) {
		progress_restart(&c->counting.progress);
		progress_remember(&c->counting.progress, c->saved.peak);
		c->counting.due = c->tools.clock();
	}
	/* Said before it is done: doing it may take as long as the SCM likes. */
	if (is_new && c->decision.message)
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

int64_t controller_cut(const struct controller *c)
{
	return c->has_saved ? c->saved.cut : 0;
}

bool controller_is_draining(const struct controller *c)
{
	return c->wanted.want == WANT_DRAINED && c->decision.phase != PHASE_DRAINED &&
	       !controller_is_absent(c);
}

void controller_forecast(struct controller *c, struct forecast *forecast)
{
	const struct forecast_service open = {.name = c->service->named.name,
					      .unknown = "it still takes new sessions"};

	if (c->wanted.want == WANT_DRAINED && !controller_is_out(c))
		forecast_add(forecast, &open);
	else
		counting_forecast(&c->counting, c->wanted.want == WANT_DRAINED,
				  c->settle_ms, forecast);
}

/* So that it is known after a restart how many there were. */
static void keep_peak(struct controller *c)
{
	struct saved saved = c->saved;
	struct err err = {0};

	saved.peak = c->counting.progress.peak;
	if (!c->has_saved || c->wanted.want != WANT_DRAINED ||
	    saved.peak <= c->saved.peak)
		return;
	/* Also if that fails: it is tried again with the next session. */
	c->saved.peak = saved.peak;
	if (store_put_saved(c->tools.store, c->service->named.name, &saved, &err))
		log_warning("%s: how many sessions it had is not kept: %s",
			    c->service->named.name, err.text);
}

void controller_keep(struct controller *c, bool is_last)
{
	struct learning *learning = &c->counting.learning;
	const char *name = c->service->named.name;
	struct mono now = c->tools.clock();
	struct err err = {0};

	keep_peak(c);
	if (!learning_is_due(learning, now) && !(is_last && learning->is_changed))
		return;
	if (learning_keep(learning, c->tools.store, name, now, c->tools.wall_clock(),
			  &err))
		log_warning("%s: what was learned of its sessions is not kept: %s", name,
			    err.text);
}

const struct progress *controller_progress(const struct controller *c)
{
	return &c->counting.progress;
}

struct metrics_service controller_metrics(const struct controller *c)
{
	return (struct metrics_service){
		.name = c->service->named.name,
		.phase = c->decision.phase,
		.is_absent = controller_is_absent(c),
		.is_count_known = counting_is_known(&c->counting),
		.known_at = c->counting.known_at,
		.sessions = c->counting.progress.last.count,
		.drifts = c->drifts,
		.cut = controller_cut(c),
	};
}

size_t controller_source_metrics(const struct controller *c,
				 struct metrics_source sources[PROGRESS_SOURCES])
{
	return controller_is_absent(c) ? 0 : counting_metrics(&c->counting, sources);
}
