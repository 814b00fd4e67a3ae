#include "yaml_tree.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { BLOCK_BYTES = 16384, ALIGN_BYTES = 16 };

struct block {
	struct block *next;
	size_t used, size_bytes;
	/* The memory follows. */
};

struct yaml_tree {
	struct block *blocks;
};

/* A part of the document that has a name, for aliases. */
struct anchor {
	const char *name;
	struct yaml_node *node; /* NULL while it is being read */
	size_t weight;
};

struct reader {
	yaml_parser_t parser;
	struct yaml_tree *tree;
	const char *origin, *text;
	struct mistakes *mistakes;
	size_t nodes;
	struct anchor *anchors;
	size_t anchor_count;
};

/* ---- memory ---- */

struct yaml_tree *yaml_tree_new(void)
{
	return xcalloc(1, sizeof(struct yaml_tree));
}

void yaml_tree_free(struct yaml_tree *tree)
{
	if (!tree)
		return;
	while (tree->blocks) {
		struct block *next = tree->blocks->next;

		free(tree->blocks);
		tree->blocks = next;
	}
	free(tree);
}

static void *take(struct yaml_tree *tree, size_t size_bytes)
{
	const size_t head_bytes = (sizeof(struct block) + ALIGN_BYTES - 1) /
				  ALIGN_BYTES * ALIGN_BYTES;
	size_t need = (size_bytes + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
	struct block *block = tree->blocks;

	if (!block || block->size_bytes - block->used < need) {
		size_t size = need > BLOCK_BYTES ? need : BLOCK_BYTES;

		block = xcalloc(1, head_bytes + size);
		block->size_bytes = size;
		block->next = tree->blocks;
		tree->blocks = block;
	}
	block->used += need;
	return (char *)block + head_bytes + block->used - need;
}

static const char *keep(struct yaml_tree *tree, const char *text, size_t length)
{
	char *copy = take(tree, length + 1);

	memcpy(copy, text, length);
	return copy;
}

/* ---- mistakes of the text itself ---- */

/* For bytes that are not text, libyaml gives only an offset. */
static struct yaml_node *byte_mistake(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	struct place place = {reader->origin, 1, 1};

	for (size_t i = 0; i < parser->problem_offset; i++)
		if (reader->text[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if ((reader->text[i] & 0xc0) != 0x80) {
			place.column++;
		}
	mistakes_add(reader->mistakes, &place, "%s", parser->problem);
	return NULL;
}

static struct place place_of(const struct reader *reader, const yaml_mark_t *mark)
{
	return (struct place){reader->origin, (int)mark->line + 1,
			      (int)mark->column + 1};
}

static struct yaml_node *parser_mistake(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	struct place place = place_of(reader, &parser->problem_mark);

	if (parser->error == YAML_READER_ERROR && parser->problem)
		return byte_mistake(reader);
	mistakes_add(reader->mistakes, &place, "%s%s%s",
		     parser->problem ? parser->problem : "not YAML",
		     parser->context ? ", " : "",
		     parser->context ? parser->context : "");
	return NULL;
}

static struct yaml_node *fail_at(struct reader *reader, const yaml_event_t *event,
				 const char *text)
{
	struct place place = place_of(reader, &event->start_mark);

	mistakes_add(reader->mistakes, &place, "%s", text);
	return NULL;
}

/* ---- nodes ---- */

static struct yaml_node *new_node(struct yaml_tree *tree, enum yaml_kind kind,
				  struct place place)
{
	struct yaml_node *node = take(tree, sizeof(*node));

	node->kind = kind;
	node->place = place;
	return node;
}

static struct yaml_node **grow(struct yaml_tree *tree, struct yaml_node **old,
			       size_t count, size_t capacity)
{
	struct yaml_node **fresh = take(tree, capacity * sizeof(*fresh));

	if (count)
		memcpy(fresh, old, count * sizeof(*fresh));
	return fresh;
}

void yaml_tree_add(struct yaml_tree *tree, struct yaml_node *parent,
		   struct yaml_node *key, struct yaml_node *item)
{
	if (parent->count == parent->capacity) {
		parent->capacity = parent->capacity ? parent->capacity * 2 : 4;
		parent->items =
			grow(tree, parent->items, parent->count, parent->capacity);
		if (key)
			parent->keys = grow(tree, parent->keys, parent->count,
					    parent->capacity);
	}
	if (key)
		parent->keys[parent->count] = key;
	parent->items[parent->count++] = item;
	if (item->height >= parent->height)
		parent->height = item->height + 1;
}

struct yaml_node *yaml_tree_scalar(struct yaml_tree *tree, const char *origin,
				   const char *text)
{
	struct yaml_node *node =
		new_node(tree, YAML_SCALAR, (struct place){.origin = origin});

	node->text = keep(tree, text, strlen(text));
	return node;
}

struct yaml_node *yaml_tree_map(struct yaml_tree *tree, const struct place *place)
{
	return new_node(tree, YAML_MAP, *place);
}

struct yaml_node *yaml_tree_find(const struct yaml_node *map, const char *name)
{
	for (size_t i = 0; map && map->kind == YAML_MAP && i < map->count; i++)
		if (!strcmp(map->keys[i]->text, name))
			return map->items[i];
	return NULL;
}

bool yaml_tree_is_null(const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR && node->is_null;
}

struct yaml_node *yaml_tree_overlay(struct yaml_tree *tree, struct yaml_node *under,
				    struct yaml_node *over)
{
	struct yaml_node *both;

	if (!under || !over)
		return over ? over : under;
	if (under->kind != YAML_LIST && yaml_tree_is_null(over))
		return under;
	if (under->kind != YAML_MAP || over->kind != YAML_MAP)
		return over;
	both = yaml_tree_map(tree, &over->place);
	for (size_t i = 0; i < under->count; i++)
		yaml_tree_add(tree, both, under->keys[i],
			      yaml_tree_overlay(
				      tree, under->items[i],
				      yaml_tree_find(over, under->keys[i]->text)));
	for (size_t i = 0; i < over->count; i++)
		if (!yaml_tree_find(under, over->keys[i]->text))
			yaml_tree_add(tree, both, over->keys[i], over->items[i]);
	return both;
}

/* ---- reading ---- */

static struct yaml_node *node_at(struct reader *reader, enum yaml_kind kind,
				 const yaml_event_t *event)
{
	reader->nodes++;
	return new_node(reader->tree, kind, place_of(reader, &event->start_mark));
}

static struct yaml_node *read_node(struct reader *reader, yaml_event_t *event,
				   int depth);

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

static bool check_key(struct reader *reader, const struct yaml_node *map,
		      const struct yaml_node *key)
{
	if (key->kind != YAML_SCALAR) {
		mistakes_add(reader->mistakes, &key->place,
			     "a key must be a text, not a list or a map");
		return false;
	}
	if (key->is_null) {
		mistakes_add(
			reader->mistakes, &key->place,
			"a key must not be null; put a name like 'null' in quotes");
		return false;
	}
	for (size_t i = 0; i < map->count; i++)
		if (!strcmp(map->keys[i]->text, key->text)) {
			mistakes_add(reader->mistakes, &key->place,
				     "duplicate key '%s'; the first is in line %d",
				     key->text, map->keys[i]->place.line);
			return false;
		}
	return true;
}

/* A wrong key is a mistake, but what follows is read on, for its own mistakes. */
static struct yaml_node *read_children(struct reader *reader,
				       struct yaml_node *parent, int depth)
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
		if (!item)
			return NULL;
		if (key && parent->count >= YAML_LIMIT_KEYS) {
			mistakes_add(reader->mistakes, &key->place,
				     "more than %d keys in one place",
				     YAML_LIMIT_KEYS);
			return NULL;
		}
		if (!key || check_key(reader, parent, key))
			yaml_tree_add(reader->tree, parent, key, item);
	}
}

/* What YAML's core schema takes for a null: without quotes and without a tag. */
static bool is_null(const yaml_event_t *event)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};
	const char *text = (const char *)event->data.scalar.value;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (event->data.scalar.plain_implicit && !strcmp(words[i], text))
			return true;
	return false;
}

