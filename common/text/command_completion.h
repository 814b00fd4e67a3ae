/*
 * The words that may come next on a command line, for a shell that completes it.
 */
#ifndef COMMON_COMMAND_COMPLETION_H
#define COMMON_COMMAND_COMPLETION_H

#include "text/command_table.h"

/* The place on the command line at which the program's own names stand.  All texts
 * are borrowed. */
struct completion_place {
	const struct option *option;   /* its value; else NULL */
	const struct command *command; /* its arguments; else NULL */
	const char *prefix; /* of the current word, before the value: "--config=" */
	size_t prefix_length;
	struct texts arguments; /* those that the command already has; see done */
	const char *config;     /* the value of the option "config"; or NULL */
};

/* Gets one word, and what it means, or NULL. */
typedef void completion_add(void *context, const char *word, const char *help);

/*
 * Hands over the words of the tables that may stand where `current`, which may be
 * empty, stands, behind `words`.  It hands over all of them: the caller leaves out
 * those that do not begin as `current` does.  Fills `place` if there also stand
 * names that the program knows; if not, option and command are NULL.  It takes
 * every command line, also a wrong one.
 *
 * bash gives "--output=json" as three words; a word "=" is therefore left out.
 */
void command_completion_find(const struct command_line *line,
			     const struct texts *words, const char *current,
			     struct completion_place *place, completion_add *add,
			     void *context);

/* Frees what the place owns. */
void command_completion_done(struct completion_place *place);

#endif
