#include "schema_show.h"

#include "utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- completing ---- */

/* An empty list that stands where the node does. */
static struct yaml_node *new_list(struct yaml_tree *tree, const struct place *place)
{
	struct yaml_node *list = yaml_tree_map(tree, place);

	list->kind = YAML_LIST;
	return list;
}

/* One value stands for a list of it, an empty one for none. */
static struct yaml_node *as_list(struct yaml_tree *tree, struct yaml_node *node)
{
	struct yaml_node *list;

	if (node->kind == YAML_LIST)
		return node;
	list = new_list(tree, &node->place);
	if (!yaml_tree_is_null(node))
		yaml_tree_add(tree, list, NULL, node);
	return list;
}

static struct yaml_node *complete_items(const struct key *key,
					struct yaml_tree *tree,
					const struct yaml_node *node,
					bool has_defaults)
{
	bool is_named = key->type == KEY_NAMED;
	struct yaml_node *fresh = is_named ? yaml_tree_map(tree, &node->place)
					   : new_list(tree, &node->place);

	for (size_t i = 0; i < node->count; i++)
		yaml_tree_add(tree, fresh, is_named ? node->keys[i] : NULL,
			      schema_show_complete(key->section, tree,
						   node->items[i], has_defaults));
	return fresh;
}

static struct yaml_node *resolve(struct yaml_tree *tree,
				 const struct yaml_node *node)
{
	char *path = schema_resolve_path(node);
	struct yaml_node *fresh = yaml_tree_scalar(tree, node->place.origin, path);

	fresh->place = node->place;
	free(path);
	return fresh;
}

/* NULL if there is neither a value nor a default. */
static struct yaml_node *complete_value(const struct key *key,
					struct yaml_tree *tree,
					struct yaml_node *node, bool has_defaults)
{
	struct yaml_node nowhere = {.kind = YAML_MAP,
				    .place = {.origin = "default"}};

	if (node && yaml_tree_is_null(node) && !schema_is_list(key->type) &&
	    key->type != KEY_NAMED && key->type != KEY_ROWS)
		node = NULL;
	if (key->type == KEY_SECTION) {
		node = schema_show_complete(key->section, tree,
					    node ? node : &nowhere, has_defaults);
		return node->count ? node : NULL;
	}
	if (!node && key->fallback && has_defaults)
		node = yaml_tree_scalar(tree, "default", key->fallback);
	if (!node)
		return NULL;
	if (key->section)
		return complete_items(key, tree, node, has_defaults);
	if (key->type == KEY_PATH)
		return resolve(tree, node);
	return schema_is_list(key->type) ? as_list(tree, node) : node;
}

struct yaml_node *schema_show_complete(const struct section *section,
				       struct yaml_tree *tree,
				       const struct yaml_node *node,
				       bool has_defaults)
{
	struct yaml_node *fresh = yaml_tree_map(tree, &node->place);

	for (size_t i = 0; i < section->key_count; i++) {
		const struct key *key = &section->keys[i];
		struct yaml_node *value = complete_value(
			key, tree, yaml_tree_find(node, key->name), has_defaults);

		if (value)
			yaml_tree_add(tree, fresh,
				      yaml_tree_scalar(tree, "default", key->name),
				      value);
	}
	return fresh;
}

/* ---- texts ---- */

/* True for characters that YAML or a terminal does not take as they are. */
static bool is_escaped(uint32_t character)
{
	return !utf8_is_shown(character) || (character & 0xfffe) == 0xfffe;
}

static bool has_escaped(const char *value)
{
	size_t length;

	for (; *value; value += length)
		if (is_escaped(utf8_read(value, &length)))
			return true;
	return false;
}

static bool is_word_of_yaml(const char *value)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on",
					    "off",  "null",  "y",   "n"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcasecmp(words[i], value))
			return true;
	return false;
}

/* A number, a date or a time to some reader of YAML; an IPv4 address is none. */
static bool is_number_like(const char *value)
{
	size_t dots = 0;

	if (!isdigit((unsigned char)*value))
		return false;
	for (const char *at = value; *at; at++)
		dots += *at == '.';
	return dots < 2 &&
	       !value[strspn(value, "0123456789abcdefABCDEFxXo_.:+-tTzZ ")];
}

/* Not all that YAML would take, but what is surely plain, within brackets too. */
static bool is_plain(const char *value)
{
	const unsigned char *at = (const unsigned char *)value;

	if (!isalnum(*at) && *at < 0x80 && *at != '_' && *at != '/')
		return false;
	for (; *at; at++)
		if (*at == ':' ? !isalnum(at[1]) && at[1] != '/'
			       : !isalnum(*at) && *at < 0x80 &&
					 !strchr(" _./+()&$%@=;-", *at))
			return false;
	return at[-1] != ' ' && !is_word_of_yaml(value) && !is_number_like(value);
}

