#include "pool_state.h"

#include "gates_private.h"

#include <inttypes.h>

static const char *const names[POOL_CHECK__COUNT] = {
	[POOL_MEMBERS] = "members",     [POOL_ATTENTION] = "attention",
	[POOL_FLOOR] = "floor",         [POOL_DNS] = "dns",
	[POOL_OWN_NAMES] = "own_names", [POOL_CLOCKS] = "clocks",
};

const char *pool_check_name(enum pool_check check)
{
	return names[check];
}

/* Lists the members that stand like this; says how many. */
static size_t add_members(const struct gates_input *input, enum standing standing,
			  struct gate_list *list)
{
	size_t count = 0;

	for (size_t i = 0; i < input->member_count; i++) {
		const struct gate_member *member = &input->members[i];

		if (member->standing != standing)
			continue;
		count++;
		if (gate_list_next(list))
			gate_explain_member(member, input->now, list->text);
	}
	return count;
}

static enum gate_verdict check_members(const struct gates_input *input,
				       const struct dns_view *dns,
				       struct gate_result *result)
{
	struct gate_list list = {&result->text, "", 0};
	size_t missing;

	(void)dns;
	missing = add_members(input, STANDING_UNREACHABLE, &list);
	missing += add_members(input, STANDING_STALE, &list);
	gate_list_end(&list);
	if (!missing) {
		buf_printf(&result->text, "all %zu answer", input->member_count);
		return GATE_PASSED;
	}
	buf_puts(&result->remedy, "see that poold runs there, and can be reached");
	return GATE_REFUSED;
}

static enum gate_verdict check_attention(const struct gates_input *input,
					 const struct dns_view *dns,
					 struct gate_result *result)
{
	struct gate_list list = {&result->text, "", 0};

	(void)dns;
	if (!add_members(input, STANDING_ATTENTION, &list)) {
		buf_puts(&result->text, "no server needs it");
		return GATE_PASSED;
	}
	gate_list_end(&list);
	buf_puts(&result->remedy, "`poolctl status` says what is the matter");
	return GATE_REFUSED;
}

static enum gate_verdict check_floor(const struct gates_input *input,
				     const struct dns_view *dns,
				     struct gate_result *result)
{
	struct gate_need need = gate_need(input->pool);
	struct gate_tally tally = gate_tally(input, need.of_first);

	(void)dns;
	if (!need.is_known) {
		buf_printf(&result->text,
			   "no row of `floors` is for a pool of %zu servers",
			   input->member_count);
		buf_puts(&result->remedy, "add one, or make `availability.floor` a "
					  "number or a percentage");
		return GATE_REFUSED;
	}
	if (need.of_first >= 0)
		buf_printf(&result->text, "of the first %" PRId64 " by rank, ",
			   need.of_first);
	buf_printf(&result->text, "%zu of %zu serve, the floor is %" PRId64, tally.serve,
		   need.of_first >= 0 ? (size_t)need.of_first : input->member_count,
		   need.least);
	gate_add_absent(input, &result->text);
	if ((int64_t)tally.serve >= need.least)
		return GATE_PASSED;
	buf_puts(&result->remedy, "bring a server back, before anything else");
	return GATE_REFUSED;
}

static enum gate_verdict check_dns(const struct gates_input *input,
				   const struct dns_view *dns, struct gate_result *result)
{
	if (dns->verdict == DNS_VIEW_NOT_ASKED) {
		buf_puts(&result->text, "the pool has no `fqdn`");
		return GATE_NOT_ASKED;
	}
	if (dns->verdict == DNS_VIEW_UNKNOWN) {
		buf_puts(&result->text, "no resolver gave a whole answer");
		buf_puts(&result->remedy,
			 "see that the DNS servers of `dns.resolvers` answer");
	} else if (dns->is_disputed) {
		buf_puts(&result->text, "resolvers disagree");
		buf_puts(&result->remedy, "wait until their caches run out, or correct "
					  "the one that is wrong");
	} else if (!dns_view_is_expected(dns)) {
		buf_printf(&result->text, "it is not what `dns.expect` says (%s)",
			   input->pool->dns.expect == DNS_BALANCED ? "balanced"
								   : "one_address");
		buf_puts(&result->remedy, "correct DNS, or `dns.expect`");
	} else {
		buf_puts(&result->text,
			 input->pool->dns.expect == DNS_ANY
				 ? "resolvers agree"
				 : "resolvers agree, as `dns.expect` says");
		return GATE_PASSED;
	}
	return GATE_REFUSED;
}

/* The names that nobody could be asked for are at fault too: they were not verified. */
static enum gate_verdict check_own_names(const struct gates_input *input,
					 const struct dns_view *dns,
					 struct gate_result *result)
{
	struct gate_list list = {&result->text, "not right: ", 0};
	size_t asked = 0;

	(void)input;
	for (size_t i = 0; i < dns->server_count; i++) {
		const struct dns_server_view *seen = &dns->servers[i];

		asked += seen->own != DNS_OWN_NOT_ASKED;
		if (seen->own != DNS_OWN_NOT_ASKED && seen->own != DNS_OWN_RIGHT &&
		    gate_list_next(&list))
			buf_puts(&result->text, seen->own_name);
	}
	gate_list_end(&list);
	if (list.count) {
		buf_puts(&result->remedy, "give these names the servers' `address` in "
					  "DNS");
		return GATE_REFUSED;
	}
	buf_puts(&result->text, asked ? "the servers' own names lead to them"
				      : "no server has a name with a dot in it");
	return asked ? GATE_PASSED : GATE_NOT_ASKED;
}

static enum gate_verdict check_clocks(const struct gates_input *input,
				      const struct dns_view *dns,
				      struct gate_result *result)
{
	(void)dns;
	return gate_check_clocks(input, result);
}

static enum gate_verdict (*const checks[POOL_CHECK__COUNT])(
	const struct gates_input *input, const struct dns_view *dns,
	struct gate_result *result) = {
	[POOL_MEMBERS] = check_members,     [POOL_ATTENTION] = check_attention,
	[POOL_FLOOR] = check_floor,         [POOL_DNS] = check_dns,
	[POOL_OWN_NAMES] = check_own_names, [POOL_CLOCKS] = check_clocks,
};

void pool_state_check(const struct gates_input *input, const struct dns_view *dns,
		      struct pool_state *state)
{
	*state = (struct pool_state){0};
	for (int i = 0; i < POOL_CHECK__COUNT; i++) {
		struct gate_result *result = &state->results[i];

		result->verdict = checks[i](input, dns, result);
		state->faults += result->verdict == GATE_REFUSED;
	}
}

void pool_state_done(struct pool_state *state)
{
	for (int i = 0; i < POOL_CHECK__COUNT; i++) {
		buf_done(&state->results[i].text);
		buf_done(&state->results[i].remedy);
	}
}
