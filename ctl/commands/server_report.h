/*
 * Whether servers could be drained now: one report for each, for people and for
 * programs. `check` and `drain --dry-run` differ in what they say of the preflight.
 */
#ifndef POOLCTL_SERVER_REPORT_H
#define POOLCTL_SERVER_REPORT_H

#include "commands/drain_targets.h"
#include "line/options.h"

struct json_t;

/* One server; the gates are asked as if it left alone. */
struct server_report {
	const struct server_report_kind *kind;
	const struct pool *pool;
	const struct pool_server *server;
	const struct preflight_reply *preflight; /* NULL: there is a problem */
	const struct server_view *view;          /* NULL: there is a problem */
	const struct problem *problem;
	struct gate_result gates[GATE__COUNT];
	unsigned forced;
	int exit_status;
};

struct server_report_kind {
	/* Whether the preflight, which is there, has nothing against a drain. */
	bool (*is_good)(const struct server_report *report);
	/* Sets the command's own fields of the object. */
	void (*describe)(const struct server_report *report, struct json_t *object);
	/* Prints the preflight, which is there. */
	void (*print)(const struct server_report *report);
	bool has_all_gates; /* prints those that do not refuse too */
};

/* Prints as the headline that the server needs attention, or which gates refuse a
 * drain that is possible; false if neither is so. */
bool server_report_print_obstacle(const struct server_report *report);

/* Asks the servers and their pools, and reports on all targets, in their order;
 * returns the exit status of all of them together, or -1 with `err` set. */
int server_report_all(const struct server_report_kind *kind,
		      const struct pool_config *config,
		      struct drain_targets *targets, const struct options *options,
		      struct err *err);

#endif
