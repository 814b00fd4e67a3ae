#include "dns_view_text.h"

#include "text.h"

#include <jansson.h>
#include <string.h>

enum { LINES_LIMIT = 20 }; /* of one kind */

static const char *const verdict_names[DNS_VIEW__COUNT] = {
	[DNS_VIEW_UNKNOWN] = "unknown",
	[DNS_VIEW_NOT_ASKED] = "not_asked",
	[DNS_VIEW_BALANCED] = "balanced",
	[DNS_VIEW_PARTLY] = "partly",
	[DNS_VIEW_ELSEWHERE] = "elsewhere",
	[DNS_VIEW_ONE_ADDRESS] = "one_address",
	[DNS_VIEW_NOT_RESOLVABLE] = "not_resolvable",
};

static const char *const own_names[DNS_OWN__COUNT] = {
	[DNS_OWN_UNKNOWN] = "unknown", [DNS_OWN_NOT_ASKED] = "not_asked",
	[DNS_OWN_RIGHT] = "right",     [DNS_OWN_MISSING] = "missing",
	[DNS_OWN_WRONG] = "wrong",
};

const char *dns_verdict_name(enum dns_verdict verdict)
{
	return verdict_names[verdict];
}

/* ---- JSON ---- */

static json_t *ttl_or_null(int64_t ttl_s)
{
	return ttl_s >= 0 ? json_integer(ttl_s) : json_null();
}

static json_t *resolver_text(const struct dns_resolver *resolver)
{
	char text[DNS_RESOLVER_TEXT_BYTES];

	return json_string(dns_resolver_format(resolver, text));
}

/* They are those of whichever kind has more of them. */
static const struct list *aliases_of(const struct dns_question *question)
{
	const struct dns_reply *replies = question->replies;

	return replies[DNS_IPV4].aliases.count >= replies[DNS_IPV6].aliases.count
		       ? &replies[DNS_IPV4].aliases
		       : &replies[DNS_IPV6].aliases;
}

static json_t *describe_resolver(const struct dns_resolver_view *seen)
{
	const struct dns_reply *replies = seen->question->replies;
	json_t *aliases = json_array();

	LIST_EACH (char *, alias, *aliases_of(seen->question))
		(void)json_array_append_new(aliases, json_string(*alias));
	return json_pack("{s:o, s:s, s:s, s:s, s:o}", "resolver",
			 resolver_text(&seen->resolver), "verdict",
			 dns_verdict_name(seen->verdict), "ipv4",
			 dns_status_name(replies[DNS_IPV4].status), "ipv6",
			 dns_status_name(replies[DNS_IPV6].status), "aliases", aliases);
}

/* In whose answer something is: true, false, or null if that is not known. */
static json_t *describe_ttls(const struct dns_view *view, const int64_t *ttl_s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->resolver_count; i++) {
		json_t *is_in = ttl_s[i] == DNS_TTL_UNKNOWN ? json_null()
							    : json_boolean(ttl_s[i] >= 0);

		(void)json_array_append_new(
			list, json_pack("{s:o, s:o, s:o}", "resolver",
					resolver_text(&view->resolvers[i].resolver), "in",
					is_in, "ttl_s", ttl_or_null(ttl_s[i])));
	}
	return list;
}

static json_t *describe_address(const struct dns_view *view,
				const struct dns_address_view *seen)
{
	char text[NET_ADDRESS_TEXT_BYTES];

	return json_pack("{s:s, s:s?, s:o}", "address",
			 net_address_format(&seen->address, text), "server",
			 seen->server ? seen->server->named.name : NULL, "resolvers",
			 describe_ttls(view, seen->ttl_s));
}

static json_t *describe_server(const struct dns_view *view,
			       const struct dns_server_view *seen)
{
	return json_pack("{s:s, s:s, s:o}", "server", seen->server->named.name,
			 "own_name", own_names[seen->own], "resolvers",
			 describe_ttls(view, seen->ttl_s));
}

json_t *dns_view_to_json(const struct dns_view *view)
{
	json_t *resolvers = json_array(), *addresses = json_array();
	json_t *servers = json_array();

	for (size_t i = 0; view->pool->fqdn && i < view->resolver_count; i++)
		(void)json_array_append_new(resolvers,
					    describe_resolver(&view->resolvers[i]));
	for (size_t i = 0; i < view->address_count; i++)
		(void)json_array_append_new(addresses,
					    describe_address(view, &view->addresses[i]));
	for (size_t i = 0; i < view->server_count; i++)
		(void)json_array_append_new(servers,
					    describe_server(view, &view->servers[i]));
	return json_pack("{s:s?, s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o}", "name",
			 view->pool->fqdn, "verdict", dns_verdict_name(view->verdict),
			 "as_expected", dns_view_is_expected(view), "disputed",
			 view->is_disputed, "least_ttl_s", ttl_or_null(view->least_ttl_s),
			 "greatest_ttl_s", ttl_or_null(view->greatest_ttl_s), "resolvers",
			 resolvers, "addresses", addresses, "servers", servers);
}

/* ---- lines ---- */

static void add_ttl(const struct dns_view *view, struct buf *text)
{
	char least[TEXT_DURATION_BYTES], greatest[TEXT_DURATION_BYTES];

	if (view->least_ttl_s < 0)
		return;
	(void)text_duration(view->least_ttl_s * 1000, least);
	(void)text_duration(view->greatest_ttl_s * 1000, greatest);
	buf_printf(text, ", TTL %s", least);
	if (strcmp(least, greatest) != 0)
		buf_printf(text, " to %s", greatest);
}

static bool is_absent(const struct dns_view *view, const int64_t *ttl_s)
{
	for (size_t i = 0; i < view->resolver_count; i++)
		if (ttl_s[i] == DNS_TTL_ABSENT)
			return true;
	return false;
}

