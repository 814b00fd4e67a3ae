/*
 * Settings, and the tables of keys, as JSON.
 */
#ifndef POOLCTL_CONFIG_JSON_H
#define POOLCTL_CONFIG_JSON_H

#include "schema.h"

struct json_t;

/* A completed section as an object, each value as {"value": ..., "from": "pool.yaml:12"}.
 */
struct json_t *config_json_settings(const struct section *section,
				    const struct yaml_node *node);

/*
 * A JSON Schema (draft 2020-12) that accepts every file that loads.  What it cannot say
 * is left to the loader: the range of durations, and rules between several keys.
 */
struct json_t *config_json_schema(const struct section *file);

/* Appends an object for each key of a file, at each place where it may stand. */
void config_json_reference(const struct section *file, struct json_t *keys);

#endif
