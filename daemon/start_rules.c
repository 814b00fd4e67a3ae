#include "start_rules.h"

#include "drains/drain_store.h"
#include "mem.h"
#include "sessions/counting.h"
#include "utf8.h"

#include <stdlib.h>

int start_rules_check_files(const struct pool *pool,
			    const struct pool_server *server,
			    const struct list *commands, struct err *err)
{
	LIST_EACH (struct pool_service, service, *pool_services(pool, server)) {
		if (service->role == ROLE_LEAVE)
			continue;
		if (service->method != METHOD_PAUSE)
			return err_set(
				err, ERR_CONFIG,
				"%s is drained by its logon mode, which this poold "
				"cannot do yet",
				service->named.name);
		if (counting_check(pool, server, service, commands, err))
			return -1;
	}
	return 0;
}

const struct pool_service *start_rules_find(const struct pool *pool,
					    const struct pool_server *server,
					    const char *name)
{
	LIST_EACH (struct pool_service, service, *pool_services(pool, server))
		if (service->role != ROLE_LEAVE &&
		    !utf8_compare_names(service->named.name, name))
			return service;
	return NULL;
}

/* The files, and where to say what is wrong. */
struct match {
	const struct pool *pool;
	const struct pool_server *server;
	struct err failure;
};

/* A service that left pool.yaml while it was out would stay out for good. */
static int match_saved(void *arg, const char *name, const struct saved *saved)
{
	struct match *match = arg;

	(void)saved;
	if (start_rules_find(match->pool, match->server, name))
		return 0;
	return err_set(&match->failure, ERR_CONFIG,
		       "poold took out service %s, which pool.yaml no longer "
		       "drains; add it again until its drains have ended",
		       name);
}

/* A drain of a service that left pool.yaml would cover nothing and say it is out.
 */
static int match_drain(const struct match *match, const struct drain *drain,
		       struct err *err)
{
	json_t *name;
	size_t i;

	json_array_foreach (drain->services, i, name)
		if (!start_rules_find(match->pool, match->server,
				      json_string_value(name)))
			return err_set(
				err, ERR_CONFIG,
				"drain '%s' of %s covers service %s, which "
				"pool.yaml no longer drains; add it again until "
				"the drain has ended",
				drain->id, drain->owner, json_string_value(name));
	return 0;
}

static int match_drains(const struct match *match, struct store *store,
			struct err *err)
{
	struct drain *drains = xcalloc(API_DRAINS_LIMIT, sizeof(*drains));
	int count = drain_store_get_active(store, drains, API_DRAINS_LIMIT, err);
	int ret = count < 0 ? -1 : 0;

	for (int i = 0; i < count; i++) {
		ret = ret || match_drain(match, &drains[i], err) ? -1 : 0;
		drain_done(&drains[i]);
	}
	free(drains);
	return ret;
}

int start_rules_check_store(const struct pool *pool,
			    const struct pool_server *server, struct store *store,
			    struct err *err)
{
	struct match match = {.pool = pool, .server = server};

	if (store_each_saved(store, match_saved, &match, err) < 0)
		return match.failure.code ? err_set(err, match.failure.code, "%s",
						    match.failure.text)
					  : -1;
	return match_drains(&match, store, err);
}
