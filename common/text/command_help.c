#include "text/command_help.h"

#include "buf.h"
#include "text/json_write.h"

#include <stdlib.h>
#include <string.h>

enum { OPTION_COLUMNS = 26, COMMAND_COLUMNS = 28 };

/* Those of the command, or with NULL the global ones. */
static bool is_option_of(const struct option *option, const struct command *command)
{
	return command ? command_takes(command, option->name) : option->is_global;
}

/* The options of the command, or with NULL the global ones. */
static void add_options(const struct command_line *line,
			const struct command *command, struct buf *text)
{
	for (size_t i = 0; i < line->option_count; i++) {
		const struct option *option = &line->options[i];
		int columns = OPTION_COLUMNS - 3 - (int)strlen(option->name);

		if (is_option_of(option, command))
			buf_printf(text, "  --%s %-*s%s\n", option->name, columns,
				   option->value ? option->value : "",
				   option->help);
	}
}

/* All commands, or those that begin with the word `group`. */
static void print_list(const struct command_line *line, FILE *stream,
		       const char *group)
{
	struct buf text = {0};

	buf_printf(&text, "Usage: %s %s%sCOMMAND [OPTION...]\n\nCommands:\n",
		   line->program, group ? group : "", group ? " " : "");
	for (size_t i = 0; i < line->command_count; i++) {
		const struct command *command = command_table_at(line, i);
		int columns = COMMAND_COLUMNS - 1 - (int)strlen(command->name);

		if (!group || command_is_first_word(command, group))
			buf_printf(&text, "  %s %-*s%s\n", command->name, columns,
				   command->args, command->help);
	}
	buf_puts(&text, "\nOptions of every command:\n");
	add_options(line, NULL, &text);
	buf_printf(&text, "\nThe options of one command: %s COMMAND --help\n",
		   line->program);
	(void)fputs(text.text, stream);
	buf_done(&text);
}

void command_help_overview(const struct command_line *line, FILE *stream)
{
	print_list(line, stream, NULL);
}

static void add_examples(const struct command_line *line,
			 const struct command *command, struct buf *text)
{
	size_t length;

	if (!command->examples)
		return;
	buf_puts(text, "\nExamples:\n");
	for (const char *from = command->examples; *from;
	     from += length + (from[length] != '\0')) {
		length = strcspn(from, "\n");
		buf_printf(text, "  %s %.*s\n", line->program, (int)length, from);
	}
}

static void print_command(const struct command_line *line,
			  const struct command *command)
{
	struct buf text = {0};

	buf_printf(&text, "Usage: %s %s%s%s [OPTION...]\n\n%s\n\nOptions:\n",
		   line->program, command->name, *command->args ? " " : "",
		   command->args, command->about ? command->about : command->help);
	add_options(line, command, &text);
	add_options(line, NULL, &text);
	add_examples(line, command, &text);
	(void)fputs(text.text, stdout);
	buf_done(&text);
}

/* ---- as JSON ---- */

static void print_json(json_t *document)
{
	(void)json_dumpf(document, stdout, JSON_COMPACT);
	(void)fputs("\n", stdout);
	json_decref(document);
}

static json_t *describe_options(const struct command_line *line,
				const struct command *command)
{
	json_t *list = json_array();

	for (size_t i = 0; i < line->option_count; i++) {
		const struct option *option = &line->options[i];
		json_t *object;

		if (!is_option_of(option, command))
			continue;
		object = json_object();
		json_write_text(object, "option", option->name);
		json_write_text(object, "value", option->value);
		json_write_text(object, "help", option->help);
		json_write_item(list, object);
	}
	return list;
}

static json_t *describe_command(const struct command_line *line,
				const struct command *command)
{
	json_t *object = json_object();

	json_write_text(object, "command", command->name);
	json_write_text(object, "arguments", command->args);
	json_write_text(object, "help", command->help);
	json_write_text(object, "about", command->about);
	json_write_text(object, "examples", command->examples);
	json_write_value(object, "options", describe_options(line, command));
	return object;
}

/* One command, those of a group, or all. */
static void print_as_json(const struct command_line *line,
			  const struct command *command, const char *group)
{
	json_t *document = json_object(), *list = json_array();

	for (size_t i = 0; i < line->command_count; i++) {
		const struct command *one = command_table_at(line, i);

		if (command ? one == command
			    : !group || command_is_first_word(one, group))
			json_write_item(list, describe_command(line, one));
	}
	json_write_text(document, "program", line->program);
	json_write_value(document, "commands", list);
	json_write_value(document, "options", describe_options(line, NULL));
	print_json(document);
}

/* ---- both ---- */

int command_help_print(const struct command_line *line, const struct texts *words,
		       bool is_json, struct err *err)
{
	const char *first = words->count ? words->items[0] : NULL;
	bool is_list = !first ||
		       (words->count == 1 && command_table_is_group(line, first));
	const struct command *command =
		is_list ? NULL : command_table_find(line, words, err);

	if (!is_list && !command)
		return -1;
	if (is_json)
		print_as_json(line, command, first);
	else if (command)
		print_command(line, command);
	else
		print_list(line, stdout, first);
	return 0;
}

int command_help_version(const struct command_line *line, bool is_json)
{
	json_t *document;

	if (!is_json) {
		(void)printf("%s %s\n", line->program, line->version);
		return 0;
	}
	document = json_object();
	json_write_text(document, "program", line->program);
	json_write_text(document, "version", line->version);
	print_json(document);
	return 0;
}
