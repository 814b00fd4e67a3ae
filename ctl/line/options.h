/*
 * The options of poolctl.
 */
#ifndef POOLCTL_OPTIONS_H
#define POOLCTL_OPTIONS_H

#include "text/command_line.h"

enum output_format { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_JSONL, OUTPUT_YAML };
enum wait_for { WAIT_FOR_NOTHING, WAIT_FOR_DRAINED, WAIT_FOR_SERVING };

/* All texts are the command line's own. */
struct options {
	struct given given;
	const char *config; /* NULL: not said */
	int output;         /* enum output_format */
	bool has_no_color;
	bool is_local;
	const char *id, *owner, *reason;
	bool is_all, has_no_wait, has_group;
	struct texts services, servers;
	bool is_poold, has_no_defaults;
	const char *pool, *fqdn, *profile;
	int64_t timeout_ms;  /* negative: not said */
	int64_t deadline_ms; /* 0: none is wanted; negative: not said */
	int on_deadline;     /* enum on_deadline; negative: not said */
	int until;           /* enum until; negative: not said */
	bool is_dry_run, is_verify, is_follow, is_watch, is_nagios;
	const char *head;
	const char *yes_pin;    /* of `trust`; NULL: ask */
	struct texts force;     /* names of gates, with commas */
	struct texts confirmed; /* names of pools */
	bool accepts_broken;
	bool takes_others; /* resume --force=owner */
	int64_t lock_wait_ms;
	int64_t heartbeat_ms; /* 0: none */
	int wait_for;         /* enum wait_for */
	int64_t after;        /* negative: not said */
	int64_t limit;
};

enum { OPTIONS_COUNT = 38 };

extern const struct option options_table[OPTIONS_COUNT];

/* What holds if nothing is said; done frees what options have. */
void options_init(struct options *options);
void options_done(struct options *options);

#endif
