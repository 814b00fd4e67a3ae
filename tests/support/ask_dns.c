/*
 * ask_dns: what DNS says of a pool, or of names, as JSON.
 *
 *	ask_dns pool POOL_FILE POOL LIMIT_MS [ADDRESS:PORT...]
 *	ask_dns names LIMIT_MS ADDRESS:PORT NAME...
 *	ask_dns system
 *
 * "pool" prints the view and what people are told of it; without a resolver those
 *of the pool are asked.  "names" prints what came of each question, "system" which
 *resolvers the system has, without asking them.
 */
#include "show/dns_view_text.h"
#include "system/host.h"
#include "mem.h"
#include "pool_config.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what)
{
	(void)fprintf(stderr, "ask_dns: %s\n", what);
	exit(2);
}

static void print(json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

	if (!text)
		fail("this is no JSON");
	puts(text);
	free(text);
	json_decref(value);
}

static struct dns_resolver read_resolver(const char *text)
{
	struct dns_resolver resolver;

	if (net_address_split(text, &resolver.address, &resolver.port))
		fail("a resolver is ADDRESS:PORT");
	return resolver;
}

static void ask(struct dns_question *questions, size_t count, const char *limit_ms)
{
	struct err err = {0};

	if (dns_ask(questions, count, strtol(limit_ms, NULL, 10), &err))
		fail(err.text);
}

static void ask_pool(int count, char **arguments)
{
	struct dns_resolver *given = xcalloc((size_t)count, sizeof(*given));
	struct list resolvers = {.items = given};
	struct err err = {0};
	struct buf mistakes = {0}, text = {0};
	struct pool_config *config;
	const struct pool *pool;
	struct dns_view *view;

	config =
		pool_config_load(arguments[0], pool_config_remedy, &mistakes, NULL);
	pool = config ? pool_find(config, arguments[1]) : NULL;
	if (!pool)
		fail(mistakes.text ? mistakes.text : "no such pool");
	for (int i = 3; i < count; i++)
		given[resolvers.count++] = read_resolver(arguments[i]);
	if (!resolvers.count && dns_resolvers(&pool->dns, &resolvers, &err))
		fail(err.text);
	view = dns_view_new(pool, &resolvers);
	ask(view->questions, view->question_count, arguments[2]);
	dns_view_evaluate(view);
	dns_view_text_explain(view, &text);
	print(json_pack("{s:o, s:s}", "view", dns_view_text_to_json(view), "text",
			text.text));
	dns_view_free(view);
	buf_done(&text);
	buf_done(&mistakes);
	pool_config_free(config);
	free(resolvers.items);
}

static json_t *describe(const struct dns_reply *reply)
{
	json_t *addresses = json_array(), *aliases = json_array();
	char text[NET_ADDRESS_TEXT_BYTES];

	LIST_EACH (struct dns_address, one, reply->addresses)
		(void)json_array_append_new(
			addresses,
			json_pack("[s, I]", net_address_format(&one->address, text),
				  (json_int_t)one->ttl_s));
	LIST_EACH (char *, alias, reply->aliases)
		(void)json_array_append_new(aliases, json_string(*alias));
	return json_pack("{s:s, s:o, s:o}", "status",
			 dns_answer_status_name(reply->status), "addresses",
			 addresses, "aliases", aliases);
}

static void ask_names(int count, char **arguments)
{
	struct dns_question *questions = xcalloc((size_t)count, sizeof(*questions));
	size_t asked = 0;
	json_t *answers = json_array();

	for (int i = 2; i < count; i++) {
		questions[asked].name = arguments[i];
		questions[asked++].resolver = read_resolver(arguments[1]);
	}
	ask(questions, asked, arguments[0]);
	for (size_t i = 0; i < asked; i++) {
		struct dns_reply *replies = questions[i].replies;

		(void)json_array_append_new(
			answers, json_pack("{s:o, s:o}", "ipv4",
					   describe(&replies[DNS_IPV4]), "ipv6",
					   describe(&replies[DNS_IPV6])));
		dns_question_done(&questions[i]);
	}
	print(answers);
	free(questions);
}

static void list_system(int count, char **arguments)
{
	struct list resolvers = {0};
	struct pool_dns dns = {0};
	char text[DNS_RESOLVER_TEXT_BYTES];
	json_t *list = json_array();
	struct err err = {0};

	(void)count, (void)arguments;
	if (dns_resolvers(&dns, &resolvers, &err))
		fail(err.text);
	LIST_EACH (struct dns_resolver, resolver, resolvers)
		(void)json_array_append_new(
			list, json_string(dns_resolver_format(resolver, text)));
	print(list);
	free(resolvers.items);
}

static const struct {
	const char *name;
	int least;
	void (*run)(int count, char **arguments);
} modes[] = {
	{"pool", 3, ask_pool},
	{"names", 3, ask_names},
	{"system", 0, list_system},
};

int main(int argc, char **argv)
{
	host_init(&argc, &argv);
	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].name, argv[1]) || argc - 2 < modes[i].least)
			continue;
		modes[i].run(argc - 2, argv + 2);
		return 0;
	}
	fail("wrong arguments, see the top of ask_dns.c");
}
