/* poolctl: takes servers of a pool out of service and back, from an admin's machine. */
#include "commands.h"
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
	{"status", 0, ANY_NUMBER, true, command_status, "[POOL|SERVER...]", "",
	 "show what serves and what is out"},
	{"drain", 1, ANY_NUMBER, true, command_drain, "SERVER...",
	 "id owner reason service no-wait timeout",
	 "stop new sessions, wait for the rest"},
	{"resume", 1, ANY_NUMBER, true, command_resume, "SERVER...",
	 "id all owner no-wait timeout", "end a drain, wait until all is as before"},
	{"wait", 1, ANY_NUMBER, true, command_wait, "SERVER...", "for timeout",
	 "wait until servers are drained, or serve"},
	{"events", 1, 1, true, command_events, "SERVER", "after limit",
	 "show what happened on a server"},
	{"version", 0, 0, false, command_version, "", "", "show the version of poolctl"},
	{"help", 0, 1, false, command_help, "[COMMAND]", "",
	 "show this help, or a command's"},
};

enum { COMMANDS_COUNT = sizeof(commands) / sizeof(commands[0]) };

static const char *command_name(const void *from, size_t i)
{
	return ((const struct command *)from)[i].name;
}

static const struct command *find_command(const char *name, struct err *err)
{
	const char *nearest;

	for (size_t i = 0; i < COMMANDS_COUNT; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	nearest = schema_nearest(name, command_name, commands, COMMANDS_COUNT);
	if (nearest)
		(void)err_set(err, ERR_USAGE,
			      "there is no command '%s' (did you mean '%s'?)", name,
			      nearest);
	else
		(void)err_set(err, ERR_USAGE,
			      "there is no command '%s'; see poolctl --help", name);
	return NULL;
}

static void print_help(FILE *stream)
{
	struct buf text = {0};

	buf_puts(&text, "Usage: poolctl COMMAND [OPTION...]\n\nCommands:\n");
	for (size_t i = 0; i < COMMANDS_COUNT; i++) {
		int columns = USAGE_COLUMNS - 1 - (int)strlen(commands[i].name);

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

static int command_help(const struct options *options, const struct pool_config *config,
			struct err *err)
{
	const struct command *command;

	(void)config;
	if (options->words.count < 2) {
		print_help(stdout);
		return 0;
	}
	command = find_command(options->words.items[1], err);
	if (!command)
		return -1;
	print_command_help(command);
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
	size_t count = options->words.count - 1;

	if (count < command->min_args)
		return err_set(err, ERR_USAGE, "'%s' needs %s", command->name,
			       command->args);
	if (count > command->max_args)
		return err_set(err, ERR_USAGE, "'%s' has no use for '%s'", command->name,
			       options->words.items[command->max_args + 1]);
	return options_check(options, command->name, command->options, err);
}

/* The error's text is the first mistake of the file; the others are told here. */
static struct pool_config *load_config(const struct options *options, struct err *err)
{
	const char *path = options->config ? options->config : host_env("POOLCTL_CONFIG");
	char standard_path[HOST_PATH_BYTES];
	struct buf mistakes = {0};
	struct pool_config *config;

	if (!path || !*path) {
		host_config_path("pool.yaml", standard_path);
		path = standard_path;
	}
	config = pool_config_load(path, &mistakes, err);
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
		print_help(options->has_help ? stdout : stderr);
		return options->has_help ? 0 : err_info(ERR_USAGE)->exit_status;
	}
	command = find_command(options->words.items[0], err);
	if (!command)
		return -1;
	if (options->has_help) {
		print_command_help(command);
		return 0;
	}
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
