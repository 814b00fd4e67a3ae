/*
 * The names by which clients may ask for this server, beside IP addresses.
 *
 * A web page can make a browser send requests to any address, by a name of its own
 * that leads there; then the browser says that name.
 */
#ifndef POOLD_HOST_NAMES_H
#define POOLD_HOST_NAMES_H

#include "pool.h"
#include "system/host.h"

enum { HOST_NAMES_LIMIT = 4 };

struct host_names {
	const char *names[HOST_NAMES_LIMIT + 1]; /* the last is NULL */
	char of_url[HOST_NAME_BYTES];
};

/* The server's name, that of its `url`, its pool's fqdn, and `machine`, the name of
 * this machine.  All of them must outlive the names, which stay in their place. */
void host_names_init(struct host_names *names, const struct pool *pool,
		     const struct pool_server *server, const char *machine);

/* True if the value of a header Host is an IP address, localhost, or one of the
 * names, in any case, with a port or without. */
bool host_names_has(const struct host_names *names, const char *host);

#endif
