/* `poolctl config profiles`: the profiles that are built in. */
#include "commands/commands.h"
#include "profiles.h"
#include "show/output.h"
#include "text/json_write.h"
#include "yaml_tree.h"

#include <string.h>

/* What a profile says about itself, "" if nothing; it lives as long as the tree. */
static const char *text_of(const struct profile *profile, const char *key,
			   struct yaml_tree *tree)
{
	struct mistakes mistakes = {0};
	struct yaml_node *root = yaml_tree_parse(tree, profile->name, profile->text,
						 strlen(profile->text), &mistakes);
	const struct yaml_node *text = root ? yaml_tree_find(root, key) : NULL;

	mistakes_done(&mistakes);
	return text && text->kind == YAML_SCALAR ? text->text : "";
}

static void add_row(struct table *table, const void *row)
{
	const struct profile *profile = row;
	struct yaml_tree *tree = yaml_tree_new();

	table_add(table, profile->name);
	table_add(table, text_of(profile, "title", tree));
	yaml_tree_free(tree);
}

static json_t *describe_row(const void *row)
{
	const struct profile *profile = row;
	struct yaml_tree *tree = yaml_tree_new();
	json_t *object = json_object();

	json_write_text(object, "profile", profile->name);
	json_write_text(object, "title", text_of(profile, "title", tree));
	json_write_text(object, "notes", text_of(profile, "notes", tree));
	yaml_tree_free(tree);
	return object;
}

int command_config_profiles(const struct options *options,
			    const struct pool_config *config, struct err *err)
{
	static const char *const headings[] = {"PROFILE", "FOR", NULL};
	static const struct output_kind kind = {.headings = headings,
						.add_row = add_row,
						.list = "profiles",
						.describe = describe_row,
						.describe_row = describe_row};
	struct output output;

	(void)config;
	(void)err;
	output_begin(&output, &kind, options, false);
	for (const struct profile *profile = profiles; profile->name; profile++)
		if (options->output == OUTPUT_JSON)
			output_entry(&output, profile);
		else
			output_row(&output, profile);
	output_end(&output);
	return 0;
}
