#include "pool_config.h"

#include "host.h"
#include "mem.h"
#include "pool_rules.h"
#include "profiles.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- profiles ---- */

static size_t count_profiles(void)
{
	size_t count = 0;

	while (profiles[count].name)
		count++;
	return count;
}

static const char *profile_name(const void *list, size_t i)
{
	return ((const struct profile *)list)[i].name;
}

static bool is_path(const char *profile)
{
	size_t length = strlen(profile);

	return strpbrk(profile, "/\\") ||
	       (length > 5 && !strcmp(profile + length - 5, ".yaml"));
}

/* Relative to the folder of the file that names it. */
static char *resolve_path(const char *from, const char *path)
{
	size_t folder = strlen(from);
	bool is_absolute = *path == '/' || *path == '\\' || (*path && path[1] == ':');

	while (folder && from[folder - 1] != '/' && from[folder - 1] != '\\')
		folder--;
	return is_absolute ? xstrdup(path) : xasprintf("%.*s%s", (int)folder, from, path);
}

static struct yaml_node *read_profile_file(const char *from, const struct yaml_node *name,
					   struct yaml_tree *tree,
					   struct mistakes *mistakes)
{
	char *path = resolve_path(from, name->text), *text;
	struct yaml_node *root = NULL;
	struct err err = {0};
	size_t length;

	if (host_read_file(path, YAML_LIMIT_BYTES, ERR_CONFIG, &text, &length, &err)) {
		mistake_at(mistakes, name, "profile '%s': %s", name->text, err.text);
	} else {
		root = yaml_tree_parse(tree, path, text, length, mistakes);
		free(text);
	}
	free(path);
	return root;
}

static struct yaml_node *read_profile(const char *from, const struct yaml_node *name,
				      struct yaml_tree *tree, struct mistakes *mistakes)
{
	struct yaml_node *root = NULL;
	size_t count = count_profiles();
	const char *nearest;
	char *origin;

	if (name->kind != YAML_SCALAR || !*name->text)
		return NULL;
	if (is_path(name->text))
		return read_profile_file(from, name, tree, mistakes);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(profiles[i].name, name->text))
			continue;
		origin = xasprintf("profile %s", name->text);
		root = yaml_tree_parse(tree, origin, profiles[i].text,
				       strlen(profiles[i].text), mistakes);
		free(origin);
		return root;
	}
	nearest = schema_nearest(name->text, profile_name, profiles, count);
	mistake_at(mistakes, name, "no profile '%s'%s%s%s", name->text,
		   SCHEMA_HINT(nearest));
	return NULL;
}

/* ---- one over the other ---- */

static const char *map_key(const void *map, size_t i)
{
	return ((const struct yaml_node *)map)->keys[i]->text;
}

/* Whoever overrides a service means one that is there. */
static void check_overrides(const struct yaml_node *known, const struct yaml_node *over,
			    const char *where, const char *name,
			    struct mistakes *mistakes)
{
	const char *nearest;

	for (size_t i = 0; over && over->kind == YAML_MAP && i < over->count; i++) {
		if (yaml_find(known, over->keys[i]->text))
			continue;
		nearest = schema_nearest(over->keys[i]->text, map_key, known,
					 known->kind == YAML_MAP ? known->count : 0);
		mistake_at(mistakes, over->keys[i], "%s '%s' has no service '%s'%s%s%s",
			   where, name, over->keys[i]->text, SCHEMA_HINT(nearest));
	}
}

static struct yaml_node *replace_item(struct yaml_tree *tree, const struct yaml_node *map,
				      const char *name, struct yaml_node *item)
{
	struct yaml_node *fresh = yaml_tree_map(tree, map);

	for (size_t i = 0; i < map->count; i++)
		yaml_tree_add(tree, fresh, map->keys[i],
			      strcmp(map->keys[i]->text, name) ? map->items[i] : item);
	return fresh;
}

static struct yaml_node *merge_server(struct yaml_tree *tree,
				      const struct yaml_node *pool, const char *pool_name,
				      struct yaml_node *server, struct mistakes *mistakes)
{
	struct yaml_node *known = yaml_find(pool, "services");
	struct yaml_node *own = yaml_find(server, "services");

	if (!own || !known)
		return server;
	check_overrides(known, own, "pool", pool_name, mistakes);
	return replace_item(tree, server, "services",
			    yaml_tree_overlay(tree, known, own));
}

static struct yaml_node *merge_servers(struct yaml_tree *tree, struct yaml_node *pool,
				       const char *pool_name, struct mistakes *mistakes)
{
	struct yaml_node *servers = yaml_find(pool, "servers"), *merged;
	bool is_changed = false;

	if (!servers || servers->kind != YAML_MAP)
		return pool;
	merged = yaml_tree_map(tree, servers);
	for (size_t i = 0; i < servers->count; i++) {
		struct yaml_node *server =
			merge_server(tree, pool, pool_name, servers->items[i], mistakes);

		is_changed = is_changed || server != servers->items[i];
		yaml_tree_add(tree, merged, servers->keys[i], server);
	}
	return is_changed ? replace_item(tree, pool, "servers", merged) : pool;
}

