#include "dns/dns_view.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

const char *dns_view_own_name(const struct pool_server *server)
{
	return strchr(server->named.name, '.') ? server->named.name : NULL;
}

/* ---- questions ---- */

static const struct dns_question *add_question(struct dns_view *view,
					       const char *name,
					       const struct dns_resolver *resolver)
{
	struct dns_question *question = &view->questions[view->question_count++];

	question->name = name;
	question->resolver = *resolver;
	return question;
}

struct dns_view *dns_view_new(const struct pool *pool, const struct list *resolvers)
{
	struct dns_view *view = xcalloc(1, sizeof(*view));
	size_t server_count = pool->servers.count, i = 0;

	view->pool = pool;
	view->questions = xcalloc(resolvers->count * (1 + server_count),
				  sizeof(*view->questions));
	view->resolvers = xcalloc(resolvers->count, sizeof(*view->resolvers));
	view->servers = xcalloc(server_count, sizeof(*view->servers));
	LIST_EACH (struct pool_server, server, pool->servers) {
		struct dns_server_view *seen = &view->servers[view->server_count++];

		seen->server = server;
		seen->own_name = dns_view_own_name(server);
		seen->own = DNS_OWN_NOT_ASKED;
		seen->ttl_s = xcalloc(resolvers->count, sizeof(*seen->ttl_s));
	}
	LIST_EACH (struct dns_resolver, resolver, *resolvers) {
		struct dns_resolver_view *seen =
			&view->resolvers[view->resolver_count++];

		seen->resolver = *resolver;
		if (pool->fqdn)
			seen->question = add_question(view, pool->fqdn, resolver);
		for (i = 0; i < server_count; i++)
			if (view->servers[i].own_name)
				(void)add_question(view, view->servers[i].own_name,
						   resolver);
	}
	return view;
}

void dns_view_free(struct dns_view *view)
{
	if (!view)
		return;
	for (size_t i = 0; i < view->question_count; i++)
		dns_question_done(&view->questions[i]);
	for (size_t i = 0; i < view->address_count; i++)
		free(view->addresses[i].ttl_s);
	for (size_t i = 0; i < view->server_count; i++)
		free(view->servers[i].ttl_s);
	free(view->questions);
	free(view->resolvers);
	free(view->addresses);
	free(view->servers);
	free(view);
}

/* ---- addresses ---- */

/* Where the network has no IPv4, a resolver puts IPv4 addresses into IPv6 ones
 * (DNS64): the same address, in a prefix of RFC 6052, section 2.1. */
static struct net_address plain(const struct net_address *address)
{
	static const uint8_t prefix[12] = {0, 0x64, 0xff, 0x9b};

	return memcmp(address->bytes, prefix, sizeof(prefix))
		       ? *address
		       : net_address_from_ipv4(address->bytes + sizeof(prefix));
}

static bool is_same(const struct net_address *a, const struct net_address *b)
{
	struct net_address plain_a = plain(a), plain_b = plain(b);

	return net_address_equal(&plain_a, &plain_b);
}

static bool has_address(const struct pool_server *server,
			const struct net_address *address)
{
	LIST_EACH (struct net_address, own, server->addresses)
		if (is_same(own, address))
			return true;
	return false;
}

static const struct pool_server *find_owner(const struct pool *pool,
					    const struct net_address *address)
{
	LIST_EACH (struct pool_server, server, pool->servers)
		if (has_address(server, address))
			return server;
	return NULL;
}

static enum dns_kind kind_of(const struct net_address *address)
{
	return net_address_is_ipv4(address) ? DNS_IPV4 : DNS_IPV6;
}

static const struct dns_reply *reply_for(const struct dns_question *question,
					 const struct net_address *address)
{
	return &question->replies[kind_of(address)];
}

