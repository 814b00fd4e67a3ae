#include "config.h"

#include "commands.h"
#include "config_json.h"
#include "schema_print.h"
#include "schema_show.h"
#include "text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* The words before a command's arguments: "config show". */
enum { OWN_WORDS = 2 };

const char *config_path(const struct options *options, char standard[HOST_PATH_BYTES])
{
	const char *path = options->config ? options->config : host_env("POOLCTL_CONFIG");

	if (path && *path)
		return path;
	host_config_path("pool.yaml", standard);
	return standard;
}

void config_print_lines(FILE *stream, char *text)
{
	for (char *line = text, *end; line && *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		text_print(stream, line);
	}
	(void)fflush(stream);
}

static const char *argument(const struct options *options)
{
	return options->words.count > OWN_WORDS ? options->words.items[OWN_WORDS] : NULL;
}

/* Takes the value over.  In ASCII, so that a terminal is no reason to change a text. */
static void print_json(json_t *value, size_t flags)
{
	char *text = json_dumps(value, flags | JSON_ENSURE_ASCII);

	if (!text)
		abort();
	config_print_lines(stdout, text);
	free(text);
	json_decref(value);
}

/* ---- check ---- */

static void print_result(const char *path, const struct pool_config *config)
{
	size_t servers = 0;
	struct buf line = {0};

	LIST_EACH (struct pool, pool, config->pools)
		servers += pool->servers.count;
	buf_printf(&line, "%s: %zu pool%s, %zu server%s", path, config->pools.count,
		   config->pools.count == 1 ? "" : "s", servers, servers == 1 ? "" : "s");
	text_print(stdout, line.text);
	buf_done(&line);
}

static int check_pool_file(const char *path, struct buf *mistakes, struct err *err)
{
	struct pool_config *config = pool_config_load(path, mistakes, err);

	if (!config)
		return -1;
	print_result(path, config);
	pool_config_free(config);
	return 0;
}

static int check_poold_file(const char *path, struct buf *mistakes, struct err *err)
{
	struct poold_config *config = poold_config_load(path, mistakes, err);
	struct buf line = {0};

	if (!config)
		return -1;
	buf_printf(&line, "%s: server %s", path, config->server);
	text_print(stdout, line.text);
	buf_done(&line);
	poold_config_free(config);
	return 0;
}

int command_config_check(const struct options *options, const struct pool_config *config,
			 struct err *err)
{
	char standard[HOST_PATH_BYTES];
	const char *path = argument(options);
	struct buf mistakes = {0};
	int ret;

	(void)config;
	if (!path && options->is_poold)
		host_config_path("poold.yaml", standard);
	if (!path)
		path = options->is_poold ? standard : config_path(options, standard);
	ret = options->is_poold ? check_poold_file(path, &mistakes, err)
				: check_pool_file(path, &mistakes, err);
	config_print_lines(stderr, mistakes.text);
	buf_done(&mistakes);
	return ret ? err_info(err->code)->exit_status : 0;
}

/* ---- show ---- */

static struct yaml_node *add_map(struct yaml_tree *tree, struct yaml_node *parent,
				 const char *name)
{
	const struct yaml_node nowhere = {.origin = "default"};
	struct yaml_node *map = yaml_tree_map(tree, &nowhere);

	if (parent)
		yaml_tree_add(tree, parent, yaml_tree_scalar(tree, "default", name), map);
	return map;
}

/* The defaults that follow from other settings: no table has them. */
static struct yaml_node *derive_defaults(struct yaml_tree *tree,
					 const struct pool_config *config)
{
	struct yaml_node *root = add_map(tree, NULL, NULL);
	struct yaml_node *pools = add_map(tree, root, "pools");

	LIST_EACH (struct pool, pool, config->pools) {
		struct yaml_node *servers =
			add_map(tree, add_map(tree, pools, pool->named.name), "servers");

		LIST_EACH (struct pool_server, server, pool->servers)
			yaml_tree_add(tree, add_map(tree, servers, server->named.name),
				      yaml_tree_scalar(tree, "default", "url"),
				      yaml_tree_scalar(tree, "default", server->url));
	}
	return root;
}

static void keep_only(struct yaml_node *map, const char *name)
{
	for (size_t i = 0; i < map->count; i++)
		if (!strcmp(map->keys[i]->text, name)) {
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
	struct yaml_node *pools = yaml_find(root, "pools");
	const char *nearest = pool_suggest(config, name);

	if (pool) {
		keep_only(pools, name);
	} else if (pool_find_server(config, name, &pool)) {
		keep_only(pools, pool->named.name);
		keep_only(yaml_find(pools->items[0], "servers"), name);
	} else {
		return err_set(err, ERR_USAGE, "there is no pool or server '%s'%s%s%s",
			       name, SCHEMA_HINT(nearest));
	}
	return 0;
}

static void print_settings(const struct yaml_node *root, enum output output)
{
	struct buf text = {0};

	if (output == OUTPUT_JSON || output == OUTPUT_JSONL) {
		print_json(config_json_settings(&pool_file_section, root), JSON_COMPACT);
		return;
	}
	schema_show(&pool_file_section, root, &text);
	config_print_lines(stdout, text.text);
	buf_done(&text);
}

int command_config_show(const struct options *options, const struct pool_config *config,
			struct err *err)
{
	char standard[HOST_PATH_BYTES];
	struct yaml_tree *tree = yaml_tree_new();
	struct mistakes mistakes = {0};
	struct yaml_node *root =
		pool_config_read(config_path(options, standard), tree, &mistakes, err);
	int ret = -1;

	/* It was loaded a moment ago, so it is good, or was changed meanwhile. */
	if (!root || mistakes.count) {
		(void)err_set(err, ERR_CONFIG, "the configuration has just changed");
		goto out;
	}
	root = yaml_tree_overlay(tree, derive_defaults(tree, config), root);
	root = schema_complete(&pool_file_section, tree, root);
	if (argument(options) && select_one(root, config, argument(options), err))
		goto out;
	print_settings(root, options->output);
	ret = 0;
out:
	mistakes_done(&mistakes);
	yaml_tree_free(tree);
	return ret;
}

/* ---- what may be said ---- */

int command_config_schema(const struct options *options, const struct pool_config *config,
			  struct err *err)
{
	const struct section *file =
		options->is_poold ? &poold_file_section : &pool_file_section;

	(void)config;
	(void)err;
	print_json(config_json_schema(file), JSON_INDENT(2));
	return 0;
}

int command_config_reference(const struct options *options,
			     const struct pool_config *config, struct err *err)
{
	struct buf text = {0};
	json_t *keys;

	(void)config;
	(void)err;
	if (options->output == OUTPUT_TABLE) {
		schema_print(&pool_file_section, &text);
		schema_print(&poold_file_section, &text);
		config_print_lines(stdout, text.text);
		buf_done(&text);
		return 0;
	}
	keys = json_array();
	config_json_reference(&pool_file_section, keys);
	config_json_reference(&poold_file_section, keys);
	print_json(keys, JSON_COMPACT);
	return 0;
}
