/*
 * The thread that owns all state: drains, services, the store.
 *
 * It makes every call that blocks for a moment only; the others are made beside it.
 * It does the tasks of a queue, one after the other,
 * and publishes a snapshot after every round; readers take the last one and never
 * wait.
 */
#ifndef POOLD_SUPERVISOR_H
#define POOLD_SUPERVISOR_H

#include "http/snapshot.h"
#include "http/task_queue.h"
#include "pool.h"
#include "scm/scm.h"

struct supervisor;
struct tls;

/* All that it points to must outlive the supervisor. */
struct supervisor_setup {
	const struct pool *pool;
	const struct pool_server *server;
	const char *state_dir;
	const char *version;
	int64_t tick_ms;
	const struct list *commands; /* struct poold_command; or NULL */
	struct tls *tls;             /* whose end and problem it shows; or NULL */
	/* Taken over by supervisor_new, freed even when it fails. */
	struct scm *scm;
	struct task_queue *tasks;
	struct snapshot_shelf *snapshots;
	bool (*is_machine_ending)(void); /* see struct deps */
	void (*published)(void *arg);    /* on the thread, after each snapshot */
	void *published_arg;
};

/* Opens the store and reads what an earlier poold left there.  Nothing runs yet. */
struct supervisor *supervisor_new(const struct supervisor_setup *setup,
				  struct err *err);

/* The events for another thread; to be closed before the supervisor is freed. */
struct store *supervisor_open_reader(struct supervisor *supervisor,
				     struct err *err);

/* Starts the thread. */
int supervisor_start(struct supervisor *supervisor, struct err *err);

/* Closes the queue and ends the thread.  Every drain stays in force. */
void supervisor_stop(struct supervisor *supervisor);
void supervisor_free(struct supervisor *supervisor);

#endif
