/* `poolctl config check`: finds the mistakes in a pool.yaml or poold.yaml. */
#include "commands/commands.h"
#include "line/config.h"
#include "pool_advice.h"
#include "pool_config.h"
#include "mem.h"
#include "poold_config.h"
#include "show/output.h"
#include "system/file.h"
#include "system/host.h"
#include "terminal/print.h"
#include "text/json_write.h"

#include <stdlib.h>
#include <string.h>

/* What is known of the file; of one with mistakes only those. */
struct checked {
	const char *path;
	struct buf mistakes; /* lines */
	struct buf advice;   /* lines about what is right, and may surprise */
	bool is_good;
	char *server;          /* of a poold.yaml, else NULL */
	size_t pools, servers; /* of a pool.yaml */
};

static int check_pool_file(struct checked *checked, struct err *err)
{
	struct pool_config *config = pool_config_load(
		checked->path, pool_config_remedy, &checked->mistakes, err);

	if (!config)
		return -1;
	LIST_EACH (struct pool, pool, config->pools) {
		checked->servers += pool->servers.count;
		pool_advice_print(pool, &pool->services, NULL, &checked->advice);
	}
	checked->pools = config->pools.count;
	pool_config_free(config);
	return 0;
}

/* On the machine of an administrator there may be no such pool.yaml. */
static int check_beside_pool_file(struct checked *checked,
				  const struct poold_config *poold, struct err *err)
{
	const struct pool_server *server;
	struct pool_config *pools;
	const struct pool *pool;
	int ret;

	if (!file_exists(poold->pool_file)) {
		buf_printf(&checked->advice,
			   "%s is not here, so %s is not compared with it; on the "
			   "server, poold check does that\n",
			   poold->pool_file, checked->path);
		return 0;
	}
	pools = pool_config_load(poold->pool_file, pool_file_remedy,
				 &checked->mistakes, err);
	if (!pools)
		return -1;
	ret = poold_config_find_server(poold, checked->path, pools, &server, &pool,
				       err);
	if (ret)
		buf_printf(&checked->mistakes, "%s\n", err->text);
	pool_config_free(pools);
	return ret;
}

static int check_poold_file(struct checked *checked, struct err *err)
{
	struct poold_config *config =
		poold_config_load(checked->path, &checked->mistakes, err);
	int ret;

	if (!config)
		return -1;
	checked->server = xstrdup(config->server);
	ret = check_beside_pool_file(checked, config, err);
	poold_config_free(config);
	return ret;
}

static json_t *describe_lines(const char *lines)
{
	json_t *list = json_array();
	size_t length;

	for (; lines && *lines; lines += length + (lines[length] != '\0')) {
		length = strcspn(lines, "\n");
		json_write_item(list, json_stringn(lines, length));
	}
	return list;
}

static json_t *describe(const void *entry)
{
	const struct checked *checked = entry;
	bool is_pool_file = checked->is_good && !checked->server;
	json_t *object = json_object();

	json_write_text(object, "file", checked->path);
	json_write_flag(object, "good", checked->is_good);
	json_write_value(object, "mistakes",
			 describe_lines(checked->mistakes.text));
	json_write_value(object, "advice", describe_lines(checked->advice.text));
	json_write_text(object, "server", checked->server);
	json_write_count(object, "pools",
			 is_pool_file ? (int64_t)checked->pools : -1);
	json_write_count(object, "servers",
			 is_pool_file ? (int64_t)checked->servers : -1);
	return object;
}

static void print(const void *entry)
{
	const struct checked *checked = entry;

	if (!checked->is_good)
		return;
	if (checked->server)
		print_line(stdout, "%s: server %s", checked->path, checked->server);
	else
		print_line(stdout, "%s: %zu pool%s, %zu server%s", checked->path,
			   checked->pools, checked->pools == 1 ? "" : "s",
			   checked->servers, checked->servers == 1 ? "" : "s");
}

int command_config_check(const struct options *options,
			 const struct pool_config *config, struct err *err)
{
	static const struct output_kind kind = {
		.is_single = true, .describe = describe, .print = print};
	char standard[HOST_PATH_BYTES];
	struct checked checked = {.path = config_argument(options)};

	(void)config;
	if (!checked.path && options->is_poold)
		host_config_path("poold.yaml", standard);
	if (!checked.path)
		checked.path = options->is_poold ? standard
						 : config_path(options, standard);
	checked.is_good = !(options->is_poold ? check_poold_file(&checked, err)
					      : check_pool_file(&checked, err));
	print_lines(stderr, checked.mistakes.text);
	print_lines(stderr, checked.advice.text);
	output_single(&kind, &checked, options);
	buf_done(&checked.mistakes);
	buf_done(&checked.advice);
	free(checked.server);
	return checked.is_good ? 0 : err_info(err->code)->exit_status;
}
