#include "poold_config.h"

#include "api.h"
#include "mem.h"
#include "pool_rules.h"
#include "system/file.h"
#include "system/host.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Whichever program is found first must not be the one that is run. */
static bool is_whole_path(const char *path)
{
	return *path == '/' || !strncmp(path, "\\\\", 2) ||
	       (*path && path[1] == ':' && (path[2] == '\\' || path[2] == '/'));
}

/* On Windows only a shell runs these, and no shell is used.  Dots and spaces at the
 * end of a name count for nothing there. */
static bool is_script(const char *path)
{
	static const char *const endings[] = {".bat", ".cmd", ".ps1", ".vbs"};
	size_t length = strlen(path);

	if (*path == '/')
		return false;
	while (length && strchr(". ", path[length - 1]))
		length--;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (length >= 4 && !strncasecmp(path + length - 4, endings[i], 4))
			return true;
	return false;
}

static void check_client(const struct poold_client *client,
			 const struct place *place, struct mistakes *mistakes)
{
	if (!client->subject == !client->san)
		mistakes_add(mistakes, place,
			     "a client needs one of the keys 'subject' and 'san'%s",
			     client->san ? ", not both" : "");
	if (client->name && !api_id_is_valid(client->name))
		mistakes_add(
			mistakes, place,
			"'%.80s' is not a name of a client: expected up to %d "
			"letters, digits, . _ @ -; the first a letter or a digit",
			client->name, API_ID_BYTES - 1);
}

static void check_tls(const struct poold_tls *tls, const struct yaml_node *node,
		      struct mistakes *mistakes)
{
	const struct yaml_node *rows = yaml_tree_find(node, "clients");
	size_t i = 0;

	if (!node || node->kind != YAML_MAP)
		return;
	if (!tls->certificate || !tls->key)
		mistakes_add(mistakes, &node->place,
			     "tls needs the key '%s'; `poold tls init` makes both "
			     "files",
			     tls->certificate ? "key" : "certificate");
	if (tls->clients.count && !tls->client_ca)
		mistakes_add(
			mistakes, &rows->place,
			"the clients need the key 'client_ca', which certifies "
			"them");
	LIST_EACH (struct poold_client, client, tls->clients)
		check_client(client, &rows->items[i++]->place, mistakes);
}

static void check(const struct poold_config *config, const struct yaml_node *root,
		  struct mistakes *mistakes)
{
	const struct yaml_node *rows = yaml_tree_find(root, "commands");
	const struct yaml_node *file = yaml_tree_find(root, "simulated_file");
	size_t i = 0;

	if (config->scm == SCM_KIND_SIMULATED && (!file || yaml_tree_is_null(file)))
		mistakes_add(mistakes, &root->place,
			     "'scm: simulated' needs the key 'simulated_file'");
	check_tls(&config->tls, yaml_tree_find(root, "tls"), mistakes);
	LIST_EACH (struct poold_command, command, config->commands) {
		const char *program =
			command->run.count ? *(char **)command->run.items : NULL;

		pool_rules_check_pointer(command->pointer, &rows->items[i]->place,
					 mistakes);
		if (program && !is_whole_path(program))
			mistakes_add(mistakes, &rows->items[i]->place,
				     "'%s' is not the full path of a program",
				     program);
		if (program && is_script(program))
			mistakes_add(
				mistakes, &rows->items[i]->place,
				"'%s' is a script, which only a shell runs; name a program: run: ['C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe', -NoProfile, -File, '%s']",
				program, program);
		i++;
	}
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
		!file_read(path, YAML_LIMIT_BYTES, ERR_CONFIG, &text, &length, err);

	if (is_read)
		root = yaml_tree_parse(tree, path, text, length, &mistakes);
	else
		buf_printf(report, "%s; use --config to name another file\n",
			   err->text);
	if (root)
		schema_load(&poold_file_section, root, config, &mistakes);
	if (root && root->kind == YAML_MAP)
		check(config, root, &mistakes);
	if (mistakes_report(&mistakes, report, err) || !is_read) {
		poold_config_free(config);
		config = NULL;
	} else {
		set_poold_defaults(config);
	}
	yaml_tree_free(tree);
	free(text);
	return config;
}

/* A command of a service that is not here would never be run, and nobody would
 * know. */
static int check_commands(const struct poold_config *poold, const char *path,
			  const struct pool_server *server,
			  const struct list *services, struct err *err)
{
	LIST_EACH (struct poold_command, command, poold->commands) {
		bool is_here = false;

		LIST_EACH (struct pool_service, service, *services)
			is_here =
				is_here || (!utf8_compare_names(service->named.name,
								command->service) &&
					    service->role == ROLE_DRAIN);
		if (!is_here)
			return err_set(
				err, ERR_CONFIG,
				"%s: it has a command for service '%s', which "
				"server %s does not drain",
				path, command->service, server->named.name);
	}
	return 0;
}

int poold_config_find_server(const struct poold_config *poold, const char *path,
			     const struct pool_config *pools,
			     const struct pool_server **server,
			     const struct pool **pool, struct err *err)
{
	struct nearest nearest = {.word = poold->server};

	*server = pool_find_server(pools, poold->server, pool);
	if (*server)
		return check_commands(poold, path, *server,
				      pool_services(*pool, *server), err);
	return err_set(err, ERR_CONFIG, "%s: server '%s' is in no pool of %s%s",
		       path, poold->server, poold->pool_file,
		       pool_hint(pools, &nearest));
}

void poold_config_free(struct poold_config *config)
{
	if (config)
		schema_free(&poold_file_section, config);
	free(config);
}
