#include "sessions.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

/* Conferences pause and calls are put on hold, but not for so long in a session that has
 * lasted for so long.  Nothing is done to a suspect: it is only shown as one. */
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
		contains(filter->locals, filter->local_count, &connection->local)) &&
	       !contains(filter->excluded, filter->excluded_count, &connection->peer);
}

void sessions_source_init(struct sessions_source *source, const struct pool *pool,
			  const struct pool_server *server,
			  const struct pool_service *service)
{
	const struct list *locals = pool_local_addresses(server, service);
	struct sessions_filter *filter = &source->filter;
	size_t count = service->excluded.count;

	*source = (struct sessions_source){.service = service};
	LIST_EACH (struct pool_server, other, pool->servers)
		if (other != server)
			count += other->addresses.count;
	source->excluded = xcalloc(count, sizeof(*source->excluded));
	LIST_EACH (struct net_address, address, service->excluded)
		source->excluded[filter->excluded_count++] = *address;
	LIST_EACH (struct pool_server, other, pool->servers)
		LIST_EACH (struct net_address, address, other->addresses)
			if (other != server)
				source->excluded[filter->excluded_count++] = *address;
	filter->excluded = source->excluded;
	filter->ports = service->ports.items;
	filter->port_count = service->ports.count;
	if (locals) {
		filter->locals = locals->items;
		filter->local_count = locals->count;
	}
}

void sessions_source_done(struct sessions_source *source)
{
	free(source->excluded);
	source->excluded = NULL;
}

static bool is_unverified(const struct pool_service *service, const char *fact)
{
	LIST_EACH (char *, each, service->unverified)
		if (!strcmp(*each, fact))
			return true;
	return false;
}

int sessions_source_check(const struct sessions_source *source, struct err *err)
{
	const char *name = source->service->named.name;

	if (source->service->counters.count)
		return err_set(
			err, ERR_SESSIONS,
			"the sessions of %s are counted by performance counters, which "
			"this poold does not read yet; 'counters: []' in pool.yaml "
			"counts its connections alone",
			name);
	if (is_unverified(source->service, "counters"))
		return err_set(
			err, ERR_SESSIONS,
			"which counter tells the sessions of %s is not known; "
			"'unverified: []' in pool.yaml counts its connections alone",
			name);
	if (!source->service->ports.count)
		return err_set(err, ERR_SESSIONS,
			       "%s has no session source; give it 'ports' in pool.yaml",
			       name);
	return 0;
}
