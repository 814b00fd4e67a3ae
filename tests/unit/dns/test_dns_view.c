/*
 * A pool in DNS: every balance, and what is near to it.
 */
#include "show/dns_view_text.h"
#include "mem.h"
#include "utf8.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SERVERS = 3, RESOLVERS = 2, TTL_S = 60 };

/* A pool of which each server has an IPv4 address, and some an IPv6 address too. */
static struct net_address own[SERVERS][2];
static char names[SERVERS][16];
static struct pool_server servers[SERVERS];
static struct pool pool;

static struct net_address address_of(const char *text)
{
	struct net_address address;

	assert_int_equal(net_address_parse(text, &address), 0);
	return address;
}

static void set_server(size_t i, const char *name, const char *first,
		       const char *second)
{
	utf8_copy(names[i], sizeof(names[i]), name);
	servers[i].named.name = names[i];
	servers[i].addresses = (struct list){own[i], second ? 2 : 1};
	own[i][0] = address_of(first);
	if (second)
		own[i][1] = address_of(second);
}

static int set_up(void **state)
{
	static char pool_name[] = "fe", fqdn[] = "pool.test";

	(void)state;
	memset(servers, 0, sizeof(servers));
	set_server(0, "fe01", "10.0.0.1", NULL);
	set_server(1, "fe02", "10.0.0.2", "fd00::2");
	set_server(2, "fe03", "10.0.0.3", "fd00::3");
	pool = (struct pool){.named = {.name = pool_name},
			     .fqdn = fqdn,
			     .servers = {servers, SERVERS}};
	return 0;
}

/* What one resolver says of one kind of address: a status alone, or addresses. */
static void say(struct dns_reply *reply, const char *said)
{
	char *copy, *rest, *word;

	for (int status = 0; status < DNS_STATUS__COUNT; status++)
		if (!strcmp(said, dns_answer_status_name(status))) {
			reply->status = status;
			return;
		}
	reply->status = DNS_ANSWERED;
	copy = rest = xstrdup(said);
	while ((word = rest) && *word) {
		struct dns_address *one;

		rest = strchr(word, ' ');
		if (rest)
			*rest++ = '\0';
		reply->addresses.items =
			xrealloc(reply->addresses.items,
				 (reply->addresses.count + 1) * sizeof(*one));
		one = (struct dns_address *)reply->addresses.items +
		      reply->addresses.count++;
		*one = (struct dns_address){address_of(word), TTL_S};
	}
	free(copy);
}

/* With two texts for each resolver, of IPv4 and of IPv6; to be evaluated. */
static struct dns_view *make_view(size_t resolver_count,
				  const char *const said[][2], const char *name)
{
	struct dns_resolver resolvers[RESOLVERS] = {
		{address_of("192.0.2.1"), DNS_PORT},
		{address_of("192.0.2.2"), DNS_PORT}};
	struct list list = {resolvers, resolver_count};
	struct dns_view *view = dns_view_new(&pool, &list);

	assert_int_equal(view->question_count, resolver_count);
	for (size_t i = 0; i < resolver_count; i++) {
		struct dns_question *question = &view->questions[i];

		assert_string_equal(question->name, name);
		say(&question->replies[DNS_IPV4], said[i][0]);
		say(&question->replies[DNS_IPV6], said[i][1]);
	}
	return view;
}

static struct dns_view *check(size_t resolver_count, const char *const said[][2])
{
	struct dns_view *view = make_view(resolver_count, said, "pool.test");

	dns_view_evaluate(view);
	return view;
}

static struct dns_view *check_at_one(const char *ipv4, const char *ipv6)
{
	const char *const said[1][2] = {{ipv4, ipv6}};

	return check(1, said);
}

static char *explain(const struct dns_view *view)
{
	struct buf text = {0};

	dns_view_text_explain(view, &text);
	return text.text;
}

static void assert_says(const struct dns_view *view, const char *expected)
{
	char *text = explain(view);

	assert_string_equal(text, expected);
	free(text);
}

/* ---- one resolver ---- */

