#include "config/config_json.h"

#include "schema_show.h"
#include "text/json_write.h"

#include <stdlib.h>
#include <string.h>

static bool is_whole_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

static json_t *scalar_to_json(enum key_type type, const char *text)
{
	bool may_be_number =
		type == KEY_NUMBER || type == KEY_PORTS || type == KEY_FLOOR;

	if (type == KEY_FLAG)
		return json_boolean(!strcmp(text, "true"));
	if (may_be_number && is_whole_number(text))
		return json_integer(strtoll(text, NULL, 10));
	return json_string(text);
}

static json_t *with_origin(json_t *value, const struct yaml_node *node)
{
	json_t *object = json_object();
	struct buf origin = {0};

	schema_show_origin(node, &origin);
	json_write_value(object, "value", value);
	json_write_text(object, "from", origin.text);
	buf_done(&origin);
	return object;
}

static json_t *list_to_json(const struct key *key, const struct yaml_node *node,
			    bool has_origins)
{
	json_t *list = json_array();

	for (size_t i = 0; i < node->count; i++)
		json_write_item(
			list,
			key->section
				? config_json_section(key->section, node->items[i],
						      has_origins)
				: scalar_to_json(key->type, node->items[i]->text));
	return list;
}

static json_t *names_to_json(const struct key *key, const struct yaml_node *node,
			     bool has_origins)
{
	json_t *names = json_object();

	for (size_t i = 0; i < node->count; i++)
		json_write_value(names, node->keys[i]->text,
				 config_json_section(key->section, node->items[i],
						     has_origins));
	return names;
}

json_t *config_json_value(const struct key *key, const struct yaml_node *node,
			  bool has_origins)
{
	json_t *value;

	if (key->type == KEY_SECTION)
		return config_json_section(key->section, node, has_origins);
	if (key->type == KEY_NAMED)
		return names_to_json(key, node, has_origins);
	value = node->kind == YAML_LIST ? list_to_json(key, node, has_origins)
					: scalar_to_json(key->type, node->text);
	return has_origins && !(key->section && node->count)
		       ? with_origin(value, node)
		       : value;
}

json_t *config_json_section(const struct section *section,
			    const struct yaml_node *node, bool has_origins)
{
	json_t *object = json_object();

	for (size_t i = 0; i < node->count; i++) {
		const char *name = node->keys[i]->text;

		json_write_value(object, name,
				 config_json_value(schema_find_key(section, name),
						   node->items[i], has_origins));
	}
	return object;
}
