/*
 * Settings as JSON: numbers and flags as such, other values as texts.
 */
#ifndef POOLCTL_CONFIG_JSON_H
#define POOLCTL_CONFIG_JSON_H

#include "schema.h"

#include <stdbool.h>

struct json_t;

/* A section as an object; with `has_origins`, which needs a completed section, each
 * value as {"value": ..., "from": "pool.yaml:12"}.  A new reference, as below. */
struct json_t *config_json_section(const struct section *section,
				   const struct yaml_node *node, bool has_origins);

/* The value of one key. */
struct json_t *config_json_value(const struct key *key,
				 const struct yaml_node *node, bool has_origins);

#endif