static const struct {
	const char *ipv4, *ipv6;
	enum dns_balance balance;
} cases[] = {
	{"10.0.0.1 10.0.0.2 10.0.0.3", "no_address", DNS_VIEW_BALANCED},
	{"10.0.0.3 10.0.0.1 10.0.0.2", "no_name", DNS_VIEW_BALANCED},
	{"10.0.0.1", "fd00::2 fd00::3", DNS_VIEW_BALANCED},
	{"10.0.0.1 10.0.0.2 10.0.0.3", "fd00:0:0::2", DNS_VIEW_BALANCED},
	{"10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.9", "no_address", DNS_VIEW_BALANCED},
	/* What is there is enough, whatever the rest would be. */
	{"10.0.0.1 10.0.0.2 10.0.0.3", "silent", DNS_VIEW_BALANCED},
	{"10.0.0.1 10.0.0.2 10.0.0.3", "failed", DNS_VIEW_BALANCED},

	{"10.0.0.1 10.0.0.2", "no_address", DNS_VIEW_PARTLY},
	{"10.0.0.1", "fd00::2", DNS_VIEW_PARTLY},
	{"no_address", "fd00::2 fd00::3", DNS_VIEW_PARTLY},
	{"10.0.0.1 10.0.0.9", "no_address", DNS_VIEW_PARTLY},
	/* Of each kind one, and they are not one server's. */
	{"10.0.0.2", "fd00::9", DNS_VIEW_PARTLY},
	/* fe01 has no IPv6 address that could be in the answer that is missing. */
	{"10.0.0.2 10.0.0.3", "failed", DNS_VIEW_PARTLY},

	{"10.0.0.9", "no_address", DNS_VIEW_ONE_ADDRESS},
	{"10.0.0.9", "fd00::9", DNS_VIEW_ONE_ADDRESS},
	{"no_address", "fd00::9", DNS_VIEW_ONE_ADDRESS},
	{"10.0.0.1", "no_address", DNS_VIEW_ONE_ADDRESS},
	{"10.0.0.2", "fd00::2", DNS_VIEW_ONE_ADDRESS},
	{"10.0.0.9 10.0.0.9", "no_address", DNS_VIEW_ONE_ADDRESS},
	/* The same bytes as an IPv4 address of the pool, and yet another one. */
	{"no_address", "64:ff9b::a00:1", DNS_VIEW_ONE_ADDRESS},

	{"10.0.0.8 10.0.0.9", "no_address", DNS_VIEW_ELSEWHERE},
	{"10.0.0.9", "fd00::8 fd00::9", DNS_VIEW_ELSEWHERE},

	{"no_name", "no_name", DNS_VIEW_NOT_RESOLVABLE},
	{"no_address", "no_address", DNS_VIEW_NOT_RESOLVABLE},
	{"loop", "loop", DNS_VIEW_NOT_RESOLVABLE},
	{"bad_name", "bad_name", DNS_VIEW_NOT_RESOLVABLE},

	{"silent", "silent", DNS_VIEW_UNKNOWN},
	{"failed", "failed", DNS_VIEW_UNKNOWN},
	{"refused", "refused", DNS_VIEW_UNKNOWN},
	{"unreachable", "unreachable", DNS_VIEW_UNKNOWN},
	{"malformed", "malformed", DNS_VIEW_UNKNOWN},
	{"no_name", "silent", DNS_VIEW_UNKNOWN},
	{"failed", "no_address", DNS_VIEW_UNKNOWN},
	/* fe03 may be in the answer that is missing. */
	{"10.0.0.1 10.0.0.2", "silent", DNS_VIEW_UNKNOWN},
	{"refused", "fd00::2 fd00::3", DNS_VIEW_UNKNOWN},
	{"10.0.0.9", "failed", DNS_VIEW_UNKNOWN},
};

static void assert_described(const struct dns_view *view, enum dns_balance balance)
{
	json_t *document = dns_view_text_to_json(view);
	char *text = explain(view);

	assert_string_equal(json_string_value(json_object_get(document, "verdict")),
			    dns_view_text_balance(balance));
	assert_int_equal(json_array_size(json_object_get(document, "servers")),
			 SERVERS);
	assert_int_equal(strncmp(text, "pool.test: ", 11), 0);
	free(text);
	json_decref(document);
}

