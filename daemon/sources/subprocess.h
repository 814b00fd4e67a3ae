/*
 * A program that is run without a shell, until it ends or is ended, with what it
 * prints.
 *
 * Its input is empty, and nothing that poold has open is open in it.  Its
 * environment and folder are poold's.
 */
#ifndef POOLD_SUBPROCESS_H
#define POOLD_SUBPROCESS_H

#include "buf.h"
#include "err.h"
#include "pool.h"

#include <stdbool.h>

enum { SUBPROCESS_END_BYTES = 64 };

struct subprocess;

/* Starts the program: its whole path, and its arguments, which it gets as they are
 * (char
 * * each).  NULL if it cannot be started, with ERR_SESSIONS and a text to go after
 * its name.  Any thread may do this. */
struct subprocess *subprocess_start(const struct list *run, struct err *err);

/*
 * Waits for output or the end, not longer than timeout_ms, and adds what was
 * printed. True while it runs.  Once it has ended, what it left running is ended
 * too, and the rest of its output is added.  A call adds a mebibyte at most.
 */
bool subprocess_wait(struct subprocess *program, int timeout_ms, struct buf *output,
		     struct buf *errors);

/* True if it ended by itself with exit status 0.  `how` tells the end in words, as
 * "exit status 3".  Only after subprocess_wait was false. */
bool subprocess_succeeded(const struct subprocess *program,
			  char how[SUBPROCESS_END_BYTES]);

/* Ends it, if it still runs, with what it started (on Linux: in its process group).
 */
void subprocess_free(struct subprocess *program);

#endif