static size_t count_present(const struct dns_view *view)
{
	size_t present = 0;

	for (size_t i = 0; i < view->server_count; i++)
		present += !is_absent(view, view->servers[i].ttl_s);
	return present;
}

static void add_verdict(const struct dns_view *view, struct buf *text)
{
	size_t count = view->server_count;

	switch (view->verdict) {
	case DNS_VIEW_BALANCED:
		buf_printf(text, "balanced by DNS: it leads to all %zu servers", count);
		break;
	case DNS_VIEW_PARTLY:
		buf_printf(text,
			   "balanced by DNS in part: it leads to %zu of %zu servers",
			   count_present(view), count);
		break;
	case DNS_VIEW_ELSEWHERE:
		buf_puts(text, "it leads to addresses that none of the servers has");
		break;
	case DNS_VIEW_ONE_ADDRESS:
		buf_puts(text, "it leads to one address: a hardware load balancer, or "
			       "nothing, balances");
		break;
	case DNS_VIEW_NOT_RESOLVABLE:
		buf_puts(text, "it does not resolve");
		break;
	default:
		buf_puts(text, "what it leads to is not known, as no resolver gave a "
			       "whole answer");
	}
	add_ttl(view, text);
}

static void add_resolver(const struct dns_resolver_view *seen, struct buf *text)
{
	char resolver[DNS_RESOLVER_TEXT_BYTES];
	const struct dns_reply *ipv4 = &seen->question->replies[DNS_IPV4];
	const struct dns_reply *ipv6 = &seen->question->replies[DNS_IPV6];
	size_t count = ipv4->addresses.count + ipv6->addresses.count;

	buf_printf(text,
		   "  resolver %s: ", dns_resolver_format(&seen->resolver, resolver));
	if (ipv4->status == ipv6->status && !count)
		buf_puts(text, dns_status_text(ipv4->status));
	else if (dns_is_known(ipv4->status) && dns_is_known(ipv6->status))
		buf_printf(text, "%zu address%s", count, count == 1 ? "" : "es");
	else
		buf_printf(text, "IPv4: %s; IPv6: %s", dns_status_text(ipv4->status),
			   dns_status_text(ipv6->status));
	LIST_EACH (char *, alias, *aliases_of(seen->question))
		buf_printf(text, ", alias %s", *alias);
	buf_puts(text, "\n");
}

/* Adds " of R1, R2": in whose answer it is, or is not. */
static void add_whose(const struct dns_view *view, const int64_t *ttl_s, bool is_in,
		      struct buf *text)
{
	const char *between = " of ";

	for (size_t i = 0; i < view->resolver_count; i++) {
		char resolver[DNS_RESOLVER_TEXT_BYTES];

		if (is_in ? ttl_s[i] < 0 : ttl_s[i] != DNS_TTL_ABSENT)
			continue;
		buf_printf(text, "%s%s", between,
			   dns_resolver_format(&view->resolvers[i].resolver, resolver));
		between = ", ";
	}
}

static void add_more(size_t count, const char *what, struct buf *text)
{
	if (count > LINES_LIMIT)
		buf_printf(text, "  and %zu more %s\n", count - LINES_LIMIT, what);
}

/* Which servers are missing matters only where others are there. */
static void add_missing(const struct dns_view *view, struct buf *text)
{
	size_t count = 0;

	for (size_t i = 0; i < view->server_count; i++) {
		const struct dns_server_view *seen = &view->servers[i];

		if (!view->address_count || !is_absent(view, seen->ttl_s) ||
		    ++count > LINES_LIMIT)
			continue;
		buf_printf(text, "  %s is not in the answer", seen->server->named.name);
		add_whose(view, seen->ttl_s, false, text);
		buf_puts(text, "\n");
	}
	add_more(count, "servers are missing", text);
}

static void add_strangers(const struct dns_view *view, struct buf *text)
{
	size_t count = 0;

	for (size_t i = 0; i < view->address_count; i++) {
		const struct dns_address_view *seen = &view->addresses[i];
		char address[NET_ADDRESS_TEXT_BYTES];

		if (seen->server || ++count > LINES_LIMIT)
			continue;
		buf_printf(text, "  %s belongs to no server of the pool; in the answer",
			   net_address_format(&seen->address, address));
		add_whose(view, seen->ttl_s, true, text);
		buf_puts(text, "\n");
	}
	add_more(count, "addresses belong to no server", text);
}

static void add_own_names(const struct dns_view *view, struct buf *text)
{
	static const char *const words[DNS_OWN__COUNT] = {
		[DNS_OWN_UNKNOWN] = "its own name could not be asked for",
		[DNS_OWN_MISSING] = "its own name does not resolve",
		[DNS_OWN_WRONG] = "its own name leads to another address",
	};
	size_t count = 0;

	for (size_t i = 0; i < view->server_count; i++) {
		const struct dns_server_view *seen = &view->servers[i];

		if (words[seen->own] && ++count <= LINES_LIMIT)
			buf_printf(text, "  %s: %s\n", seen->own_name, words[seen->own]);
	}
	add_more(count, "own names are not right", text);
}

void dns_view_explain(const struct dns_view *view, struct buf *text)
{
	if (view->verdict == DNS_VIEW_NOT_ASKED) {
		buf_printf(text, "pool %s has no fqdn: what DNS says is not known\n",
			   view->pool->named.name);
	} else {
		buf_printf(text, "%s: ", view->pool->fqdn);
		add_verdict(view, text);
		buf_puts(text, "\n");
		for (size_t i = 0; i < view->resolver_count; i++)
			add_resolver(&view->resolvers[i], text);
		add_missing(view, text);
		add_strangers(view, text);
	}
	add_own_names(view, text);
}
