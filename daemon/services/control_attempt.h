/*
 * What a service was asked last, what came of it, and when to ask again.
 *
 * No clock and no I/O: who calls says what time it is.
 */
#ifndef POOLD_CONTROL_ATTEMPT_H
#define POOLD_CONTROL_ATTEMPT_H

#include "backoff.h"
#include "clock.h"
#include "services/reconcile.h"
#include "scm/scm.h"

enum {
	CONTROL_ATTEMPT_POLL_MS = 100
}; /* how often a state in motion is looked at */

struct control_attempt {
	enum action asked;
	struct mono asked_at;
	enum control_outcome outcome; /* awaited, refused or failed */
	struct mono retry_at;
	struct backoff retry;

	/* A call that the SCM has not answered: nothing else is asked meanwhile.
	 * `is_turned`: another direction was wanted since it began. */
	bool is_under_way, is_turned;

	/* A pause or a stop that was sent may still arrive after the drain ended.
	 */
	bool is_pause_sent, is_stop_sent;
	struct mono pause_sent_at;

	/* A state, and since when it is so; a pending one: when it last made
	 * progress. */
	struct mono pending_since;
	bool has_stopped; /* it was seen in another state before it was stopped */
	uint32_t checkpoint;
};

/* Another direction is wanted: what was asked is no longer waited for, but for a
 * pause that may still arrive. */
void control_attempt_turn(struct control_attempt *attempt);

/* An earlier poold may have sent a pause, or a stop, shortly before it ended. */
void control_attempt_expect_pause(struct control_attempt *attempt, struct mono now);
void control_attempt_expect_stop(struct control_attempt *attempt, struct mono now);

/* The process that was asked has ended: nothing comes of what it was asked.  One
 * that follows it is paused or stopped at once; if processes end of that again and
 * again, not sooner than another attempt is due. */
void control_attempt_process_ended(struct control_attempt *attempt,
				   struct mono now);

/* It is being asked; control_attempt_done or _failed says that it was answered. */
void control_attempt_begun(struct control_attempt *attempt);

/* The service was looked at. */
void control_attempt_looked(struct control_attempt *attempt,
			    enum service_state before, enum service_state now_is,
			    uint32_t checkpoint, struct mono now);

/* The action was carried out, or failed with `err`; true if that is worth telling.
 */
void control_attempt_done(struct control_attempt *attempt, enum action action,
			  struct mono now);
bool control_attempt_failed(struct control_attempt *attempt, enum action action,
			    const struct err *err, struct mono now);

/* Never while it is being asked. */
bool control_attempt_is_due(const struct control_attempt *attempt,
			    enum action action, struct mono now);

/* True for some seconds after it was seen to stop: whoever restarts it starts it
 * meanwhile. */
bool control_attempt_has_just_stopped(const struct control_attempt *attempt,
				      struct mono now);

/* For the decision. */
enum control_outcome control_attempt_result(const struct control_attempt *attempt,
					    enum want want,
					    enum service_state state,
					    uint32_t wait_hint_ms, struct mono now);

/* True in a state that leads to another by itself. */
bool control_attempt_is_pending(enum service_state state);

#endif
