#include "text/command_table.h"

#include "buf.h"
#include "mem.h"
#include "text/nearest.h"

#include <stdlib.h>
#include <string.h>

const struct command *command_table_at(const struct command_line *line, size_t i)
{
	return (const void *)((const char *)line->commands +
			      i * line->command_bytes);
}

const struct option *command_table_option(const struct command_line *line,
					  const char *name, size_t length)
{
	for (size_t i = 0; i < line->option_count; i++)
		if (strlen(line->options[i].name) == length &&
		    !strncmp(line->options[i].name, name, length))
			return &line->options[i];
	return NULL;
}

const struct option *command_table_letter(const struct command_line *line,
					  char letter)
{
	for (size_t i = 0; i < line->option_count; i++)
		if (letter && line->options[i].letter == letter)
			return &line->options[i];
	return NULL;
}

size_t command_words(const struct command *command)
{
	return strchr(command->name, ' ') ? 2 : 1;
}

/* True if the word is in the list, which has spaces between its words. */
static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (; list && *list; list += strcspn(list, " "), list += *list == ' ')
		if (strcspn(list, " ") == length && !strncmp(list, word, length))
			return true;
	return false;
}

bool command_takes(const struct command *command, const char *option)
{
	return has_word(command->options, option);
}

bool command_is_first_word(const struct command *command, const char *word)
{
	size_t length = strcspn(command->name, " ");

	return strlen(word) == length && !strncmp(command->name, word, length);
}

static bool is_called(const struct command *command, const struct texts *words)
{
	const char *second = strchr(command->name, ' ');

	if (!command_is_first_word(command, words->items[0]))
		return false;
	return !second ||
	       (words->count > 1 && !strcmp(second + 1, words->items[1]));
}

bool command_table_is_group(const struct command_line *line, const char *word)
{
	for (size_t i = 0; i < line->command_count; i++)
		if (command_is_first_word(command_table_at(line, i), word) &&
		    command_words(command_table_at(line, i)) > 1)
			return true;
	return false;
}

/* What people call the command elsewhere: "undrain", "config validate". */
static bool is_known_as(const struct command *command, const char *first,
			const char *second)
{
	return has_word(command->also,
			command_is_first_word(command, first) ? second : first);
}

/* The first word alone may be a mistyped command; else both may be one of a group.
 */
static void fail_unknown(const struct command_line *line, const struct texts *words,
			 struct err *err)
{
	const char *first = words->items[0],
		   *second = words->count > 1 ? words->items[1] : "";
	char *both = xasprintf("%s %s", first, second);
	struct nearest nearest = {.word = first}, nearest_pair = {.word = both};
	const char *word = command_table_is_group(line, first) ? both : first;

	for (size_t i = 0; i < line->command_count; i++) {
		if (is_known_as(command_table_at(line, i), first, second)) {
			nearest.found = command_table_at(line, i)->name;
			break;
		}
		nearest_try(&nearest, command_table_at(line, i)->name);
		nearest_try(&nearest_pair, command_table_at(line, i)->name);
	}
	if (!nearest.found && nearest_pair.found) {
		nearest = nearest_pair;
		word = both;
	}
	if (nearest.found)
		(void)err_set(err, ERR_USAGE, "unknown command '%s'%s", word,
			      nearest_hint(&nearest));
	else if (command_table_is_group(line, first) && !*second)
		(void)err_set(err, ERR_USAGE,
			      "'%s' needs one more word; see %s %s --help", first,
			      line->program, first);
	else
		(void)err_set(err, ERR_USAGE, "unknown command '%s'; see %s --help",
			      word, line->program);
	free(both);
}

const struct command *command_table_find(const struct command_line *line,
					 const struct texts *words, struct err *err)
{
	for (size_t i = 0; i < line->command_count; i++)
		if (is_called(command_table_at(line, i), words))
			return command_table_at(line, i);
	fail_unknown(line, words, err);
	return NULL;
}
