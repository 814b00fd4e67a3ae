#include "services/control_attempt.h"

enum {
	EFFECT_MS = 10000,     /* a control that had no effect by then is late */
	LATE_PAUSE_MS = 60000, /* how long one that was sent may still arrive */
	RESTART_MS = 5000,     /* how long a restart may take from stop to start */
	HINT_LEAST_MS =
		2000, /* services are often too hopeful in their wait hint */
	HINT_MOST_MS = 600000,
	HINT_NONE_MS =
		30000, /* for a pending state without a hint: what the SCM allows */
	GONE_MS = 60000, /* a service that is being replaced is back before */
	RETRY_FIRST_MS = 1000,
	RETRY_MOST_MS = 30000,
};

void control_attempt_turn(struct control_attempt *attempt)
{
	attempt->asked = ACT_NONE;
	attempt->is_turned = attempt->is_under_way;
}

void control_attempt_begun(struct control_attempt *attempt)
{
	attempt->is_under_way = true;
	attempt->is_turned = false;
}

void control_attempt_expect_pause(struct control_attempt *attempt, struct mono now)
{
	attempt->is_pause_sent = true;
	attempt->pause_sent_at = now;
}

void control_attempt_expect_stop(struct control_attempt *attempt, struct mono now)
{
	control_attempt_expect_pause(attempt, now);
	attempt->is_stop_sent = true;
}

static void forget_sent(struct control_attempt *attempt)
{
	attempt->is_pause_sent = attempt->is_stop_sent = false;
}

void control_attempt_process_ended(struct control_attempt *attempt, struct mono now)
{
	forget_sent(attempt);
	if (attempt->asked != ACT_PAUSE && attempt->asked != ACT_STOP)
		return;
	attempt->asked_at = now;
	if (attempt->outcome == CONTROL_AWAITED)
		attempt->outcome = CONTROL_NONE;
	if (attempt->retry.ms <= RETRY_FIRST_MS)
		attempt->retry_at = now;
}

bool control_attempt_is_pending(enum service_state state)
{
	return state == STATE_START_PENDING || state == STATE_STOP_PENDING ||
	       state == STATE_PAUSE_PENDING || state == STATE_CONTINUE_PENDING;
}

/* The states that an action leads to; empty for one that is over when it returns.
 */
static bool is_reached(enum action asked, enum service_state state)
{
	switch (asked) {
	case ACT_PAUSE:
		return reconcile_is_out(state);
	case ACT_STOP:
		return state == STATE_STOPPED;
	case ACT_CONTINUE:
	case ACT_START:
		return state == STATE_RUNNING;
	default:
		return false;
	}
}

static bool is_control(enum action action)
{
	return action == ACT_PAUSE || action == ACT_STOP ||
	       action == ACT_CONTINUE || action == ACT_START;
}

void control_attempt_looked(struct control_attempt *attempt,
			    enum service_state before, enum service_state now_is,
			    uint32_t checkpoint, struct mono now)
{
	if (before != now_is || checkpoint != attempt->checkpoint)
		attempt->pending_since = now;
	attempt->checkpoint = checkpoint;
	if (before != now_is)
		attempt->has_stopped =
			now_is == STATE_STOPPED && before < STATE_MISSING;
	if (is_reached(attempt->asked, now_is))
		attempt->asked = ACT_NONE;
	if (attempt->is_stop_sent ? now_is == STATE_STOPPED
				  : reconcile_is_out(now_is))
		forget_sent(attempt);
}

static void plan_retry(struct control_attempt *attempt, bool is_repeated,
		       struct mono now)
{
	if (!is_repeated)
		backoff_reset(&attempt->retry);
	attempt->retry_at = clock_add(
		now, backoff_next(&attempt->retry, RETRY_FIRST_MS, RETRY_MOST_MS));
}

/* A control that timed out counts as sent: the service may take it yet. */
static void note_sent(struct control_attempt *attempt, enum action action,
		      struct mono now)
{
	if (action != ACT_PAUSE && action != ACT_STOP)
		return;
	attempt->is_pause_sent = true;
	attempt->is_stop_sent = action == ACT_STOP;
	attempt->pause_sent_at = now;
}

/* What was wanted before is no longer waited for. */
static void note_answered(struct control_attempt *attempt)
{
	attempt->is_under_way = false;
	if (attempt->is_turned)
		control_attempt_turn(attempt);
}