/* The longest, if it is there more than once. */
static int64_t ttl_in(const struct dns_question *question,
		      const struct net_address *address)
{
	const struct dns_reply *reply = reply_for(question, address);
	int64_t ttl_s = dns_answer_is_known(reply->status) ? DNS_TTL_ABSENT
							   : DNS_TTL_UNKNOWN;

	for (int kind = 0; kind < DNS_KIND__COUNT; kind++)
		LIST_EACH (struct dns_address, other,
			   question->replies[kind].addresses)
			if (is_same(&other->address, address) &&
			    other->ttl_s > ttl_s)
				ttl_s = other->ttl_s;
	return ttl_s;
}

static void add_address(struct dns_view *view, const struct net_address *said)
{
	const struct net_address one = plain(said), *address = &one;
	struct dns_address_view *seen;

	for (size_t i = 0; i < view->address_count; i++)
		if (net_address_equal(&view->addresses[i].address, address))
			return;
	view->addresses = xrealloc(view->addresses, (view->address_count +
						     1) * sizeof(*view->addresses));
	seen = &view->addresses[view->address_count++];
	seen->address = *address;
	seen->server = find_owner(view->pool, address);
	seen->ttl_s = xcalloc(view->resolver_count, sizeof(*seen->ttl_s));
	for (size_t i = 0; i < view->resolver_count; i++)
		seen->ttl_s[i] = ttl_in(view->resolvers[i].question, address);
}

static void gather_addresses(struct dns_view *view)
{
	for (size_t i = 0; i < view->resolver_count; i++)
		for (int kind = 0; kind < DNS_KIND__COUNT; kind++)
			LIST_EACH (struct dns_address, one,
				   view->resolvers[i]
					   .question->replies[kind]
					   .addresses)
				add_address(view, &one->address);
}

/* An address that is there beats an unknown one, which beats an absent one. */
static int64_t ttl_of_server(const struct pool_server *server,
			     const struct dns_question *question)
{
	int64_t ttl_s = DNS_TTL_ABSENT;

	LIST_EACH (struct net_address, address, server->addresses) {
		int64_t one_s = ttl_in(question, address);

		if (one_s >= 0 ? one_s > ttl_s
			       : one_s == DNS_TTL_UNKNOWN && ttl_s < 0)
			ttl_s = one_s;
	}
	return ttl_s;
}

/* ---- the pool's name ---- */

/* Counts of what one resolver says. */
struct tally {
	size_t addresses[DNS_KIND__COUNT];
	size_t in, unknown; /* servers */
	bool has_strangers;
	bool is_complete; /* both kinds of address are known */
};

static struct tally tally_up(const struct dns_view *view, size_t resolver)
{
	const struct dns_reply *replies =
		view->resolvers[resolver].question->replies;
	struct tally tally = {.is_complete = true};

	for (int kind = 0; kind < DNS_KIND__COUNT; kind++)
		tally.is_complete &= dns_answer_is_known(replies[kind].status);
	for (size_t i = 0; i < view->address_count; i++) {
		const struct dns_address_view *seen = &view->addresses[i];

		if (seen->ttl_s[resolver] < 0)
			continue;
		tally.addresses[kind_of(&seen->address)]++;
		tally.has_strangers |= !seen->server;
	}
	for (size_t i = 0; i < view->server_count; i++) {
		int64_t ttl_s = view->servers[i].ttl_s[resolver];

		tally.in += ttl_s >= 0;
		tally.unknown += ttl_s == DNS_TTL_UNKNOWN;
	}
	return tally;
}

/* One address of each kind still counts as one. */
static enum dns_balance evaluate_tally(const struct tally *tally,
				       size_t server_count)
{
	if (!tally->addresses[DNS_IPV4] && !tally->addresses[DNS_IPV6])
		return tally->is_complete ? DNS_VIEW_NOT_RESOLVABLE
					  : DNS_VIEW_UNKNOWN;
	if (tally->in == server_count)
		return DNS_VIEW_BALANCED;
	if (tally->unknown)
		return DNS_VIEW_UNKNOWN;
	if (tally->addresses[DNS_IPV4] <= 1 && tally->addresses[DNS_IPV6] <= 1 &&
	    tally->in + tally->has_strangers == 1)
		return DNS_VIEW_ONE_ADDRESS;
	return tally->in ? DNS_VIEW_PARTLY : DNS_VIEW_ELSEWHERE;
}

