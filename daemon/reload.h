/*
 * Notices that poold.yaml or pool.yaml was changed, and has the change used where
 * that is safe: the files are good, and nothing is drained.  Else the server's
 * status says why they are not in use.
 */
#ifndef POOLD_RELOAD_H
#define POOLD_RELOAD_H

#include "configuration.h"
#include "http/task_queue.h"

struct reload {
	const char *path; /* of poold.yaml */
	const struct configuration *current;
	/* To be used instead, once reload_step says so. */
	struct configuration next;
	struct configuration_stamps used, seen;
	const char *what; /* was changed: the names of one file, or of both */
	struct mono looked_at;
	bool is_held; /* they are good, and a drain is in force */
	struct task task;
	char *problem; /* that the task tells, or NULL */
	bool is_waiting;
	_Atomic bool is_answered;
};

void reload_init(struct reload *reload, const char *path,
		 const struct configuration *current);

/* Looks every few seconds; at once if it `is_asked` to.  Returns true if `next` is
 * to be used: then the queue is closed, and whoever calls takes `next`. */
bool reload_step(struct reload *reload, struct task_queue *queue, bool is_asked);

/* Says why a change that was good is not in use after all. */
void reload_tell_failure(struct reload *reload, struct task_queue *queue,
			 const char *why);

/* To be called when the queue is closed. */
void reload_done(struct reload *reload);

#endif
