#include "yaml_tree.h"

#include "mem.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reader {
	yaml_parser_t parser;
	const char *text;
	struct mistakes *mistakes;
	size_t nodes;
};

static void add_line(struct mistakes *mistakes, int line, int column, const char *text)
{
	if (mistakes->count++ < MISTAKES_LIMIT)
		buf_printf(&mistakes->text, "%s:%d:%d: %s\n", mistakes->file, line,
			   column, text);
	else if (mistakes->count == MISTAKES_LIMIT + 1)
		buf_printf(&mistakes->text, "%s: and more\n", mistakes->file);
}

void mistake_at(struct mistakes *mistakes, const struct yaml_node *node,
		const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	drop_cut_character(text);
	add_line(mistakes, node->line, node->column, text);
}

void mistakes_done(struct mistakes *mistakes)
{
	buf_done(&mistakes->text);
	mistakes->count = 0;
}

/* Of bytes that are no text libyaml says only how many came before. */
static struct yaml_node *byte_mistake(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	int line = 1, column = 1;

	for (size_t i = 0; i < parser->problem_offset; i++)
		if (reader->text[i] == '\n') {
			line++;
			column = 1;
		} else if ((reader->text[i] & 0xc0) != 0x80) {
			column++;
		}
	add_line(reader->mistakes, line, column, parser->problem);
	return NULL;
}

static struct yaml_node *parser_mistake(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	char text[256];

	if (parser->error == YAML_READER_ERROR && parser->problem)
		return byte_mistake(reader);
	(void)snprintf(text, sizeof(text), "%s%s%s",
		       parser->problem ? parser->problem : "not YAML",
		       parser->context ? ", " : "",
		       parser->context ? parser->context : "");
	add_line(reader->mistakes, (int)parser->problem_mark.line + 1,
		 (int)parser->problem_mark.column + 1, text);
	return NULL;
}

static struct yaml_node *fail_at(struct reader *reader, yaml_event_t *event,
				 const char *text)
{
	add_line(reader->mistakes, (int)event->start_mark.line + 1,
		 (int)event->start_mark.column + 1, text);
	return NULL;
}

static struct yaml_node *new_node(struct reader *reader, enum yaml_kind kind,
				  const yaml_event_t *event)
{
	struct yaml_node *node = xcalloc(1, sizeof(*node));

	reader->nodes++;
	node->kind = kind;
	node->line = (int)event->start_mark.line + 1;
	node->column = (int)event->start_mark.column + 1;
	return node;
}

static void append(struct yaml_node *parent, struct yaml_node *key,
		   struct yaml_node *item)
{
	size_t size = (parent->count + 1) * sizeof(struct yaml_node *);

	if (key) {
		parent->keys = xrealloc(parent->keys, size);
		parent->keys[parent->count] = key;
	}
	parent->items = xrealloc(parent->items, size);
	parent->items[parent->count++] = item;
}

static struct yaml_node *read_node(struct reader *reader, yaml_event_t *event, int depth);

static struct yaml_node *read_next(struct reader *reader, int depth, bool *is_end)
{
	struct yaml_node *node = NULL;
	yaml_event_t event;

	if (!yaml_parser_parse(&reader->parser, &event))
		return parser_mistake(reader);
	*is_end = event.type == YAML_MAPPING_END_EVENT ||
		  event.type == YAML_SEQUENCE_END_EVENT;
	if (!*is_end)
		node = read_node(reader, &event, depth);
	yaml_event_delete(&event);
	return node;
}

/* A key that stands twice is kept, so that what follows is checked too; the caller sees
 * the mistake in the count. */
static bool check_key(struct reader *reader, const struct yaml_node *map,
		      const struct yaml_node *key)
{
	if (key->kind != YAML_SCALAR) {
		mistake_at(reader->mistakes, key, "a key must be a plain word");
		return false;
	}
	for (size_t i = 0; i < map->count; i++)
		if (!strcmp(map->keys[i]->text, key->text)) {
			mistake_at(reader->mistakes, key,
				   "'%s' is here twice, first in line %d", key->text,
				   map->keys[i]->line);
			return false;
		}
	return true;
}