static void evaluate_resolvers(struct dns_view *view)
{
	view->balance = DNS_VIEW_UNKNOWN;
	for (size_t i = 0; i < view->resolver_count; i++) {
		struct dns_resolver_view *seen = &view->resolvers[i];
		struct tally tally = tally_up(view, i);

		seen->balance = evaluate_tally(&tally, view->server_count);
		if (seen->balance > view->balance)
			view->balance = seen->balance;
	}
}

static void evaluate_addresses(struct dns_view *view)
{
	for (size_t i = 0; i < view->address_count; i++) {
		bool is_absent = false;

		for (size_t r = 0; r < view->resolver_count; r++) {
			int64_t ttl_s = view->addresses[i].ttl_s[r];

			is_absent |= ttl_s == DNS_TTL_ABSENT;
			if (ttl_s < 0)
				continue;
			if (view->least_ttl_s < 0 || ttl_s < view->least_ttl_s)
				view->least_ttl_s = ttl_s;
			if (ttl_s > view->greatest_ttl_s)
				view->greatest_ttl_s = ttl_s;
		}
		view->is_disputed |= is_absent;
	}
}

/* ---- the servers' own names ---- */

static enum dns_own_name evaluate_own(const struct pool_server *server,
				      const struct dns_question *question)
{
	const struct dns_reply *replies = question->replies;
	int64_t ttl_s = ttl_of_server(server, question);

	if (ttl_s != DNS_TTL_ABSENT)
		return ttl_s < 0 ? DNS_OWN_UNKNOWN : DNS_OWN_RIGHT;
	if (replies[DNS_IPV4].addresses.count || replies[DNS_IPV6].addresses.count)
		return DNS_OWN_WRONG;
	return DNS_OWN_MISSING;
}

static void evaluate_own_names(struct dns_view *view)
{
	for (size_t i = 0; i < view->server_count; i++) {
		struct dns_server_view *seen = &view->servers[i];

		if (!seen->own_name)
			continue;
		seen->own = DNS_OWN_UNKNOWN;
		for (size_t q = 0; q < view->question_count; q++) {
			enum dns_own_name own;

			if (view->questions[q].name != seen->own_name)
				continue;
			own = evaluate_own(seen->server, &view->questions[q]);
			if (own > seen->own)
				seen->own = own;
		}
	}
}

void dns_view_evaluate(struct dns_view *view)
{
	view->least_ttl_s = view->greatest_ttl_s = DNS_TTL_ABSENT;
	view->balance = DNS_VIEW_NOT_ASKED;
	evaluate_own_names(view);
	for (size_t i = 0; i < view->server_count; i++)
		for (size_t r = 0; r < view->resolver_count; r++)
			view->servers[i].ttl_s[r] =
				view->pool->fqdn
					? ttl_of_server(view->servers[i].server,
							view->resolvers[r].question)
					: DNS_TTL_UNKNOWN;
	if (!view->pool->fqdn)
		return;
	gather_addresses(view);
	evaluate_resolvers(view);
	evaluate_addresses(view);
}

bool dns_view_is_expected(const struct dns_view *view)
{
	switch ((enum dns_expectation)view->pool->dns.expect) {
	case DNS_BALANCED:
		return view->balance == DNS_VIEW_BALANCED;
	case DNS_ONE_ADDRESS:
		return view->balance == DNS_VIEW_ONE_ADDRESS ||
		       (view->balance == DNS_VIEW_BALANCED &&
			view->server_count == 1);
	case DNS_ANY:
		break;
	}
	return true;
}
