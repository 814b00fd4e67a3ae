/*
 * What servers are, as rows for people and objects for programs.
 */
#ifndef POOLCTL_STATUS_H
#define POOLCTL_STATUS_H

#include "options.h"
#include "output_text.h"
#include "problem.h"
#include "targets.h"

struct json_t;

/* What one server answered: a view, or a problem. */
struct answer {
	const struct pool *pool;
	const struct pool_server *server;
	struct server_view *view;
	struct problem problem;
	int64_t unknown_ms; /* for how long it has not answered; 0: not said */
};

enum { STATUS_COLUMNS = 5 };

/* Add a row of STATUS_COLUMNS cells: its name, phase, sessions, drains (cut to so many
 * columns; 0: whole), and what else there is to say; without `has_countdown` it stays the
 * same while time passes. */
void status_headings(struct table *table);
void status_row(struct table *table, const struct answer *answer, bool has_color,
		bool has_countdown, int drains_columns);

/* Adds a table for each pool, cut to so many columns (0: not cut).  The answers of a
 * pool's servers are next to each other. */
void status_tables(const struct answer *answers, size_t count, bool has_color,
		   int columns, struct buf *text);

/* A new reference. */
struct json_t *status_describe(const struct answer *answer);

/* Shows the servers and each change until Ctrl-C, and returns that exit status; -1 with
 * `err` set if it cannot begin.  Fills the answers, whose views the caller frees. */
int status_watch(struct answer *answers, size_t count, const struct options *options,
		 struct err *err);

#endif
