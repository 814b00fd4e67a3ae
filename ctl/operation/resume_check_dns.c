#include "operation/resume_check_dns.h"

/* True if the pool's name leads to something that is in front of its servers. */
static bool is_in_front(const struct dns_view *view, size_t resolver)
{
	enum dns_balance balance = view->resolvers[resolver].balance;

	if (balance != DNS_VIEW_ONE_ADDRESS && balance != DNS_VIEW_ELSEWHERE)
		return false;
	for (size_t i = 0; i < view->server_count; i++)
		if (view->servers[i].ttl_s[resolver] >= 0)
			return false;
	return view->pool->dns.expect != DNS_BALANCED;
}

/* How many resolvers say it of a server. */
struct tally {
	size_t present, missing, elsewhere;
};

/* A resolver that does not know for sure counts as none. */
static void tally_resolver(const struct dns_view *view, size_t resolver,
			   int64_t ttl_s, struct tally *tally, struct buf *text)
{
	const struct dns_resolver_view *said = &view->resolvers[resolver];
	char address[DNS_RESOLVER_TEXT_BYTES];

	if (ttl_s >= 0) {
		tally->present++;
		return;
	}
	if (ttl_s == DNS_TTL_UNKNOWN || said->balance == DNS_VIEW_UNKNOWN)
		return;
	*(is_in_front(view, resolver) ? &tally->elsewhere : &tally->missing) += 1;
	buf_printf(text, "%s%s", text->length ? ", " : "",
		   dns_resolver_format(&said->resolver, address));
}

enum resume_check_dns resume_check_dns_evaluate(const struct dns_view *view,
						const struct pool_server *server,
						struct buf *text)
{
	const struct dns_server_view *seen = view->servers;
	struct tally tally = {0};

	if (view->balance == DNS_VIEW_NOT_ASKED)
		return RESUME_CHECK_DNS_NO_NAME;
	while (seen->server != server)
		seen++;
	for (size_t i = 0; i < view->resolver_count; i++)
		tally_resolver(view, i, seen->ttl_s[i], &tally, text);
	if (tally.missing || (tally.elsewhere && tally.present))
		return RESUME_CHECK_DNS_MISSING;
	if (tally.elsewhere)
		return RESUME_CHECK_DNS_ELSEWHERE;
	return tally.present ? RESUME_CHECK_DNS_PRESENT : RESUME_CHECK_DNS_UNKNOWN;
}
