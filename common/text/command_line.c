#include "text/command_line.h"

#include "api.h"
#include "buf.h"
#include "chain.h"
#include "mem.h"
#include "text/command_help.h"
#include "text/duration.h"
#include "text/nearest.h"
#include "text/text.h"
#include "text/words.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

static const int64_t duration_limit_ms = INT64_C(365) * 24 * 3600 * 1000;

/* ---- options ---- */

/* `length` bytes of the word are the option, without its value. */
/* The first word that was given before, if that is a command: its help knows more.
 */
static const char *command_of(const struct command_line *line,
			      const struct given *given)
{
	for (size_t i = 0; given->words.count && i < line->command_count; i++)
		if (!strcmp(command_table_at(line, i)->name, given->words.items[0]))
			return given->words.items[0];
	return NULL;
}

static int fail_unknown_option(const struct command_line *line,
			       const struct given *given, const char *word,
			       size_t length, struct err *err)
{
	const char *command = command_of(line, given);
	char *name = xasprintf("%.*s", (int)length, word);
	struct nearest nearest = {.word = name + strspn(name, "-"), .prefix = "--"};

	for (size_t i = 0; name[1] == '-' && i < line->option_count; i++)
		nearest_try(&nearest, line->options[i].name);
	(void)err_set(err, ERR_USAGE, "unknown option '%s'%s; see %s%s%s --help",
		      name, nearest_hint(&nearest), line->program,
		      command ? " " : "", command ? command : "");
	free(name);
	return -1;
}

static void add_text(struct texts *texts, const char *text)
{
	texts->items =
		xrealloc(texts->items, (texts->count + 1) * sizeof(*texts->items));
	texts->items[texts->count++] = text;
}

static int read_duration(const char *text, int64_t *ms)
{
	return duration_parse(text, ms) || *ms > duration_limit_ms ? -1 : 0;
}

/* 0 stands for no deadline, so 0s cannot be asked for. */
static int read_deadline(const char *text, int64_t *ms)
{
	*ms = 0;
	if (!strcmp(text, "none"))
		return 0;
	return read_duration(text, ms) || !*ms ? -1 : 0;
}

static bool is_hash(const char *text)
{
	size_t digits = strspn(text, "0123456789abcdef");

	return digits == CHAIN_HASH_BYTES - 1 && !text[digits];
}

/* A text has no characters over which a reader of HTTP headers, JSON or logs would
 * trip.
 */
static int check_text(const struct option *option, const char *text,
		      struct err *err)
{
	size_t bytes = strlen(text), length;

	if (bytes >= API_TEXT_BYTES)
		return err_set(
			err, ERR_USAGE,
			"option --%s may have at most %d bytes, and this has %zu",
			option->name, API_TEXT_BYTES - 1, bytes);
	for (const char *from = text; *from; from += length) {
		uint32_t character = utf8_read(from, &length);

		if (!utf8_is_shown(character))
			return err_set(
				err, ERR_USAGE,
				"option --%s has a character that cannot be shown, at "
				"byte %zu: U+%04X; write it without",
				option->name, (size_t)(from - text) + 1,
				(unsigned)(character ? character
						     : (unsigned char)*from));
	}
	return 0;
}

/* Sets the option's field.  Fails with `err` set or not. */
static int set(const struct option *option, char *value, void *field,
	       struct err *err)
{
	const char *end;

	switch (option->type) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_ID:
		*(const char **)field = value;
		return api_id_is_valid(value) ? 0 : -1;
	case OPTION_TEXTS:
		add_text(field, value);
		return check_text(option, value, err);
	case OPTION_CHOICE:
		*(int *)field = words_find(option->choices, value);
		return *(int *)field < 0 ? -1 : 0;
	case OPTION_DURATION:
		return read_duration(value, field);
	case OPTION_DEADLINE:
		return read_deadline(value, field);
	case OPTION_HASH:
		*(const char **)field = value;
		return is_hash(value) ? 0 : -1;
	case OPTION_NUMBER:
		return text_read_number(value, field, &end) || *end ? -1 : 0;
	case OPTION_PROSE:
		text_join_lines(value);
		*(const char **)field = value;
		return *value ? check_text(option, value, err) : -1;
	default:
		*(const char **)field = value;
		return check_text(option, value, err);
	}
}

/* The value of an option may be a word of its own, unless that looks like an
 * option: then the value was forgotten, or came from a variable that is empty. */
static int find_value(const struct command_line *line, const struct option *option,
		      char *next, char **value, struct err *err)
{
	bool is_option = next && next[0] == '-' &&
			 (next[1] == '-' || command_table_letter(line, next[1]));

	if (!*value && !is_option)
		*value = next;
	if (*value && **value)
		return 0;
	if (!*value && is_option)
		return err_set(
			err, ERR_USAGE,
			"option --%s needs a value, and '%s' is an option; if it "
			"is the value: --%s=%s",
			option->name, next, option->name, next);
	return err_set(err, ERR_USAGE, "option --%s needs a value: %s (%s)",
		       option->name, option->value, option->help);
}

/* Of two values one would be lost, unless they add up. */
static int note_use(const struct command_line *line, const struct option *option,
		    struct given *given, struct err *err)
{
	uint64_t bit = UINT64_C(1) << (option - line->options);
	bool adds_up = option->type == OPTION_FLAG || option->type == OPTION_TEXTS;

