/*
 * The command line, read by one table of options.
 */
#ifndef POOLCTL_OPTIONS_H
#define POOLCTL_OPTIONS_H

#include "buf.h"
#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_JSONL, OUTPUT_YAML };
enum wait_for { WAIT_FOR_NOTHING, WAIT_FOR_DRAINED, WAIT_FOR_SERVING };

struct texts {
	const char **items;
	size_t count;
};

/* All texts are the command line's own. */
struct options {
	const char *config; /* NULL: not said */
	int output;         /* enum output */
	bool has_no_color, has_help, has_version;
	const char *id, *owner, *reason;
	bool is_all, has_no_wait, has_group;
	struct texts services, servers;
	bool is_poold;
	const char *pool, *fqdn, *profile;
	int64_t timeout_ms;  /* negative: not said */
	int64_t deadline_ms; /* 0: none is wanted; negative: not said */
	int on_deadline;     /* enum on_deadline; negative: not said */
	int until;           /* enum until */
	bool is_dry_run, is_verify, is_follow, is_watch;
	const char *head;
	const char *force;      /* names of gates, with commas */
	struct texts confirmed; /* names of pools */
	bool accepts_broken;
	int64_t lock_wait_ms;
	int wait_for;  /* enum wait_for */
	int64_t after; /* negative: not said */
	int64_t limit;
	uint64_t used;      /* one bit for each option, by its place in the table */
	struct texts words; /* what is no option: the command and its arguments */
};

/* Fails with ERR_USAGE.  Free the options in any case. */
int options_parse(int argc, char **argv, struct options *options, struct err *err);
void options_done(struct options *options);

/* Fails if an option was used that is neither global nor in `allowed`, names with a space
 * between; the output yaml needs to be allowed too.  `command` is for the message. */
int options_check(const struct options *options, const char *command, const char *allowed,
		  struct err *err);

/* Adds the help of the options in `allowed`, or of the global ones if that is NULL. */
void options_help(const char *allowed, struct buf *text);

#endif
