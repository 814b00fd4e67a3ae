/*
 * What is to be known before a server leaves its pool: how every member stands, what DNS
 * says, and whether the server itself could be drained.
 *
 * All members of all pools are asked at once, a hundred at a time; one that hangs
 * costs its own time limit and no more.  Nothing is changed.
 */
#ifndef POOLCTL_SURVEY_H
#define POOLCTL_SURVEY_H

#include "answers.h"
#include "dns_view.h"
#include "gates.h"
#include "pool_config.h"
#include "problem.h"
#include "rivals.h"
#include "targets.h"

enum { SURVEY_LIMIT_MS = 5000, SURVEY_CONNECTIONS = 100 };

/* Who is to leave, and how.  Nothing of it is copied. */
struct survey_question {
	const struct pool_config *config;
	const struct targets *targets;
	const struct terms *terms;   /* one for each target */
	const char *const *services; /* that are to be drained; none: all */
	size_t service_count;
	int64_t preflight_ms; /* the time limit of each preflight */
	/* A reservation of the targets that is no obstacle, as it is for this drain; or
	 * NULL. */
	const char *id, *owner;
};

/* What one server answered: a view, or a problem. */
struct survey_member {
	const struct pool_server *server;
	struct server_view *view;
	struct problem problem;
	bool is_over;           /* it has answered, or has not in its time */
	int64_t clock_ahead_ms; /* with a view: of the clock here, at half the way */
};

struct survey_pool {
	const struct pool *pool;
	size_t member_count;
	struct survey_member *members; /* in the order of the file */
	struct gate_member *standings; /* the same, as the gates see them */
	struct dns_view *dns;          /* judged */
	struct buf strangers;          /* without a text: there are none */
	struct wall now;
};

struct survey {
	const struct survey_question *question;
	struct answer *answers;    /* one for each target */
	struct survey_pool *pools; /* each that has a target, in the order of the file */
	size_t pool_count;
};

/* Knows nothing yet.  The question must outlive it, and what was sent with it. */
struct survey *survey_new(const struct survey_question *question);

/* Asks DNS, for at most SURVEY_LIMIT_MS, and blocks; fails with ERR_INTERNAL only if DNS
 * cannot be asked at all. */
int survey_ask_dns(struct survey *survey, struct err *err);

/* Gives what DNS said to another survey of the same pools; this one knows it no more. */
void survey_move_dns(struct survey *from, struct survey *to);

/* Asks the members, in SURVEY_LIMIT_MS, and the preflights, while the client is run. */
void survey_send(struct survey *survey, struct client *client);
bool survey_is_over(const struct survey *survey);

/* Once all of that is over: how it looks to the gates. */
void survey_judge(struct survey *survey);

/* All of these, one after the other; NULL as survey_ask_dns fails. */
struct survey *survey_take(const struct survey_question *question, struct client *client,
			   struct err *err);
void survey_free(struct survey *survey);

/* Asks the gates whether the target with this number may leave now, alone; the results
 * are filled, to be freed with gates_done. */
void survey_ask_gates(const struct survey *survey, size_t target,
		      struct gate_result results[GATE__COUNT]);

/* The same, for a target that is reserved for the one who asks. */
enum rivalry survey_settle(const struct survey *survey, size_t target, unsigned forced,
			   const struct gate_member **rival,
			   struct gate_result results[GATE__COUNT]);

/* What the gates see of the pool when nobody is to leave. */
struct gates_input survey_input(const struct survey_pool *pool);

#endif
