/*
 * Shows on standard error how far the jobs are: one redrawn line for each server on
 * a terminal, else a line for each change, and one now and then while nothing
 * changes.
 */
#ifndef POOLCTL_PROGRESS_DISPLAY_H
#define POOLCTL_PROGRESS_DISPLAY_H

#include "operation/operation.h"

#include <stdbool.h>

struct progress_display;

/* Where nothing is redrawn, each server gets a line at least every `heartbeat_ms`:
 * those who run pipelines end a job that is silent.  0: only for changes. */
struct progress_display *progress_display_new(const struct job *jobs, size_t count,
					      bool has_color, int64_t heartbeat_ms);
void progress_display_free(struct progress_display *display);

/* Shows what is new; cheap to call often. */
void progress_display_show(struct progress_display *display);

/* Shows the end state, which stays on the screen. */
void progress_display_end(struct progress_display *display);

/* Takes the lines off the screen, so that something else can be printed; the next
 * progress_display_show brings them back. */
void progress_display_hide(struct progress_display *display);

#endif