static void what_a_pool_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dns_view *view = check_at_one(cases[i].ipv4, cases[i].ipv6);

		if (view->balance != cases[i].balance)
			fail_msg("%s, %s: %s", cases[i].ipv4, cases[i].ipv6,
				 dns_view_text_balance(view->balance));
		assert_int_equal(view->resolvers[0].balance, cases[i].balance);
		assert_false(view->is_disputed);
		assert_described(view, cases[i].balance);
		dns_view_free(view);
	}
}

static void one_server_alone_is_balanced_and_one_address(void **state)
{
	struct dns_view *view;

	(void)state;
	pool.servers.count = 1;
	view = check_at_one("10.0.0.1", "no_address");
	assert_int_equal(view->balance, DNS_VIEW_BALANCED);
	pool.dns.expect = DNS_ONE_ADDRESS;
	assert_true(dns_view_is_expected(view));
	dns_view_free(view);
	view = check_at_one("10.0.0.9", "no_address");
	assert_int_equal(view->balance, DNS_VIEW_ONE_ADDRESS);
	dns_view_free(view);
}

static void what_is_not_known_is_never_absent(void **state)
{
	struct dns_view *view = check_at_one("10.0.0.2", "silent");

	(void)state;
	assert_int_equal(view->servers[0].ttl_s[0], DNS_TTL_ABSENT);
	assert_int_equal(view->servers[1].ttl_s[0], TTL_S);
	assert_int_equal(view->servers[2].ttl_s[0], DNS_TTL_UNKNOWN);
	dns_view_free(view);
	/* In whichever order its addresses are. */
	set_server(2, "fe03", "fd00::3", "10.0.0.3");
	view = check_at_one("10.0.0.2", "silent");
	assert_int_equal(view->servers[2].ttl_s[0], DNS_TTL_UNKNOWN);
	dns_view_free(view);
}

static void without_a_name_nothing_is_asked(void **state)
{
	struct dns_view *view;
	json_t *document;

	(void)state;
	pool.fqdn = NULL;
	view = check(0, NULL);
	assert_int_equal(view->balance, DNS_VIEW_NOT_ASKED);
	assert_says(view, "pool fe has no fqdn in pool.yaml: DNS was not asked\n");
	document = dns_view_text_to_json(view);
	assert_true(json_is_null(json_object_get(document, "name")));
	json_decref(document);
	dns_view_free(view);
}

static void without_a_resolver_nothing_is_known(void **state)
{
	struct dns_view *view = check(0, NULL);

	(void)state;
	assert_int_equal(view->balance, DNS_VIEW_UNKNOWN);
	assert_int_equal(view->least_ttl_s, DNS_TTL_ABSENT);
	dns_view_free(view);
}

