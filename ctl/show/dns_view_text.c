#include "show/dns_view_text.h"

#include "text/duration.h"
#include "text/json_write.h"

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

const char *dns_view_text_balance(enum dns_balance verdict)
{
	return verdict_names[verdict];
}

/* ---- JSON ---- */

/* An object that begins with the resolver's name. */
static json_t *new_of_resolver(const struct dns_resolver *resolver)
{
	char text[DNS_RESOLVER_TEXT_BYTES];
	json_t *object = json_object();

	json_write_text(object, "resolver", dns_resolver_format(resolver, text));
	return object;
}

/* Those of the record type that has more of them. */
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
	json_t *object = new_of_resolver(&seen->resolver), *aliases = json_array();

	LIST_EACH (char *, alias, *aliases_of(seen->question))
		json_write_text_item(aliases, *alias);
	json_write_text(object, "verdict", dns_view_text_balance(seen->balance));
	json_write_text(object, "ipv4",
			dns_answer_status_name(replies[DNS_IPV4].status));
	json_write_text(object, "ipv6",
			dns_answer_status_name(replies[DNS_IPV6].status));
	json_write_value(object, "aliases", aliases);
	return object;
}

/* In whose answer something is: true, false, or null if that is unknown. */
static json_t *describe_ttls(const struct dns_view *view, const int64_t *ttl_s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->resolver_count; i++) {
		json_t *object = new_of_resolver(&view->resolvers[i].resolver);
		bool is_known = ttl_s[i] != DNS_TTL_UNKNOWN;

		json_write_value(object, "in",
				 is_known ? json_boolean(ttl_s[i] >= 0) : NULL);
		json_write_count(object, "ttl_s", ttl_s[i]);
		json_write_item(list, object);
	}
	return list;
}

static json_t *describe_address(const struct dns_view *view,
				const struct dns_address_view *seen)
{
	char text[NET_ADDRESS_TEXT_BYTES];
	json_t *object = json_object();

	json_write_text(object, "address",
			net_address_format(&seen->address, text));
	json_write_text(object, "server",
			seen->server ? seen->server->named.name : NULL);
	json_write_value(object, "resolvers", describe_ttls(view, seen->ttl_s));
	return object;
}

static json_t *describe_server(const struct dns_view *view,
			       const struct dns_server_view *seen)
{
	json_t *object = json_object();

	json_write_text(object, "server", seen->server->named.name);
	json_write_text(object, "own_name", own_names[seen->own]);
	json_write_value(object, "resolvers", describe_ttls(view, seen->ttl_s));
	return object;
}

json_t *dns_view_text_to_json(const struct dns_view *view)
{
	json_t *object = json_object(), *resolvers = json_array();
	json_t *addresses = json_array(), *servers = json_array();

	for (size_t i = 0; view->pool->fqdn && i < view->resolver_count; i++)
		json_write_item(resolvers, describe_resolver(&view->resolvers[i]));
	for (size_t i = 0; i < view->address_count; i++)
		json_write_item(addresses,
				describe_address(view, &view->addresses[i]));
	for (size_t i = 0; i < view->server_count; i++)
		json_write_item(servers, describe_server(view, &view->servers[i]));
	json_write_text(object, "name", view->pool->fqdn);
	json_write_text(object, "verdict", dns_view_text_balance(view->balance));
	json_write_flag(object, "as_expected", dns_view_is_expected(view));
	json_write_flag(object, "disputed", view->is_disputed);
	json_write_count(object, "least_ttl_s", view->least_ttl_s);
	json_write_count(object, "greatest_ttl_s", view->greatest_ttl_s);
	json_write_value(object, "resolvers", resolvers);
	json_write_value(object, "addresses", addresses);
	json_write_value(object, "servers", servers);
	return object;
}

/* ---- lines ---- */

static void add_ttl(const struct dns_view *view, struct buf *text)
{
	char least[DURATION_BYTES], greatest[DURATION_BYTES];

	if (view->least_ttl_s < 0)
		return;
	(void)duration_print(view->least_ttl_s * 1000, least);
	(void)duration_print(view->greatest_ttl_s * 1000, greatest);
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

	switch (view->balance) {
	case DNS_VIEW_BALANCED:
		buf_printf(text, "balanced by DNS: it resolves to all %zu servers",
			   count);
		break;
	case DNS_VIEW_PARTLY:
		buf_printf(
			text,
			"partly balanced by DNS: it resolves to %zu of %zu servers",
			count_present(view), count);
		break;
	case DNS_VIEW_ELSEWHERE:
		buf_puts(
			text,
			"it resolves to addresses that belong to none of the servers");
		break;
	case DNS_VIEW_ONE_ADDRESS:
		buf_puts(text,
			 "it resolves to a single address: either a hardware load "
			 "balancer, or no balancing at all");
		break;
	case DNS_VIEW_NOT_RESOLVABLE:
		buf_puts(text, "it does not resolve");
		break;
	default:
		buf_puts(text, "unknown: no resolver gave a complete answer");
	}
	add_ttl(view, text);
}

