/* poolctl: takes servers of a pool out of service and back, from an admin's machine. */
#include "commands.h"
#include "config.h"
#include "host.h"
#include "mem.h"
#include "schema.h"
#include "text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { ANY_NUMBER = 1000, USAGE_COLUMNS = 28 };

static int command_help(const struct options *options, const struct pool_config *config,
			struct err *err);
static int command_version(const struct options *options,
			   const struct pool_config *config, struct err *err);

static const struct command {
	const char *name;
	size_t min_args, max_args;
	bool has_config;
	int (*run)(const struct options *options, const struct pool_config *config,
		   struct err *err);
	const char *args;
	const char *options;
	const char *help;
} commands[] = {
	{"status", 0, ANY_NUMBER, true, command_status, "[POOL|SERVER...]", "watch",
	 "show what serves and what is out"},
	{"check", 0, ANY_NUMBER, true, command_check, "[POOL...|SERVER...]",
	 "service with-group deadline force accept-broken-sessions",
	 "say whether a pool is well, or may spare a server"},
	{"drain", 1, ANY_NUMBER, true, command_drain, "SERVER...",
	 "id owner reason service with-group deadline on-deadline until dry-run force confirm accept-broken-sessions lock-wait no-wait timeout",
	 "stop new sessions, wait for the rest"},
	{"resume", 1, ANY_NUMBER, true, command_resume, "SERVER...",
	 "id all owner no-wait timeout", "end a drain, wait until all is as before"},
	{"wait", 1, ANY_NUMBER, true, command_wait, "SERVER...", "for timeout",
	 "wait until servers are drained, or serve"},
	{"sessions", 1, 1, true, command_sessions, "SERVER", "service with-group limit",
	 "show who is still connected, oldest first"},
	{"events", 1, 1, true, command_events, "SERVER", "after limit follow verify head",
	 "show what happened on a server"},
	{"config check", 0, 1, false, command_config_check, "[FILE]", "poold",
	 "find the mistakes in a pool.yaml"},
	{"config show", 0, 1, true, command_config_show, "[POOL|SERVER]", "yaml",
	 "show what is in force, and where it is from"},
	{"config init", 0, 1, false, command_config_init, "[FILE]",
	 "pool fqdn profile server service", "write a first pool.yaml"},
	{"config schema", 0, 0, false, command_config_schema, "", "poold",
	 "print a JSON Schema for editors"},
	{"config reference", 0, 0, false, command_config_reference, "", "",
	 "print what all keys mean"},
	{"version", 0, 0, false, command_version, "", "", "show the version of poolctl"},
	{"help", 0, 2, false, command_help, "[COMMAND]", "",
	 "show this help, or a command's"},
};

enum { COMMANDS_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const char *command_name(const void *from, size_t i)
{
	return ((const struct command *)from)[i].name;
}

/* True if the word is the first of the command's name: "config" of "config show". */
static bool is_first_word(const struct command *command, const char *word)
{
	size_t length = strcspn(command->name, " ");

	return strlen(word) == length && !strncmp(command->name, word, length);
}

static size_t count_words(const struct command *command)
{
	return command->name[strcspn(command->name, " ")] ? 2 : 1;
}

static bool is_called(const struct command *command, const struct texts *words)
{
	size_t length = strcspn(command->name, " ");

	if (!is_first_word(command, words->items[0]))
		return false;
	return !command->name[length] ||
	       (words->count > 1 && !strcmp(command->name + length + 1, words->items[1]));
}

/* True if there are several commands that begin with this word. */
static bool is_group(const char *word)
{
	for (size_t i = 0; i < COMMANDS_COUNT; i++)
		if (is_first_word(&commands[i], word) && count_words(&commands[i]) > 1)
			return true;
	return false;
}

static void fail_unknown(const struct texts *words, struct err *err)
{
	const char *first = words->items[0], *nearest;
	char *both = xasprintf("%s %s", first, words->count > 1 ? words->items[1] : "");
	bool is_one = !is_group(first);

	nearest = schema_nearest(first, command_name, commands, COMMANDS_COUNT);
	if (!nearest) {
		nearest = schema_nearest(both, command_name, commands, COMMANDS_COUNT);
		is_one = is_one && !nearest;
	}
	if (nearest)
		(void)err_set(err, ERR_USAGE,
			      "there is no command '%s' (did you mean '%s'?)",
			      is_one ? first : both, nearest);
	else if (is_one || words->count > 1)
		(void)err_set(err, ERR_USAGE,
			      "there is no command '%s'; see poolctl --help",
			      is_one ? first : both);
	else
		(void)err_set(err, ERR_USAGE,
			      "'%s' needs one more word; see poolctl %s --help", first,
			      first);
	free(both);
}

static const struct command *find_command(const struct texts *words, struct err *err)
{
	for (size_t i = 0; i < COMMANDS_COUNT; i++)
		if (is_called(&commands[i], words))
			return &commands[i];
	fail_unknown(words, err);
	return NULL;
}

/* All commands, or those that begin with the word `group`. */
static void print_help(FILE *stream, const char *group)
{
	struct buf text = {0};

	buf_printf(&text, "Usage: poolctl %s%sCOMMAND [OPTION...]\n\nCommands:\n",
		   group ? group : "", group ? " " : "");
	for (size_t i = 0; i < COMMANDS_COUNT; i++) {
		int columns = USAGE_COLUMNS - 1 - (int)strlen(commands[i].name);

		if (!group || is_first_word(&commands[i], group))
			buf_printf(&text, "  %s %-*s%s\n", commands[i].name, columns,
				   commands[i].args, commands[i].help);
	}
	buf_puts(&text, "\nOptions of all commands:\n");
	options_help(NULL, &text);
	buf_puts(&text, "\nA command's own options: poolctl COMMAND --help\n");
	(void)fputs(text.text, stream);
	buf_done(&text);
}

static void print_command_help(const struct command *command)
{
	struct buf text = {0};

	buf_printf(&text, "Usage: poolctl %s%s%s%s\n\n%s\n\nOptions:\n", command->name,
		   *command->args ? " " : "", command->args,
		   *command->options ? " [OPTION...]" : "", command->help);
	options_help(command->options, &text);
	options_help(NULL, &text);
	(void)fputs(text.text, stdout);
	buf_done(&text);
}

static int explain(const struct texts *words, struct err *err)
{
	const struct command *command;

	if (words->count == 1 && is_group(words->items[0])) {
		print_help(stdout, words->items[0]);
		return 0;
	}
	command = find_command(words, err);
	if (!command)
		return -1;
	print_command_help(command);
	return 0;
}

static int command_help(const struct options *options, const struct pool_config *config,
			struct err *err)
{
	const struct texts words = {options->words.items + 1, options->words.count - 1};

