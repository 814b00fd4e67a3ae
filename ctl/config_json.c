#include "config_json.h"

#include "mem.h"
#include "profiles.h"
#include "schema_print.h"
#include "schema_show.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { PORT_LIMIT = 65535, FLOOR_LIMIT = 10000 };

/* ---- values ---- */

static bool is_whole_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

static json_t *scalar_to_json(enum key_type type, const char *text)
{
	bool may_be_number = type == KEY_NUMBER || type == KEY_PORTS || type == KEY_FLOOR;

	if (type == KEY_FLAG)
		return json_boolean(!strcmp(text, "true"));
	if (may_be_number && is_whole_number(text))
		return json_integer(strtoll(text, NULL, 10));
	return json_string(text);
}

static json_t *with_origin(json_t *value, const struct yaml_node *node)
{
	struct buf origin = {0};

	schema_show_origin(node, &origin);
	value = json_pack("{s:o, s:s}", "value", value, "from", origin.text);
	buf_done(&origin);
	return value;
}

static json_t *section_to_json(const struct section *section,
			       const struct yaml_node *node, bool has_origins);

static json_t *list_to_json(const struct key *key, const struct yaml_node *node,
			    bool has_origins)
{
	json_t *list = json_array();

	for (size_t i = 0; i < node->count; i++)
		(void)json_array_append_new(
			list, key->section
				      ? section_to_json(key->section, node->items[i],
							has_origins)
				      : scalar_to_json(key->type, node->items[i]->text));
	return list;
}

static json_t *names_to_json(const struct key *key, const struct yaml_node *node,
			     bool has_origins)
{
	json_t *names = json_object();

	for (size_t i = 0; i < node->count; i++)
		(void)json_object_set_new(
			names, node->keys[i]->text,
			section_to_json(key->section, node->items[i], has_origins));
	return names;
}

static json_t *value_to_json(const struct key *key, const struct yaml_node *node,
			     bool has_origins)
{
	json_t *value;

	if (key->type == KEY_SECTION)
		return section_to_json(key->section, node, has_origins);
	if (key->type == KEY_NAMED)
		return names_to_json(key, node, has_origins);
	value = node->kind == YAML_LIST ? list_to_json(key, node, has_origins)
					: scalar_to_json(key->type, node->text);
	return has_origins && !(key->section && node->count) ? with_origin(value, node)
							     : value;
}

static json_t *section_to_json(const struct section *section,
			       const struct yaml_node *node, bool has_origins)
{
	json_t *object = json_object();

	for (size_t i = 0; i < node->count; i++) {
		const char *name = node->keys[i]->text;

		(void)json_object_set_new(object, name,
					  value_to_json(schema_find_key(section, name),
							node->items[i], has_origins));
	}
	return object;
}

json_t *config_json_settings(const struct section *section, const struct yaml_node *node)
{
	return section_to_json(section, node, true);
}

/* A default or an example as the tables have it: YAML behind its key. */
static json_t *written_to_json(const struct key *key, const char *written)
{
	char *line = xasprintf("%s: %s\n", key->name, written);
	struct yaml_tree *tree = yaml_tree_new();
	struct mistakes mistakes = {0};
	struct yaml_node *root =
		yaml_tree_parse(tree, "table of keys", line, strlen(line), &mistakes);
	json_t *value = root ? value_to_json(key, root->items[0], false) : json_null();

	mistakes_done(&mistakes);
	yaml_tree_free(tree);
	free(line);
	return value;
}

/* ---- JSON Schema ---- */

#define DIGITS "^[0-9]{1,18}$"
#define BYTE "(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
#define IPV4 "(" BYTE "\\.){3}" BYTE
#define IPV6 "[0-9A-Fa-f]*:[0-9A-Fa-f:.]*"

