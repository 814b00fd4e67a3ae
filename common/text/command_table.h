/*
 * What a program takes on its command line, as two tables: its options, and its
 * commands.
 */
#ifndef COMMON_COMMAND_TABLE_H
#define COMMON_COMMAND_TABLE_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COMMAND_LINE_OPTIONS_LIMIT = 64 };

struct texts {
	const char **items;
	size_t count;
};

/* What an option takes, and the type of the field that it sets. */
enum option_type {
	OPTION_FLAG,     /* nothing; bool */
	OPTION_TEXT,     /* const char * */
	OPTION_PROSE,    /* the same; its line breaks become spaces, in argv */
	OPTION_TEXTS,    /* const char *, again and again; struct texts */
	OPTION_ID,       /* of a drain; const char * */
	OPTION_HASH,     /* of an event; const char * */
	OPTION_CHOICE,   /* one of `choices`; int, its place */
	OPTION_DURATION, /* up to a year; int64_t, in ms */
	OPTION_DEADLINE, /* the same but not 0, or "none"; int64_t, in ms, 0 for
			    none */
	OPTION_NUMBER,   /* from 0 up; int64_t */
};

struct option {
	const char *name;
	char letter;    /* -o; 0: none */
	bool is_global; /* every command takes it */
	enum option_type type;
	size_t offset;     /* of its field in the program's own struct of options */
	const char *value; /* NULL for a flag; for help */
	const char *help;
	const char *const *choices; /* NULL at the end */
};

/* Programs put this first in their own struct of a command. */
struct command {
	const char *name; /* one word or two */
	size_t min_args, max_args;
	const char *args; /* for help */
	const char
		*options;  /* those it takes but the global ones, a space between */
	const char *help;  /* in the list of commands */
	const char *about; /* in its own help; NULL: no more than that */
	/* Lines in its own help, without the program; or NULL. */
	const char *examples;
	const char *also; /* words that people come with, for the hint, a space
			     between */
};

struct command_line {
	const char *program, *version;
	const struct option *options;
	size_t option_count;  /* at most COMMAND_LINE_OPTIONS_LIMIT */
	const void *commands; /* an array */
	size_t command_bytes, command_count;
};

/* The command at a place of the table, from 0 on. */
const struct command *command_table_at(const struct command_line *line, size_t i);

/* The command that these words, at least one, begin with; else NULL with ERR_USAGE.
 */
const struct command *command_table_find(const struct command_line *line,
					 const struct texts *words,
					 struct err *err);

/* True if there are several commands that begin with this word. */
bool command_table_is_group(const struct command_line *line, const char *word);

/* True if the word is the first of the command's name: "config" of "config show".
 */
bool command_is_first_word(const struct command *command, const char *word);

/* The option with this name, of so many bytes, or with this letter; or NULL. */
const struct option *command_table_option(const struct command_line *line,
					  const char *name, size_t length);
const struct option *command_table_letter(const struct command_line *line,
					  char letter);

/* How many words the name of the command has. */
size_t command_words(const struct command *command);

/* True if the name is one of those in the list, which have spaces between them. */
bool command_takes(const struct command *command, const char *option);

#endif
