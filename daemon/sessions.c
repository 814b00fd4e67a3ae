#include "sessions.h"

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
