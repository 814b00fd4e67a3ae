#include "gates/gate_private.h"

#include <inttypes.h>

/* The words for the pool in DNS, and the remedy if it is not as needed. */
static const struct dns_words {
	const char *text, *remedy;
} dns_words[DNS_VIEW__COUNT] = {
	[DNS_VIEW_UNKNOWN] =
		{"no resolver answered for the pool's name",
		 "check that the DNS servers of `dns.resolvers` answer"},
	[DNS_VIEW_NOT_ASKED] = {"the pool has no `fqdn`, so DNS was not asked",
				"set the pool's `fqdn`"},
	[DNS_VIEW_BALANCED] = {"the pool is balanced by DNS",
			       "correct `dns.expect`, or DNS"},
	[DNS_VIEW_PARTLY] = {"the pool's name resolves to only some of its servers",
			     "add the other servers to the pool's name in DNS"},
	[DNS_VIEW_ELSEWHERE] = {"the pool's name resolves to none of its servers",
				"correct the pool's name in DNS, or the servers' "
				"`address`"},
	[DNS_VIEW_ONE_ADDRESS] =
		{"the pool's name resolves to a single address",
		 "give the pool's name the addresses of all its servers "
		 "in DNS"},
	[DNS_VIEW_NOT_RESOLVABLE] =
		{"the pool's name does not resolve",
		 "give the pool's name the addresses of all its "
		 "servers in DNS"},
};

static bool needs_balance(const struct gate_input *input)
{
	return input->feature_count || input->pool->dns.expect == DNS_BALANCED;
}

/* A pool of one server is both: balanced, and one address. */
static bool is_expected(const struct gate_input *input)
{
	enum dns_balance kind = input->dns.kind;

	switch (input->pool->dns.expect) {
	case DNS_BALANCED:
		return kind == DNS_VIEW_BALANCED;
	case DNS_ONE_ADDRESS:
		return kind == DNS_VIEW_ONE_ADDRESS ||
		       (kind == DNS_VIEW_BALANCED &&
			input->pool->servers.count == 1);
	default:
		return true;
	}
}

static void add_features(const struct gate_input *input, struct buf *text)
{
	struct gate_list list = {
		text, "; these need DNS load balancing and may break: ", 0};

	for (size_t i = 0; i < input->feature_count; i++)
		if (gate_list_next(&list))
			gate_add_bounded(text, input->features[i]);
	gate_list_end(&list);
}

static void add_dns_notes(const struct gate_dns *dns, struct buf *text)
{
	if (dns->is_disputed)
		buf_puts(text, "; resolvers disagree");
	if (dns->strangers) {
		buf_puts(text,
			 "; addresses that belong to no server of the pool: ");
		gate_add_bounded(text, dns->strangers);
	}
}

enum gate_verdict gate_check_dns(const struct gate_input *input,
				 struct gate_result *result)
{
	bool is_balanced = input->dns.kind == DNS_VIEW_BALANCED;
	bool breaks = input->feature_count && !is_balanced;
	const struct dns_words *words = &dns_words[input->dns.kind];

	buf_puts(&result->text, words->text);
	if (breaks)
		add_features(input, &result->text);
	if (!is_expected(input))
		buf_printf(&result->text, "; `dns.expect` is %s",
			   input->pool->dns.expect == DNS_BALANCED ? "balanced"
								   : "one_address");
	add_dns_notes(&input->dns, &result->text);
	if (breaks || !is_expected(input)) {
		buf_puts(&result->remedy, words->remedy);
		return GATE_REFUSED;
	}
	return input->dns.kind == DNS_VIEW_NOT_ASKED ? GATE_NOT_ASKED : GATE_PASSED;
}

/* True if the pool's name resolves to servers of it, or should. */
static bool has_members_in_dns(const struct gate_input *input)
{
	bool has_some = input->dns.kind == DNS_VIEW_BALANCED ||
			input->dns.kind == DNS_VIEW_PARTLY;

	for (size_t i = 0; i < input->member_count; i++)
		has_some |= input->members[i].is_in_dns;
	return has_some;
}

enum gate_verdict gate_check_dns_members(const struct gate_input *input,
					 struct gate_result *result)
{
	struct gate_need need = gate_need(input->pool);
	struct gate_list list = {&result->text, "; not in DNS: ", 0};
	size_t left;

	if (!has_members_in_dns(input)) {
		buf_puts(&result->text, dns_words[input->dns.kind].text);
		return GATE_NOT_ASKED;
	}
	if (!needs_balance(input) || !need.is_known || need.least < 1)
		need = (struct gate_need){true, 1, -1, false};
	left = gate_tally(input, need.of_first).left_in_dns;
	buf_printf(&result->text,
		   "%zu that are in DNS would still serve; at least %" PRId64
		   " must",
		   left, need.least);
	if (need.of_first >= 0)
		buf_printf(&result->text, " of the first %" PRId64 " by rank",
			   need.of_first);
	if ((int64_t)left >= need.least)
		return GATE_PASSED;
	for (size_t i = 0; i < input->member_count; i++)
		if (gate_is_left(input, &input->members[i]) &&
		    !input->members[i].is_in_dns && gate_list_next(&list))
			buf_puts(&result->text,
				 input->members[i].server->named.name);
	gate_list_end(&list);
	if (list.count)
		buf_puts(&result->remedy, "add these to the pool's name in DNS");
	else
		gate_add_bring_back(input, &result->remedy);
	return GATE_REFUSED;
}
