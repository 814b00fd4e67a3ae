/*
 * Whether a service is held as it is wanted, and what somebody else did to it.
 *
 * Part of the controller: it works on what that knows.
 */
#ifndef POOLD_HELD_H
#define POOLD_HELD_H

#include "controller_private.h"

/* What the startup type has to be now.  A service that was disabled stays so: nothing is
 * safer. */
enum start_type held_wanted_startup(const struct controller *controller);
enum startup held_startup(const struct controller *controller);

/* One that was disabled and ran cannot be started as it is.  If it was poold that stopped
 * it, it is Manual for as long as that takes; otherwise nobody could have started it. */
bool held_is_to_be_enabled(const struct controller *controller);

/* What the last look means for what poold holds; `before` is how it was seen before. */
void held_note_change(struct controller *controller, json_t *before);

/* It is out and took a session that was tried: that is drift, and not poold's to undo. */
void held_note_taken(struct controller *controller);

/* The stop that was to end sessions does not. */
void held_forget_cutting(struct controller *controller);

#endif