	(void)config;
	if (words.count)
		return explain(&words, err);
	print_help(stdout, NULL);
	return 0;
}

static int command_version(const struct options *options,
			   const struct pool_config *config, struct err *err)
{
	(void)options;
	(void)config;
	(void)err;
	(void)printf("poolctl %s\n", VERSION);
	return 0;
}

static int check_arguments(const struct command *command, const struct options *options,
			   struct err *err)
{
	size_t own = count_words(command), count = options->words.count - own;

	if (count < command->min_args)
		return err_set(err, ERR_USAGE, "'%s' needs %s", command->name,
			       command->args);
	if (count > command->max_args)
		return err_set(err, ERR_USAGE, "'%s' has no use for '%s'", command->name,
			       options->words.items[command->max_args + own]);
	return options_check(options, command->name, command->options, err);
}

/* The error's text is the first mistake of the file; the others are told here. */
static struct pool_config *load_config(const struct options *options, struct err *err)
{
	char standard[HOST_PATH_BYTES];
	struct buf mistakes = {0};
	struct pool_config *config;

	config = pool_config_load(config_path(options, standard), &mistakes, err);
	for (char *line = mistakes.text, *end; !config && line && *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		text_complain("%s", line);
	}
	buf_done(&mistakes);
	return config;
}

static int run(const struct command *command, const struct options *options,
	       struct err *err)
{
	struct pool_config *config = NULL;
	int ret;

	if (check_arguments(command, options, err))
		return -1;
	if (command->has_config) {
		config = load_config(options, err);
		if (!config)
			return err_info(ERR_CONFIG)->exit_status;
	}
	ret = command->run(options, config, err);
	pool_config_free(config);
	return ret;
}

static int run_words(const struct options *options, struct err *err)
{
	const struct command *command;

	if (options->has_version)
		return command_version(options, NULL, err);
	if (!options->words.count) {
		print_help(options->has_help ? stdout : stderr, NULL);
		return options->has_help ? 0 : err_info(ERR_USAGE)->exit_status;
	}
	if (options->has_help)
		return explain(&options->words, err);
	command = find_command(&options->words, err);
	if (!command)
		return -1;
	return run(command, options, err);
}

int main(int argc, char **argv)
{
	struct options options;
	struct err err = {0};
	const char *no_color = getenv("NO_COLOR");
	int status = -1;

	json_set_alloc_funcs(xmalloc, free);
	host_init(&argc, &argv);
	if (!options_parse(argc, argv, &options, &err)) {
		options.has_no_color |= no_color && *no_color;
		status = run_words(&options, &err);
	}
	if (status < 0) {
		text_complain("%s", err.text);
		status = err_info(err.code)->exit_status;
	}
	options_done(&options);
	return status;
}
