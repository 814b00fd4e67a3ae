#include "sources/sessions.h"

#include "mem.h"

#include <stdlib.h>

/* Conferences pause and calls are put on hold, but not for so long in a session
 * that has lasted for so long.  Nothing is done to a suspect: it is only shown as
 * one. */
enum { SUSPECT_AGE_MS = 60 * 60 * 1000, SUSPECT_IDLE_MS = 15 * 60 * 1000 };

bool sessions_is_suspect(int64_t age_ms, int64_t idle_ms)
{
	return age_ms > SUSPECT_AGE_MS && idle_ms > SUSPECT_IDLE_MS;
}

static bool contains(const struct net_address *addresses, size_t count,
		     const struct net_address *address)
{
	for (size_t i = 0; i < count; i++)
		if (net_address_equal(&addresses[i], address))
			return true;
	return false;
}

static bool has_port(const struct sessions_filter *filter, uint16_t port)
{
	for (size_t i = 0; i < filter->port_count; i++)
		if (filter->ports[i] == port)
			return true;
	return false;
}

bool sessions_filter_matches(const struct sessions_filter *filter,
			     const struct sessions_connection *connection)
{
	return has_port(filter, connection->local_port) &&
	       (!filter->local_count ||
		contains(filter->locals, filter->local_count,
			 &connection->local)) &&
	       !contains(filter->excluded, filter->excluded_count,
			 &connection->peer);
}

void sessions_source_init(struct sessions_source *source, const struct pool *pool,
			  const struct pool_server *server,
			  const struct pool_service *service)
{
	const struct list *locals = pool_local_addresses(server, service);
	struct sessions_filter *filter = &source->filter;
	size_t count = service->excluded.count;

	*source = (struct sessions_source){.own = &server->addresses,
					   .counts_own = pool->counts_own};
	LIST_EACH (struct pool_server, other, pool->servers)
		if (other != server)
			count += other->addresses.count;
	source->excluded = xcalloc(count, sizeof(*source->excluded));
	LIST_EACH (struct net_address, address, service->excluded)
		source->excluded[filter->excluded_count++] = *address;
	LIST_EACH (struct pool_server, other, pool->servers)
		LIST_EACH (struct net_address, address, other->addresses)
			if (other != server)
				source->excluded[filter->excluded_count++] =
					*address;
	filter->excluded = source->excluded;
	filter->ports = service->ports.items;
	filter->port_count = service->ports.count;
	if (locals) {
		filter->locals = locals->items;
		filter->local_count = locals->count;
	}
}

bool sessions_source_is_own(const struct sessions_source *source,
			    const struct sessions_connection *connection)
{
	return net_address_equal(&connection->peer, &connection->local) ||
	       contains(source->own->items, source->own->count, &connection->peer);
}

void sessions_source_done(struct sessions_source *source)
{
	free(source->excluded);
	source->excluded = NULL;
}
