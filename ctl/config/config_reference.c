/* `poolctl config reference`: what all keys of both files mean. */
#include "commands/commands.h"
#include "pool_config.h"
#include "poold_config.h"
#include "schema_print.h"
#include "show/output.h"
#include "terminal/print.h"
#include "text/json_write.h"

static void add_keys(const struct schema_place *place, void *context)
{
	struct buf path = {0};

	schema_print_path(place, &path);
	for (size_t i = 0; i < place->section->key_count; i++) {
		const struct key *key = &place->section->keys[i];
		char range[SCHEMA_RANGE_BYTES];
		json_t *object = json_object();

		json_write_text(object, "section", place->section->what);
		json_write_text(object, "path", path.text ? path.text : "");
		json_write_text(object, "key", key->name);
		json_write_text(object, "type", schema_print_type(key->type));
		json_write_flag(object, "required", key->is_required);
		json_write_text(object, "default", key->fallback);
		json_write_text(object, "range", schema_print_range(key, range));
		json_write_text(object, "help", key->help);
		json_write_text(object, "example", key->example);
		json_write_item(context, object);
	}
	buf_done(&path);
}

static json_t *describe(const void *entry)
{
	json_t *keys = json_array();

	(void)entry;
	schema_print_visit(&pool_file_section, add_keys, keys);
	schema_print_visit(&poold_file_section, add_keys, keys);
	return keys;
}

static void print(const void *entry)
{
	struct buf text = {0};

	(void)entry;
	schema_print(&pool_file_section, &text);
	schema_print(&poold_file_section, &text);
	print_lines(stdout, text.text);
	buf_done(&text);
}

int command_config_reference(const struct options *options,
			     const struct pool_config *config, struct err *err)
{
	static const struct output_kind kind = {
		.is_single = true, .describe = describe, .print = print};

	(void)config;
	(void)err;
	output_single(&kind, NULL, options);
	return 0;
}
