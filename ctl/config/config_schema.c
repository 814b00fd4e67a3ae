/*
 * `poolctl config schema`: a JSON Schema (draft 2020-12) that accepts every file
 * that loads.  What it cannot say is left to the loader: the range of durations,
 * and rules between several keys.
 */
#include "commands/commands.h"
#include "config/config_json.h"
#include "mem.h"
#include "pool_config.h"
#include "poold_config.h"
#include "profiles.h"
#include "schema_show.h"
#include "terminal/print.h"
#include "text/duration.h"
#include "text/json_write.h"

#include <stdlib.h>
#include <string.h>

enum { PORT_LIMIT = 65535, FLOOR_LIMIT = 10000 };

#define DIGITS "^[0-9]{1,18}$"
#define BYTE "(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
#define IPV4 "(" BYTE "\\.){3}" BYTE
#define IPV6 "[0-9A-Fa-f]*:[0-9A-Fa-f:.]*"

/* What YAML takes for a number is good as a text too; what is a number may be
 * quoted. */
static const struct form {
	const char *types[5];
	const char *pattern;
	int64_t min, max; /* of a number */
} forms[KEY__COUNT] = {
	[KEY_TEXT] = {.types = {"string", "number", "boolean"}},
	[KEY_PATH] = {.types = {"string", "number", "boolean"}},
	[KEY_TEXTS] = {.types = {"string", "number", "boolean"}},
	[KEY_ENDPOINT] = {.types = {"string"},
			  .pattern = "^(" IPV4 "|\\[" IPV6 "\\]):[0-9]{1,5}$"},
	[KEY_DURATION] = {.types = {"string"}, .pattern = DURATION_PATTERN},
	[KEY_NUMBER] = {.types = {"integer", "string"}, .pattern = DIGITS},
	[KEY_FLOOR] = {.types = {"integer", "string"},
		       .pattern = "^(table|[0-9]{1,18}|0*(100|[0-9]{1,2})%)$",
		       .max = FLOOR_LIMIT},
	[KEY_PORTS] = {.types = {"integer", "string"},
		       .pattern = DIGITS,
		       .min = 1,
		       .max = PORT_LIMIT},
	[KEY_ADDRESSES] = {.types = {"string"}, .pattern = "^(" IPV4 "|" IPV6 ")$"},
};

static json_t *section_schema(const struct section *section);

static void set_types(json_t *schema, const char *const *types, size_t limit)
{
	json_t *list = json_array();

	for (size_t i = 0; i < limit && types[i]; i++)
		json_write_text_item(list, types[i]);
	json_write_value(schema, "type", list);
}

static void set_form(json_t *schema, const struct key *key)
{
	const struct form *form = &forms[key->type];
	bool is_number = key->type == KEY_NUMBER;

	set_types(schema, form->types,
		  sizeof(form->types) / sizeof(form->types[0]));
	if (form->pattern)
		json_write_text(schema, "pattern", form->pattern);
	if (key->type == KEY_TEXT || key->type == KEY_PATH)
		json_write_number(schema, "minLength", 1);
	if (strcmp(form->types[0], "integer"))
		return;
	json_write_number(schema, "minimum", is_number ? key->min : form->min);
	json_write_number(schema, "maximum", is_number ? key->max : form->max);
}

/* The value itself, or a list of them. */
static void set_list(json_t *schema, const struct key *key)
{
	json_t *items = json_object();

	set_form(items, key);
	set_form(schema, key);
	json_write_text_item(json_object_get(schema, "type"), "array");
	json_write_value(schema, "items", items);
	if (key->is_required)
		json_write_number(schema, "minItems", 1);
}

static void set_choices(json_t *schema, const struct key *key)
{
	json_t *choices = json_array();

	for (size_t i = 0; key->choices[i]; i++)
		json_write_text_item(choices, key->choices[i]);
	(void)json_array_append_new(choices, json_null());
	json_write_value(schema, "enum", choices);
}

/* For editors, the names of the profiles that are built in; a file will do as well.
 */
