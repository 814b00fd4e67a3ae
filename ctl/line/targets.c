#include "line/targets.h"

#include "mem.h"
#include "utf8.h"

#include <stdlib.h>

static int check_word(const struct pool_config *config, const char *word,
		      const char *why_no_pools, struct err *err)
{
	const char *what = why_no_pools ? "server" : "pool or server";
	struct nearest nearest = {.word = word};
	bool is_pool = pool_find(config, word) != NULL;

	if (pool_find_server(config, word, NULL) || (is_pool && !why_no_pools))
		return 0;
	if (!*word)
		return err_set(
			err, ERR_USAGE,
			"the name of a %s is empty; is a variable without a value?",
			what);
	if (is_pool)
		return err_set(err, ERR_USAGE, "'%s' is a pool: %s", word,
			       why_no_pools);
	return err_set(err, ERR_USAGE, "there is no %s '%s' in the configuration%s",
		       what, word, pool_hint(config, &nearest));
}

/* The first word is the command. */
static bool is_named(const struct options *options, const char *name)
{
	for (size_t i = 1; i < options->given.words.count; i++)
		if (!utf8_compare_names(options->given.words.items[i], name))
			return true;
	return options->given.words.count == 1;
}

static void add(struct targets *targets, const struct pool_server *server)
{
	targets->servers = xrealloc(
		targets->servers, (targets->count + 1) * sizeof(*targets->servers));
	targets->servers[targets->count++] = server;
}

int targets_find(const struct pool_config *config, const struct options *options,
		 const char *why_no_pools, struct targets *targets, struct err *err)
{
	*targets = (struct targets){0};
	for (size_t i = 1; i < options->given.words.count; i++)
		if (check_word(config, options->given.words.items[i], why_no_pools,
			       err))
			return -1;
	LIST_EACH (struct pool, pool, config->pools) {
		bool is_all = !why_no_pools && is_named(options, pool->named.name);

		LIST_EACH (struct pool_server, server, pool->servers)
			if (is_all || is_named(options, server->named.name))
				add(targets, server);
	}
	return 0;
}

static const char *spell_service(const struct pool_config *config,
				 const struct targets *targets, const char *word,
				 bool with_group, struct err *err)
{
	const char *name = NULL;

	for (size_t i = 0; i < targets->count; i++) {
		const char *server = targets->servers[i]->named.name;
		const struct pool_service *service;
		const struct pool *pool;

		(void)pool_find_server(config, server, &pool);
		service = pool_resolve_service(
			pool_services(pool, targets->servers[i]), word, with_group,
			err);
		if (service && name &&
		    utf8_compare_names(service->named.name, name))
			(void)err_set(
				err, ERR_USAGE,
				"'%s' is not the same service on all of these "
				"servers: %s, but %s on %s",
				word, name, service->named.name, server);
		if (!service || err->code)
			return NULL;
		name = service->named.name;
	}
	return name;
}

const char **targets_spell_services(const struct pool_config *config,
				    const struct targets *targets,
				    const struct options *options, struct err *err)
{
	const struct texts *words = &options->services;
	const char **names = xcalloc(words->count, sizeof(*names));

	for (size_t i = 0; i < words->count; i++) {
		names[i] = spell_service(config, targets, words->items[i],
					 options->has_group, err);
		if (!names[i]) {
			free(names);
			return NULL;
		}
	}
	return names;
}

void targets_done(struct targets *targets)
{
	free(targets->servers);
}
