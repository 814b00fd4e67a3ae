/*
 * A pool in DNS: to which of its servers the pool's name resolves, according to
 * which resolver, and for how long.
 *
 * Pure.  A view is made of a pool and of the resolvers to ask, its questions are
 * asked (dns_ask), then it is evaluated.  If a resolver did not answer, it is
 * unknown what it has; that never counts as "absent".
 */
#ifndef POOLCTL_DNS_VIEW_H
#define POOLCTL_DNS_VIEW_H

#include "dns/dns.h"
#include "pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the pool is balanced; of several resolvers, the last in this order counts. */
enum dns_balance {
	DNS_VIEW_UNKNOWN,     /* no resolver answered */
	DNS_VIEW_NOT_ASKED,   /* the pool has no fqdn */
	DNS_VIEW_BALANCED,    /* by DNS: all of its servers are there */
	DNS_VIEW_PARTLY,      /* some of its servers are there */
	DNS_VIEW_ELSEWHERE,   /* several addresses, of none of its servers */
	DNS_VIEW_ONE_ADDRESS, /* a hardware load balancer's, or one server's */
	DNS_VIEW_NOT_RESOLVABLE,
	DNS_VIEW__COUNT
};

/* A server's own name in DNS; of several resolvers, the last in this order counts.
 */
enum dns_own_name {
	DNS_OWN_UNKNOWN, /* nobody answered */
	DNS_OWN_NOT_ASKED,
	DNS_OWN_RIGHT,
	DNS_OWN_MISSING, /* the name is not there, or has no address */
	DNS_OWN_WRONG,   /* its addresses are others */
	DNS_OWN__COUNT
};

/* Instead of a TTL. */
enum { DNS_TTL_ABSENT = -1, DNS_TTL_UNKNOWN = -2 };

struct dns_resolver_view {
	struct dns_resolver resolver;
	/* The pool's name; NULL: it has none. */
	const struct dns_question *question;
	enum dns_balance balance;
};

/* An address that a resolver gave for the pool's name. */
struct dns_address_view {
	struct net_address address;
	const struct pool_server *server; /* that has it; NULL: none in the pool */
	int64_t *ttl_s; /* for each resolver, or why there is none */
};

struct dns_server_view {
	const struct pool_server *server;
	int64_t *ttl_s;       /* the longest of its addresses, for each resolver */
	const char *own_name; /* NULL: unknown, and not asked for */
	enum dns_own_name own;
};

struct dns_view {
	const struct pool *pool;
	struct dns_question *questions;
	size_t question_count;

	/* Once it was evaluated. */
	enum dns_balance balance;
	bool is_disputed; /* an address is in one resolver's answer and not in
			   * another's
			   */
	/* Of all addresses; DNS_TTL_ABSENT: none. */
	int64_t least_ttl_s, greatest_ttl_s;
	struct dns_resolver_view *resolvers;
	size_t resolver_count;
	struct dns_address_view *addresses;
	size_t address_count;
	struct dns_server_view *servers; /* all of the pool's, in its order */
	size_t server_count;
};

/* The resolvers (struct dns_resolver) are copied, the pool must live as long as the
 * view.
 */
struct dns_view *dns_view_new(const struct pool *pool,
			      const struct list *resolvers);
void dns_view_free(struct dns_view *view);

/* Call it once, after the questions were asked. */
void dns_view_evaluate(struct dns_view *view);

/* True if it is what the pool's `dns.expect` says; of one server alone, all of its
 * servers are one address. */
bool dns_view_is_expected(const struct dns_view *view);

/* The server's name if DNS can know it, as it has a dot; or NULL. */
const char *dns_view_own_name(const struct pool_server *server);

#endif
