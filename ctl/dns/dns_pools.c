#include "dns/dns_pools.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

static bool has_questions(const struct pool *pool)
{
	LIST_EACH (struct pool_server, server, pool->servers)
		if (dns_view_own_name(server))
			return true;
	return pool->fqdn != NULL;
}

static struct dns_view *prepare(const struct pool *pool, struct err *err)
{
	struct list resolvers = {0};
	struct dns_view *view = NULL;

	if (!has_questions(pool) || !dns_resolvers(&pool->dns, &resolvers, err))
		view = dns_view_new(pool, &resolvers);
	free(resolvers.items);
	return view;
}

/* Copies the questions of all views to `all`, or those that have replies back. */
static void copy_questions(struct dns_view *const *views, size_t count,
			   struct dns_question *all, bool is_back)
{
	for (size_t i = 0; i < count; i++) {
		size_t size_bytes;

		if (!views[i] || !views[i]->question_count)
			continue;
		size_bytes = views[i]->question_count * sizeof(*all);
		memcpy(is_back ? views[i]->questions : all,
		       is_back ? all : views[i]->questions, size_bytes);
		all += views[i]->question_count;
	}
}

static int ask(struct dns_view *const *views, size_t count, int64_t limit_ms,
	       struct err *err)
{
	struct dns_question *all;
	size_t question_count = 0;
	int ret = 0;

	for (size_t i = 0; i < count; i++)
		question_count += views[i] ? views[i]->question_count : 0;
	if (!question_count)
		return 0;
	all = xcalloc(question_count, sizeof(*all));
	copy_questions(views, count, all, false);
	ret = dns_ask(all, question_count, limit_ms, err);
	copy_questions(views, count, all, true);
	free(all);
	return ret;
}

int dns_pools_ask(const struct pool *const *pools, size_t count, int64_t limit_ms,
		  struct dns_view **views, struct err *err)
{
	bool is_asked;
	int ret = 0;

	for (size_t i = 0; i < count; i++)
		views[i] = prepare(pools[i], err);
	is_asked = !ask(views, count, limit_ms, err);
	for (size_t i = 0; i < count; i++) {
		if (views[i] && !is_asked) {
			dns_view_free(views[i]);
			views[i] = NULL;
		}
		if (views[i])
			dns_view_evaluate(views[i]);
		else
			ret = -1;
	}
	return ret;
}
