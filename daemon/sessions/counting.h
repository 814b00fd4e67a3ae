/*
 * The live sessions of one service: its session sources, what each of them said
 * last, what may be said of all, and whether a new one is refused.
 *
 * The kernel's list of connections is read here; the other sources have threads of
 * their own, whose last reading is taken.
 */
#ifndef POOLD_COUNTING_H
#define POOLD_COUNTING_H

#include "forecast/forecast.h"
#include "sessions/lifetimes_store.h"
#include "sessions/probe.h"
#include "sessions/progress.h"
#include "sessions/sampler.h"
#include "sessions/since_out.h"
#include "sources/sessions.h"
#include "sessions/tracker.h"

enum source_kind {
	SOURCE_TCP,
	SOURCE_COUNTER,
	SOURCE_RDS,
	SOURCE_COMMAND,
	SOURCE_HTTP,
	SOURCE__COUNT
};

const char *counting_source_name(enum source_kind kind);

struct counting_deps {
	int (*list_sessions)(const struct sessions_filter *filter,
			     const struct sessions_taker *taker, struct err *err);
	/* Whether a connection is established still: 1 or 0, or -1: nobody knows.
	 * NULL: nobody looks between two counts. */
	int (*is_there)(const struct sessions_connection *connection);
	struct mono (*clock)(void);
	struct wall (*wall_clock)(void);
	int64_t tick_ms;
	const struct list
		*commands;   /* struct poold_command, of all services; or NULL */
	bool has_no_threads; /* tests put the readings there themselves */
};

struct source {
	enum source_kind kind;
	char *name; /* no other of its kind has it; NULL: it is alone */
	/* Part of it: a reason that has this needs no name. */
	const char *said_name;
	/* While the service is stopped, that it gives no count means zero. */
	bool is_zero_while_stopped;
	struct sampler *sampler; /* NULL: tcp, or there is nothing to ask */
	int64_t number;          /* of the reading that was taken last */
	json_t *sessions;        /* that came with it, or NULL */
	struct err why;          /* it is not known */
	int64_t silent_ms; /* this long after it was asked, its word is no news */
	struct mono asked_at;    /* for its last answer; at first, the start */
	struct wall sampled_at;  /* the same */
	struct wall answered_at; /* when that was there */
	bool has_answered;
	struct wall unknown_since;
	struct mono known_at; /* when it was last known; at first, the start */
};

struct counting {
	const struct pool_service *service;
	struct counting_deps deps;
	struct source sources[PROGRESS_SOURCES];
	struct progress progress; /* its sources are in the same order */
	struct sessions_source tcp;
	/* Of the last list: those of the server to itself, counted or not. */
	size_t own_count;
	struct net_address own_peer; /* of one of them */
	struct tracker tracker;
	struct lifetimes_store lifetimes_store; /* zeroed, until it is opened */
	struct probe probe;
	struct since_out since_out;
	/* When the count was last known; at first, the start. */
	struct mono known_at;
	struct mono due, peek_due;
	int64_t settle_ms;
	bool is_missing; /* the service is not installed */
	bool is_stopped; /* the service, since stopped_at */
	struct mono stopped_at;
};

/* Fails with ERR_CONFIG if the service has too many sources.  What it is given must
 * outlive it. */
int counting_init(struct counting *counting, const struct pool *pool,
		  const struct pool_server *server,
		  const struct pool_service *service,
		  const struct counting_deps *deps, struct err *err);
void counting_done(struct counting *counting);

/* Fails as counting_init does, and starts nothing. */
int counting_check(const struct pool *pool, const struct pool_server *server,
		   const struct pool_service *service, const struct list *commands,
		   struct err *err);

/* How the service is seen; see progress_see.  While it is stopped, a source that
 * went with the process that had the sessions is zero if it is not known. */
void counting_see(struct counting *counting, bool is_out, bool is_stopped);

/* Whether the service is not installed: then nothing is read that takes its time,
 * and no count is known. */
void counting_see_missing(struct counting *counting, bool is_missing);

/* Counts now, and sets when the next count is due; see progress_due.
 * `wants_idle`: ask how long connections are idle, too. */
void counting_count(struct counting *counting, bool wants_idle);

/* While few sessions are left of a service that is out, looks for them between two
 * counts: true if all have ended, and a count is due now.  After how many
 * milliseconds that is to be done; -1: there is no reason to. */
bool counting_peek(struct counting *counting);
int64_t counting_peek_in_ms(const struct counting *counting);

bool counting_is_known(const struct counting *counting);
enum tally counting_tally(const struct counting *counting, int64_t settle_ms);

/* Which sources are not known, since when and why; "" if that is not so.  The
 * caller frees it. */
char *counting_explain(const struct counting *counting);

/*
 * Adds the service to a forecast of when its last session will have ended, and the
 * settle time after that.  `is_draining`: no new sessions come, so the rate at
 * which they become fewer says something.
 */
void counting_forecast(struct counting *counting, bool is_draining,
		       int64_t settle_ms, struct forecast *forecast);

/* Null if it is not known; a new reference, as the others here. */
json_t *counting_count_to_json(const struct counting *counting);

/* Each source with what it said last, for the API. */
json_t *counting_sources_to_json(const struct counting *counting);

/* Counts now, and lists the `limit` oldest of the sessions: the reply of
 * GET /v1/services/{name}/sessions. */
json_t *counting_list(struct counting *counting, size_t limit);

/* The numbers of one session source, for GET /metrics: what it said last. */
struct source_metrics {
	const char *service, *kind;
	const char *name; /* or NULL */
	bool has_sample;
	struct mono sampled_at;
	bool is_known;
	struct mono known_at; /* when it was last known, or when poold started */
	int64_t count;        /* only if known */
};

/* Of each source, for GET /metrics; returns how many. */
size_t counting_metrics(const struct counting *counting,
			struct source_metrics sources[PROGRESS_SOURCES]);

#endif
