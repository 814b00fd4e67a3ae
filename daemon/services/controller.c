#include "services/controller_private.h"

#include "system/log.h"
#include "mem.h"
#include "pool_advice.h"
#include "store/saved_text.h"

#include <stdlib.h>
#include <string.h>

enum {
	ACTIONS_A_STEP = 12, /* more than any way through the table needs */
	PASSES_A_STEP = 4,
};

/* ---- a round ---- */

static void observe(struct controller *c)
{
	const struct progress *progress = &c->counting.progress;
	json_t *before;

	(void)controller_take_answer(c);
	before = controller_seen_to_json(c);
	controller_observe(c);
	controller_note_change(c, before);
	json_decref(before);
	if (probe_look(&c->counting.probe, progress->is_out, progress->out_since,
		       c->deps.wall_clock()))
		controller_note_taken(c);
}

/* One service that need not be there is no fault; a server without any serves
 * nobody. */
static void look_around(struct controller *const *controllers, size_t count)
{
	bool is_empty = true;

	for (size_t i = 0; i < count; i++)
		is_empty = is_empty && controller_is_absent(controllers[i]);
	for (size_t i = 0; i < count; i++)
		controllers[i]->is_server_empty = is_empty;
}

/* Acting comes before counting: a service that is to be out should be out first.
 * True if something is to be written next. */
static bool act_all(struct controller *c)
{
	enum action action = c->decision.action;

	for (int i = 0; i < ACTIONS_A_STEP && controller_is_on_the_scm(c, action) &&
			controller_is_due(c, action) && controller_act(c, action);
	     i++)
		action = c->decision.action;
	if (clock_since(c->counting.due, c->deps.clock()) >= 0) {
		counting_count(&c->counting, false);
		controller_note_sessions(c);
		controller_set_decision(c, controller_decide(c));
	}
	action = c->decision.action;
	return (action == ACT_SAVE || action == ACT_FORGET || action == ACT_STOP) &&
	       controller_is_due(c, action);
}

static int64_t next_look_ms(const struct controller *c)
{
	bool is_moving = control_attempt_is_pending(c->state) ||
			 c->attempt.asked != ACT_NONE ||
			 c->decision.action != ACT_NONE;
	int64_t until_count_ms = clock_since(c->deps.clock(), c->counting.due);

	if (until_count_ms < 1)
		return 1;
	return is_moving && until_count_ms > CONTROL_ATTEMPT_POLL_MS
		       ? CONTROL_ATTEMPT_POLL_MS
		       : until_count_ms;
}

/* A record that cannot be written must not keep poold from holding services out:
 * only what was claimed fails with it. */
static void commit(struct controller *const *controllers, size_t count)
{
	const struct deps *deps = &controllers[0]->deps;
	bool is_saved_changed = false, is_forgetting = false;
	struct err err = {0};

	(void)record_commit(deps->record, &err);
	for (size_t i = 0; i < count; i++) {
		enum action claimed = controllers[i]->claimed;

		is_saved_changed |= claimed == ACT_SAVE || claimed == ACT_FORGET;
		is_forgetting |= claimed == ACT_FORGET;
		controller_on_committed(controllers[i], &err);
	}
	/* It is tried again soon. */
	if (is_forgetting && err.code)
		(void)store_use_reserve(deps->store);
	if (is_saved_changed && !err.code && deps->saved_text)
		saved_text_write(deps->saved_text, deps->store, deps->wall_clock());
}

int64_t controllers_step(struct controller *const *controllers, size_t count)
{
	int64_t next_ms = controllers[0]->deps.tick_ms;
	bool is_going_on = true;

	controllers_be_patient(controllers, count);
	for (int pass = 0; pass < PASSES_A_STEP && is_going_on; pass++) {
		is_going_on = false;
		for (size_t i = 0; i < count; i++)
			observe(controllers[i]);
		look_around(controllers, count);
		for (size_t i = 0; i < count; i++) {
			controller_set_decision(controllers[i],
						controller_decide(controllers[i]));
			controller_claim(controllers[i]);
		}
		commit(controllers, count);
		for (size_t i = 0; i < count; i++)
			is_going_on = act_all(controllers[i]) || is_going_on;
	}
	for (size_t i = 0; i < count; i++)
		controller_put_stale(controllers[i]);
	commit(controllers, count);
	for (size_t i = 0; i < count; i++) {
		int64_t due_ms = next_look_ms(controllers[i]);

		next_ms = due_ms < next_ms ? due_ms : next_ms;
	}
	return next_ms;
}

