/*
 * Puts a pin into the text of a pool.yaml, and leaves all else as it is: comments,
 * order, line endings.
 */
#ifndef POOLCTL_PIN_EDIT_H
#define POOLCTL_PIN_EDIT_H

#include "pool_config.h"

/*
 * The text with `pin: PIN` for the server, to be freed; in place of a pin that it
 * has.  NULL if it cannot be put there safely: where an anchor or a list stands,
 * for example.  `config` was loaded from this text.  Pure.
 *
 * The new text loads, the server has this pin alone, and all other servers have the
 * url and the trust that they had.
 */
char *pin_edit(const char *text, const struct pool_config *config, const char *path,
	       const struct pool_server *server, const char *pin);

#endif