	if (given->used & bit && !adds_up)
		return err_set(err, ERR_USAGE, "option --%s is given twice",
			       option->name);
	given->used |= bit;
	return 0;
}

/* What the option takes, for one that does not take the value. */
static int fail_value(const struct option *option, const char *value,
		      struct err *err)
{
	bool is_number = value[strspn(value, "0123456789")] == '\0';

	switch (option->type) {
	case OPTION_ID:
		return err_set(
			err, ERR_USAGE,
			"option --%s cannot be '%s': it may have up to %d letters, "
			"digits and . _ @ -, the first a letter or a digit (no spaces)",
			option->name, value, API_ID_BYTES - 1);
	case OPTION_DURATION:
	case OPTION_DEADLINE:
		if (is_number)
			return err_set(
				err, ERR_USAGE,
				"option --%s cannot be '%s': it needs a unit, like "
				"%ss, %sm or %sh",
				option->name, value, value, value, value);
		return err_set(
			err, ERR_USAGE,
			"option --%s cannot be '%s': expected " DURATION_SYNTAX
			" (%s)",
			option->name, value, option->help);
	default:
		return err_set(err, ERR_USAGE,
			       "option --%s cannot be '%s': %s (%s)", option->name,
			       value, option->value, option->help);
	}
}

/* Reads the option in argv[i]; returns how many arguments it took, or -1. */
static int read_option(const struct command_line *line, char **argv, int i,
		       void *options, struct err *err)
{
	char *word = argv[i], *value = NULL;
	bool is_long = word[1] == '-', is_apart;
	size_t length = is_long ? 2 + strcspn(word + 2, "=") : 2;
	const struct option *option =
		is_long ? command_table_option(line, word + 2, length - 2)
			: command_table_letter(line, word[1]);

	if (!option)
		return fail_unknown_option(line, options, word, length, err);
	if (word[length])
		value = word + length + (word[length] == '=' ? 1 : 0);
	is_apart = !value && option->type != OPTION_FLAG;
	if (option->type == OPTION_FLAG && value)
		return err_set(err, ERR_USAGE, "option --%s takes no value",
			       option->name);
	if (option->type != OPTION_FLAG &&
	    find_value(line, option, argv[i + 1], &value, err))
		return -1;
	if (note_use(line, option, options, err))
		return -1;
	if (set(option, value, (char *)options + option->offset, err))
		return fail_value(option, value, err);
	return is_apart ? 2 : 1;
}

/* What people of other programs and of Windows try. */
static bool asks_for_help(const char *word)
{
	return !strcmp(word, "-?") || !strcmp(word, "/?");
}

int command_line_parse(const struct command_line *line, int argc, char **argv,
		       void *options, struct err *err)
{
	struct given *given = options;
	bool are_words = false; /* after "--" */

	for (int i = 1; i < argc;) {
		int taken = 1;

		if (!are_words && !strcmp(argv[i], "--"))
			are_words = true;
		else if (!are_words && asks_for_help(argv[i]))
			given->has_help = true;
		else if (are_words || argv[i][0] != '-' || !argv[i][1])
			add_text(&given->words, argv[i]);
		else
			taken = read_option(line, argv, i, options, err);
		if (taken < 0)
			return -1;
		i += taken;
	}
	return 0;
}

/* ---- commands ---- */

static int check(const struct command_line *line, const struct command *command,
		 const struct given *given, struct err *err)
{
	size_t own = command_words(command), count = given->words.count - own;

	if (count < command->min_args)
		return err_set(err, ERR_USAGE, "'%s' needs %s; see %s %s --help",
			       command->name, command->args, line->program,
			       command->name);
	if (count > command->max_args)
		return err_set(err, ERR_USAGE,
			       "unexpected argument '%s'; see %s %s --help",
			       given->words.items[command->max_args + own],
			       line->program, command->name);
	for (size_t i = 0; i < line->option_count; i++)
		if (!line->options[i].is_global &&
		    (given->used & UINT64_C(1) << i) &&
		    !command_takes(command, line->options[i].name))
			return err_set(err, ERR_USAGE,
				       "'%s' has no option --%s; see %s %s --help",
				       command->name, line->options[i].name,
				       line->program, command->name);
	return 0;
}

const void *command_line_choose(const struct command_line *line,
				const struct given *given, int *status,
				struct err *err)
{
	const struct texts *words = &given->words;
	const struct command *command;

	*status = -1;
	if (given->has_version) {
		*status = command_help_version(line, given->is_json);
		return NULL;
	}
	if (given->has_help) {
		*status = command_help_print(line, words, given->is_json, err);
		return NULL;
	}
	if (!words->count) {
		command_help_overview(line, stderr);
		*status = err_info(ERR_USAGE)->exit_status;
		return NULL;
	}
	command = command_table_find(line, words, err);
	if (!command || check(line, command, given, err))
		return NULL;
	if (!strcmp(command->name, "version")) {
		*status = command_help_version(line, given->is_json);
		return NULL;
	}
	if (!strcmp(command->name, "help")) {
		*status = command_help_print(
			line, &(struct texts){words->items + 1, words->count - 1},
			given->is_json, err);
		return NULL;
	}
	return command;
}
