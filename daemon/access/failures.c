#include "access/failures.h"

#include <string.h>

static struct net_address network_of(const struct net_address *address)
{
	struct net_address network = *address;

	if (!net_address_is_ipv4(address))
		memset(network.bytes + 8, 0, 8);
	return network;
}

static struct failing_address *find(struct failures *failures,
				    const struct net_address *network)
{
	for (int i = 0; i < failures->used; i++)
		if (net_address_equal(&failures->items[i].address, network))
			return &failures->items[i];
	return NULL;
}

static void forgive(struct failing_address *one, struct mono now)
{
	int64_t forgiven = clock_since(one->since, now) / FAILURES_EVERY_MS;

	if (!one->count || forgiven >= one->count) {
		one->count = 0;
		one->since = now;
	} else if (forgiven > 0) {
		one->count -= (int)forgiven;
		one->since = clock_add(one->since, forgiven * FAILURES_EVERY_MS);
	}
}

bool failures_is_slowed(struct failures *failures,
			const struct net_address *address, struct mono now)
{
	struct net_address network = network_of(address);
	struct failing_address *one = find(failures, &network);

	if (!one)
		return false;
	forgive(one, now);
	return one->count >= FAILURES_AT_ONCE;
}

static struct failing_address *make_room(struct failures *failures)
{
	struct failing_address *oldest = failures->items;

	if (failures->used < FAILURES_ADDRESSES)
		return &failures->items[failures->used++];
	for (int i = 1; i < FAILURES_ADDRESSES; i++)
		if (clock_since(failures->items[i].last, oldest->last) > 0)
			oldest = &failures->items[i];
	return oldest;
}

void failures_note(struct failures *failures, const struct net_address *address,
		   struct mono now)
{
	struct net_address network = network_of(address);
	struct failing_address *one = find(failures, &network);

	if (!one) {
		one = make_room(failures);
		*one = (struct failing_address){.address = network, .since = now};
	}
	forgive(one, now);
	one->count++;
	one->last = now;
}