static void set_profiles(json_t *schema)
{
	json_t *built_in = json_object(), *file = json_object();
	json_t *names = json_array(), *choices = json_array();

	for (const struct profile *profile = profiles; profile->name; profile++)
		json_write_text_item(names, profile->name);
	(void)json_array_append_new(names, json_null());
	json_write_value(built_in, "enum", names);
	json_write_text(file, "type", "string");
	json_write_text(file, "pattern", "[/\\\\]|.\\.yaml$");
	json_write_item(choices, built_in);
	json_write_item(choices, file);
	json_write_value(schema, "anyOf", choices);
}

/* What is below may be left out where nothing in it is required. */
static void allow_nothing(json_t *schema, const char *type, bool is_required)
{
	const char *const types[] = {type, is_required ? NULL : "null"};

	set_types(schema, types, 2);
}

static void set_value(json_t *schema, const struct key *key)
{
	switch (key->type) {
	case KEY_SECTION:
		(void)json_object_update_new(schema, section_schema(key->section));
		break;
	case KEY_NAMED:
		allow_nothing(schema, "object", key->is_required);
		json_write_value(schema, "additionalProperties",
				 section_schema(key->section));
		break;
	case KEY_ROWS:
		allow_nothing(schema, "array", key->is_required);
		json_write_value(schema, "items", section_schema(key->section));
		break;
	case KEY_CHOICE:
		set_choices(schema, key);
		break;
	case KEY_FLAG:
		json_write_value(
			schema, "enum",
			json_pack("[b, b, s, s, n]", 1, 0, "true", "false"));
		break;
	default:
		if (schema_is_list(key->type))
			set_list(schema, key);
		else if (key->type == KEY_TEXT && !strcmp(key->name, "profile"))
			set_profiles(schema);
		else
			set_form(schema, key);
		if (!key->is_required && json_object_get(schema, "type"))
			json_write_text_item(json_object_get(schema, "type"),
					     "null");
	}
}

/* A default or an example as the tables have it: YAML behind its key. */
static json_t *written_to_json(const struct key *key, const char *written)
{
	char *line = xasprintf("%s: %s\n", key->name, written);
	struct yaml_tree *tree = yaml_tree_new();
	struct mistakes mistakes = {0};
	struct yaml_node *root = yaml_tree_parse(tree, "table of keys", line,
						 strlen(line), &mistakes);
	json_t *value =
		root ? config_json_value(key, root->items[0], false) : json_null();

	mistakes_done(&mistakes);
	yaml_tree_free(tree);
	free(line);
	return value;
}

static json_t *key_schema(const struct key *key)
{
	json_t *schema = json_object();

	json_write_text(schema, "description", key->help);
	set_value(schema, key);
	if (key->fallback)
		json_write_value(schema, "default",
				 written_to_json(key, key->fallback));
	if (key->example)
		json_write_value(
			schema, "examples",
			json_pack("[o]", written_to_json(key, key->example)));
	return schema;
}

static json_t *section_schema(const struct section *section)
{
	json_t *schema = json_object(), *properties = json_object();
	json_t *required = json_array();

	for (size_t i = 0; i < section->key_count; i++) {
		const struct key *key = &section->keys[i];

		json_write_value(properties, key->name, key_schema(key));
		if (key->is_required)
			json_write_text_item(required, key->name);
	}
	allow_nothing(schema, "object", json_array_size(required) > 0);
	json_write_value(schema, "additionalProperties", json_false());
	json_write_value(schema, "required", required);
	json_write_value(schema, "properties", properties);
	return schema;
}

static json_t *file_schema(const struct section *file)
{
	json_t *schema = json_object();

	json_write_text(schema, "$schema",
			"https://json-schema.org/draft/2020-12/schema");
	json_write_text(schema, "title", file->what);
	(void)json_object_update_new(schema, section_schema(file));
	return schema;
}

int command_config_schema(const struct options *options,
			  const struct pool_config *config, struct err *err)
{
	json_t *schema = file_schema(options->is_poold ? &poold_file_section
						       : &pool_file_section);
	/* In ASCII, so that no terminal is a reason to change it. */
	char *text = json_dumps(schema, JSON_INDENT(2) | JSON_ENSURE_ASCII);

	(void)config;
	(void)err;
	if (!text)
		abort();
	print_lines(stdout, text);
	free(text);
	json_decref(schema);
	return 0;
}
