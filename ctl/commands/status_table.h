/*
 * The state of servers, as rows for people and objects for programs.
 */
#ifndef POOLCTL_STATUS_TABLE_H
#define POOLCTL_STATUS_TABLE_H

#include "api/exchange.h"
#include "pool.h"
#include "show/output.h"

struct json_t;

struct status_server {
	const struct pool *pool;
	struct exchange exchange; /* its newest view, or a problem */
	int64_t unknown_ms; /* for how long it has not answered; 0: not said */
};

/* Adds a row: its name, phase, sessions, drains, and what else there is to say;
 * without `has_countdown` the row stays the same while time passes. */
void status_table_add_row(struct table *table, const struct status_server *server,
			  bool has_countdown);
extern const char *const status_table_headings[];

/* Adds a table for each pool to the text.  The servers of a pool are next to each
 * other. */
void status_table_draw(const struct status_server *servers, size_t count,
		       struct table_style style, struct buf *text);

/* How they are shown in each format: a pool is an entry, its servers are rows. */
extern const struct output_kind status_table_kind;

/* Shows the servers, with what output_begin began, and ends it. */
void status_table_show(const struct status_server *servers, size_t count,
		       struct output *output);

/* An object that ends with the pool's name; a new reference. */
struct json_t *status_table_describe_row(const void *server);

#endif
