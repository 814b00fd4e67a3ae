/*
 * What the files of the supervisor share: the thread, in supervisor.c; its rounds
 * and snapshots, in supervisor_round.c; what it does for each task, in
 * supervisor_tasks.c.
 */
#ifndef POOLD_SUPERVISOR_PRIVATE_H
#define POOLD_SUPERVISOR_PRIVATE_H

#include "http/server_status.h"
#include "store/saved_text.h"
#include "supervisor.h"
#include "system/host.h"

#include <pthread.h>

/* Owned by the supervisor's thread alone, but for what it got from its setup. */
struct supervisor {
	struct server_status all;
	struct deps deps;
	struct controller **controllers;
	struct drains drains;
	struct reservation reservation;
	char epoch[HOST_ID_BYTES], boot_id[HOST_ID_BYTES];
	int64_t index;
	struct mono store_checked_at;
	bool is_lock_lost;
	const char *state_dir;
	struct saved_text saved_text;
	char *config_problem; /* as in server_status; or NULL */
	char *last_facts;     /* what the last snapshot said, without times */

	struct task_queue *tasks;
	struct snapshot_shelf *snapshots;
	void (*published)(void *arg);
	void *published_arg;
	pthread_t thread;
	bool is_started;
};

/* Writes as many random bytes as lower-case hex, and a NUL. */
int supervisor_random(size_t bytes, char *hex, struct err *err);

/* Makes what is known now what readers see. */
void supervisor_publish(struct supervisor *supervisor);

/* Tells each controller what the drains want of its service. */
void supervisor_apply_wants(struct supervisor *supervisor);

/* One round: deadlines, all services, reservations; then a snapshot.  Returns after
 * how many milliseconds the next one is due. */
int64_t supervisor_step(struct supervisor *supervisor);

/* The first round after a change comes before the reply to it: what the reply says
 * of the services was seen after they were told. */
void supervisor_step_after_change(struct supervisor *supervisor);

/* Does a task: the body of the reply, a new reference, with the status in the task;
 * or NULL and the task's error. */
json_t *supervisor_tasks_do(struct supervisor *supervisor, struct task *task);

#endif