static struct yaml_node *read_scalar(struct reader *reader, yaml_event_t *event)
{
	struct yaml_node *node = node_at(reader, YAML_SCALAR, event);
	const char *text = (const char *)event->data.scalar.value;

	if (strlen(text) != event->data.scalar.length)
		return fail_at(reader, event,
			       "a text must not contain a NUL character");
	node->is_null = is_null(event);
	node->text = keep(reader->tree, node->is_null ? "" : text,
			  node->is_null ? 0 : event->data.scalar.length);
	return node;
}

static struct yaml_node *read_alias(struct reader *reader, yaml_event_t *event,
				    int depth)
{
	const char *name = (const char *)event->data.alias.anchor;
	const struct anchor *anchor = NULL;

	for (size_t i = reader->anchor_count; i > 0 && !anchor; i--)
		if (!strcmp(reader->anchors[i - 1].name, name))
			anchor = &reader->anchors[i - 1];
	if (!anchor)
		return fail_at(
			reader, event,
			"there is no anchor (&name) for this alias (*name) above it");
	if (!anchor->node)
		return fail_at(
			reader, event,
			"this alias (*name) is inside the part that it stands for");
	reader->nodes += anchor->weight;
	if (reader->nodes > YAML_LIMIT_NODES)
		return fail_at(reader, event, "the file has too many entries");
	if (depth + anchor->node->height > YAML_LIMIT_DEPTH)
		return fail_at(reader, event, "nested too deeply");
	return anchor->node;
}

