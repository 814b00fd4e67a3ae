#include "targets.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

static int check_word(const struct pool_config *config, const char *word,
		      const char *why_no_pools, struct err *err)
{
	const char *what = why_no_pools ? "server" : "pool or server", *nearest;
	bool is_pool = pool_find(config, word) != NULL;

	if (pool_find_server(config, word, NULL) || (is_pool && !why_no_pools))
		return 0;
	if (is_pool)
		return err_set(err, ERR_USAGE, "'%s' is a pool: %s", word, why_no_pools);
	nearest = pool_suggest(config, word);
	if (nearest)
		return err_set(err, ERR_USAGE, "there is no %s '%s' (did you mean '%s'?)",
			       what, word, nearest);
	return err_set(err, ERR_USAGE, "there is no %s '%s' in the configuration", what,
		       word);
}

/* The first word is the command. */
static bool is_named(const struct options *options, const char *name)
{
	for (size_t i = 1; i < options->words.count; i++)
		if (!strcmp(options->words.items[i], name))
			return true;
	return options->words.count == 1;
}

static void add(struct targets *targets, const struct pool_server *server)
{
	targets->servers = xrealloc(targets->servers,
				    (targets->count + 1) * sizeof(*targets->servers));
	targets->servers[targets->count++] = server;
}

int targets_find(const struct pool_config *config, const struct options *options,
		 const char *why_no_pools, struct targets *targets, struct err *err)
{
	*targets = (struct targets){0};
	for (size_t i = 1; i < options->words.count; i++)
		if (check_word(config, options->words.items[i], why_no_pools, err))
			return -1;
	LIST_EACH (struct pool, pool, config->pools) {
		bool is_all = !why_no_pools && is_named(options, pool->named.name);

		LIST_EACH (struct pool_server, server, pool->servers)
			if (is_all || is_named(options, server->named.name))
				add(targets, server);
	}
	return 0;
}

void targets_done(struct targets *targets)
{
	free(targets->servers);
}
