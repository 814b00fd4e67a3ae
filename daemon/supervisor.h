/*
 * The thread that owns all state: drains, services, the store.
 *
 * It makes every blocking call.  Requests that change something come as messages and are
 * answered through their callback; readers take the last published snapshot and never
 * wait.
 */
#ifndef POOLD_SUPERVISOR_H
#define POOLD_SUPERVISOR_H

#include "drain.h"
#include "pool_config.h"
#include "scm.h"
#include "snapshot.h"

struct supervisor;

enum call_kind {
	CALL_PUT_DRAIN,
	CALL_RESERVE,
	CALL_END_DRAIN,
	CALL_WITHDRAW,
	CALL_PREFLIGHT,
	CALL_SESSIONS,
	CALL__COUNT
};

/* A request to change something, or to ask the system.  Whoever submits it keeps it alive
 * until `done` was called. */
struct call {
	enum call_kind kind;
	struct drain
		drain; /* to put or reserve, with only the id (and the reservation) to
			  end or withdraw, or as it is planned; owned by the caller */
	bool has_on_deadline;            /* of a plan; without, pool.yaml says */
	const char *who;                 /* of an end or withdrawal */
	const char *service;             /* whose sessions */
	size_t limit;                    /* of them */
	const char *from;                /* the peer's address */
	void (*done)(struct call *call); /* on the supervisor's thread; must not block */
	void *arg;

	/* The answer: an error, or a status and a body that the caller frees. */
	struct err err;
	int http_status;
	char *body;
	struct call *next;
};

struct supervisor_setup {
	const struct pool *pool;
	const struct pool_server *server;
	const char *state_dir;
	const char *version;
	int64_t tick_ms;
	const struct list *commands; /* struct poold_command; or NULL */
	struct scm *scm; /* taken over by supervisor_new, freed even when it fails */
};

/* Opens the store and reads what an earlier poold left there.  Nothing runs yet. */
struct supervisor *supervisor_new(const struct supervisor_setup *setup, struct err *err);

/* Starts the thread; `published` is called on it after every new snapshot. */
int supervisor_start(struct supervisor *supervisor, void (*published)(void *arg),
		     void *arg, struct err *err);

/* Ends the thread and answers the calls that wait.  Every drain stays in force. */
void supervisor_stop(struct supervisor *supervisor);
void supervisor_free(struct supervisor *supervisor);

void supervisor_submit(struct supervisor *supervisor, struct call *call);

/* The last snapshot, to be given back with supervisor_release; NULL before the first. */
struct snapshot *supervisor_snapshot(struct supervisor *supervisor);
void supervisor_release(struct supervisor *supervisor, struct snapshot *snapshot);

#endif