static struct yaml_node *read_content(struct reader *reader, yaml_event_t *event,
				      int depth)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(reader, event);
	case YAML_SEQUENCE_START_EVENT:
		return read_children(reader, node_at(reader, YAML_LIST, event),
				     depth);
	case YAML_MAPPING_START_EVENT:
		return read_children(reader, node_at(reader, YAML_MAP, event),
				     depth);
	case YAML_ALIAS_EVENT:
		return read_alias(reader, event, depth);
	default:
		return fail_at(reader, event, "unexpected here");
	}
}

static const yaml_char_t *anchor_name(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.anchor;
	default:
		return NULL;
	}
}

static struct yaml_node *read_node(struct reader *reader, yaml_event_t *event,
				   int depth)
{
	const char *name = (const char *)anchor_name(event);
	size_t mine = reader->anchor_count, before = reader->nodes;
	struct yaml_node *node;

	if (depth > YAML_LIMIT_DEPTH)
		return fail_at(reader, event, "nested too deeply");
	if (reader->nodes >= YAML_LIMIT_NODES)
		return fail_at(reader, event, "the file has too many entries");
	if (name) {
		reader->anchors = xrealloc(reader->anchors,
					   (mine + 1) * sizeof(*reader->anchors));
		reader->anchors[reader->anchor_count++] = (struct anchor){
			keep(reader->tree, name, strlen(name)), NULL, 0};
	}
	node = read_content(reader, event, depth);
	if (name) {
		reader->anchors[mine].node = node;
		reader->anchors[mine].weight = reader->nodes - before;
	}
	return node;
}

static struct yaml_node *read_stream(struct reader *reader)
{
	struct yaml_node *root = NULL;
	bool is_over = false;

	while (!is_over) {
		yaml_event_t event;

		if (!yaml_parser_parse(&reader->parser, &event))
			return parser_mistake(reader);
		if (event.type == YAML_STREAM_END_EVENT) {
			is_over = true;
			if (!root)
				root = node_at(reader, YAML_MAP, &event);
		} else if (event.type == YAML_DOCUMENT_START_EVENT && root) {
			root = fail_at(
				reader, &event,
				"a second document begins here; only one is allowed in a file");
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

struct yaml_node *yaml_tree_parse(struct yaml_tree *tree, const char *origin,
				  const char *text, size_t length,
				  struct mistakes *mistakes)
{
	struct reader reader = {.tree = tree, .text = text, .mistakes = mistakes};
	struct place start = {origin, 1, 1};
	struct yaml_node *root;

	reader.origin = keep(tree, origin, strlen(origin));
	if (length > YAML_LIMIT_BYTES) {
		mistakes_add(mistakes, &start, "the file is larger than 1 MiB");
		return NULL;
	}
	if (!yaml_parser_initialize(&reader.parser)) {
		mistakes_add(mistakes, &start, "out of memory");
		return NULL;
	}
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text,
				     length);
	root = read_stream(&reader);
	yaml_parser_delete(&reader.parser);
	free(reader.anchors);
	/* "key:" with nothing but comments below it is an empty scalar, the root
	 * too. */
	if (root && yaml_tree_is_null(root))
		root->kind = YAML_MAP;
	return root;
}
