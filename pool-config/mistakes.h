/*
 * The mistakes of configuration files, collected so that a person sees all of them
 * at once, each as `file:line:column: what is wrong`.
 */
#ifndef POOLCTL_MISTAKES_H
#define POOLCTL_MISTAKES_H

#include "buf.h"
#include "compat.h"
#include "err.h"

enum { MISTAKES_LIMIT = 50 };

/* A place in a file. */
struct place {
	const char *origin; /* the file, "profile NAME" or "default" */
	int line, column;   /* from 1; 0 if it stands in no file */
};

struct mistake;

struct mistakes {
	struct mistake *items; /* MISTAKES_LIMIT at most */
	int count;             /* all of them */
};

/* Adds one; further ones than MISTAKES_LIMIT are only counted. */
void mistakes_add(struct mistakes *mistakes, const struct place *place,
		  const char *format, ...) PRINTF_LIKE(3, 4);

/* Adds a line for each to the text, in the order in which they stand in their file.
 */
void mistakes_print(struct mistakes *mistakes, struct buf *text);
void mistakes_done(struct mistakes *mistakes);

/* Adds the lines to the text, makes the first of them the error (ERR_CONFIG), and
 * frees the mistakes.  Returns 0 if there are none, else -1. */
int mistakes_report(struct mistakes *mistakes, struct buf *text, struct err *err);

#endif