int64_t controllers_peek_in_ms(struct controller *const *controllers, size_t count)
{
	int64_t next_ms = -1;

	for (size_t i = 0; i < count; i++) {
		int64_t ms =
			controllers[i]->wanted.want == WANT_DRAINED
				? counting_peek_in_ms(&controllers[i]->counting)
				: -1;

		if (ms >= 0 && (next_ms < 0 || ms < next_ms))
			next_ms = ms;
	}
	return next_ms;
}

bool controllers_peek(struct controller *const *controllers, size_t count)
{
	bool is_due = false;

	for (size_t i = 0; i < count; i++)
		if (controllers[i]->wanted.want == WANT_DRAINED &&
		    !counting_peek_in_ms(&controllers[i]->counting))
			is_due = counting_peek(&controllers[i]->counting) || is_due;
	return is_due;
}

/* ---- from outside ---- */

static int init_counting(struct controller *c, const struct pool *pool,
			 const struct pool_server *server, struct err *err)
{
	const struct counting_deps deps = {
		.list_sessions = c->deps.list_sessions,
		.is_there = c->deps.is_there,
		.clock = c->deps.clock,
		.wall_clock = c->deps.wall_clock,
		.tick_ms = c->deps.tick_ms,
		.commands = c->deps.commands,
		.has_no_threads = c->deps.has_no_threads,
	};

	return counting_init(&c->counting, pool, server, c->service, &deps, err);
}

struct controller *controller_new(const struct pool *pool,
				  const struct pool_server *server,
				  const struct pool_service *service,
				  const struct deps *deps, struct err *err)
{
	struct controller *c = xcalloc(1, sizeof(*c));
	int got;

	c->service = service;
	c->deps = *deps;
	c->settle_ms = pool_settle_ms(pool, server, service);
	c->drained_type = pool_startup_while_drained(pool, server);
	c->state = STATE_UNKNOWN;
	if (init_counting(c, pool, server, err)) {
		controller_free(c);
		return NULL;
	}
	lifetimes_store_open(&c->counting.lifetimes_store, deps->store,
			     service->named.name, deps->clock());
	got = store_get_saved(deps->store, service->named.name, &c->saved, err);
	c->has_saved = got == 1;
	if (c->has_saved && c->saved.cutting)
		control_attempt_expect_stop(&c->attempt, deps->clock());
	else if (c->has_saved && !c->saved.was_out)
		control_attempt_expect_pause(&c->attempt, deps->clock());
	if (got >= 0)
		return c;
	controller_free(c);
	return NULL;
}

void controller_free(struct controller *c)
{
	if (!c)
		return;
	(void)controller_leave_call(c);
	counting_done(&c->counting);
	free(c->why);
	free(c);
}

static bool is_another(const struct wanted *a, const struct wanted *b)
{
	return a->want != b->want || a->leaves_startup != b->leaves_startup ||
	       a->may_cut != b->may_cut;
}

/* An earlier drain cut them.  Of a service that is disabled it says that poold
 * stopped it, and starts it again. */
static void forget_cut(struct controller *c)
{
	if (!c->saved.cut || c->saved.start_type == START_DISABLED)
		return;
	c->saved.cut = 0;
	c->is_saved_stale = true;
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
	/* What poold itself will change now is no drift, and what somebody did to
	 * another drain is no concern of this one.  What an earlier poold held is
	 * compared. */
	if (!is_first && is_turn) {
		c->saved.was_out = false;
		c->saved.peak = 0;
		if (wanted->want == WANT_DRAINED)
			forget_cut(c);
		drift_forget(&c->drift);
	}
	c->wanted = *wanted;
	c->wanted.cover = NULL;
	if (is_turn) {
		control_attempt_turn(&c->attempt);
		control_attempt_turn(&c->startup_attempt);
	}
	if (is_turn && wanted->want == WANT_DRAINED) {
		progress_restart(&c->counting.progress);
		progress_remember(&c->counting.progress, c->saved.peak);
		c->counting.due = c->deps.clock();
	}
	/* Said before it is done: doing it may take as long as the SCM likes. */
	if (is_new && c->decision.message)
		controller_set_decision(c, controller_decide(c));
}

