/*
 * Goes through the tables of keys, and prints them as the reference of a file.
 */
#ifndef POOLCTL_SCHEMA_PRINT_H
#define POOLCTL_SCHEMA_PRINT_H

#include "buf.h"
#include "schema.h"

enum { SCHEMA_DEPTH = 8, SCHEMA_RANGE_BYTES = 160 };

/* The place of a section in a file: the keys that lead there. */
struct schema_place {
	const struct section *section;
	const struct key *steps[SCHEMA_DEPTH];
	size_t depth;
};

/* Visits a file's section and all below it, each at every place where it may stand.
 */
void schema_print_visit(const struct section *file,
			void (*visit)(const struct schema_place *place,
				      void *context),
			void *context);

/* Adds "pools.NAME.floors[]"; nothing for the file itself. */
void schema_print_path(const struct schema_place *place, struct buf *text);

/* "text", "duration", ... */
const char *schema_print_type(enum key_type type);

/* "0ms to 1d", or the choices; "" for a key without a range.  Returns `range`. */
const char *schema_print_range(const struct key *key,
			       char range[SCHEMA_RANGE_BYTES]);

/* Adds the reference of all keys of a file, in Markdown. */
void schema_print(const struct section *file, struct buf *text);

#endif
