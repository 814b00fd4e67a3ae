/*
 * Shows on standard error how far the jobs are: one redrawn line for each server on a
 * terminal, else a line for each change.
 */
#ifndef POOLCTL_SCREEN_H
#define POOLCTL_SCREEN_H

#include "drive.h"

#include <stdbool.h>

struct screen;

struct screen *screen_new(const struct job *jobs, size_t count, bool has_color);
void screen_free(struct screen *screen);

/* Shows what is new; cheap to call often. */
void screen_show(struct screen *screen);

/* Shows the end state, which stays on the screen. */
void screen_end(struct screen *screen);

/* Takes the lines off the screen, so that something else can be printed; the next
 * screen_show brings them back. */
void screen_hide(struct screen *screen);

#endif