static void note_done(struct control_attempt *attempt, enum action action,
		      struct mono now)
{
	bool is_repeated = attempt->asked == action;

	note_sent(attempt, action, now);
	attempt->asked = is_control(action) ? action : ACT_NONE;
	attempt->outcome = CONTROL_AWAITED;
	if (!is_control(action))
		return;
	/* What had no effect once is asked again at a growing distance. */
	if (!is_repeated)
		attempt->asked_at = now;
	plan_retry(attempt, is_repeated, now);
}

void control_attempt_done(struct control_attempt *attempt, enum action action,
			  struct mono now)
{
	note_done(attempt, action, now);
	note_answered(attempt);
}

static bool note_failed(struct control_attempt *attempt, enum action action,
			const struct err *err, struct mono now)
{
	bool is_repeated =
		attempt->asked == action && (attempt->outcome == CONTROL_REFUSED ||
					     attempt->outcome == CONTROL_FAILED);

	if (err->code == ERR_SCM_FAILED)
		note_sent(attempt, action, now);
	if (attempt->asked != action)
		attempt->asked_at = now;
	attempt->asked = action;
	/* "Not now" is asked again at every look for a while, as states pass; then
	 * it is a failure. */
	if (err->code == ERR_SCM_NOT_NOW &&
	    clock_since(attempt->asked_at, now) <= EFFECT_MS) {
		attempt->outcome = CONTROL_NONE;
		attempt->retry_at = clock_add(now, CONTROL_ATTEMPT_POLL_MS);
		return false;
	}
	attempt->outcome =
		err->code == ERR_SCM_REFUSED ? CONTROL_REFUSED : CONTROL_FAILED;
	/* A store that works again is used soon. */
	plan_retry(attempt, is_repeated && err->code != ERR_STORE, now);
	return !is_repeated;
}

bool control_attempt_failed(struct control_attempt *attempt, enum action action,
			    const struct err *err, struct mono now)
{
	bool is_news = note_failed(attempt, action, err, now);

	note_answered(attempt);
	return is_news;
}

bool control_attempt_is_due(const struct control_attempt *attempt,
			    enum action action, struct mono now)
{
	return !attempt->is_under_way && (attempt->asked != action ||
					  clock_since(attempt->retry_at, now) >= 0);
}

bool control_attempt_has_just_stopped(const struct control_attempt *attempt,
				      struct mono now)
{
	return attempt->has_stopped &&
	       clock_since(attempt->pending_since, now) < RESTART_MS;
}

static enum control_outcome pending_outcome(const struct control_attempt *attempt,
					    int64_t limit_ms, struct mono now)
{
	return clock_since(attempt->pending_since, now) > limit_ms
		       ? CONTROL_LATE
		       : CONTROL_AWAITED;
}

static int64_t hint_ms(uint32_t wait_hint_ms)
{
	if (!wait_hint_ms)
		return HINT_NONE_MS;
	if (wait_hint_ms < HINT_LEAST_MS)
		return HINT_LEAST_MS;
	return wait_hint_ms > HINT_MOST_MS ? HINT_MOST_MS : wait_hint_ms;
}

enum control_outcome control_attempt_result(const struct control_attempt *attempt,
					    enum want want,
					    enum service_state state,
					    uint32_t wait_hint_ms, struct mono now)
{
	bool may_pause_arrive =
		want == WANT_SERVING && attempt->is_pause_sent &&
		clock_since(attempt->pause_sent_at, now) <= LATE_PAUSE_MS;

	if (control_attempt_is_pending(state))
		return pending_outcome(attempt, hint_ms(wait_hint_ms), now);
	/* Nothing comes of what was asked before it was gone. */
	if (state == STATE_MISSING && attempt->asked != ACT_FORGET)
		return pending_outcome(attempt, GONE_MS, now);
	if (attempt->is_under_way)
		return CONTROL_AWAITED;
	if (attempt->asked == ACT_NONE)
		return may_pause_arrive && state == STATE_RUNNING ? CONTROL_AWAITED
								  : CONTROL_NONE;
	if (attempt->outcome == CONTROL_AWAITED &&
	    clock_since(attempt->asked_at, now) > EFFECT_MS)
		return CONTROL_LATE;
	return attempt->outcome;
}
