#include "services/controller_private.h"

/* Windows starts delayed services one after the other, and each may take its time.
 */
enum { START_DUE_MS = 30 * 60 * 1000 };

/* One that was disabled and ran cannot be started as it is.  If it was poold that
 * stopped it, it is Manual for as long as that takes; otherwise nobody could have
 * started it. */
static bool is_to_be_enabled(const struct controller *c)
{
	return c->wanted.want == WANT_SERVING &&
	       c->saved.start_type == START_DISABLED &&
	       c->saved.state == STATE_RUNNING && c->saved.cut &&
	       (c->state == STATE_STOPPED || c->state == STATE_START_PENDING);
}

enum start_type controller_wanted_startup(const struct controller *c)
{
	bool is_changed =
		c->wanted.want == WANT_DRAINED && !c->wanted.leaves_startup;

	if (is_to_be_enabled(c))
		return START_MANUAL;
	return is_changed && c->saved.start_type != START_DISABLED
		       ? c->drained_type
		       : c->saved.start_type;
}

/* Until the next boot it is left alone, but for what poold itself set for another
 * drain. */
static bool is_left_right(const struct controller *c)
{
	return c->observed.start_type != c->drained_type ||
	       c->saved.start_type == c->drained_type ||
	       c->saved.start_type == START_DISABLED ||
	       c->saved.out_type == c->saved.start_type;
}

static bool is_startup_right(const struct controller *c)
{
	const struct scm_status *now = &c->observed;
	bool is_flag_same = c->saved.delayed_auto_start == SCM_FLAG_UNSUPPORTED ||
			    now->delayed_auto_start == SCM_FLAG_UNSUPPORTED ||
			    now->start_type != START_AUTOMATIC ||
			    c->saved.delayed_auto_start == now->delayed_auto_start;

	if (!c->has_saved)
		return true;
	if (c->wanted.want == WANT_DRAINED && c->wanted.leaves_startup)
		return is_left_right(c);
	/* Who disabled it meanwhile has a reason, and it is out all the same. */
	if (c->wanted.want == WANT_DRAINED && now->start_type == START_DISABLED)
		return true;
	return now->start_type == controller_wanted_startup(c) && is_flag_same;
}

enum startup controller_startup(const struct controller *c)
{
	const struct control_attempt *attempt = &c->startup_attempt;

	if (is_startup_right(c))
		return STARTUP_RIGHT;
	if (attempt->asked == ACT_NONE || attempt->outcome == CONTROL_NONE)
		return STARTUP_WRONG;
	return control_attempt_is_due(attempt, attempt->asked, c->deps.clock())
		       ? STARTUP_AGAIN
		       : STARTUP_FAILED;
}

static enum saved_state saved_of(const struct controller *c)
{
	if (!c->has_saved)
		return SAVED_NONE;
	if (c->saved.start_type == START_DISABLED && c->state == STATE_STOPPED &&
	    !is_to_be_enabled(c))
		return SAVED_STOPPED;
	if (c->saved.state == STATE_RUNNING)
		return SAVED_RUNNING;
	return c->saved.state == STATE_PAUSED ? SAVED_PAUSED : SAVED_STOPPED;
}

/* One that stops is perhaps being restarted: then it is no stopped service. */
static enum control_outcome control_of(const struct controller *c, struct mono now)
{
	if (!c->has_saved && c->wanted.want == WANT_DRAINED &&
	    c->state == STATE_STOPPED &&
	    control_attempt_has_just_stopped(&c->attempt, now))
		return CONTROL_AWAITED;
	return control_attempt_result(&c->attempt, c->wanted.want, c->state,
				      c->observed.wait_hint_ms, now);
}

/* Only one whose startup type poold left as it was: Windows did not forget it. */
static bool is_start_due(const struct controller *c, struct mono now)
{
	return c->observed.is_start_due &&
	       c->saved.out_type == c->saved.start_type &&
	       clock_since(c->attempt.pending_since, now) < START_DUE_MS;
}

struct decision controller_decide(const struct controller *c)
{
	struct mono now = c->deps.clock();

	struct decision next = reconcile_next(&(struct situation){
		.want = c->wanted.want,
		.state = c->state,
		.accepts_pause = c->observed.accepts_pause,
		.startup = controller_startup(c),
		.saved = saved_of(c),
		.control = control_of(c, now),
		.tally = counting_tally(&c->counting, c->settle_ms),
		.may_cut = c->wanted.may_cut,
		.is_coming_back =
			undo_backoff_is_coming_back(&c->drift.backoff, now),
		.is_server_empty = c->is_server_empty,
		.is_start_due = is_start_due(c, now),
	});

	return controller_tell_unanswered(c, next);
}