static struct yaml_node *merge_pool(struct yaml_tree *tree, const char *path,
				    const char *name, struct yaml_node *pool,
				    struct mistakes *mistakes)
{
	const struct yaml_node *profile_name_node = yaml_find(pool, "profile");
	struct yaml_node *profile = NULL, *known;

	if (profile_name_node)
		profile = read_profile(path, profile_name_node, tree, mistakes);
	known = profile ? yaml_find(profile, "services") : NULL;
	if (known && known->count)
		check_overrides(known, yaml_find(pool, "services"), "profile",
				profile_name_node->text, mistakes);
	return merge_servers(tree, yaml_tree_overlay(tree, profile, pool), name,
			     mistakes);
}

struct yaml_node *pool_config_merge(const char *path, const char *text, size_t length,
				    struct yaml_tree *tree, struct mistakes *mistakes)
{
	struct yaml_node *root = yaml_tree_parse(tree, path, text, length, mistakes);
	struct yaml_node *pools = root ? yaml_find(root, "pools") : NULL, *merged;

	if (!pools || pools->kind != YAML_MAP)
		return root;
	merged = yaml_tree_map(tree, pools);
	for (size_t i = 0; i < pools->count; i++)
		yaml_tree_add(tree, merged, pools->keys[i],
			      merge_pool(tree, path, pools->keys[i]->text,
					 pools->items[i], mistakes));
	return replace_item(tree, root, "pools", merged);
}

struct yaml_node *pool_config_read(const char *path, struct yaml_tree *tree,
				   struct mistakes *mistakes, struct err *err)
{
	struct yaml_node *root;
	size_t length;
	char *text;

	if (host_read_file(path, YAML_LIMIT_BYTES, ERR_CONFIG, &text, &length, err))
		return NULL;
	root = pool_config_merge(path, text, length, tree, mistakes);
	free(text);
	return root;
}

/* ---- loading ---- */

/* Passes on the mistakes as lines, and the first as the error. */
static int report_mistakes(struct mistakes *mistakes, struct buf *report, struct err *err)
{
	size_t before = report->length;
	int count = mistakes->count;

	if (count) {
		mistakes_print(mistakes, report);
		(void)err_set(err, ERR_CONFIG, "%.*s",
			      (int)strcspn(report->text + before, "\n"),
			      report->text + before);
	}
	mistakes_done(mistakes);
	return count ? -1 : 0;
}

static void report_unreadable(struct buf *report, const struct err *err, const char *help)
{
	buf_printf(report, "%s; %s\n", err->text, help);
}

struct pool_config *pool_config_parse(const char *path, const char *text, size_t length,
				      struct mistakes *mistakes)
{
	struct pool_config *config = xcalloc(1, sizeof(*config));
	struct yaml_node *root;

	config->tree = yaml_tree_new();
	root = pool_config_merge(path, text, length, config->tree, mistakes);
	if (root)
		schema_load(&pool_file_section, root, config, mistakes);
	if (root && !mistakes->count && !config->pools.count)
		mistake_at(mistakes, root, "there is no pool below 'pools'");
	if (root && !mistakes->count)
		pool_rules_check(config, mistakes);
	if (!mistakes->count)
		return config;
	pool_config_free(config);
	return NULL;
}

struct pool_config *pool_config_load(const char *path, struct buf *report,
				     struct err *err)
{
	struct mistakes mistakes = {0};
	struct pool_config *config;
	size_t length;
	char *text;

	if (host_read_file(path, YAML_LIMIT_BYTES, ERR_CONFIG, &text, &length, err)) {
		report_unreadable(report, err,
				  "name another with --config or POOLCTL_CONFIG");
		return NULL;
	}
	config = pool_config_parse(path, text, length, &mistakes);
	(void)report_mistakes(&mistakes, report, err);
	free(text);
	return config;
}

void pool_config_free(struct pool_config *config)
{
	if (!config)
		return;
	schema_free(&pool_file_section, config);
	yaml_tree_free(config->tree);
	free(config);
}

static void set_poold_defaults(struct poold_config *poold)
{
	char path[HOST_PATH_BYTES];

	if (!poold->state_dir) {
		host_state_path(path);
		poold->state_dir = xstrdup(path);
	}
	if (!poold->pool_file) {
		host_config_path("pool.yaml", path);
		poold->pool_file = xstrdup(path);
	}
}

struct poold_config *poold_config_load(const char *path, struct buf *report,
				       struct err *err)
{
	struct poold_config *config = xcalloc(1, sizeof(*config));
	struct yaml_tree *tree = yaml_tree_new();
	struct mistakes mistakes = {0};
	struct yaml_node *root = NULL;
	size_t length;
	char *text = NULL;
	bool is_read =
		!host_read_file(path, YAML_LIMIT_BYTES, ERR_CONFIG, &text, &length, err);

