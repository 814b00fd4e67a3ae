/*
 * What the files of the supervisor share: the thread and its rounds, in supervisor.c; and
 * what is made of each call, in calls.c.
 */
#ifndef POOLD_SUPERVISOR_PRIVATE_H
#define POOLD_SUPERVISOR_PRIVATE_H

#include "host.h"
#include "picture.h"
#include "supervisor.h"

#include <pthread.h>

struct supervisor {
	/* Owned by the supervisor's thread alone. */
	struct picture all;
	struct tools tools;
	struct controller **controllers;
	struct drains drains;
	struct reservation reservation;
	char epoch[HOST_ID_BYTES], boot_id[HOST_ID_BYTES];
	int64_t index;
	char *last_facts; /* what the last snapshot said, without times */
	void (*published)(void *arg);
	void *published_arg;

	pthread_t thread;
	bool is_started;
	struct waker *waker;

	/* The message queue. */
	pthread_mutex_t queue_lock;
	struct call *first, **last;
	bool is_stopping;

	/* The snapshot. */
	pthread_mutex_t snapshot_lock;
	struct snapshot *snapshot;
};

/* Makes what is known now what readers see. */
void supervisor_publish(struct supervisor *supervisor);

/* The first round of a change is part of its answer: what the answer says of the services
 * was seen after they were told. */
void supervisor_step_after_change(struct supervisor *supervisor);

/* Does what the call asks for: the body of the answer, a new reference, with the status
 * in the call; or NULL and the call's error. */
json_t *calls_answer(struct supervisor *supervisor, struct call *call);

#endif