static void add_escaped(const char *value, struct buf *text)
{
	size_t length;

	buf_puts(text, "\"");
	for (; *value; value += length) {
		uint32_t character = utf8_read(value, &length);

		if (character == '\n')
			buf_puts(text, "\\n");
		else if (is_escaped(character))
			buf_printf(text, "\\U%08X", (unsigned)character);
		else if (character == '"' || character == '\\')
			buf_printf(text, "\\%c", (char)character);
		else
			buf_add(text, value, length);
	}
	buf_puts(text, "\"");
}

static void add_quoted(const char *value, struct buf *text)
{
	buf_puts(text, "'");
	for (; *value; value++) {
		buf_puts(text, *value == '\'' ? "'" : "");
		buf_add(text, value, 1);
	}
	buf_puts(text, "'");
}

void schema_show_text(const char *value, struct buf *text)
{
	if (has_escaped(value))
		add_escaped(value, text);
	else if (is_plain(value))
		buf_puts(text, value);
	else
		add_quoted(value, text);
}

/* ---- values ---- */

void schema_show_origin(const struct yaml_node *node, struct buf *text)
{
	buf_puts(text, node->place.origin);
	if (node->place.line)
		buf_printf(text, ":%d", node->place.line);
}

/* A file's name may have a line break; a comment must not. */
static void add_comment(const struct yaml_node *node, struct buf *text)
{
	size_t from = text->length + 4;

	buf_puts(text, "  # ");
	schema_show_origin(node, text);
	for (size_t i = from; i < text->length; i++)
		if (iscntrl((unsigned char)text->text[i]))
			text->text[i] = '?';
	buf_puts(text, "\n");
}

static void add_indent(int depth, struct buf *text)
{
	buf_printf(text, "%*s", depth * 2, "");
}

/* A checked number, duration or the like needs no quotes, and would be another
 * thing with them. */
static void add_scalar(enum key_type type, const char *value, struct buf *text)
{
	if (type == KEY_TEXT || type == KEY_PATH || type == KEY_TEXTS ||
	    type == KEY_ADDRESSES || type == KEY_ENDPOINT)
		schema_show_text(value, text);
	else
		buf_puts(text, value);
}

static void add_list(const struct key *key, const struct yaml_node *list,
		     struct buf *text)
{
	buf_puts(text, "[");
	for (size_t i = 0; i < list->count; i++) {
		buf_puts(text, i ? ", " : "");
		add_scalar(key->type, list->items[i]->text, text);
	}
	buf_puts(text, "]");
}

static void add_section(const struct section *section, const struct yaml_node *node,
			int depth, struct buf *text);

static void add_items(const struct key *key, const struct yaml_node *node,
		      int depth, struct buf *text)
{
	for (size_t i = 0; i < node->count; i++) {
		size_t start = text->length;

		if (key->type == KEY_NAMED) {
			add_indent(depth, text);
			schema_show_text(node->keys[i]->text, text);
			buf_puts(text, node->items[i]->count ? ":\n" : ": {}\n");
		}
		add_section(key->section, node->items[i], depth + 1, text);
		/* The first key stands behind the dash. */
		if (key->type == KEY_ROWS && text->length > start)
			text->text[start + (size_t)depth * 2] = '-';
	}
}

static void add_value(const struct key *key, const struct yaml_node *node,
		      int depth, struct buf *text)
{
	if (node->kind != YAML_SCALAR && !node->count) {
		buf_puts(text, node->kind == YAML_MAP ? " {}" : " []");
		add_comment(node, text);
	} else if (key->type == KEY_SECTION) {
		buf_puts(text, "\n");
		add_section(key->section, node, depth + 1, text);
	} else if (key->section) {
		buf_puts(text, "\n");
		add_items(key, node, depth + 1, text);
	} else {
		buf_puts(text, " ");
		if (node->kind == YAML_LIST)
			add_list(key, node, text);
		else
			add_scalar(key->type, node->text, text);
		add_comment(node, text);
	}
}

static void add_section(const struct section *section, const struct yaml_node *node,
			int depth, struct buf *text)
{
	for (size_t i = 0; i < node->count; i++) {
		add_indent(depth, text);
		buf_printf(text, "%s:", node->keys[i]->text);
		add_value(schema_find_key(section, node->keys[i]->text),
			  node->items[i], depth, text);
	}
}

void schema_show(const struct section *section, const struct yaml_node *node,
		 struct buf *text)
{
	add_section(section, node, 0, text);
}