	if (is_read)
		root = yaml_tree_parse(tree, path, text, length, &mistakes);
	else
		report_unreadable(report, err, "name another with --config");
	if (root)
		schema_load(&poold_file_section, root, config, &mistakes);
	if (root && !mistakes.count)
		poold_rules_check(config, root, &mistakes);
	if (report_mistakes(&mistakes, report, err) || !is_read) {
		poold_config_free(config);
		config = NULL;
	} else {
		set_poold_defaults(config);
	}
	yaml_tree_free(tree);
	free(text);
	return config;
}

void poold_config_free(struct poold_config *config)
{
	if (config)
		schema_free(&poold_file_section, config);
	free(config);
}

/* ---- finding ---- */

const struct pool *pool_find(const struct pool_config *config, const char *name)
{
	LIST_EACH (struct pool, pool, config->pools)
		if (!strcmp(pool->named.name, name))
			return pool;
	return NULL;
}

const struct pool_server *pool_find_server(const struct pool_config *config,
					   const char *name, const struct pool **pool)
{
	LIST_EACH (struct pool, candidate, config->pools)
		LIST_EACH (struct pool_server, server, candidate->servers)
			if (!strcmp(server->named.name, name)) {
				if (pool)
					*pool = candidate;
				return server;
			}
	return NULL;
}

static const char *server_name(const void *servers, size_t i)
{
	return ((const struct pool_server *)servers)[i].named.name;
}

const char *pool_suggest(const struct pool_config *config, const char *name)
{
	const char *nearest = NULL;

	LIST_EACH (struct pool, pool, config->pools)
		if (!nearest)
			nearest = schema_nearest(name, server_name, pool->servers.items,
						 pool->servers.count);
	return nearest;
}

const struct list *pool_services(const struct pool *pool,
				 const struct pool_server *server)
{
	return server && server->services.count ? &server->services : &pool->services;
}

int64_t pool_settle_ms(const struct pool *pool, const struct pool_server *server,
		       const struct pool_service *service)
{
	if (service->settle_ms >= 0)
		return service->settle_ms;
	return server->settle_ms >= 0 ? server->settle_ms : pool->settle_ms;
}

enum start_type pool_startup_while_drained(const struct pool *pool,
					   const struct pool_server *server)
{
	return (enum start_type)(server->startup_while_drained >= 0
					 ? server->startup_while_drained
					 : pool->startup_while_drained);
}

int64_t pool_capacity(const struct pool *pool, const struct pool_server *server)
{
	return server->capacity >= 0 ? server->capacity : pool->capacity;
}

static bool has_component(const struct pool_service *service, const char *word)
{
	LIST_EACH (char *, component, service->components)
		if (!strcasecmp(*component, word))
			return true;
	return false;
}

static int fail_grouped(const struct pool_service *service, const char *word,
			struct err *err)
{
	struct buf others = {0};

	LIST_EACH (char *, component, service->components)
		if (strcasecmp(*component, word))
			buf_printf(&others, "%s%s", others.length ? ", " : "",
				   *component);
	(void)err_set(
		err, ERR_GROUPED,
		"'%s' is part of the Windows service %s and cannot be drained apart "
		"from what else is in it: %s; drain them together with --with-group",
		word, service->named.name, others.text);
	buf_done(&others);
	return -1;
}

static int fail_unknown(const struct list *services, const char *word, struct err *err)
{
	struct buf known = {0};

	LIST_EACH (struct pool_service, service, *services)
		buf_printf(&known, "%s%s", known.length ? ", " : "", service->named.name);
	(void)err_set(err, ERR_UNKNOWN_SERVICE,
		      "no service or component '%s'; there are %s", word, known.text);
	buf_done(&known);
	return -1;
}

const struct pool_service *pool_resolve_service(const struct list *services,
						const char *word, bool with_group,
						struct err *err)
{
	const struct pool_service *found = NULL;
	bool is_component = false;

	LIST_EACH (struct pool_service, service, *services) {
		if (!strcasecmp(service->named.name, word) ||
		    (service->display_name && !strcasecmp(service->display_name, word))) {
			found = service;
			is_component = false;
			break;
		}
		if (!found && has_component(service, word)) {
			found = service;
			is_component = true;
		}
	}
	if (!found)
		(void)fail_unknown(services, word, err);
	else if (found->role == ROLE_LEAVE)
		(void)err_set(
			err, ERR_LEFT_RUNNING,
			"the service %s must be left running while a server is drained",
			found->named.name);
	else if (is_component && found->components.count > 1 && !with_group)
		(void)fail_grouped(found, word, err);
	else
		return found;
	return NULL;
}

const struct list *pool_local_addresses(const struct pool_server *server,
					const struct pool_service *service)
{
	const struct net_address *first = server->addresses.items;

	if (service->addresses.count)
		return &service->addresses;
	return net_address_is_loopback(first) ? &server->addresses : NULL;
}
