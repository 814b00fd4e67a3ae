/*
 * A YAML file as a tree whose nodes know where they stand.
 *
 * Nodes live as long as the tree that they were made in; they may be shared, and
 * are not changed once they are complete.
 */
#ifndef POOLCTL_YAML_TREE_H
#define POOLCTL_YAML_TREE_H

#include "mistakes.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	YAML_LIMIT_BYTES = 1 << 20,
	YAML_LIMIT_DEPTH = 32,
	YAML_LIMIT_NODES =
		200000,          /* with each alias counted as what it stands for */
	YAML_LIMIT_KEYS = 10000, /* of one map */
};

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	struct place place;
	int height;              /* levels below it */
	const char *text;        /* of a scalar; "" for a null */
	bool is_null;            /* nothing, ~ or null, without quotes */
	struct yaml_node **keys; /* of a map, `count` scalars */
	struct yaml_node **items;
	size_t count, capacity;
};

struct yaml_tree;
struct yaml_tree *yaml_tree_new(void);
void yaml_tree_free(struct yaml_tree *tree);

/*
 * Parses one document.  Returns NULL if it is no YAML, too deep or too large, has
 * several documents or a key twice, and then there is at least one mistake.  An
 * empty document is an empty map.  `origin` is copied.
 */
struct yaml_node *yaml_tree_parse(struct yaml_tree *tree, const char *origin,
				  const char *text, size_t length,
				  struct mistakes *mistakes);

/* New nodes, for values that stand in no file.  Texts are copied, origins are not.
 */
struct yaml_node *yaml_tree_scalar(struct yaml_tree *tree, const char *origin,
				   const char *text);
struct yaml_node *yaml_tree_map(struct yaml_tree *tree, const struct place *place);
void yaml_tree_add(struct yaml_tree *tree, struct yaml_node *map,
		   struct yaml_node *key, struct yaml_node *item);

/* Lays `over` on `under`: merges maps key by key, and takes anything else whole.
 * Either may be NULL. */
struct yaml_node *yaml_tree_overlay(struct yaml_tree *tree, struct yaml_node *under,
				    struct yaml_node *over);

/* The item of a map, NULL if there is none or it is no map. */
struct yaml_node *yaml_tree_find(const struct yaml_node *map, const char *name);

/* "key:" with nothing behind it, or with a null. */
bool yaml_tree_is_null(const struct yaml_node *node);

#endif
