/*
 * Tables of keys: what a configuration file may say, and where it goes in a C
 * struct.
 *
 * A section describes one struct; a key tells its type, range, default, meaning and
 * an example.  From the same tables files are loaded (here), explained
 * (schema_show), and documented (schema_print).
 */
#ifndef POOLCTL_SCHEMA_H
#define POOLCTL_SCHEMA_H

#include "yaml_tree.h"

#include <stdbool.h>
#include <stdint.h>

/* A key that is absent and has no default leaves -1 in a number, a duration, a
 * choice or a floor, false in a flag, NULL in a text, and an empty list. */
enum key_type {
	KEY_TEXT,     /* char * */
	KEY_PATH,     /* char *; relative to the folder of the file that names it */
	KEY_ENDPOINT, /* char *, "IP:PORT" or "[IPv6]:PORT" */
	KEY_CHOICE,   /* int: min, plus the index into `choices` */
	KEY_DURATION, /* int64_t milliseconds, written "250ms", "10s", "5m", "2h",
			 "1d" */
	KEY_NUMBER,   /* int64_t */
	KEY_FLAG,     /* bool, written true or false */
	KEY_FLOOR,    /* struct floor: a number, a percentage or "table" */
	KEY_TEXTS, /* struct list of char *; one text will do, as with all lists */
	KEY_PORTS, /* struct list of uint16_t */
	KEY_ADDRESSES, /* struct list of struct net_address */
	KEY_SECTION,   /* a struct, by `section` */
	KEY_NAMED, /* struct list of structs by `section`, each under its own name
		    */
	KEY_ROWS,  /* struct list of structs by `section`, a YAML list of maps */
	KEY__COUNT,
};

/* What a text or the name of a section may contain, beside what everybody sees. */
enum text_rule {
	TEXT_NAME,  /* nothing: people type it, and programs compare it */
	TEXT_LABEL, /* spaces and quotes of every kind */
	TEXT_FREE,  /* anything */
};

enum floor_kind { FLOOR_NUMBER, FLOOR_PERCENT, FLOOR_TABLE };

struct floor {
	enum floor_kind kind;
	int value; /* servers, or percent of them */
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
	int64_t min, max;     /* of a number or a duration in milliseconds; min of a
				 choice */
	const char *fallback; /* the default, as it would be written in the file */
	const struct section *section;
	const char *const *choices; /* ends with NULL */
	enum text_rule rule;        /* of a text */
	const char *help;
	const char *example; /* as it would be written behind "name:" */
};

struct section {
	const char *what; /* "a server": for messages */
	size_t size_bytes;
	const struct key *keys;
	size_t key_count;
};

/* A struct of KEY_NAMED starts with this. */
struct named {
	char *name;
	struct place place;
	bool is_wrong; /* there are mistakes in it: what it lacks may follow from
			  them */
};

/* Fills `*out`, which was zeroed, from the node; what is missing or null gets its
 * default.  After mistakes the struct is incomplete, and still to be freed with
 * schema_free. */
void schema_load(const struct section *section, const struct yaml_node *node,
		 void *out, struct mistakes *mistakes);
void schema_free(const struct section *section, void *out);

/* The path of a KEY_PATH: what the node says, from the folder of its file; the
 * caller's.
 */
char *schema_resolve_path(const struct yaml_node *node);

/* True for lists of plain values: KEY_TEXTS and the like. */
bool schema_is_list(enum key_type type);

const struct key *schema_find_key(const struct section *section, const char *name);

#define LIST_EACH(type, item, list)     \
	for (type *item = (list).items; \
	     item && item < (type *)(list).items + (list).count; item++)

#endif
