/*
 * Shows what is in force: a tree of settings as a YAML file that loads as the same
 * again, each value with a comment that tells where it came from.
 */
#ifndef POOLCTL_SCHEMA_SHOW_H
#define POOLCTL_SCHEMA_SHOW_H

#include "buf.h"
#include "schema.h"

/*
 * The node of a section that was loaded without mistakes, with the keys in the
 * order of the table, what is missing at its default if `has_defaults`, and lists
 * always as lists.  It belongs to `tree`, and shares nodes with `node`.
 */
struct yaml_node *schema_show_complete(const struct section *section,
				       struct yaml_tree *tree,
				       const struct yaml_node *node,
				       bool has_defaults);

/* Adds a completed section as YAML in block style, one line for each value. */
void schema_show(const struct section *section, const struct yaml_node *node,
		 struct buf *text);

/* Adds "pool.yaml:12", "profile sfb-edge:7" or "default". */
void schema_show_origin(const struct yaml_node *node, struct buf *text);

/* Adds any text as a YAML scalar in one line that every reader takes for that text,
 * and not for a number or true or null. */
void schema_show_text(const char *value, struct buf *text);

#endif
