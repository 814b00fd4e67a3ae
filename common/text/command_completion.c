#include "text/command_completion.h"

#include "buf.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

enum { LETTER_BYTES = 2, DASHES = 2 }; /* "-o", "--" */

/* A command line that is read up to the current word. */
struct reading {
	const struct command_line *line;
	uint64_t used;                /* one bit for each option */
	const struct option *pending; /* its value comes next */
	bool are_words;               /* after "--" */
	struct texts arguments;       /* what is no option, with the command */
	const char *config;
	completion_add *add;
	void *context;
};

static const struct option *option_of(const struct command_line *line,
				      const char *word)
{
	if (word[1] == '-')
		return command_table_option(line, word + DASHES,
					    strcspn(word + DASHES, "="));
	return command_table_letter(line, word[1]);
}

static void note_value(struct reading *reading, const struct option *option,
		       const char *value)
{
	if (!strcmp(option->name, "config"))
		reading->config = value;
}

static void read_option(struct reading *reading, const char *word)
{
	const struct option *option = option_of(reading->line, word);
	const char *value = strchr(word, '=');

	if (!option)
		return;
	reading->used |= UINT64_C(1) << (option - reading->line->options);
	if (option->type == OPTION_FLAG)
		return;
	if (word[1] == '-' && value)
		note_value(reading, option, value + 1);
	else if (word[1] == '-' || !word[LETTER_BYTES])
		reading->pending = option;
}

static void read_word(struct reading *reading, const char *word)
{
	if (!strcmp(word, "="))
		return;
	if (reading->pending) {
		note_value(reading, reading->pending, word);
		reading->pending = NULL;
	} else if (!reading->are_words && !strcmp(word, "--")) {
		reading->are_words = true;
	} else if (!reading->are_words && word[0] == '-' && word[1]) {
		read_option(reading, word);
	} else {
		reading->arguments.items[reading->arguments.count++] = word;
	}
}

/* ---- what may come ---- */

static void add_value(struct reading *reading, const struct option *option,
		      const char *current, size_t prefix_length,
		      struct completion_place *place)
{
	place->prefix = current;
	place->prefix_length = prefix_length;
	if (!option->choices) {
		place->option = option;
		return;
	}
	for (const char *const *choice = option->choices; *choice; choice++) {
		char *word =
			xasprintf("%.*s%s", (int)prefix_length, current, *choice);

		if (**choice)
			reading->add(reading->context, word, NULL);
		free(word);
	}
}

/* Those of the command, and of every command, that may still be given. */
static void add_options(struct reading *reading, const struct command *command)
{
	for (size_t i = 0; i < reading->line->option_count; i++) {
		const struct option *option = &reading->line->options[i];
		bool is_used = reading->used & UINT64_C(1) << i &&
			       option->type != OPTION_TEXTS;
		char *word = xasprintf("--%s", option->name);

		if (!is_used && (option->is_global ||
				 (command && command_takes(command, option->name))))
			reading->add(reading->context, word, option->help);
		free(word);
	}
}

/* The commands, of which some words, at most one, are there already. */
static void add_commands(struct reading *reading, const struct texts *words)
{
	const struct command_line *line = reading->line;

	for (size_t i = 0; i < line->command_count; i++) {
		const struct command *command = command_table_at(line, i);
		const char *second = strchr(command->name, ' ');
		char *first = xasprintf("%.*s", (int)strcspn(command->name, " "),
					command->name);
		bool is_again = i && command_is_first_word(
					     command_table_at(line, i - 1), first);

		if (!words->count && !is_again)
			reading->add(reading->context, first,
				     second ? NULL : command->help);
		else if (words->count == 1 && second &&
			 command_is_first_word(command, words->items[0]))
			reading->add(reading->context, second + 1, command->help);
		free(first);
	}
}

static void add_arguments(struct reading *reading, const struct command *command,
			  struct completion_place *place)
{
	size_t own = command_words(command);
	struct texts given = {reading->arguments.items + own,
			      reading->arguments.count - own};

	if (given.count >= command->max_args)
		return;
	if (strstr(command->args, "COMMAND")) {
		add_commands(reading, &given);
		return;
	}
	place->command = command;
	place->arguments = (struct texts){
		xcalloc(given.count + 1, sizeof(*given.items)), given.count};
	for (size_t i = 0; i < given.count; i++)
		place->arguments.items[i] = given.items[i];
}

static void add_all(struct reading *reading, const char *current,
		    struct completion_place *place)
{
	const struct texts *words = &reading->arguments;
	bool is_option = !reading->are_words && current[0] == '-';
	const char *equals = is_option ? strchr(current, '=') : NULL;
	const struct option *option =
		equals ? option_of(reading->line, current) : NULL;
	const struct command *command =
		words->count ? command_table_find(reading->line, words, NULL)
			     : NULL;

	if (reading->pending)
		add_value(reading, reading->pending, "", 0, place);
	else if (option && option->type != OPTION_FLAG)
		add_value(reading, option, current, (size_t)(equals + 1 - current),
			  place);
	else if (is_option)
		add_options(reading, command);
	else if (command)
		add_arguments(reading, command, place);
	else
		add_commands(reading, words);
}

void command_completion_find(const struct command_line *line,
			     const struct texts *words, const char *current,
			     struct completion_place *place, completion_add *add,
			     void *context)
{
	struct reading reading = {.line = line, .add = add, .context = context};

	*place = (struct completion_place){.prefix = ""};
	reading.arguments.items =
		xcalloc(words->count + 1, sizeof(*reading.arguments.items));
	for (size_t i = 0; i < words->count; i++)
		read_word(&reading, words->items[i]);
	add_all(&reading, strcmp(current, "=") ? current : "", place);
	place->config = reading.config;
	free(reading.arguments.items);
}

void command_completion_done(struct completion_place *place)
{
	free(place->arguments.items);
}
