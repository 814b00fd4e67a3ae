#include "asking.h"

enum {
	ANSWER_MS = 10000, /* how long a control that was taken may have no effect */
	LATE_PAUSE_MS =
		60000, /* how long one that timed out (after 30 s) may still arrive */
	HINT_LEAST_MS = 2000, /* services are often too hopeful in their wait hint */
	HINT_MOST_MS = 600000,
	HINT_NONE_MS =
		30000,   /* for a pending state without a hint: what the SCM allows */
	GONE_MS = 60000, /* a service that is being replaced is back before */
	RETRY_FIRST_MS = 1000,
	RETRY_MOST_MS = 30000,
};

void asking_turn(struct asking *asking)
{
	asking->asked = ACT_NONE;
}

void asking_expect_pause(struct asking *asking, struct mono now)
{
	asking->is_pause_sent = true;
	asking->pause_sent_at = now;
	asking->pause_window_ms = LATE_PAUSE_MS;
}

bool asking_is_pending(enum service_state state)
{
	return state == STATE_START_PENDING || state == STATE_STOP_PENDING ||
	       state == STATE_PAUSE_PENDING || state == STATE_CONTINUE_PENDING;
}

/* The states that an action leads to; empty for one that is over when it returns. */
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
	return action == ACT_PAUSE || action == ACT_STOP || action == ACT_CONTINUE ||
	       action == ACT_START;
}

void asking_looked(struct asking *asking, enum service_state before,
		   enum service_state now_is, uint32_t checkpoint, struct mono now)
{
	if (before != now_is || checkpoint != asking->checkpoint)
		asking->pending_since = now;
	asking->checkpoint = checkpoint;
	if (is_reached(asking->asked, now_is))
		asking->asked = ACT_NONE;
	if (asking->is_stop_sent ? now_is == STATE_STOPPED : reconcile_is_out(now_is))
		asking->is_pause_sent = asking->is_stop_sent = false;
}

static void plan_retry(struct asking *asking, bool is_repeated, struct mono now)
{
	asking->retry_ms = is_repeated ? asking->retry_ms * 2 : RETRY_FIRST_MS;
	if (asking->retry_ms > RETRY_MOST_MS)
		asking->retry_ms = RETRY_MOST_MS;
	asking->retry_at = clock_add(now, asking->retry_ms);
}

/* A control that timed out counts as sent: the service may take it yet. */
static void note_sent(struct asking *asking, enum action action, bool is_timed_out,
		      struct mono now)
{
	if (action != ACT_PAUSE && action != ACT_STOP)
		return;
	asking->is_pause_sent = true;
	asking->is_stop_sent = action == ACT_STOP;
	asking->pause_window_ms = is_timed_out ? LATE_PAUSE_MS : ANSWER_MS;
	asking->pause_sent_at = now;
}

void asking_done(struct asking *asking, enum action action, struct mono now)
{
	bool is_repeated = asking->asked == action;

	note_sent(asking, action, false, now);
	asking->asked = is_control(action) ? action : ACT_NONE;
	asking->outcome = ANSWER_AWAITED;
	if (!is_control(action))
		return;
	/* What had no effect once is asked again at a growing distance. */
	if (!is_repeated)
		asking->asked_at = now;
	plan_retry(asking, is_repeated, now);
}

bool asking_failed(struct asking *asking, enum action action, const struct err *err,
		   struct mono now)
{
	bool is_repeated =
		asking->asked == action &&
		(asking->outcome == ANSWER_REFUSED || asking->outcome == ANSWER_FAILED);

	if (err->code == ERR_SCM_FAILED)
		note_sent(asking, action, true, now);
	if (asking->asked != action)
		asking->asked_at = now;
	asking->asked = action;
	/* "Not now" is asked again at every look for a while, as states pass; then it is
	 * a failure. */
	if (err->code == ERR_SCM_NOT_NOW &&
	    clock_since(asking->asked_at, now) <= ANSWER_MS) {
		asking->outcome = ANSWER_NONE;
		asking->retry_at = clock_add(now, ASKING_POLL_MS);
		return false;
	}
	asking->outcome = err->code == ERR_SCM_REFUSED ? ANSWER_REFUSED : ANSWER_FAILED;
	plan_retry(asking, is_repeated, now);
	return !is_repeated;
}

bool asking_is_due(const struct asking *asking, enum action action, struct mono now)
{
	return asking->asked != action || clock_since(asking->retry_at, now) >= 0;
}

static enum answer pending_answer(const struct asking *asking, int64_t limit_ms,
				  struct mono now)
{
	return clock_since(asking->pending_since, now) > limit_ms ? ANSWER_LATE
								  : ANSWER_AWAITED;
}

static int64_t hint_ms(uint32_t wait_hint_ms)
{
	if (!wait_hint_ms)
		return HINT_NONE_MS;
	if (wait_hint_ms < HINT_LEAST_MS)
		return HINT_LEAST_MS;
	return wait_hint_ms > HINT_MOST_MS ? HINT_MOST_MS : wait_hint_ms;
}

enum answer asking_answer(const struct asking *asking, enum want want,
			  enum service_state state, uint32_t wait_hint_ms,
			  struct mono now)
{
	bool may_pause_arrive =
		want == WANT_SERVING && asking->is_pause_sent &&
		clock_since(asking->pause_sent_at, now) <= asking->pause_window_ms;

	if (asking_is_pending(state))
		return pending_answer(asking, hint_ms(wait_hint_ms), now);
	/* Nothing comes of what was asked before it was gone. */
	if (state == STATE_MISSING && asking->asked != ACT_FORGET)
		return pending_answer(asking, GONE_MS, now);
	if (asking->asked == ACT_NONE)
		return may_pause_arrive && state == STATE_RUNNING ? ANSWER_AWAITED
								  : ANSWER_NONE;
	if (asking->outcome == ANSWER_AWAITED &&
	    clock_since(asking->asked_at, now) > ANSWER_MS)
		return ANSWER_LATE;
	return asking->outcome;
}