static void what_is_expected_is_told_from_what_is_not(void **state)
{
	static const struct {
		enum dns_expectation expect;
		const char *ipv4;
		bool is_expected;
	} rows[] = {
		{DNS_ANY, "no_name", true},
		{DNS_ANY, "silent", true},
		{DNS_BALANCED, "10.0.0.1 10.0.0.2 10.0.0.3", true},
		{DNS_BALANCED, "10.0.0.1 10.0.0.2", false},
		{DNS_BALANCED, "10.0.0.9", false},
		{DNS_BALANCED, "silent", false},
		{DNS_ONE_ADDRESS, "10.0.0.9", true},
		{DNS_ONE_ADDRESS, "10.0.0.1 10.0.0.2 10.0.0.3", false},
		{DNS_ONE_ADDRESS, "no_name", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dns_view *view = check_at_one(rows[i].ipv4, "no_address");

		pool.dns.expect = rows[i].expect;
		assert_int_equal(dns_view_is_expected(view), rows[i].is_expected);
		dns_view_free(view);
	}
}

/* ---- several resolvers ---- */

static const struct {
	const char *said[RESOLVERS][2];
	enum dns_balance balance;
	bool is_disputed;
} pairs[] = {
	{{{"10.0.0.1 10.0.0.2 10.0.0.3", "no_address"},
	  {"10.0.0.3 10.0.0.2 10.0.0.1", "no_address"}},
	 DNS_VIEW_BALANCED,
	 false},
	{{{"10.0.0.1 10.0.0.2 10.0.0.3", "no_address"},
	  {"10.0.0.1 10.0.0.2", "no_address"}},
	 DNS_VIEW_PARTLY,
	 true},
	{{{"10.0.0.1 10.0.0.2", "no_address"}, {"10.0.0.9", "no_address"}},
	 DNS_VIEW_ONE_ADDRESS,
	 true},
	{{{"10.0.0.1 10.0.0.2 10.0.0.3", "no_address"}, {"no_name", "no_name"}},
	 DNS_VIEW_NOT_RESOLVABLE,
	 true},
	/* Balanced according to both, and yet not the same. */
	{{{"10.0.0.1 10.0.0.2 10.0.0.3", "no_address"},
	  {"10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.9", "no_address"}},
	 DNS_VIEW_BALANCED,
	 true},
	{{{"10.0.0.8", "no_address"}, {"10.0.0.9", "no_address"}},
	 DNS_VIEW_ONE_ADDRESS,
	 true},
	/* Who does not answer has no say. */
	{{{"10.0.0.1 10.0.0.2 10.0.0.3", "no_address"}, {"silent", "silent"}},
	 DNS_VIEW_BALANCED,
	 false},
	{{{"refused", "refused"}, {"no_name", "no_name"}},
	 DNS_VIEW_NOT_RESOLVABLE,
	 false},
	{{{"failed", "failed"}, {"silent", "silent"}}, DNS_VIEW_UNKNOWN, false},
	{{{"10.0.0.1 10.0.0.2 10.0.0.3", "fd00::9"},
	  {"10.0.0.1 10.0.0.2 10.0.0.3", "failed"}},
	 DNS_VIEW_BALANCED,
	 false},
	{{{"10.0.0.1 10.0.0.2 10.0.0.3", "fd00::9"},
	  {"10.0.0.1 10.0.0.2 10.0.0.3", "no_address"}},
	 DNS_VIEW_BALANCED,
	 true},
};

static void the_worst_that_a_resolver_says_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const char *const said[RESOLVERS][2] = {
			{pairs[i].said[1][0], pairs[i].said[1][1]},
			{pairs[i].said[0][0], pairs[i].said[0][1]}};
		struct dns_view *view = check(RESOLVERS, pairs[i].said);
		struct dns_view *turned = check(RESOLVERS, said);

		if (view->balance != pairs[i].balance ||
		    view->is_disputed != pairs[i].is_disputed)
			fail_msg("row %zu: %s", i,
				 dns_view_text_balance(view->balance));
		assert_int_equal(turned->balance, view->balance);
		assert_int_equal(turned->is_disputed, view->is_disputed);
		dns_view_free(view);
		dns_view_free(turned);
	}
}

static struct dns_address *address_in(struct dns_view *view, size_t resolver,
				      size_t i)
{
	struct list *list = &view->questions[resolver].replies[DNS_IPV4].addresses;

	return (struct dns_address *)list->items + i;
}

static void times_to_live_are_the_least_and_the_greatest(void **state)
{
	static const char *const said[RESOLVERS][2] = {
		{"10.0.0.1 10.0.0.2 10.0.0.1", "no_address"},
		{"10.0.0.1", "no_name"}};
	struct dns_view *view = make_view(RESOLVERS, said, "pool.test");

	(void)state;
	address_in(view, 0, 0)->ttl_s = 10;
	address_in(view, 0, 2)->ttl_s = 300;
	address_in(view, 1, 0)->ttl_s = 0;
	dns_view_evaluate(view);
	assert_int_equal(view->address_count, 2);
	assert_int_equal(view->servers[0].ttl_s[0], 300);
	assert_int_equal(view->servers[0].ttl_s[1], 0);
	assert_int_equal(view->servers[1].ttl_s[1], DNS_TTL_ABSENT);
	assert_int_equal(view->least_ttl_s, 0);
	assert_int_equal(view->greatest_ttl_s, 300);
	dns_view_free(view);
}

/* ---- the servers' own names ---- */

