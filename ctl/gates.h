/*
 * The gates: may this server leave its pool now?
 *
 * Pure.  What was gathered of the pool goes in; what each gate says of the drain comes
 * out, in words for people.  What is not known never speaks for the drain: a server that
 * could not be asked does not serve, a session that nobody counted has no room elsewhere.
 */
#ifndef POOLCTL_GATES_H
#define POOLCTL_GATES_H

#include "buf.h"
#include "dns_view.h"
#include "err.h"
#include "pool_config.h"
#include "server_view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The order is that in which a person should read them. */
enum gate {
	GATE_PREFLIGHT,   /* the server itself could be drained */
	GATE_LAST,        /* some server serves after it left */
	GATE_FLOOR,       /* as many as the pool's floor do */
	GATE_MAX_OUT,     /* no more are out at once than `max_out` */
	GATE_DOMAIN,      /* nobody of another upgrade domain is out */
	GATE_DNS,         /* DNS is what the services need, and what the pool expects */
	GATE_DNS_MEMBERS, /* the pool's name leads to enough of the others */
	GATE_CAPACITY,    /* the others have room for its sessions */
	GATE_CLOCKS,      /* the servers' clocks agree */
	GATE__COUNT
};

/* The first is what a zeroed result says. */
enum gate_verdict { GATE_REFUSED, GATE_PASSED, GATE_NOT_ASKED, GATE_VERDICT__COUNT };

enum {
	GATE_CLOCK_LIMIT_MS = 60000,
	/* What --accept-broken-sessions passes, as a set of gates. */
	GATES_BROKEN_SESSIONS = 1 << GATE_DNS,
};

/* How a member was seen.  STANDING_SERVING alone counts as serving. */
enum standing {
	STANDING_UNREACHABLE, /* it could not be asked */
	STANDING_STALE,       /* what is known of it is too old */
	STANDING_SERVING,
	STANDING_DRAINING,
	STANDING_DRAINED,
	STANDING_RESUMING,
	STANDING_ATTENTION,
	STANDING_RESERVED, /* it serves, and somebody is about to drain it */
	STANDING__COUNT
};

struct gate_member {
	const struct pool_server *server;
	enum standing standing;
	const char *holder;  /* who drains or reserves it; NULL: nobody, or not known */
	struct moment since; /* when that began */
	const char *problem; /* of one that is unreachable, though something answered:
				what is wrong with that; or NULL */
	int64_t sessions;    /* COUNT_UNKNOWN: nobody knows */
	bool is_in_dns; /* one of its addresses is in the answer for the pool's name of
			   every resolver that answered */
	bool has_clock;
	int64_t clock_ahead_ms; /* of the clock that asked; negative: behind it */
};

/* What DNS says of the pool. */
struct gate_dns {
	enum dns_verdict kind;
	bool is_disputed;      /* resolvers say different things */
	const char *strangers; /* addresses that are nobody's in the pool, as a text, or
				  NULL */
};

enum gate_preflight_kind {
	PREFLIGHT_UNKNOWN, /* the server did not say it */
	PREFLIGHT_IMPOSSIBLE,
	PREFLIGHT_POSSIBLE,
	PREFLIGHT__COUNT
};

/* A finding that forbids the drain. */
struct gate_finding {
	const char *service; /* NULL: of the whole server */
	const char *text;
	const char *remedy; /* or NULL */
};

struct gate_preflight {
	enum gate_preflight_kind kind;
	const char *problem; /* why it is not known, or NULL */
	const struct gate_finding *findings;
	size_t finding_count;
};

/* Nothing of it is kept. */
struct gates_input {
	const struct pool *pool;
	const struct gate_member *members; /* each server of the pool, once */
	size_t member_count;
	const struct gate_member *target; /* the member that is to be drained */
	struct wall now;                  /* for texts alone */
	struct gate_dns dns;
	const char *const *features; /* the dns_features of the services to be drained */
	size_t feature_count;
	struct gate_preflight preflight;
};

struct gate_result {
	enum gate_verdict verdict;
	bool can_force;
	struct buf text;   /* not cleaned */
	struct buf remedy; /* without a text: there is none */
};

/*
 * How a server stands that answered.  `has_drain`: a drain is active there, be it of one
 * service; `is_reserved`: there is a reservation.  Whoever holds it, as the same person
 * may run poolctl twice; only the target's own reservation for this drain is none.
 */
enum standing gate_standing(enum phase phase, bool has_drain, bool is_reserved);

/* Asks all gates; the results, whatever they were, are filled, to be freed with
 * gates_done. */
void gates_check(const struct gates_input *input,
		 struct gate_result results[GATE__COUNT]);
void gates_done(struct gate_result results[GATE__COUNT]);

/* True if the gate refuses, can be forced, and is in the set of those that are. */
bool gate_is_forced(const struct gate_result results[GATE__COUNT], int gate,
		    unsigned forced);

/*
 * True if every gate passes, was not asked, or is forced and can be.  `forced` is a set
 * of gates, 1 << GATE_FLOOR and so on.  A preflight that found the drain impossible
 * cannot be forced: the drain would not work any better for it.
 */
bool gates_may_drain(const struct gate_result results[GATE__COUNT], unsigned forced);

/* Adds the gates of a text like "floor,dns" to the set, or fails with ERR_USAGE. */
int gates_parse_force(const char *text, unsigned *forced, struct err *err);

/* "floor", "max_out", ... */
const char *gate_name(enum gate gate);

/* "refused", "passed", "not_asked". */
const char *gate_verdict_name(enum gate_verdict verdict);

/* "serving", "unreachable", ... */
const char *gate_standing_name(enum standing standing);

/* Adds "frontend04 is drained by alice since 08:30Z". */
void gate_explain_member(const struct gate_member *member, struct wall now,
			 struct buf *text);

#endif
