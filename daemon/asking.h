/*
 * What a service was asked last, what came of it, and when to ask again.
 *
 * No clock and no I/O: who calls says what time it is.
 */
#ifndef POOLD_ASKING_H
#define POOLD_ASKING_H

#include "clock.h"
#include "reconcile.h"
#include "scm.h"

enum { ASKING_POLL_MS = 100 }; /* how often a state in motion is looked at */

struct asking {
	enum action asked;
	struct mono asked_at;
	enum answer outcome; /* awaited, refused or failed */
	struct mono retry_at;
	int64_t retry_ms;

	/* A pause or a stop that was sent may still arrive after the drain ended. */
	bool is_pause_sent, is_stop_sent;
	struct mono pause_sent_at;
	int64_t pause_window_ms;

	/* A pending state and when it last made progress. */
	struct mono pending_since;
	uint32_t checkpoint;
};

/* Another direction is wanted: what was asked is no longer waited for, but for a pause
 * that may still arrive. */
void asking_turn(struct asking *asking);

/* An earlier poold may have sent a pause shortly before it ended. */
void asking_expect_pause(struct asking *asking, struct mono now);

/* The service was looked at. */
void asking_looked(struct asking *asking, enum service_state before,
		   enum service_state now_is, uint32_t checkpoint, struct mono now);

/* The action was carried out, or failed with `err`; true if that is worth telling. */
void asking_done(struct asking *asking, enum action action, struct mono now);
bool asking_failed(struct asking *asking, enum action action, const struct err *err,
		   struct mono now);

bool asking_is_due(const struct asking *asking, enum action action, struct mono now);

/* For the decision. */
enum answer asking_answer(const struct asking *asking, enum want want,
			  enum service_state state, uint32_t wait_hint_ms,
			  struct mono now);

/* True in a state that leads to another by itself. */
bool asking_is_pending(enum service_state state);

#endif