static void add_resolver(const struct dns_resolver_view *seen, struct buf *text)
{
	char resolver[DNS_RESOLVER_TEXT_BYTES];
	const struct dns_reply *ipv4 = &seen->question->replies[DNS_IPV4];
	const struct dns_reply *ipv6 = &seen->question->replies[DNS_IPV6];
	size_t count = ipv4->addresses.count + ipv6->addresses.count;

	buf_printf(text, "  resolver %s: ",
		   dns_resolver_format(&seen->resolver, resolver));
	if (ipv4->status == ipv6->status && !count)
		buf_puts(text, dns_answer_status_text(ipv4->status));
	else if (dns_answer_is_known(ipv4->status) &&
		 dns_answer_is_known(ipv6->status))
		buf_printf(text, "%zu address%s", count, count == 1 ? "" : "es");
	else
		buf_printf(text, "IPv4: %s; IPv6: %s",
			   dns_answer_status_text(ipv4->status),
			   dns_answer_status_text(ipv6->status));
	LIST_EACH (char *, alias, *aliases_of(seen->question))
		buf_printf(text, ", alias %s", *alias);
	buf_puts(text, "\n");
}

/* Adds " of R1, R2": the resolvers in whose answer it is, or is not. */
static void add_whose(const struct dns_view *view, const int64_t *ttl_s, bool is_in,
		      struct buf *text)
{
	const char *between = " of ";

	for (size_t i = 0; i < view->resolver_count; i++) {
		char resolver[DNS_RESOLVER_TEXT_BYTES];

		if (is_in ? ttl_s[i] < 0 : ttl_s[i] != DNS_TTL_ABSENT)
			continue;
		buf_printf(text, "%s%s", between,
			   dns_resolver_format(&view->resolvers[i].resolver,
					       resolver));
		between = ", ";
	}
}

static void add_more(size_t count, const char *what, struct buf *text)
{
	if (count > LINES_LIMIT)
		buf_printf(text, "  and %zu more %s\n", count - LINES_LIMIT, what);
}

/* Missing servers matter only if other addresses are there. */
static void add_missing(const struct dns_view *view, struct buf *text)
{
	size_t count = 0;

	for (size_t i = 0; i < view->server_count; i++) {
		const struct dns_server_view *seen = &view->servers[i];

		if (!view->address_count || !is_absent(view, seen->ttl_s) ||
		    ++count > LINES_LIMIT)
			continue;
		buf_printf(text, "  %s is missing from the answer",
			   seen->server->named.name);
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
		buf_printf(text, "  %s is in the answer",
			   net_address_format(&seen->address, address));
		add_whose(view, seen->ttl_s, true, text);
		buf_puts(text, ", but belongs to no server of the pool\n");
	}
	add_more(count, "addresses belong to no server", text);
}

static void add_own_names(const struct dns_view *view, struct buf *text)
{
	static const char *const words[DNS_OWN__COUNT] = {
		[DNS_OWN_UNKNOWN] =
			"is unknown: no resolver gave a complete answer",
		[DNS_OWN_MISSING] = "does not resolve",
		[DNS_OWN_WRONG] = "resolves to an address that is not the server's",
	};
	size_t count = 0;

	for (size_t i = 0; i < view->server_count; i++) {
		const struct dns_server_view *seen = &view->servers[i];

		if (words[seen->own] && ++count <= LINES_LIMIT)
			buf_printf(text, "  own name %s %s\n", seen->own_name,
				   words[seen->own]);
	}
	add_more(count, "own names are wrong or unknown", text);
}

void dns_view_text_explain(const struct dns_view *view, struct buf *text)
{
	if (view->balance == DNS_VIEW_NOT_ASKED) {
		buf_printf(text,
			   "pool %s has no fqdn in pool.yaml: DNS was not asked\n",
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
