/*
 * The sources that a service's sessions are counted by, as GET
 * /v1/services/NAME/sessions says them (see docs/api.md).
 */
#ifndef POOLCTL_SOURCES_H
#define POOLCTL_SOURCES_H

#include "clock.h"

#include <stdbool.h>

struct json_t;

/* True if it is such a list, or NULL: an older poold gives none. */
bool sources_are_good(const struct json_t *sources);

/*
 * Prints a line for each of them on standard output: what it counted and how long before
 * `now`, the server's time, or since when and why that is not known.  Prints nothing of a
 * single one that lists all that it counts.  The list must be a good one.
 */
void sources_print(const char *service, const struct json_t *sources, struct wall now);

#endif
