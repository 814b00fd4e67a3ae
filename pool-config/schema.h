/*
 * From a YAML tree to C structs, by a table of keys.
 *
 * A section describes one struct: for each key its type, range, default, help, and where
 * in the struct the value goes.  One loader reads all of them, reports every mistake and
 * suggests the key that was probably meant.
 */
#ifndef POOLCTL_SCHEMA_H
#define POOLCTL_SCHEMA_H

#include "yaml_tree.h"

#include <stdbool.h>
#include <stdint.h>

enum key_type {
	KEY_TEXT,     /* char * */
	KEY_ENDPOINT, /* char *, "IP:PORT" or "[IPv6]:PORT" */
	KEY_CHOICE,   /* int: index into `choices` */
	KEY_DURATION, /* int64_t milliseconds, written "250ms", "10s", "5m", "2h", "1d" */
	KEY_PORTS,    /* struct list of uint16_t; one number will do */
	KEY_ADDRESSES, /* struct list of struct net_address; one address will do */
	KEY_SECTION,   /* a struct, by `section` */
	KEY_NAMED,     /* struct list of structs by `section`, each under its own name */
};

struct list {
	void *items;
	size_t count;
};

struct section;

struct key {
	const char *name;
	enum key_type type;
	bool is_required;
	size_t offset;
	int64_t min, max;     /* of a duration, in milliseconds */
	const char *fallback; /* the default, as it would be written in the file */
	const struct section *section;
	const char *const *choices; /* ends with NULL */
	const char *help;
};

/* A struct of KEY_NAMED starts with `struct named`. */
struct section {
	const char *what; /* "a server": for messages */
	size_t size_bytes;
	const struct key *keys;
	size_t key_count;
};

struct named {
	char *name;
	int line, column;
};

/* Fills `*out`, which was zeroed, from the node; what is missing gets its default.  After
 * mistakes the struct is incomplete, and still to be freed with schema_free. */
void schema_load(const struct section *section, const struct yaml_node *node, void *out,
		 struct mistakes *mistakes);
void schema_free(const struct section *section, void *out);

/* The candidate nearest to a mistyped word, or NULL if none is near. */
const char *schema_nearest(const char *word,
			   const char *(*candidate)(const void *, size_t),
			   const void *from, size_t count);

#endif
