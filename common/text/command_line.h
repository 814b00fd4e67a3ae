/*
 * Reads the command line of a program.
 */
#ifndef COMMON_COMMAND_LINE_H
#define COMMON_COMMAND_LINE_H

#include "text/command_table.h"

/* Programs put this first in their own struct of options. */
struct given {
	uint64_t used;      /* one bit for each option, by its place in the table */
	struct texts words; /* what is no option: the command and its arguments */
	bool has_help, has_version;
	bool is_json; /* the program's own: help and version are to be JSON */
};

/*
 * Reads the command line into `options`, which begins with a struct given and has
 * the defaults in it.  Its texts are those of argv.  Fails with ERR_USAGE.
 *
 * A value follows as a word of its own or after "=", and is not empty; a word that
 * looks like an option is no value.  An option with a value may be given again only
 * if its values add up (OPTION_TEXTS).  After "--" there are no options.
 */
int command_line_parse(const struct command_line *line, int argc, char **argv,
		       void *options, struct err *err);

/*
 * The command to run, checked with its arguments and options.  NULL if there is
 * none:
 * `*status` is the exit status then, after what was asked for was printed (help,
 * version), or -1 with ERR_USAGE.  "help" and "version" are done here, where the
 * table has them.
 */
const void *command_line_choose(const struct command_line *line,
				const struct given *given, int *status,
				struct err *err);

#endif