static struct yaml_node *read_children(struct reader *reader, struct yaml_node *parent,
				       int depth)
{
	for (;;) {
		bool is_end = false;
		struct yaml_node *key = NULL,
				 *item = read_next(reader, depth + 1, &is_end);

		if (is_end)
			return parent;
		if (item && parent->kind == YAML_MAP) {
			key = item;
			item = read_next(reader, depth + 1, &is_end);
		}
		if (!item || (key && !check_key(reader, parent, key))) {
			bool is_fatal = !item;

			yaml_tree_free(key);
			yaml_tree_free(item);
			if (!is_fatal)
				continue;
			yaml_tree_free(parent);
			return NULL;
		}
		append(parent, key, item);
	}
}

static struct yaml_node *read_node(struct reader *reader, yaml_event_t *event, int depth)
{
	struct yaml_node *node;

	if (depth > YAML_LIMIT_DEPTH)
		return fail_at(reader, event, "nested too deep");
	if (reader->nodes >= YAML_LIMIT_NODES)
		return fail_at(reader, event, "the file has too many entries");
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		node = new_node(reader, YAML_SCALAR, event);
		node->text = xstrdup((const char *)event->data.scalar.value);
		if (strlen(node->text) == event->data.scalar.length)
			return node;
		yaml_tree_free(node);
		return fail_at(reader, event, "a text must not have a NUL character");
	case YAML_SEQUENCE_START_EVENT:
		return read_children(reader, new_node(reader, YAML_LIST, event), depth);
	case YAML_MAPPING_START_EVENT:
		return read_children(reader, new_node(reader, YAML_MAP, event), depth);
	case YAML_ALIAS_EVENT:
		return fail_at(reader, event,
			       "aliases (*name) are not used in this file");
	default:
		return fail_at(reader, event, "not expected here");
	}
}

static struct yaml_node *read_stream(struct reader *reader)
{
	struct yaml_node *root = NULL;
	bool is_over = false;

	while (!is_over) {
		yaml_event_t event;

		if (!yaml_parser_parse(&reader->parser, &event)) {
			yaml_tree_free(root);
			return parser_mistake(reader);
		}
		if (event.type == YAML_STREAM_END_EVENT) {
			is_over = true;
			if (!root)
				root = new_node(reader, YAML_MAP, &event);
		} else if (event.type == YAML_DOCUMENT_START_EVENT && root) {
			(void)fail_at(reader, &event, "only one document in a file");
			yaml_tree_free(root);
			root = NULL;
			is_over = true;
		} else if (event.type != YAML_STREAM_START_EVENT &&
			   event.type != YAML_DOCUMENT_START_EVENT &&
			   event.type != YAML_DOCUMENT_END_EVENT) {
			root = read_node(reader, &event, 1);
			is_over = !root;
		}
		yaml_event_delete(&event);
	}
	return root;
}

struct yaml_node *yaml_tree_parse(const char *text, size_t length,
				  struct mistakes *mistakes)
{
	struct reader reader = {.text = text, .mistakes = mistakes};
	struct yaml_node *root;

	if (length > YAML_LIMIT_BYTES) {
		add_line(mistakes, 1, 1, "the file is larger than 1 MiB");
		return NULL;
	}
	if (!yaml_parser_initialize(&reader.parser)) {
		add_line(mistakes, 1, 1, "out of memory");
		return NULL;
	}
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, length);
	root = read_stream(&reader);
	yaml_parser_delete(&reader.parser);
	/* "key:" with nothing but comments below it is an empty scalar, the root too. */
	if (root && root->kind == YAML_SCALAR && !*root->text)
		root->kind = YAML_MAP;
	return root;
}

void yaml_tree_free(struct yaml_node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->count; i++) {
		if (node->keys)
			yaml_tree_free(node->keys[i]);
		yaml_tree_free(node->items[i]);
	}
	free(node->keys);
	free(node->items);
	free(node->text);
	free(node);
}
