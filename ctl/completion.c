#include "completion.h"

#include "completion_scripts.h"
#include "line/config.h"
#include "gates/gate.h"
#include "mem.h"
#include "pool_config.h"
#include "profiles.h"
#include "text/command_completion.h"
#include "text/nearest.h"
#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char question[] = "--complete=";

/* One question of a shell. */
struct asked {
	const char *current; /* the word that is completed */
	struct completion_place place;
	struct pool_config *pools; /* NULL: there is no good pool.yaml */
};

/* True if the text begins as the start does, in upper or lower case. */
static bool begins(const char *text, const char *start)
{
	char *head = xasprintf("%.*s", (int)strlen(start), text);
	bool is_so = !utf8_compare_names(head, start);

	free(head);
	return is_so;
}

/* The words of the tables. */
static void print_word(void *context, const char *word, const char *help)
{
	const struct asked *asked = context;

	if (begins(word, asked->current))
		(void)printf("%s\t%s\n", word, help ? help : "");
}

/* A name of the program's own, unless the command has it already. */
static void print_name(const struct asked *asked, const char *name,
		       const char *help)
{
	const struct completion_place *place = &asked->place;

	if (!begins(name, asked->current + place->prefix_length))
		return;
	for (size_t i = 0; i < place->arguments.count; i++)
		if (!utf8_compare_names(place->arguments.items[i], name))
			return;
	(void)printf("%.*s%s\t%s\n", (int)place->prefix_length, place->prefix, name,
		     help);
}

static void print_pools(const struct asked *asked)
{
	if (!asked->pools)
		return;
	LIST_EACH (struct pool, pool, asked->pools->pools)
		print_name(asked, pool->named.name, "pool");
}

static void print_servers(const struct asked *asked)
{
	if (!asked->pools)
		return;
	LIST_EACH (struct pool, pool, asked->pools->pools)
		LIST_EACH (struct pool_server, server, pool->servers)
			print_name(asked, server->named.name, pool->named.name);
}

static void print_pools_and_servers(const struct asked *asked)
{
	print_pools(asked);
	print_servers(asked);
}

/* Of two pools with the same services, those of the first. */
static bool is_in_earlier_pool(const struct pool_config *pools,
			       const struct pool *until, const char *service)
{
	LIST_EACH (struct pool, pool, pools->pools) {
		if (pool == until)
			return false;
		LIST_EACH (struct pool_service, one, pool->services)
			if (!utf8_compare_names(one->named.name, service))
				return true;
	}
	return false;
}

static void print_services(const struct asked *asked)
{
	if (!asked->pools)
		return;
	LIST_EACH (struct pool, pool, asked->pools->pools)
		LIST_EACH (struct pool_service, service, pool->services)
			if (service->role == ROLE_DRAIN &&
			    !is_in_earlier_pool(asked->pools, pool,
						service->named.name))
				print_name(asked, service->named.name,
					   service->display_name
						   ? service->display_name
						   : "service");
}

static void print_gates(const struct asked *asked)
{
	for (int gate = 0; gate < GATE__COUNT; gate++)
		print_name(asked, gate_name((enum gate)gate), "gate");
	print_name(asked, "owner", "resume: end a drain of another owner");
}

static void print_profiles(const struct asked *asked)
{
	for (const struct profile *profile = profiles; profile->name; profile++)
		print_name(asked, profile->name, "profile");
}

static void print_shells(const struct asked *asked)
{
	for (const struct completion_script *script = completion_scripts;
	     script->name; script++)
		print_name(asked, script->name, "shell");
}

static void print_files(const struct asked *asked)
{
	(void)asked;
	(void)puts(":files\t");
}

/* The names that an option takes, and those that the arguments of a command stand
 * for; the first row that matches holds. */
static const struct names {
	const char *option; /* its name */
	const char *args;   /* is in the command's `args` */
	void (*print)(const struct asked *asked);
} names_table[] = {
	{"config", NULL, print_files},
	{"service", NULL, print_services},
	{"force", NULL, print_gates},
	{"confirm", NULL, print_pools},
	{"profile", NULL, print_profiles},
	{NULL, "[FILE] [NAME]", print_pools_and_servers},
	{NULL, "POOL", print_pools_and_servers},
	{NULL, "SERVER", print_servers},
	{NULL, "FILE", print_files},
	{NULL, "SHELL", print_shells},
};

static void print_names(const struct asked *asked)
{
	const struct completion_place *place = &asked->place;

	for (size_t i = 0; i < sizeof(names_table) / sizeof(names_table[0]); i++) {
		const struct names *names = &names_table[i];
		bool is_it = place->option
				     ? names->option && !strcmp(names->option,
								place->option->name)
				     : names->args && strstr(place->command->args,
							     names->args);

		if (is_it) {
			names->print(asked);
			return;
		}
	}
}

/* The shell hands over what was typed: "~/pool.yaml". */
static struct pool_config *load_pools(const char *config)
{
	const char *home = host_env("HOME");
	char *path = config && home && !strncmp(config, "~/", 2)
			     ? xasprintf("%s%s", home, config + 1)
			     : NULL;
	struct options options = {.config = path ? path : config};
	char standard[HOST_PATH_BYTES];
	struct buf mistakes = {0};
	struct pool_config *pools;
	struct err err = {0};

	/* config_path asks which command it is for. */
	options.given.words = (struct texts){(const char *[]){"status"}, 1};
	pools = pool_config_load(config_path(&options, standard),
				 pool_config_remedy, &mistakes, &err);
	buf_done(&mistakes);
	free(path);
	return pools;
}

bool completion_is_asked(int argc, char **argv)
{
	return argc > 1 && !strncmp(argv[1], question, sizeof(question) - 1);
}

void completion_print(const struct command_line *line, int argc, char **argv)
{
	struct asked asked = {.current = argv[1] + sizeof(question) - 1};
	struct texts words = {xcalloc((size_t)argc, sizeof(*words.items)), 0};

	if (!strcmp(asked.current, "="))
		asked.current = "";
	for (int i = 2; i < argc; i++)
		words.items[words.count++] = argv[i];
	command_completion_find(line, &words, asked.current, &asked.place,
				print_word, &asked);
	if (asked.place.option || asked.place.command) {
		asked.pools = load_pools(asked.place.config);
		print_names(&asked);
		pool_config_free(asked.pools);
	}
	command_completion_done(&asked.place);
	free(words.items);
}

int command_completion(const struct options *options,
		       const struct pool_config *config, struct err *err)
{
	const char *shell = options->given.words.items[1];
	struct nearest nearest = {.word = shell};
	struct buf known = {0};

	(void)config;
	for (const struct completion_script *script = completion_scripts;
	     script->name; script++) {
		if (!strcmp(script->name, shell)) {
			buf_done(&known);
			/* As it is: its lines begin with tabs. */
			(void)fputs(script->text, stdout);
			return 0;
		}
		nearest_try(&nearest, script->name);
		buf_printf(&known, "%s%s", known.length ? ", " : "", script->name);
	}
	(void)err_set(err, ERR_USAGE,
		      "no completion for the shell '%s'%s; there is one for %s",
		      shell, nearest_hint(&nearest), known.text);
	buf_done(&known);
	return -1;
}
