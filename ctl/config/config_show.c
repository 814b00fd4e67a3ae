/* `poolctl config show`: the settings in force, and where each comes from. */
#include "commands/commands.h"
#include "line/config.h"
#include "config/config_json.h"
#include "pool_config.h"
#include "schema_show.h"
#include "show/output.h"
#include "terminal/print.h"
#include "text/text.h"
#include "utf8.h"

#include <jansson.h>
#include <string.h>

static struct yaml_node *add_map(struct yaml_tree *tree, struct yaml_node *parent,
				 const char *name)
{
	const struct place nowhere = {.origin = "default"};
	struct yaml_node *map = yaml_tree_map(tree, &nowhere);

	if (parent)
		yaml_tree_add(tree, parent, yaml_tree_scalar(tree, "default", name),
			      map);
	return map;
}

/* The defaults that follow from other settings, which no table has. */
static struct yaml_node *derive_defaults(struct yaml_tree *tree,
					 const struct pool_config *config)
{
	struct yaml_node *root = add_map(tree, NULL, NULL);
	struct yaml_node *pools = add_map(tree, root, "pools");

	LIST_EACH (struct pool, pool, config->pools) {
		struct yaml_node *map = add_map(tree, pools, pool->named.name);
		struct yaml_node *servers = add_map(tree, map, "servers");
		bool is_table = pool->availability.floor.kind == FLOOR_TABLE;

		yaml_tree_add(tree, add_map(tree, map, "availability"),
			      yaml_tree_scalar(tree, "default", "floor"),
			      yaml_tree_scalar(tree, "default",
					       is_table ? "table" : "1"));

		LIST_EACH (struct pool_server, server, pool->servers)
			yaml_tree_add(
				tree, add_map(tree, servers, server->named.name),
				yaml_tree_scalar(tree, "default", "url"),
				yaml_tree_scalar(tree, "default", server->url));
	}
	return root;
}

static void hide_credentials(struct yaml_node *node)
{
	if (node->kind == YAML_SCALAR && node->text)
		text_hide_credentials((char *)node->text);
	for (size_t i = 0; node->kind != YAML_SCALAR && i < node->count; i++)
		hide_credentials(node->items[i]);
}

static void keep_only(struct yaml_node *map, const char *name)
{
	for (size_t i = 0; i < map->count; i++)
		if (!utf8_compare_names(map->keys[i]->text, name)) {
			map->keys[0] = map->keys[i];
			map->items[0] = map->items[i];
		}
	map->count = 1;
}

/* Leaves of a completed tree the pool, or the pool with one server. */
static int select_one(struct yaml_node *root, const struct pool_config *config,
		      const char *name, struct err *err)
{
	const struct pool *pool = pool_find(config, name);
	struct yaml_node *pools = yaml_tree_find(root, "pools");
	struct nearest nearest = {.word = name};

	if (pool) {
		keep_only(pools, name);
	} else if (pool_find_server(config, name, &pool)) {
		keep_only(pools, pool->named.name);
		keep_only(yaml_tree_find(pools->items[0], "servers"), name);
	} else {
		return err_set(err, ERR_USAGE, "there is no pool or server '%s'%s",
			       name, pool_hint(config, &nearest));
	}
	return 0;
}

static json_t *describe(const void *root)
{
	return config_json_section(&pool_file_section, root, true);
}

static void print(const void *root)
{
	struct buf text = {0};

	schema_show(&pool_file_section, root, &text);
	print_lines(stdout, text.text);
	buf_done(&text);
}

int command_config_show(const struct options *options,
			const struct pool_config *config, struct err *err)
{
	static const struct output_kind kind = {
		.is_single = true, .describe = describe, .print = print};
	struct yaml_tree *tree = yaml_tree_new();
	struct yaml_node *root =
		options->has_no_defaults
			? config->root
			: yaml_tree_overlay(tree, derive_defaults(tree, config),
					    config->root);
	int ret = -1;

	root = schema_show_complete(&pool_file_section, tree, root,
				    !options->has_no_defaults);
	hide_credentials(root);
	if (!config_name(options) ||
	    !select_one(root, config, config_name(options), err)) {
		output_single(&kind, root, options);
		ret = 0;
	}
	yaml_tree_free(tree);
	return ret;
}
