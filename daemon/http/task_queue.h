/*
 * Tasks for the supervisor, in a queue: the part of a request that only the
 * supervisor's thread may do.
 */
#ifndef POOLD_TASK_QUEUE_H
#define POOLD_TASK_QUEUE_H

#include "access/caller.h"
#include "drains/drain.h"
#include "event_kind.h"
#include "system/waker.h"

#include <pthread.h>

enum task_kind {
	TASK_PUT_DRAIN,
	TASK_RESERVE,
	TASK_END_DRAIN,
	TASK_WITHDRAW,
	TASK_PREFLIGHT,
	TASK_LIST_SESSIONS,
	TASK_RELOAD,
	TASK_NOTE,
	TASK__COUNT
};

/* Whoever submits it keeps it alive until `done` was called. */
struct task {
	enum task_kind kind;
	/* To put, to reserve or to plan; to end or to withdraw, only its id (and
	 * its reservation).  Owned by whoever submits it. */
	struct drain drain;
	bool has_on_deadline; /* of a plan; without, pool.yaml says */
	struct caller caller; /* who asks */
	const char *who;      /* ends or withdraws: the owner that he is */
	const char *acts_for; /* as in struct drain */
	int64_t seen_index;   /* of what made him end it; 0: he does not say */
	const char *service;  /* whose sessions */
	size_t limit;         /* of them */
	const char *from;     /* the peer's address */
	/* For the record alone: what happened. */
	enum event_kind note_kind;
	const char *note;
	/* To reload: why files that were changed are not used.  NULL asks whether
	 * they may be: if so, the queue is closed. */
	const char *problem;
	const char *what; /* the names of the files */
	/* What they say then. */
	const struct pool *pool;
	const struct pool_server *pool_server;
	void (*done)(
		struct task *task); /* on the supervisor's thread; must not block */
	void *arg;

	/* The outcome: an error, or a status and a body that the submitter frees.
	 */
	struct err err;
	int http_status;
	char *body;

	struct task *next;
};

struct task_queue {
	const char *server; /* for messages */
	struct waker *waker;
	pthread_mutex_t lock; /* of all below */
	struct task *first, **last;
	bool is_closed;
};

void task_queue_init(struct task_queue *queue, const char *server);
void task_queue_done(struct task_queue *queue);

/* Any thread may call it.  Once the queue is closed, the task fails with
 * ERR_STOPPING, and is done before this returns. */
void task_queue_submit(struct task_queue *queue, struct task *task);

/* The oldest task, or NULL if there is none; does not wait. */
struct task *task_queue_take(struct task_queue *queue);

/* Waits for a task or the end, at most so long; false if the time is over and there
 * was none. */
bool task_queue_wait(struct task_queue *queue, int64_t ms);

/* Ends a wait, or the next one: any thread may call it. */
void task_queue_wake(struct task_queue *queue);

/* From here on nothing is taken: task_queue_take fails the tasks that still wait.
 */
void task_queue_close(struct task_queue *queue);
bool task_queue_is_closed(struct task_queue *queue);

#endif
