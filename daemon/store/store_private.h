/*
 * What the files of the store share: its rows, in store.c; the file, its opening
 * and its transactions, in store_file.c.
 */
#ifndef POOLD_STORE_PRIVATE_H
#define POOLD_STORE_PRIVATE_H

#include "store/store.h"
#include "system/file.h"

#include <sqlite3.h>

enum { STORE_FILES = 3 };

struct store {
	sqlite3 *db;
	char *path, *reserve;
	bool is_full; /* the last failure may be for want of space */
	bool is_reader;
	const struct store *writer; /* a reader's, in this process; or NULL */
	/* It can be read, and nothing can be written, and why.  Its reader looks at
	 * the first. */
	_Atomic bool is_held;
	struct err held;
	/* Of a writer: the file, its log and the index of that, as they were
	 * opened. */
	struct file_identity opened[STORE_FILES];
	struct err damage; /* store_verify found it; until it finds none */
	sqlite3 *retired;  /* what a reader read while it was held, closed last: to
			    * close a file ends all locks of a process on it
			    */
	bool is_writing;   /* a transaction is open */
	bool is_broken;    /* and one of its writes failed, so that it cannot be
			      committed */
	int log_pages;     /* in the write-ahead log */
	struct err failure;
};

/* Sets what SQLite says of the last call. */
int store_fail(const struct store *store, struct err *err, const char *what);

int store_run(const struct store *store, const char *sql, struct err *err);

/* One character of `types` a value: t text (NULL allowed), i int64_t. */
sqlite3_stmt *store_prepare(const struct store *store, struct err *err,
			    const char *sql, const char *types, ...);

/* Runs a statement that changes something, inside the open transaction, and frees
 * it. */
int store_write_row(struct store *store, sqlite3_stmt *statement, struct err *err);

/* A reader that could not open the file as usual tries again. */
void store_refresh(struct store *store);

/* Steps once: 1 if there is a row, 0 if there is none, -1 on failure. */
int store_next_row(const struct store *store, sqlite3_stmt *statement,
		   struct err *err);
const char *store_text(sqlite3_stmt *statement, int column);

/* The number that a query gives; -1 on failure. */
int64_t store_number(const struct store *store, const char *sql, struct err *err);

#endif
