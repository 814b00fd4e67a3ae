#include "pool_config.h"

#include "system/host.h"
#include "mem.h"
#include "pool_rules.h"
#include "profiles.h"
#include "system/file.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

/* ---- profiles ---- */

static bool is_path(const char *profile)
{
	size_t length = strlen(profile);

	return strpbrk(profile, "/\\") ||
	       (length > 5 && !strcmp(profile + length - 5, ".yaml"));
}

char *pool_config_profile_file(const struct pool *pool, const char *pool_file)
{
	const struct yaml_node name = {.text = pool->profile,
				       .place = {.origin = pool_file}};

	return pool->profile && is_path(pool->profile) ? schema_resolve_path(&name)
						       : NULL;
}

static struct yaml_node *read_profile_file(const struct yaml_node *name,
					   struct yaml_tree *tree,
					   struct mistakes *mistakes)
{
	char *path = schema_resolve_path(name), *text;
	struct yaml_node *root = NULL;
	struct err err = {0};
	size_t length;

	if (file_read(path, YAML_LIMIT_BYTES, ERR_CONFIG, &text, &length, &err)) {
		mistakes_add(mistakes, &name->place, "profile '%s': %s", name->text,
			     err.text);
	} else {
		root = yaml_tree_parse(tree, path, text, length, mistakes);
		free(text);
	}
	free(path);
	return root;
}

static struct yaml_node *read_profile(const struct yaml_node *name,
				      struct yaml_tree *tree,
				      struct mistakes *mistakes)
{
	struct yaml_node *root = NULL;
	struct nearest nearest = {.word = name->text};
	struct buf names = {0};
	char *origin;

	if (name->kind != YAML_SCALAR || !*name->text)
		return NULL;
	if (is_path(name->text))
		return read_profile_file(name, tree, mistakes);
	for (size_t i = 0; profiles[i].name; i++) {
		nearest_try(&nearest, profiles[i].name);
		buf_printf(&names, "%s%s", i ? ", " : "", profiles[i].name);
		if (strcmp(profiles[i].name, name->text))
			continue;
		buf_done(&names);
		origin = xasprintf("profile %s", name->text);
		root = yaml_tree_parse(tree, origin, profiles[i].text,
				       strlen(profiles[i].text), mistakes);
		free(origin);
		return root;
	}
	mistakes_add(
		mistakes, &name->place,
		"unknown profile '%s'%s; known are %s (`poolctl config profiles`), and any file, as ./my.yaml",
		name->text, nearest_hint(&nearest), names.text);
	buf_done(&names);
	return NULL;
}

/* ---- one over the other ---- */

static struct yaml_node *find_service(const struct yaml_node *known,
				      const char *name)
{
	for (size_t i = 0; known->kind == YAML_MAP && i < known->count; i++)
		if (!utf8_compare_names(known->keys[i]->text, name))
			return known->keys[i];
	return NULL;
}

static void report_unknown_service(const struct yaml_node *known,
				   const struct yaml_node *over, const char *where,
				   const char *name, struct mistakes *mistakes)
{
	struct nearest nearest = {.word = over->text};

	for (size_t i = 0; known->kind == YAML_MAP && i < known->count; i++) {
		const struct yaml_node *display =
			yaml_tree_find(known->items[i], "display_name");

		if (display && display->kind == YAML_SCALAR &&
		    !utf8_compare_names(display->text, over->text)) {
			mistakes_add(
				mistakes, &over->place,
				"'%s' is the display name of service '%s'; use the short name",
				over->text, known->keys[i]->text);
			return;
		}
		nearest_try(&nearest, known->keys[i]->text);
	}
	mistakes_add(mistakes, &over->place, "%s '%s' has no service '%s'%s", where,
		     name, over->text, nearest_hint(&nearest));
}

/* Whoever overrides a service means one that is there.  Returns the overrides with
 * the names as they are spelled there. */
static struct yaml_node *match_overrides(struct yaml_tree *tree,
					 const struct yaml_node *known,
					 struct yaml_node *over, const char *where,
					 const char *name,
					 struct mistakes *mistakes)
{
	struct yaml_node *fresh;

	if (!over || over->kind != YAML_MAP)
		return over;
	fresh = yaml_tree_map(tree, &over->place);
	for (size_t i = 0; i < over->count; i++) {
		struct yaml_node *key = over->keys[i];
		struct yaml_node *found = find_service(known, key->text);
		const struct yaml_node *first = find_service(fresh, key->text);

		if (!found)
			report_unknown_service(known, key, where, name, mistakes);
		else if (first)
			mistakes_add(
				mistakes, &key->place,
				"service '%s' is here twice, in another spelling",
				key->text);
		yaml_tree_add(tree, fresh, found ? found : key, over->items[i]);
	}
	return fresh;
}

static struct yaml_node *replace_item(struct yaml_tree *tree,
				      const struct yaml_node *map, const char *name,
				      struct yaml_node *item)
{
	struct yaml_node *fresh = yaml_tree_map(tree, &map->place);

