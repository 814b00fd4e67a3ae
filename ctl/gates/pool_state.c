#include "gates/pool_state.h"

#include "api/view_text.h"
#include "gates/gate_private.h"

#include <inttypes.h>

static const char *const names[POOL_CHECK__COUNT] = {
	[POOL_MEMBERS] = "members",
	[POOL_CONFIG] = "config",
	[POOL_ATTENTION] = "attention",
	[POOL_FLOOR] = "floor",
	[POOL_DNS] = "dns",
	[POOL_OWN_NAMES] = "own_names",
	[POOL_CLOCKS] = "clocks",
	[POOL_CERTIFICATES] = "certificates",
};

const char *pool_state_check_name(enum pool_state_check check)
{
	return names[check];
}

/* Lists the members that stand like this; says how many. */
static size_t add_members(const struct gate_input *input,
			  enum gate_standing standing, struct gate_list *list)
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

static enum gate_verdict check_members(const struct gate_input *input,
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
		buf_printf(&result->text, "all %zu servers answer",
			   input->member_count);
		return GATE_PASSED;
	}
	buf_puts(&result->remedy, "check that poold runs there and can be reached");
	return GATE_REFUSED;
}

static enum gate_verdict check_config(const struct gate_input *input,
				      const struct dns_view *dns,
				      struct gate_result *result)
{
	struct gate_list list = {&result->text, "", 0};

	(void)dns;
	for (size_t i = 0; i < input->member_count; i++)
		if (input->members[i].other_services && gate_list_next(&list))
			buf_printf(&result->text, "%s has another pool.yaml (%s)",
				   input->members[i].server->named.name,
				   input->members[i].other_services);
	gate_list_end(&list);
	if (!list.count) {
		buf_puts(&result->text,
			 "the servers know their services as pool.yaml "
			 "has them");
		return GATE_PASSED;
	}
	buf_puts(&result->remedy, "restart poold there, or use the same pool.yaml");
	return GATE_REFUSED;
}

static void add_overdue(const struct gate_input *input, struct gate_list *list)
{
	for (size_t i = 0; i < input->member_count; i++) {
		const struct drain_view *drain = input->members[i].overdue;

		if (!drain || !gate_list_next(list))
			continue;
		buf_printf(list->text, "%s: drain ",
			   input->members[i].server->named.name);
		gate_add_bounded(list->text, drain->id);
		buf_puts(list->text, " of ");
		gate_add_bounded(list->text, drain->owner);
		buf_puts(list->text, " is overdue");
	}
}

static void add_failing_stores(const struct gate_input *input,
			       struct gate_list *list)
{
	for (size_t i = 0; i < input->member_count; i++) {
		const struct gate_member *member = &input->members[i];

		if (!member->store_problem || !gate_list_next(list))
			continue;
		buf_printf(list->text, "%s cannot write its store: ",
			   member->server->named.name);
		gate_add_bounded(list->text, member->store_problem);
	}
}

static void add_unused_files(const struct gate_input *input, struct gate_list *list)
{
	for (size_t i = 0; i < input->member_count; i++) {
		const struct gate_member *member = &input->members[i];

		if (!member->config_problem || !gate_list_next(list))
			continue;
		buf_printf(list->text, "%s: ", member->server->named.name);
		gate_add_bounded(list->text, member->config_problem);
	}
}

static size_t add_uncounted(const struct gate_input *input, struct gate_list *list)
{
	size_t count = 0;

	for (size_t i = 0; i < input->member_count; i++) {
		const struct gate_member *member = &input->members[i];

		count += member->uncounted_count > 0;
		if (!member->uncounted_count || !gate_list_next(list))
			continue;
		buf_printf(list->text, "%s: %s", member->server->named.name,
			   member->uncounted);
		if (member->uncounted_count > 1)
			buf_printf(list->text, " and %zu more services",
				   member->uncounted_count - 1);
		buf_puts(list->text,
			 " can never be reported as drained, as no counter "
			 "of the sessions is known");
	}
	return count;
}

static enum gate_verdict check_attention(const struct gate_input *input,
					 const struct dns_view *dns,
					 struct gate_result *result)
{
	struct gate_list list = {&result->text, "", 0};
	size_t uncounted;

	(void)dns;
	(void)add_members(input, STANDING_ATTENTION, &list);
	add_overdue(input, &list);
	add_failing_stores(input, &list);
	add_unused_files(input, &list);
	uncounted = add_uncounted(input, &list);
	if (!list.count) {
		buf_puts(&result->text, "no server needs attention");
		return GATE_PASSED;
	}
	gate_list_end(&list);
	buf_puts(&result->remedy, "`poolctl status` shows what is wrong");
	if (uncounted)
		buf_puts(
			&result->remedy,
			"; `poolctl config check` shows the lines for pool.yaml that "
			"make sessions known");
	return GATE_REFUSED;
}

