/*
 * Completions: what a shell asks poolctl for at a Tab, and the scripts that let
 * shells ask.
 */
#ifndef POOLCTL_COMPLETION_H
#define POOLCTL_COMPLETION_H

#include "commands/commands.h"
#include "text/command_table.h"

/*
 * True if the arguments are a question of a shell: "--complete=CURRENT", then the
 * words before the current one, without the program's name.
 */
bool completion_is_asked(int argc, char **argv);

/*
 * Prints the words that may stand for the current one, a line each: the word, a
 * tab, and what it means.  The word ":files" stands for names of files, which the
 * shell knows.  Names of pools, servers and services come from pool.yaml; if that
 * cannot be read, they are left out.  It never fails and never complains, because
 * whoever presses Tab has asked for neither.
 */
void completion_print(const struct command_line *line, int argc, char **argv);

/* `poolctl completion SHELL`: prints the script for a shell. */
command_run command_completion;

#endif
