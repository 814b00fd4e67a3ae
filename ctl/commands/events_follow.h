/*
 * Follows the record of one server, over lost connections and restarts of its
 * poold.
 */
#ifndef POOLCTL_EVENTS_FOLLOW_H
#define POOLCTL_EVENTS_FOLLOW_H

#include "api/client.h"
#include "line/options.h"
#include "pool.h"

/*
 * Prints each event after `options->after` (negative: from now on) once and in
 * order, until Ctrl-C, and then returns that exit status; another one if the server
 * does not answer at first, or refuses.
 */
int events_follow(struct client *client, const struct pool_server *server,
		  const struct options *options);

#endif