static enum gate_verdict check_floor(const struct gate_input *input,
				     const struct dns_view *dns,
				     struct gate_result *result)
{
	struct gate_need need = gate_need(input->pool);
	struct gate_tally tally = gate_tally(input, need.of_first);

	(void)dns;
	if (!need.is_known)
		return gate_refuse_without_row(input, result);
	if (need.of_first >= 0)
		buf_printf(&result->text, "of the first %" PRId64 " by rank, ",
			   need.of_first);
	buf_printf(&result->text, "%zu of %zu serve, the floor is %" PRId64,
		   tally.serve,
		   need.of_first >= 0 ? (size_t)need.of_first : input->member_count,
		   need.least);
	gate_add_absent(input, &result->text);
	if ((int64_t)tally.serve >= need.least)
		return GATE_PASSED;
	buf_puts(&result->remedy, "bring a server back first");
	return GATE_REFUSED;
}

static enum gate_verdict check_dns(const struct gate_input *input,
				   const struct dns_view *dns,
				   struct gate_result *result)
{
	if (dns->balance == DNS_VIEW_NOT_ASKED) {
		buf_puts(&result->text, "the pool has no `fqdn`");
		return GATE_NOT_ASKED;
	}
	if (dns->balance == DNS_VIEW_UNKNOWN) {
		buf_puts(&result->text, "no resolver gave a complete answer");
		buf_puts(&result->remedy,
			 "check that the DNS servers of `dns.resolvers` answer");
	} else if (dns->is_disputed) {
		buf_puts(&result->text, "resolvers disagree");
		buf_puts(
			&result->remedy,
			"wait until their caches expire, or correct the wrong resolver");
	} else if (dns->balance == DNS_VIEW_NOT_RESOLVABLE) {
		buf_puts(&result->text, "the pool's name does not resolve");
		buf_puts(
			&result->remedy,
			"give the pool's name its addresses in DNS, or remove `fqdn`");
	} else if (!dns_view_is_expected(dns)) {
		buf_printf(&result->text, "DNS is not what `dns.expect` says (%s)",
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

/* Names that no resolver answered for are faults too: they were not verified. */
static enum gate_verdict check_own_names(const struct gate_input *input,
					 const struct dns_view *dns,
					 struct gate_result *result)
{
	struct gate_list list = {&result->text, "wrong, missing or unknown: ", 0};
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
		buf_puts(&result->remedy,
			 "make these names resolve to the servers' `address`");
		return GATE_REFUSED;
	}
	buf_puts(&result->text,
		 asked ? "the servers' own names resolve to their addresses"
		       : "no server's name has a dot in it");
	return asked ? GATE_PASSED : GATE_NOT_ASKED;
}

static enum gate_verdict check_clocks(const struct gate_input *input,
				      const struct dns_view *dns,
				      struct gate_result *result)
{
	(void)dns;
	return gate_check_clocks(input, result);
}

static enum gate_verdict check_certificates(const struct gate_input *input,
					    const struct dns_view *dns,
					    struct gate_result *result)
{
	struct gate_list list = {&result->text, "", 0};
	size_t known = 0;

	(void)dns;
	for (size_t i = 0; i < input->member_count; i++) {
		const struct gate_member *member = &input->members[i];
		struct moment ends = member->certificate_expires_at;
		struct buf soon = {0};

		known += ends.is_given;
		if (view_text_certificate(ends, input->now, &soon) &&
		    gate_list_next(&list))
			buf_printf(&result->text, "the certificate of %s %s",
				   member->server->named.name, soon.text);
		buf_done(&soon);
	}
	gate_list_end(&list);
	if (list.count) {
		buf_puts(&result->remedy,
			 "renew it there; poold uses the new files by itself");
		return GATE_REFUSED;
	}
	if (known)
		buf_printf(&result->text, "none ends within %d days",
			   API_CERTIFICATE_WARN_DAYS);
	else
		buf_puts(&result->text, "no server has TLS");
	return known ? GATE_PASSED : GATE_NOT_ASKED;
}

static enum gate_verdict (*const checks[POOL_CHECK__COUNT])(
	const struct gate_input *input, const struct dns_view *dns,
	struct gate_result *result) = {
	[POOL_MEMBERS] = check_members,
	[POOL_CONFIG] = check_config,
	[POOL_ATTENTION] = check_attention,
	[POOL_FLOOR] = check_floor,
	[POOL_DNS] = check_dns,
	[POOL_OWN_NAMES] = check_own_names,
	[POOL_CLOCKS] = check_clocks,
	[POOL_CERTIFICATES] = check_certificates,
};

void pool_state_check(const struct gate_input *input, const struct dns_view *dns,
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
