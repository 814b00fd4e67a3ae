/*
 * Whether DNS leads to a server that is back, as its resolvers say it.
 */
#include "outside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	RESOLVERS = 2,
	TTL_S = 60,
	ABSENT = DNS_TTL_ABSENT,
	UNKNOWN = DNS_TTL_UNKNOWN,
	OTHERS = -10 /* absent, and the one address is the other server's */
};

/* What one resolver says of the pool, and of the server. */
struct said {
	enum dns_verdict verdict;
	int64_t ttl_s;
};

static int64_t ttl_of_other(const struct said *said)
{
	bool is_there = said->verdict == DNS_VIEW_BALANCED ||
			said->verdict == DNS_VIEW_PARTLY || said->ttl_s == OTHERS;

	return is_there ? TTL_S : ABSENT;
}

static enum outside_dns judge_all(const struct said said[], size_t count,
				  enum dns_expectation expect, struct buf *text)
{
	struct pool pool = {.dns = {.expect = expect}};
	struct pool_server servers[2] = {{.url = NULL}};
	int64_t ttls_s[2][RESOLVERS];
	struct dns_server_view seen[2] = {
		{.server = &servers[0], .ttl_s = ttls_s[0]},
		{.server = &servers[1], .ttl_s = ttls_s[1]},
	};
	struct dns_resolver_view resolvers[RESOLVERS];
	struct dns_view view = {.pool = &pool,
				.resolvers = resolvers,
				.resolver_count = count,
				.servers = seen,
				.server_count = 2};

	memset(resolvers, 0, sizeof(resolvers));
	for (size_t i = 0; i < count; i++) {
		(void)net_address_parse(i ? "192.0.2.2" : "192.0.2.1",
					&resolvers[i].resolver.address);
		resolvers[i].resolver.port = DNS_PORT;
		resolvers[i].verdict = said[i].verdict;
		ttls_s[0][i] = ttl_of_other(&said[i]);
		ttls_s[1][i] = said[i].ttl_s == OTHERS ? ABSENT : said[i].ttl_s;
		if (said[i].verdict > view.verdict)
			view.verdict = said[i].verdict;
	}
	return outside_judge_dns(&view, &servers[1], text);
}

static const struct {
	struct said said[RESOLVERS];
	enum outside_dns result;
	const char *text; /* who does not lead to it, or NULL */
} cases[] = {
	{{{DNS_VIEW_BALANCED, TTL_S}, {DNS_VIEW_BALANCED, TTL_S}},
	 OUTSIDE_DNS_PRESENT,
	 NULL},
	{{{DNS_VIEW_BALANCED, 0}, {DNS_VIEW_PARTLY, 0}}, OUTSIDE_DNS_PRESENT, NULL},
	{{{DNS_VIEW_ONE_ADDRESS, TTL_S}, {DNS_VIEW_UNKNOWN, UNKNOWN}},
	 OUTSIDE_DNS_PRESENT,
	 NULL},
	/* An answer with it is one, whatever was not answered besides. */
	{{{DNS_VIEW_UNKNOWN, TTL_S}, {DNS_VIEW_UNKNOWN, UNKNOWN}},
	 OUTSIDE_DNS_PRESENT,
	 NULL},

	{{{DNS_VIEW_PARTLY, ABSENT}, {DNS_VIEW_PARTLY, ABSENT}},
	 OUTSIDE_DNS_MISSING,
	 "192.0.2.1, 192.0.2.2"},
	{{{DNS_VIEW_BALANCED, TTL_S}, {DNS_VIEW_PARTLY, ABSENT}},
	 OUTSIDE_DNS_MISSING,
	 "192.0.2.2"},
	{{{DNS_VIEW_PARTLY, ABSENT}, {DNS_VIEW_UNKNOWN, UNKNOWN}},
	 OUTSIDE_DNS_MISSING,
	 "192.0.2.1"},
	{{{DNS_VIEW_NOT_RESOLVABLE, ABSENT}, {DNS_VIEW_NOT_RESOLVABLE, ABSENT}},
	 OUTSIDE_DNS_MISSING,
	 "192.0.2.1, 192.0.2.2"},
	{{{DNS_VIEW_BALANCED, TTL_S}, {DNS_VIEW_ONE_ADDRESS, ABSENT}},
	 OUTSIDE_DNS_MISSING,
	 "192.0.2.2"},
	{{{DNS_VIEW_ELSEWHERE, ABSENT}, {DNS_VIEW_NOT_RESOLVABLE, ABSENT}},
	 OUTSIDE_DNS_MISSING,
	 "192.0.2.1, 192.0.2.2"},

	{{{DNS_VIEW_ONE_ADDRESS, OTHERS}, {DNS_VIEW_ONE_ADDRESS, OTHERS}},
	 OUTSIDE_DNS_MISSING,
	 "192.0.2.1, 192.0.2.2"},
	{{{DNS_VIEW_ONE_ADDRESS, ABSENT}, {DNS_VIEW_ONE_ADDRESS, OTHERS}},
	 OUTSIDE_DNS_MISSING,
	 "192.0.2.1, 192.0.2.2"},

	{{{DNS_VIEW_ONE_ADDRESS, ABSENT}, {DNS_VIEW_ONE_ADDRESS, ABSENT}},
	 OUTSIDE_DNS_ELSEWHERE,
	 NULL},
	{{{DNS_VIEW_ELSEWHERE, ABSENT}, {DNS_VIEW_UNKNOWN, ABSENT}},
	 OUTSIDE_DNS_ELSEWHERE,
	 NULL},

	{{{DNS_VIEW_UNKNOWN, UNKNOWN}, {DNS_VIEW_UNKNOWN, UNKNOWN}},
	 OUTSIDE_DNS_UNKNOWN,
	 NULL},
	/* Half an answer without it: the other half may be another server's. */
	{{{DNS_VIEW_UNKNOWN, ABSENT}, {DNS_VIEW_UNKNOWN, UNKNOWN}},
	 OUTSIDE_DNS_UNKNOWN,
	 NULL},
	{{{DNS_VIEW_NOT_ASKED, UNKNOWN}, {DNS_VIEW_NOT_ASKED, UNKNOWN}},
	 OUTSIDE_DNS_NO_NAME,
	 NULL},
};