	for (size_t i = 0; i < map->count; i++)
		yaml_tree_add(tree, fresh, map->keys[i],
			      strcmp(map->keys[i]->text, name) ? map->items[i]
							       : item);
	return fresh;
}

static struct yaml_node *merge_server(struct yaml_tree *tree,
				      const struct yaml_node *pool,
				      const char *pool_name,
				      struct yaml_node *server,
				      struct mistakes *mistakes)
{
	struct yaml_node *known = yaml_tree_find(pool, "services");
	struct yaml_node *own = yaml_tree_find(server, "services");

	if (!own || !known)
		return server;
	own = match_overrides(tree, known, own, "pool", pool_name, mistakes);
	return replace_item(tree, server, "services",
			    yaml_tree_overlay(tree, known, own));
}

static struct yaml_node *merge_servers(struct yaml_tree *tree,
				       struct yaml_node *pool,
				       const char *pool_name,
				       struct mistakes *mistakes)
{
	struct yaml_node *servers = yaml_tree_find(pool, "servers"), *merged;
	bool is_changed = false;

	if (!servers || servers->kind != YAML_MAP)
		return pool;
	merged = yaml_tree_map(tree, &servers->place);
	for (size_t i = 0; i < servers->count; i++) {
		struct yaml_node *server = merge_server(
			tree, pool, pool_name, servers->items[i], mistakes);

		is_changed = is_changed || server != servers->items[i];
		yaml_tree_add(tree, merged, servers->keys[i], server);
	}
	return is_changed ? replace_item(tree, pool, "servers", merged) : pool;
}

static struct yaml_node *merge_pool(struct yaml_tree *tree, const char *name,
				    struct yaml_node *pool,
				    struct mistakes *mistakes)
{
	const struct yaml_node *profile_name_node = yaml_tree_find(pool, "profile");
	struct yaml_node *profile = NULL, *known, *own;

	if (profile_name_node)
		profile = read_profile(profile_name_node, tree, mistakes);
	known = profile ? yaml_tree_find(profile, "services") : NULL;
	own = yaml_tree_find(pool, "services");
	if (known && known->count && own)
		pool = replace_item(tree, pool, "services",
				    match_overrides(tree, known, own, "profile",
						    profile_name_node->text,
						    mistakes));
	return merge_servers(tree, yaml_tree_overlay(tree, profile, pool), name,
			     mistakes);
}

static struct yaml_node *merge(const char *path, const char *text, size_t length,
			       struct yaml_tree *tree, struct mistakes *mistakes)
{
	struct yaml_node *root =
		yaml_tree_parse(tree, path, text, length, mistakes);
	struct yaml_node *pools = root ? yaml_tree_find(root, "pools") : NULL,
			 *merged;

	if (!pools || pools->kind != YAML_MAP)
		return root;
	merged = yaml_tree_map(tree, &pools->place);
	for (size_t i = 0; i < pools->count; i++)
		yaml_tree_add(tree, merged, pools->keys[i],
			      merge_pool(tree, pools->keys[i]->text,
					 pools->items[i], mistakes));
	return replace_item(tree, root, "pools", merged);
}

/* ---- loading ---- */

/* Without its profile anything may be missing in a pool. */
static void mark_wrong(struct pool_config *config)
{
	LIST_EACH (struct pool, pool, config->pools) {
		pool->named.is_wrong = true;
		LIST_EACH (struct pool_service, service, pool->services)
			service->named.is_wrong = true;
		LIST_EACH (struct pool_server, server, pool->servers) {
			server->named.is_wrong = true;
			LIST_EACH (struct pool_service, service, server->services)
				service->named.is_wrong = true;
		}
	}
}

struct pool_config *pool_config_parse(const char *path, const char *text,
				      size_t length, struct mistakes *mistakes)
{
	struct pool_config *config = xcalloc(1, sizeof(*config));
	struct yaml_node *root;
	bool is_merged;

	config->tree = yaml_tree_new();
	root = merge(path, text, length, config->tree, mistakes);
	is_merged = !mistakes->count;
	config->root = root;
	if (root)
		schema_load(&pool_file_section, root, config, mistakes);
	if (!is_merged)
		mark_wrong(config);
	if (root && !mistakes->count && !config->pools.count)
		mistakes_add(mistakes, &root->place,
			     "'pools' needs at least one pool below it");
	if (root)
		pool_rules_check(config, mistakes);
	if (!mistakes->count)
		return config;
	pool_config_free(config);
	return NULL;
}

const char pool_config_remedy[] =
	"use --config or POOLCTL_CONFIG to name another file";
const char pool_file_remedy[] = "check 'pool_file' in poold.yaml";

struct pool_config *pool_config_load(const char *path, const char *remedy,
				     struct buf *report, struct err *err)
{
	struct mistakes mistakes = {0};
	struct pool_config *config;
	size_t length;
	char *text;

	if (file_read(path, YAML_LIMIT_BYTES, ERR_CONFIG, &text, &length, err)) {
		buf_printf(report, "%s; %s\n", err->text, remedy);
		return NULL;
	}
	config = pool_config_parse(path, text, length, &mistakes);
	(void)mistakes_report(&mistakes, report, err);
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
