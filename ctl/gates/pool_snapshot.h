/*
 * What was gathered of a pool, before a server leaves it: how every member stands,
 * what DNS says, and whether the server itself could be drained.
 *
 * All members of all pools are asked at once, a hundred at a time; one that hangs
 * costs its own time limit and no more.  Nothing is changed.
 */
#ifndef POOLCTL_POOL_SNAPSHOT_H
#define POOLCTL_POOL_SNAPSHOT_H

#include "api/exchange.h"
#include "dns/dns_view.h"
#include "gates/gate.h"
#include "pool.h"
#include "line/targets.h"

enum { POOL_SNAPSHOT_LIMIT_MS = 5000 };

/* The servers that may leave, and how.  Nothing of it is copied. */
struct pool_snapshot_question {
	const struct pool_config *config;
	const struct targets *targets;
	const struct drain_options *drain_options; /* one for each target */
	const char *const *services; /* that are to be drained; none: all */
	size_t service_count;
	int64_t preflight_ms; /* the time limit of each preflight */
	/* The targets' own reservation, which is no obstacle; or NULL. */
	const char *id, *owner;
};

struct pool_snapshot_pool {
	const struct pool *pool;
	size_t member_count;
	struct exchange *members;      /* their views, in the order of the file */
	struct gate_member *standings; /* the same, as the gates see them */
	struct dns_view *dns;          /* evaluated */
	struct buf strangers;          /* without a text: there are none */
	struct wall now;
};

/* A target, once the snapshot was evaluated. */
struct pool_snapshot_target {
	const struct pool_snapshot_pool *pool;
	size_t member;         /* its number in the pool */
	const char **features; /* the dns_features of what the drain would cover */
	size_t feature_count;
};

struct pool_snapshot {
	const struct pool_snapshot_question *question;
	struct exchange *preflights; /* one for each target */
	struct pool_snapshot_target *targets;
	/* Each that has a target, in the order of the file. */
	struct pool_snapshot_pool *pools;
	size_t pool_count;
};

/* An empty snapshot.  The question must outlive it. */
struct pool_snapshot *pool_snapshot_new(
	const struct pool_snapshot_question *question);

/* Asks DNS, for at most POOL_SNAPSHOT_LIMIT_MS, and blocks; fails with ERR_INTERNAL
 * only if DNS cannot be asked at all. */
int pool_snapshot_ask_dns(struct pool_snapshot *snapshot, struct err *err);

/* Moves what DNS said to another snapshot of the same pools. */
void pool_snapshot_move_dns(struct pool_snapshot *from, struct pool_snapshot *to);

/* Asks the members, in POOL_SNAPSHOT_LIMIT_MS, and the preflights, while the client
 * is run. */
void pool_snapshot_send(struct pool_snapshot *snapshot, struct client *client);
bool pool_snapshot_is_over(const struct pool_snapshot *snapshot);

/* Once all of that is over: prepares the gates' input. */
void pool_snapshot_evaluate(struct pool_snapshot *snapshot);

/* All of these, one after the other; NULL as pool_snapshot_ask_dns fails. */
struct pool_snapshot *pool_snapshot_take(
	const struct pool_snapshot_question *question, struct client *client,
	struct err *err);
void pool_snapshot_free(struct pool_snapshot *snapshot);

/* Asks the gates whether the target with this number may leave now, alone; the
 * results are filled, to be freed with gate_done. */
void pool_snapshot_ask_gates(const struct pool_snapshot *snapshot, size_t target,
			     struct gate_result results[GATE__COUNT]);

/* The gates' input for that target; it refers to the snapshot. */
struct gate_input pool_snapshot_target_input(const struct pool_snapshot *snapshot,
					     size_t target);

/* The gates' input for the pool if no server is to leave. */
struct gate_input pool_snapshot_input(const struct pool_snapshot_pool *pool);

#endif