static void every_resolver_that_answered_must_lead_to_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf text = {0};
		enum outside_dns result =
			judge_all(cases[i].said, RESOLVERS, DNS_ANY, &text);

		if (result != cases[i].result)
			print_error("case %zu\n", i);
		assert_int_equal(result, cases[i].result);
		if (cases[i].text)
			assert_string_equal(text.text, cases[i].text);
		buf_done(&text);
	}
}

static void only_where_dns_is_to_balance_a_balancer_is_wrong(void **state)
{
	static const struct said said[] = {{DNS_VIEW_ONE_ADDRESS, ABSENT},
					   {DNS_VIEW_ELSEWHERE, ABSENT}};

	(void)state;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		struct buf text = {0};

		assert_int_equal(judge_all(&said[i], 1, DNS_ONE_ADDRESS, &text),
				 OUTSIDE_DNS_ELSEWHERE);
		buf_done(&text);
		assert_int_equal(judge_all(&said[i], 1, DNS_BALANCED, &text),
				 OUTSIDE_DNS_MISSING);
		assert_string_equal(text.text, "192.0.2.1");
		buf_done(&text);
	}
}

static void nobody_to_ask_is_nobody_who_knows(void **state)
{
	struct buf text = {0};

	(void)state;
	assert_int_equal(judge_all(NULL, 0, DNS_ANY, &text), OUTSIDE_DNS_UNKNOWN);
	assert_null(text.text);
}

/* ---- what is said of it ---- */

/* A server whose only service is like that. */
static struct outside_server one_server(struct outside_service *service,
					enum outside_dns dns)
{
	static char name[] = "fe01", fqdn[] = "pool.test", service_name[] = "RTCSRV";
	static struct pool_server server = {.named = {.name = name}};
	static struct pool pool = {.fqdn = fqdn};
	static struct pool_service config = {.named = {.name = service_name},
					     .probe = {.port = -1}};

	service->service = &config;
	return (struct outside_server){
		.server = &server,
		.pool = &pool,
		.services = service,
		.service_count = 1,
		.dns = dns,
	};
}

static void only_what_was_asked_can_be_wrong(void **state)
{
	(void)state;
	for (int result = OUTSIDE_TAKEN; result < OUTSIDE_TRY__COUNT; result++)
		for (int dns = OUTSIDE_DNS_PRESENT; dns < OUTSIDE_DNS__COUNT; dns++) {
			struct outside_service service = {.result = result};
			struct outside_server seen = one_server(&service, dns);
			bool is_wrong = result == OUTSIDE_NOT_TAKEN ||
					dns == OUTSIDE_DNS_MISSING ||
					dns == OUTSIDE_DNS_UNKNOWN;

			assert_int_equal(outside_is_verified(&seen), !is_wrong);
		}
}

static void all_that_is_wrong_is_said_with_what_to_do(void **state)
{
	struct outside_service service = {.result = OUTSIDE_NOT_TAKEN};
	struct outside_server seen = one_server(&service, OUTSIDE_DNS_UNKNOWN);
	struct buf text = {0};

	(void)state;
	outside_explain(&seen, &text);
	assert_non_null(strstr(text.text, "it serves as far as poold sees"));
	assert_non_null(strstr(text.text, "RTCSRV takes no connection"));
	assert_non_null(strstr(text.text, ", no resolver answered for pool.test; see"));
	assert_non_null(strstr(text.text,
			       "no firewall is between (where one must be, set "
			       "`after_resume: none`), and that the DNS"));
	assert_non_null(strstr(text.text, "poolctl resume fe01"));
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_resolver_that_answered_must_lead_to_it),
		cmocka_unit_test(only_where_dns_is_to_balance_a_balancer_is_wrong),
		cmocka_unit_test(nobody_to_ask_is_nobody_who_knows),
		cmocka_unit_test(only_what_was_asked_can_be_wrong),
		cmocka_unit_test(all_that_is_wrong_is_said_with_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
