/*
 * The output of a command, in the format that -o names.
 *
 * A command says once, in a `struct output_kind`, how its results are described and
 * printed; then it hands them over without knowing the format.  There are entries
 * and rows, and a format shows either:
 *
 *              entries                          rows
 *   text       printed, or they title a table   lines of a table
 *   json       the items of one list            -
 *   jsonl      a line each, if there are no     a line each
 *              rows
 *
 * So the entries of `status` are pools, its rows servers; those of `check` are
 * servers, and it has no rows.
 */
#ifndef POOLCTL_OUTPUT_H
#define POOLCTL_OUTPUT_H

#include "line/options.h"
#include "show/table.h"

struct json_t;

enum { OUTPUT_COLUMNS_LIMIT = 8 };

/* What is not set does not exist.  All that describes gives a new reference, or
 * NULL if there is nothing to show. */
struct output_kind {
	const char *list; /* json: the list is in an object, under this name */
	bool is_single;   /* json: there is one entry, and no list */
	struct json_t *(*describe)(const void *entry);
	const char *(*title)(
		const void *entry);       /* text: of the table that follows */
	void (*print)(const void *entry); /* text: on standard output */

	/* Of a row, OUTPUT_COLUMNS_LIMIT at the most. */
	const char *const *headings;
	void (*add_row)(struct table *table, const void *row); /* or adds nothing */
	struct json_t *(*describe_row)(const void *row);
};

/* What is under way; begin with output_begin or output_begin_text. */
struct output {
	const struct output_writer *writer;
	const struct output_kind *kind;
	bool is_live;
	struct json_t *list;      /* json */
	struct table_style style; /* text */
	struct table *table;
	struct buf *text; /* NULL: standard output */
	size_t titles;
	bool has_headings;
	int widths[OUTPUT_COLUMNS_LIMIT];
};

/* How one format is written. */
struct output_writer {
	bool can_be_live;  /* each row can be shown at once */
	bool can_be_drawn; /* on a terminal, over and over in its place */
	void (*begin)(struct output *output);
	void (*entry)(struct output *output, const void *entry);
	void (*row)(struct output *output, const void *row);
	void (*end)(struct output *output);
};

extern const struct output_writer output_text, output_json, output_jsonl;

/* With `is_live`, each row is shown as it comes. */
void output_begin(struct output *output, const struct output_kind *kind,
		  const struct options *options, bool is_live);

/* Begins text that is added to `text` instead of being printed. */
void output_begin_text(struct output *output, const struct output_kind *kind,
		       struct table_style style, struct buf *text);

void output_entry(struct output *output, const void *entry);
void output_row(struct output *output, const void *row);
void output_end(struct output *output);

/* Shows one entry, and that is all. */
void output_single(const struct output_kind *kind, const void *entry,
		   const struct options *options);

/* Fails with ERR_USAGE if the format is no good for what `option` asks for, rows
 * that come one by one. */
int output_check_live(const struct options *options, const char *option,
		      struct err *err);

/* True if what is shown may be drawn on the terminal, over and over in its place.
 */
bool output_can_be_drawn(const struct output *output);

/* Prints the value in one line, and drops the reference to it. */
void output_json_print(struct json_t *value);

#endif
