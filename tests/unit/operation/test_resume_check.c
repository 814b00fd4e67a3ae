/*
 * Whether DNS leads to a server that is back, as its resolvers say it.
 */
#include "operation/resume_check.h"

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
	int balance; /* enum dns_balance */
	int64_t ttl_s;
};

static int64_t ttl_of_other(const struct said *said)
{
	bool is_there = said->balance == DNS_VIEW_BALANCED ||
			said->balance == DNS_VIEW_PARTLY || said->ttl_s == OTHERS;

	return is_there ? TTL_S : ABSENT;
}

static enum resume_check_dns evaluate(const struct said said[], size_t count,
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
		resolvers[i].balance = (enum dns_balance)said[i].balance;
		ttls_s[0][i] = ttl_of_other(&said[i]);
		ttls_s[1][i] = said[i].ttl_s == OTHERS ? ABSENT : said[i].ttl_s;
		if (resolvers[i].balance > view.balance)
			view.balance = resolvers[i].balance;
	}
	return resume_check_dns_evaluate(&view, &servers[1], text);
}

/* Short, so that a case is a line. */
#define BOTH "192.0.2.1, 192.0.2.2"

enum {
	BALANCED = DNS_VIEW_BALANCED,
	PARTLY = DNS_VIEW_PARTLY,
	STRANGE = DNS_VIEW_ELSEWHERE,
	ONE = DNS_VIEW_ONE_ADDRESS,
	NOWHERE = DNS_VIEW_NOT_RESOLVABLE,
	NOT_ASKED = DNS_VIEW_NOT_ASKED,
	SILENT = DNS_VIEW_UNKNOWN,
	PRESENT = RESUME_CHECK_DNS_PRESENT,
	MISSING = RESUME_CHECK_DNS_MISSING,
	ELSEWHERE = RESUME_CHECK_DNS_ELSEWHERE,
	NOBODY = RESUME_CHECK_DNS_UNKNOWN,
	NO_NAME = RESUME_CHECK_DNS_NO_NAME,
};

static const struct {
	struct said said[RESOLVERS];
	int result;       /* enum resume_check_dns */
	const char *text; /* which resolvers do not lead to it, or NULL */
} cases[] = {
	{{{BALANCED, TTL_S}, {BALANCED, TTL_S}}, PRESENT, NULL},
	{{{BALANCED, 0}, {PARTLY, 0}}, PRESENT, NULL},
	{{{ONE, TTL_S}, {SILENT, UNKNOWN}}, PRESENT, NULL},
	/* An answer with it is one, whatever was not answered besides. */
	{{{SILENT, TTL_S}, {SILENT, UNKNOWN}}, PRESENT, NULL},

	{{{PARTLY, ABSENT}, {PARTLY, ABSENT}}, MISSING, BOTH},
	{{{BALANCED, TTL_S}, {PARTLY, ABSENT}}, MISSING, "192.0.2.2"},
	{{{PARTLY, ABSENT}, {SILENT, UNKNOWN}}, MISSING, "192.0.2.1"},
	{{{NOWHERE, ABSENT}, {NOWHERE, ABSENT}}, MISSING, BOTH},
	{{{BALANCED, TTL_S}, {ONE, ABSENT}}, MISSING, "192.0.2.2"},
	{{{STRANGE, ABSENT}, {NOWHERE, ABSENT}}, MISSING, BOTH},

	{{{ONE, OTHERS}, {ONE, OTHERS}}, MISSING, BOTH},
	{{{ONE, ABSENT}, {ONE, OTHERS}}, MISSING, BOTH},

	{{{ONE, ABSENT}, {ONE, ABSENT}}, ELSEWHERE, NULL},
	{{{STRANGE, ABSENT}, {SILENT, ABSENT}}, ELSEWHERE, NULL},

	{{{SILENT, UNKNOWN}, {SILENT, UNKNOWN}}, NOBODY, NULL},
	/* Half an answer without it: the other half may be another server's. */
	{{{SILENT, ABSENT}, {SILENT, UNKNOWN}}, NOBODY, NULL},
	{{{NOT_ASKED, UNKNOWN}, {NOT_ASKED, UNKNOWN}}, NO_NAME, NULL},
};

static void every_resolver_that_answered_must_lead_to_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf text = {0};
		int result =
			(int)evaluate(cases[i].said, RESOLVERS, DNS_ANY, &text);

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

		assert_int_equal(evaluate(&said[i], 1, DNS_ONE_ADDRESS, &text),
				 RESUME_CHECK_DNS_ELSEWHERE);
		buf_done(&text);
		assert_int_equal(evaluate(&said[i], 1, DNS_BALANCED, &text),
				 RESUME_CHECK_DNS_MISSING);
		assert_string_equal(text.text, "192.0.2.1");
		buf_done(&text);
	}
}

static void nobody_to_ask_is_nobody_who_knows(void **state)
{
	struct buf text = {0};

	(void)state;
	assert_int_equal(evaluate(NULL, 0, DNS_ANY, &text),
			 RESUME_CHECK_DNS_UNKNOWN);
	assert_null(text.text);
}

/* ---- what is said of it ---- */

/* A server whose only service is like that. */
static struct resume_check_server one_server(struct resume_check_service *service,
					     enum resume_check_dns dns)
{
	static char name[] = "fe01", fqdn[] = "pool.test",
		    service_name[] = "RTCSRV";
	static struct pool_server server = {.named = {.name = name}};
	static struct pool pool = {.fqdn = fqdn};
	static struct pool_service config = {.named = {.name = service_name},
					     .probe = {.port = -1}};

	service->service = &config;
	return (struct resume_check_server){
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
	for (int result = RESUME_CHECK_TAKEN; result < RESUME_CHECK_TRY__COUNT;
	     result++)
		for (int dns = RESUME_CHECK_DNS_PRESENT;
		     dns < RESUME_CHECK_DNS__COUNT; dns++) {
			struct resume_check_service service = {.result = result};
			struct resume_check_server seen = one_server(&service, dns);
			bool is_wrong = result == RESUME_CHECK_NOT_TAKEN ||
					dns == RESUME_CHECK_DNS_MISSING ||
					dns == RESUME_CHECK_DNS_UNKNOWN;

			assert_int_equal(resume_check_is_verified(&seen),
					 !is_wrong);
		}
}

static void all_that_is_wrong_is_said_with_what_to_do(void **state)
{
	struct resume_check_service service = {.result = RESUME_CHECK_NOT_TAKEN};
	struct resume_check_server seen =
		one_server(&service, RESUME_CHECK_DNS_UNKNOWN);
	struct buf text = {0};

	(void)state;
	resume_check_explain(&seen, &text);
	assert_non_null(strstr(text.text, "poold reports that it serves"));
	assert_non_null(strstr(text.text, "RTCSRV accepts no connections"));
	assert_non_null(
		strstr(text.text, ", no resolver answered for pool.test; check"));
	assert_non_null(strstr(
		text.text,
		"no firewall blocks it (if one has to, set `after_resume: none`), and that the DNS"));
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
