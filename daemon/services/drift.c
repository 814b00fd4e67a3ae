#include "services/drift.h"

static void open_drift(struct drift *drift, const struct drift_view *view)
{
	drift->is_open = true;
	drift->seen_at = view->at;
	drift->sessions = view->sessions;
	drift->count++;
	undo_backoff_seen(&drift->backoff, view->at);
}

unsigned drift_compare(struct drift *drift, struct saved *saved,
		       const struct drift_view *view)
{
	bool is_right = view->is_out && view->is_startup_right;
	/* A drain that is wanted now may want another startup type than the last
	 * one. */
	bool is_as_before = view->is_out && view->start_type == saved->out_type;
	unsigned changes = DRIFT_SAVED;

	if (is_right == saved->was_out && (!is_right || is_as_before))
		return DRIFT_NONE;
	if (saved->was_out && !is_as_before && is_right) {
		drift->count++;
		changes |= DRIFT_LEFT;
	} else if (saved->was_out && !is_as_before) {
		open_drift(drift, view);
		changes |= DRIFT_SEEN;
	}
	if (is_right && drift->is_open) {
		drift->is_open = false;
		changes |= DRIFT_UNDONE;
	}
	saved->was_out = is_right;
	if (is_right)
		saved->out_type = view->start_type;
	return changes;
}

void drift_forget(struct drift *drift)
{
	*drift = (struct drift){.count = drift->count};
}
