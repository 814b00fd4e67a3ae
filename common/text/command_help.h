/*
 * What a program says about itself: its help and its version, as text or as JSON.
 */
#ifndef COMMON_COMMAND_HELP_H
#define COMMON_COMMAND_HELP_H

#include "text/command_table.h"

#include <stdio.h>

/* Prints the help of the command with this name, of a group of commands, or of all
 * without words, on standard output.  Returns 0, or -1 with ERR_USAGE. */
int command_help_print(const struct command_line *line, const struct texts *words,
		       bool is_json, struct err *err);

/* Prints all commands. */
void command_help_overview(const struct command_line *line, FILE *stream);

/* Prints the version on standard output; returns 0. */
int command_help_version(const struct command_line *line, bool is_json);

#endif