bool controller_is_draining(const struct controller *c)
{
	return c->wanted.want == WANT_DRAINED &&
	       c->decision.phase != PHASE_DRAINED && !controller_is_absent(c);
}

void controller_forecast(struct controller *c, struct forecast *forecast)
{
	const struct forecast_service open = {
		.name = c->service->named.name,
		.unknown = "the service still takes new sessions"};

	if (c->wanted.want == WANT_DRAINED && !reconcile_is_out(c->state))
		forecast_add(forecast, &open);
	else
		counting_forecast(&c->counting, c->wanted.want == WANT_DRAINED,
				  c->settle_ms, forecast);
}

/* Of those that are being drained; -1: unknown. */
static int64_t count_draining(struct controller *const *controllers, size_t count)
{
	int64_t sessions = 0;

	for (size_t i = 0; i < count; i++) {
		if (!controller_is_draining(controllers[i]))
			continue;
		if (!counting_is_known(&controllers[i]->counting))
			return -1;
		sessions += controllers[i]->counting.progress.last.count;
	}
	return sessions;
}

void controllers_update_eta(struct controller *const *controllers, size_t count,
			    struct eta *eta, struct mono now)
{
	int64_t sessions = count_draining(controllers, count);
	struct forecast *forecast = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!controller_is_draining(controllers[i]))
			continue;
		if (!eta_is_due(eta, sessions, now))
			return;
		forecast = forecast ? forecast : forecast_new();
		controller_forecast(controllers[i], forecast);
	}
	*eta = (struct eta){0};
	if (forecast)
		eta_set(eta, forecast, sessions, now);
	forecast_free(forecast);
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
	if (store_put_saved(c->deps.store, c->service->named.name, &saved, &err))
		log_warning("%s: how many sessions it had is not kept: %s",
			    c->service->named.name, err.text);
}

void controller_keep(struct controller *c, bool is_last)
{
	struct lifetimes_store *lifetimes_store = &c->counting.lifetimes_store;
	const char *name = c->service->named.name;
	struct mono now = c->deps.clock();
	struct err err = {0};

	keep_peak(c);
	if (!lifetimes_store_is_due(lifetimes_store, now) &&
	    !(is_last && lifetimes_store->is_changed))
		return;
	if (lifetimes_store_keep(lifetimes_store, c->deps.store, name, now,
				 c->deps.wall_clock(), &err))
		log_warning("%s: what was learned of its sessions is not kept: %s",
			    name, err.text);
}

const struct progress *controller_progress(const struct controller *c)
{
	return &c->counting.progress;
}

struct service_metrics controller_metrics(const struct controller *c)
{
	return (struct service_metrics){
		.name = c->service->named.name,
		.phase = c->decision.phase,
		.is_absent = controller_is_absent(c),
		.is_count_known = counting_is_known(&c->counting),
		.known_at = c->counting.known_at,
		.sessions = c->counting.progress.last.count,
		.drifts = c->drift.count,
		.cut = controller_cut(c),
		.accepted = controller_accepted(c),
	};
}

size_t controller_source_metrics(const struct controller *c,
				 struct source_metrics sources[PROGRESS_SOURCES])
{
	return controller_is_absent(c) ? 0
				       : counting_metrics(&c->counting, sources);
}

json_t *controller_preflight(const struct controller *c,
			     const struct preflight_input *plan)
{
	struct preflight_input input = *plan;
	json_t *json;

	input.wanted = c->wanted.want;
	input.has_saved = c->has_saved;
	input.has_command = pool_advice_has_command(c->service, c->deps.commands);
	input.has_sessions = true;
	input.is_count_known = counting_is_known(&c->counting);
	input.count = c->counting.progress.last.count;
	input.own_count = c->counting.own_count;
	input.own_peer = c->counting.own_peer;
	input.counts_own = c->counting.tcp.counts_own;
	preflight_look(c->deps.scm, &input);
	json = preflight_service_to_json(&input);
	preflight_done(&input);
	return json;
}

json_t *controller_sessions(struct controller *c, size_t limit)
{
	json_t *list = counting_list(&c->counting, limit);

	/* It counts, and what is said of the service must fit to that. */
	controller_set_decision(c, controller_decide(c));
	return list;
}
