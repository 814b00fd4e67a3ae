/*
 * A YAML file as a tree whose nodes know where they stand.
 *
 * Mistakes are collected, so that a person sees all of them at once, each as
 * `file:line:column: what is wrong`.
 */
#ifndef POOLCTL_YAML_TREE_H
#define POOLCTL_YAML_TREE_H

#include "compat.h"

#include "buf.h"

#include <stddef.h>

enum {
	YAML_LIMIT_BYTES = 1 << 20,
	YAML_LIMIT_DEPTH = 32,
	YAML_LIMIT_NODES = 200000,
	MISTAKES_LIMIT = 50,
};

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	int line, column;        /* from 1 */
	char *text;              /* of a scalar */
	struct yaml_node **keys; /* of a map, `count` scalars */
	struct yaml_node **items;
	size_t count;
};

struct mistakes {
	const char *file;
	struct buf text; /* one line each */
	int count;
};

/* Adds one line; further ones than MISTAKES_LIMIT are only counted. */
void mistake_at(struct mistakes *mistakes, const struct yaml_node *node,
		const char *format, ...) PRINTF_LIKE(3, 4);
void mistakes_done(struct mistakes *mistakes);

/*
 * Parses one document.  Returns NULL if it is no YAML, is too deep or too large, or uses
 * what configuration files here do not need (several documents, aliases, duplicate keys),
 * and then there is at least one mistake.  An empty document is an empty map.
 */
struct yaml_node *yaml_tree_parse(const char *text, size_t length,
				  struct mistakes *mistakes);
void yaml_tree_free(struct yaml_node *node);

#endif