static void own_names_lead_to_their_servers(void **state)
{
	static const struct {
		const char *said[RESOLVERS][2];
		enum dns_own_name own;
	} rows[] = {
		{{{"10.0.0.2", "no_address"}, {"10.0.0.2", "no_address"}},
		 DNS_OWN_RIGHT},
		{{{"no_address", "fd00::2"}, {"silent", "silent"}}, DNS_OWN_RIGHT},
		{{{"10.0.0.2 10.0.0.7", "failed"}, {"failed", "failed"}},
		 DNS_OWN_RIGHT},
		{{{"10.0.0.2", "no_address"}, {"no_name", "no_name"}},
		 DNS_OWN_MISSING},
		{{{"no_name", "no_name"}, {"10.0.0.1", "no_address"}},
		 DNS_OWN_WRONG},
		{{{"10.0.0.7", "no_address"}, {"10.0.0.2", "no_address"}},
		 DNS_OWN_WRONG},
		{{{"10.0.0.7", "failed"}, {"silent", "no_name"}}, DNS_OWN_UNKNOWN},
		{{{"silent", "silent"}, {"refused", "refused"}}, DNS_OWN_UNKNOWN},
	};

	(void)state;
	set_server(1, "fe02.test", "10.0.0.2", "fd00::2");
	pool.fqdn = NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dns_view *view =
			make_view(RESOLVERS, rows[i].said, "fe02.test");

		dns_view_evaluate(view);
		if (view->servers[1].own != rows[i].own)
			fail_msg("row %zu: %d", i, view->servers[1].own);
		assert_int_equal(view->servers[0].own, DNS_OWN_NOT_ASKED);
		assert_int_equal(view->balance, DNS_VIEW_NOT_ASKED);
		dns_view_free(view);
	}
}

/* ---- words ---- */

static void people_are_told_who_says_what(void **state)
{
	static const char *const said[RESOLVERS][2] = {
		{"10.0.0.1 10.0.0.2 10.0.0.3", "no_address"},
		{"10.0.0.1 10.0.0.9", "refused"}};
	struct dns_view *view = check(RESOLVERS, said);

	(void)state;
	assert_says(
		view,
		"pool.test: balanced by DNS: it resolves to all 3 servers, TTL 1m00s\n"
		"  resolver 192.0.2.1: 3 addresses\n"
		"  resolver 192.0.2.2: IPv4: answered; IPv6: the DNS server "
		"refuses to answer\n"
		"  10.0.0.9 is in the answer of 192.0.2.2, but belongs to no server "
		"of the pool\n");
	dns_view_free(view);
}

static void long_lists_are_cut(void **state)
{
	struct dns_view *view;
	struct buf said = {0};
	char *text;

	(void)state;
	for (int i = 0; i < 25; i++)
		buf_printf(&said, "%s10.9.0.%d", i ? " " : "", i);
	view = check_at_one(said.text, "no_address");
	text = explain(view);
	assert_non_null(strstr(text, "  10.9.0.19 is in the answer"));
	assert_null(strstr(text, "  10.9.0.20 is in the answer"));
	assert_non_null(
		strstr(text, "  and 5 more addresses belong to no server\n"));
	free(text);
	buf_done(&said);
	dns_view_free(view);
}

static void every_word_is_there_once(void **state)
{
	(void)state;
	for (int i = 0; i < DNS_STATUS__COUNT; i++) {
		assert_true(strlen(dns_answer_status_text(i)) > 0);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(dns_answer_status_name(i),
						dns_answer_status_name(j));
	}
	for (int i = 0; i < DNS_VIEW__COUNT; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(dns_view_text_balance(i),
						dns_view_text_balance(j));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_a_pool_is, set_up),
		cmocka_unit_test_setup(one_server_alone_is_balanced_and_one_address,
				       set_up),
		cmocka_unit_test_setup(what_is_not_known_is_never_absent, set_up),
		cmocka_unit_test_setup(without_a_name_nothing_is_asked, set_up),
		cmocka_unit_test_setup(without_a_resolver_nothing_is_known, set_up),
		cmocka_unit_test_setup(what_is_expected_is_told_from_what_is_not,
				       set_up),
		cmocka_unit_test_setup(the_worst_that_a_resolver_says_counts,
				       set_up),
		cmocka_unit_test_setup(times_to_live_are_the_least_and_the_greatest,
				       set_up),
		cmocka_unit_test_setup(own_names_lead_to_their_servers, set_up),
		cmocka_unit_test_setup(people_are_told_who_says_what, set_up),
		cmocka_unit_test_setup(long_lists_are_cut, set_up),
		cmocka_unit_test_setup(every_word_is_there_once, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
