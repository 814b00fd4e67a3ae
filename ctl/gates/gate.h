/*
 * The gates: may this server leave its pool now?
 *
 * Pure.  The pool as it was gathered goes in; the verdict of each gate comes out,
 * with words for people.  Nothing unknown speaks for the drain: a server that could
 * not be asked does not serve; sessions that could not be counted have no room
 * elsewhere.
 */
#ifndef POOLCTL_GATE_H
#define POOLCTL_GATE_H

#include "api/preflight_reply.h"
#include "api/server_view.h"
#include "buf.h"
#include "dns/dns_view.h"
#include "err.h"
#include "pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The order is that in which a person should read them. */
enum gate {
	GATE_PREFLIGHT,   /* the server itself could be drained */
	GATE_LAST,        /* some server serves after it left */
	GATE_FLOOR,       /* as many as the pool's floor do */
	GATE_MAX_OUT,     /* no more are out at once than `max_out` */
	GATE_DOMAIN,      /* no server of another upgrade domain is out */
	GATE_DNS,         /* DNS is as the services need and the pool expects it */
	GATE_DNS_MEMBERS, /* the pool's name leads to enough of the others */
	GATE_CAPACITY,    /* the others have room for its sessions */
	GATE_CLOCKS,      /* the servers' clocks agree */
	GATE__COUNT
};

/* The first is what a zeroed result says. */
enum gate_verdict {
	GATE_REFUSED,
	GATE_PASSED,
	GATE_NOT_ASKED,
	GATE_VERDICT__COUNT
};

enum {
	GATE_CLOCK_LIMIT_MS = 60000,
	/* The set of gates that --accept-broken-sessions passes. */
	GATES_BROKEN_SESSIONS = 1 << GATE_DNS,
};

/* The state of a member, as the gates see it.  Only STANDING_SERVING serves. */
enum gate_standing {
	STANDING_UNREACHABLE, /* it could not be asked */
	STANDING_STALE,       /* its newest state is too old */
	STANDING_SERVING,
	STANDING_DRAINING,
	STANDING_DRAINED,
	STANDING_RESUMING,
	STANDING_ATTENTION,
	STANDING_RESERVED, /* it serves, but is reserved for a drain */
	STANDING__COUNT
};

struct gate_member {
	const struct pool_server *server;
	enum gate_standing standing;
	const char *holder;  /* whoever drains or reserves it; NULL: nobody, or
				unknown */
	struct moment since; /* when that began */
	const char *problem; /* if something answered, but not well: the problem; or
				NULL */
	/* What its poold knows otherwise of its services, see server_view; or NULL.
	 */
	const char *other_services;
	int64_t sessions; /* COUNT_UNKNOWN: unknown */
	/* Why its poold does not use its changed files, or cannot write its store;
	 * or NULL. */
	const char *config_problem;
	const char *store_problem;
	struct moment certificate_expires_at; /* not given: plain HTTP */
	const struct drain_view *overdue;     /* the first drain that is; or NULL */
	const char *uncounted; /* the first service whose sessions nothing tells, so
				  that it is never reported as drained; or NULL */
	size_t uncounted_count;
	bool is_in_dns; /* one of its addresses is in the answer for the pool's name
			   of every resolver that answered */
	bool has_clock;
	int64_t clock_ahead_ms; /* of the clock that asked; negative: behind it */
};

/* The pool in DNS. */
struct gate_dns {
	enum dns_balance kind;
	bool is_disputed;      /* resolvers say different things */
	const char *strangers; /* addresses that are nobody's in the pool, as a
				  text, or NULL */
};

/* Nothing of it is kept. */
struct gate_input {
	const struct pool *pool;
	const struct gate_member *members; /* each server of the pool, once */
	size_t member_count;
	const struct gate_member *target; /* the member that is to be drained */
	struct wall now;                  /* for texts alone */
	struct gate_dns dns;
	/* The dns_features of the services to be drained. */
	const char *const *features;
	size_t feature_count;
	const struct preflight_reply
		*preflight;            /* the target's; NULL: it is unknown */
	const char *preflight_problem; /* why it is; or NULL */
};

struct gate_result {
	enum gate_verdict verdict;
	bool can_force;
	struct buf text;   /* not cleaned */
	struct buf remedy; /* without a text: there is none */
};

/*
 * The standing of a server that answered.  `has_drain`: a drain is active there,
 * even if of one service only; `is_reserved`: it is reserved by anybody, as one
 * person may run poolctl twice; only the target's own reservation for this drain
 * does not count.
 */
enum gate_standing gate_standing(enum phase phase, bool has_drain,
				 bool is_reserved);

/* Asks all gates; fills the results, which are freed with gate_done. */
void gate_check(const struct gate_input *input,
		struct gate_result results[GATE__COUNT]);
void gate_done(struct gate_result results[GATE__COUNT]);

/* True if the gate refuses, can be forced, and is in the set of those that are. */
bool gate_is_forced(const struct gate_result results[GATE__COUNT], int gate,
		    unsigned forced);

/*
 * True if every gate passes, was not asked, or is forced and can be.  `forced` is a
 * set of gates, 1 << GATE_FLOOR and so on.  A preflight that found the drain
 * impossible cannot be forced: the drain would still fail.
 */
bool gate_may_drain(const struct gate_result results[GATE__COUNT], unsigned forced);

/* Adds the gates of a text like "floor,dns" to the set, or fails with ERR_USAGE. */
int gate_parse_force(const char *text, unsigned *forced, struct err *err);

/* "floor", "max_out", ... */
const char *gate_name(enum gate gate);

/* "refused", "passed", "not_asked". */
const char *gate_verdict_name(enum gate_verdict verdict);

/* "serving", "unreachable", ... */
const char *gate_standing_name(enum gate_standing standing);

/* Adds "frontend04 is drained by alice since 08:30Z". */
void gate_explain_member(const struct gate_member *member, struct wall now,
			 struct buf *text);

#endif