/* What YAML takes for a number is good as a text too; what is a number may be quoted. */
static const struct form {
	const char *types[4];
	const char *pattern;
	int64_t min, max; /* of a number */
} forms[KEY__COUNT] = {
	[KEY_TEXT] = {.types = {"string", "number", "boolean"}},
	[KEY_TEXTS] = {.types = {"string", "number", "boolean", "null"}},
	[KEY_ENDPOINT] = {.types = {"string"},
			  .pattern = "^(" IPV4 "|\\[" IPV6 "\\]):[0-9]{1,5}$"},
	[KEY_DURATION] = {.types = {"string"}, .pattern = "^[0-9]{1,18}(ms|s|m|h|d)$"},
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

static void set(json_t *schema, const char *name, json_t *value)
{
	(void)json_object_set_new(schema, name, value);
}

static void set_types(json_t *schema, const char *const *types, size_t limit)
{
	json_t *list = json_array();

	for (size_t i = 0; i < limit && types[i]; i++)
		(void)json_array_append_new(list, json_string(types[i]));
	set(schema, "type", list);
}

static void set_form(json_t *schema, const struct key *key)
{
	const struct form *form = &forms[key->type];
	bool is_number = key->type == KEY_NUMBER;

	set_types(schema, form->types, sizeof(form->types) / sizeof(form->types[0]));
	if (form->pattern)
		set(schema, "pattern", json_string(form->pattern));
	if (key->type == KEY_TEXT)
		set(schema, "minLength", json_integer(1));
	if (strcmp(form->types[0], "integer"))
		return;
	set(schema, "minimum", json_integer(is_number ? key->min : form->min));
	set(schema, "maximum", json_integer(is_number ? key->max : form->max));
}

/* The value itself, or a list of them. */
static void set_list(json_t *schema, const struct key *key)
{
	json_t *items = json_object();

	set_form(items, key);
	set_form(schema, key);
	(void)json_array_append_new(json_object_get(schema, "type"),
				    json_string("array"));
	set(schema, "items", items);
	if (key->is_required)
		set(schema, "minItems", json_integer(1));
}

static void set_choices(json_t *schema, const struct key *key)
{
	json_t *choices = json_array();

	for (size_t i = 0; key->choices[i]; i++)
		(void)json_array_append_new(choices, json_string(key->choices[i]));
	set(schema, "enum", choices);
}

/* For editors, the names of the profiles that are built in; a file will do as well. */
static void set_profiles(json_t *schema)
{
	json_t *names = json_array();

	for (const struct profile *profile = profiles; profile->name; profile++)
		(void)json_array_append_new(names, json_string(profile->name));
	set(schema, "anyOf",
	    json_pack("[{s:o}, {s:s, s:s}]", "enum", names, "type", "string", "pattern",
		      "[/\\\\]|.\\.yaml$"));
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
		set(schema, "additionalProperties", section_schema(key->section));
		break;
	case KEY_ROWS:
		allow_nothing(schema, "array", key->is_required);
		set(schema, "items", section_schema(key->section));
		break;
	case KEY_CHOICE:
		set_choices(schema, key);
		break;
	case KEY_FLAG:
		set(schema, "enum", json_pack("[b, b, s, s]", 1, 0, "true", "false"));
		break;
	default:
		if (schema_is_list(key->type))
			set_list(schema, key);
		else if (key->type == KEY_TEXT && !strcmp(key->name, "profile"))
			set_profiles(schema);
		else
			set_form(schema, key);
	}
}

static json_t *key_schema(const struct key *key)
{
	json_t *schema = json_object();

	set(schema, "description", json_string(key->help));
	set_value(schema, key);
	if (key->fallback)
		set(schema, "default", written_to_json(key, key->fallback));
	if (key->example)
		set(schema, "examples",
		    json_pack("[o]", written_to_json(key, key->example)));
	return schema;
}

static json_t *section_schema(const struct section *section)
{
	json_t *schema = json_object(), *properties = json_object();
	json_t *required = json_array();

	for (size_t i = 0; i < section->key_count; i++) {
		const struct key *key = &section->keys[i];

		set(properties, key->name, key_schema(key));
		if (key->is_required)
			(void)json_array_append_new(required, json_string(key->name));
	}
	allow_nothing(schema, "object", json_array_size(required) > 0);
	set(schema, "additionalProperties", json_false());
	set(schema, "required", required);
	set(schema, "properties", properties);
	return schema;
}

json_t *config_json_schema(const struct section *file)
{
	json_t *schema = json_pack("{s:s, s:s}", "$schema",
				   "https://json-schema.org/draft/2020-12/schema",
				   "title", file->what);

	(void)json_object_update_new(schema, section_schema(file));
	return schema;
}

/* ---- reference ---- */

static void add_keys(const struct schema_place *place, void *context)
{
	struct buf path = {0};

	schema_print_path(place, &path);
	for (size_t i = 0; i < place->section->key_count; i++) {
		const struct key *key = &place->section->keys[i];
		char range[SCHEMA_RANGE_BYTES];
		json_t *entry = json_pack(
			"{s:s, s:s, s:s, s:s, s:b, s:s?, s:s, s:s, s:s?}", "section",
			place->section->what, "path", path.text ? path.text : "", "key",
			key->name, "type", schema_type_name(key->type), "required",
			key->is_required, "default", key->fallback, "range",
			schema_range(key, range), "help", key->help, "example",
			key->example);

		(void)json_array_append_new(context, entry);
	}
	buf_done(&path);
}

void config_json_reference(const struct section *file, json_t *keys)
{
	schema_visit(file, add_keys, keys);
}
