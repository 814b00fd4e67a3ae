/*
 * What DNS says of a pool: which of its servers the pool's name leads to, according to
 * whom, and for how long.
 *
 * Pure.  A view is made of a pool and of the resolvers to ask, its questions are asked
 * (dns_ask), then it is judged.  What a resolver did not answer is not known, and never
 * taken for "not there".
 */
#ifndef POOLCTL_DNS_VIEW_H
#define POOLCTL_DNS_VIEW_H

#include "dns.h"
#include "pool_config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the pool is; of several resolvers that answered, the last in this order counts. */
enum dns_verdict {
	DNS_VIEW_UNKNOWN,     /* nobody answered */
	DNS_VIEW_NOT_ASKED,   /* the pool has no fqdn */
	DNS_VIEW_BALANCED,    /* by DNS: all of its servers are there */
	DNS_VIEW_PARTLY,      /* some of its servers are there */
	DNS_VIEW_ELSEWHERE,   /* several addresses, of none of its servers */
	DNS_VIEW_ONE_ADDRESS, /* a hardware load balancer's, or one server's */
	DNS_VIEW_NOT_RESOLVABLE,
	DNS_VIEW__COUNT
};

/* Whether a server's own name leads to it; the last in this order counts. */
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
	const struct dns_question *question; /* the pool's name; NULL: it has none */
	enum dns_verdict verdict;
};

/* An address that is in somebody's answer for the pool's name. */
struct dns_address_view {
	struct net_address address;
	const struct pool_server *server; /* whose it is; NULL: nobody's in the pool */
	int64_t *ttl_s;                   /* for each resolver, or why there is none */
};

struct dns_server_view {
	const struct pool_server *server;
	int64_t *ttl_s;       /* the longest of its addresses, for each resolver */
	const char *own_name; /* NULL: it is not known, and not asked */
	enum dns_own_name own;
};

struct dns_view {
	const struct pool *pool;
	struct dns_question *questions;
	size_t question_count;

	/* Once it was judged. */
	enum dns_verdict verdict;
	bool is_disputed; /* an address is in one resolver's answer and not in another's
			   */
	int64_t least_ttl_s, greatest_ttl_s; /* of all addresses; DNS_TTL_ABSENT: none */
	struct dns_resolver_view *resolvers;
	size_t resolver_count;
	struct dns_address_view *addresses;
	size_t address_count;
	struct dns_server_view *servers; /* all of the pool's, in its order */
	size_t server_count;
};

/* The resolvers (struct dns_resolver) are copied, the pool must live as long as the view.
 */
struct dns_view *dns_view_new(const struct pool *pool, const struct list *resolvers);
void dns_view_free(struct dns_view *view);

/* To be called once, when the questions have their replies. */
void dns_view_judge(struct dns_view *view);

/* True if it is what the pool's `dns.expect` says; of one server alone, all of its
 * servers are one address. */
bool dns_view_is_expected(const struct dns_view *view);

/* The server's name if it is one that DNS can know, with a dot in it; or NULL. */
const char *dns_view_own_name(const struct pool_server *server);

#endif
