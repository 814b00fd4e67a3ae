/*
 * The live sessions: established TCP connections to a service's ports.
 *
 * A source that cannot answer fails; it never says zero instead.
 */
#ifndef POOLD_SESSIONS_H
#define POOLD_SESSIONS_H

#include "err.h"
#include "net_address.h"
#include "pool.h"

#include <stddef.h>
#include <stdint.h>

struct sessions_filter {
	const uint16_t *ports; /* local ports */
	size_t port_count;
	const struct net_address *locals; /* none: any local address */
	size_t local_count;
	const struct net_address *excluded; /* peers that are no sessions */
	size_t excluded_count;
};

struct sessions_connection {
	struct net_address local, peer;
	uint16_t local_port, peer_port;
	int64_t idle_ms; /* since data came or went; -1: not known */
};

/* What takes the connections, one call each.  `*connection` is not kept. */
struct sessions_taker {
	void (*take)(void *arg, const struct sessions_connection *connection);
	void *arg;
	bool wants_idle; /* ask how long they are idle, where the system knows: it
			    costs more */
};

/* Lists the machine's established connections, IPv4 and IPv6, that the filter lets
 * pass. Fails with ERR_SESSIONS, maybe after some were taken.  Does not block
 * longer than the kernel needs to list them. */
int sessions_tcp_list(const struct sessions_filter *filter,
		      const struct sessions_taker *taker, struct err *err);

/* Whether this one is established still: 1 or 0, or -1: the system does not say it.
 * On Linux this costs much less than a list.  One thread alone may ask. */
int sessions_tcp_is_there(const struct sessions_connection *connection);

/* Which connections are the sessions of one service on one server. */
struct sessions_source {
	struct sessions_filter filter;
	struct net_address *excluded; /* of the filter */
	const struct list *own;       /* struct net_address, of the server */
	bool counts_own;              /* what comes from these is a session, too */
};

/* What it is given must outlive it. */
void sessions_source_init(struct sessions_source *source, const struct pool *pool,
			  const struct pool_server *server,
			  const struct pool_service *service);
void sessions_source_done(struct sessions_source *source);

/* True if the other end is on the same server. */
bool sessions_source_is_own(const struct sessions_source *source,
			    const struct sessions_connection *connection);

/* True if a session looks like one that nobody uses and that will not end by
 * itself: old and long silent.  An age or a silence that is not known is -1, and
 * tells nothing. */
bool sessions_is_suspect(int64_t age_ms, int64_t idle_ms);

bool sessions_filter_matches(const struct sessions_filter *filter,
			     const struct sessions_connection *connection);

#endif
