#include "schema.h"

#include "mem.h"
#include "net_address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NEAR_LIMIT = 2, NEAR_WORD_BYTES = 64 };

static const struct unit {
	const char *name;
	int64_t ms;
} units[] = {
	{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
};

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance, kept to one row. */
static size_t distance(const char *a, const char *b)
{
	size_t length_b = strlen(b), row[NEAR_WORD_BYTES + 1];

	if (length_b > NEAR_WORD_BYTES)
		return SIZE_MAX;
	for (size_t j = 0; j <= length_b; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length_b; j++) {
			size_t above = row[j];

			row[j] = smallest(row[j] + 1, row[j - 1] + 1,
					  diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
			diagonal = above;
		}
	}
	return row[length_b];
}

const char *schema_nearest(const char *word,
			   const char *(*candidate)(const void *, size_t),
			   const void *from, size_t count)
{
	const char *nearest = NULL;
	size_t best = NEAR_LIMIT + 1;

	for (size_t i = 0; i < count; i++) {
		const char *name = candidate(from, i);
		size_t edits = distance(word, name);

		if (edits < best && edits < strlen(name)) {
			best = edits;
			nearest = name;
		}
	}
	return nearest;
}

static const char *key_name(const void *keys, size_t i)
{
	return ((const struct key *)keys)[i].name;
}

static const struct key *find_key(const struct section *section, const char *name)
{
	for (size_t i = 0; i < section->key_count; i++)
		if (!strcmp(section->keys[i].name, name))
			return &section->keys[i];
	return NULL;
}

static int load_duration(const struct key *key, const struct yaml_node *node, int64_t *ms,
			 struct mistakes *mistakes)
{
	char *unit;
	long long number;

	errno = 0;
	number = strtoll(node->text, &unit, 10);
	if (unit != node->text && node->text[0] >= '0' && node->text[0] <= '9' && !errno)
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			if (strcmp(unit, units[i].name))
				continue;
			if (number > INT64_MAX / units[i].ms)
				break;
			*ms = number * units[i].ms;
			if (*ms >= key->min && *ms <= key->max)
				return 0;
			mistake_at(mistakes, node,
				   "'%s: %s' is out of range: from %lldms to %lldms",
				   key->name, node->text, (long long)key->min,
				   (long long)key->max);
			return -1;
		}
	mistake_at(
		mistakes, node,
		"'%s: %s' is no duration: expected a number and a unit (ms, s, m, h, d), "
		"like 10s",
		key->name, node->text);
	return -1;
}

static void load_endpoint(const struct key *key, const struct yaml_node *node,
			  char **text, struct mistakes *mistakes)
{
	struct net_address address;
	uint16_t port;

	if (net_address_split(node->text, &address, &port))
		mistake_at(mistakes, node,
			   "'%s: %s' is no address: expected IP:PORT or [IPv6]:PORT",
			   key->name, node->text);
	else
		*text = xstrdup(node->text);
}

static int load_choice(const struct key *key, const struct yaml_node *node, int *choice,
		       struct mistakes *mistakes)
{
	struct buf allowed = {0};

	for (int i = 0; key->choices[i]; i++) {
		if (!strcmp(key->choices[i], node->text)) {
			*choice = i;
			buf_done(&allowed);
			return 0;
		}
		buf_printf(&allowed, "%s%s", i ? ", " : "", key->choices[i]);
	}
	mistake_at(mistakes, node, "'%s: %s' is not known: expected one of %s", key->name,
		   node->text, allowed.text);
	buf_done(&allowed);
	return -1;
}

static void *append_item(struct list *list, size_t size_bytes)
{
	char *item;

	list->items = xrealloc(list->items, (list->count + 1) * size_bytes);
	item = (char *)list->items + list->count++ * size_bytes;
	memset(item, 0, size_bytes);
	return item;
}

static void load_list_item(const struct key *key, const struct yaml_node *node,
			   struct list *list, struct mistakes *mistakes)
{
	struct net_address address;
	char *end;
	long port;

	if (node->kind != YAML_SCALAR) {
		mistake_at(mistakes, node, "'%s' takes a value or a list of values",
			   key->name);
	} else if (key->type == KEY_ADDRESSES) {
		if (net_address_parse(node->text, &address))
			mistake_at(mistakes, node, "'%s: %s' is no IP address", key->name,
				   node->text);
		else
			*(struct net_address *)append_item(list, sizeof(address)) =
				address;
	} else {
		port = strtol(node->text, &end, 10);
		if (node->text[0] < '0' || node->text[0] > '9' || *end || port < 1 ||
		    port > 65535)
			mistake_at(mistakes, node,
				   "'%s: %s' is no port: expected 1 to 65535", key->name,
				   node->text);
		else
			*(uint16_t *)append_item(list, sizeof(uint16_t)) = (uint16_t)port;
	}
}

static void load_list(const struct key *key, const struct yaml_node *node,
		      struct list *list, struct mistakes *mistakes)
{
	if (node->kind != YAML_LIST)
		load_list_item(key, node, list, mistakes);
	for (size_t i = 0; node->kind == YAML_LIST && i < node->count; i++)
		load_list_item(key, node->items[i], list, mistakes);
}

static void load_named(const struct key *key, const struct yaml_node *node,
		       struct list *list, struct mistakes *mistakes)
{
	if (node->kind != YAML_MAP) {
		mistake_at(mistakes, node, "'%s' takes names, each with %s below it",
			   key->name, key->section->what);
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		struct named *named = append_item(list, key->section->size_bytes);

		named->name = xstrdup(node->keys[i]->text);
		named->line = node->keys[i]->line;
		named->column = node->keys[i]->column;
		schema_load(key->section, node->items[i], named, mistakes);
	}
}

static void load_value(const struct key *key, const struct yaml_node *node, void *out,
		       struct mistakes *mistakes)
{
	void *field = (char *)out + key->offset;
	bool is_scalar = key->type == KEY_TEXT || key->type == KEY_ENDPOINT ||
			 key->type == KEY_CHOICE || key->type == KEY_DURATION;

	if (is_scalar && (node->kind != YAML_SCALAR || !*node->text)) {
		mistake_at(mistakes, node, "'%s' takes one value", key->name);
		return;
	}
	switch (key->type) {
	case KEY_TEXT:
		*(char **)field = xstrdup(node->text);
		break;
	case KEY_ENDPOINT:
		load_endpoint(key, node, field, mistakes);
		break;
	case KEY_CHOICE:
		(void)load_choice(key, node, field, mistakes);
		break;
	case KEY_DURATION:
		(void)load_duration(key, node, field, mistakes);
		break;
	case KEY_PORTS:
	case KEY_ADDRESSES:
		load_list(key, node, field, mistakes);
		break;
	case KEY_SECTION:
		schema_load(key->section, node, field, mistakes);
		break;
	case KEY_NAMED:
		load_named(key, node, field, mistakes);
		break;
	}
}

static const struct yaml_node *find_item(const struct yaml_node *map, const char *name)
{
	for (size_t i = 0; map->kind == YAML_MAP && i < map->count; i++)
		if (!strcmp(map->keys[i]->text, name))
			return map->items[i];
	return NULL;
}

static void report_unknown_keys(const struct section *section,
				const struct yaml_node *node, struct mistakes *mistakes)
{
	for (size_t i = 0; i < node->count; i++) {
		const char *name = node->keys[i]->text, *nearest;

		if (find_key(section, name))
			continue;
		nearest =
			schema_nearest(name, key_name, section->keys, section->key_count);
		if (nearest)
			mistake_at(mistakes, node->keys[i],
				   "%s has no key '%s' (did you mean '%s'?)",
				   section->what, name, nearest);
		else
			mistake_at(mistakes, node->keys[i], "%s has no key '%s'",
				   section->what, name);
	}
}

void schema_load(const struct section *section, const struct yaml_node *node, void *out,
		 struct mistakes *mistakes)
{
	bool is_empty = node->kind == YAML_SCALAR && !*node->text;

	if (node->kind != YAML_MAP && !is_empty) {
		mistake_at(mistakes, node, "expected %s: keys with values",
			   section->what);
		return;
	}
	report_unknown_keys(section, node, mistakes);
	for (size_t i = 0; i < section->key_count; i++) {
		const struct key *key = &section->keys[i];
		const struct yaml_node *item = find_item(node, key->name);
		struct yaml_node fallback = {.line = node->line, .column = node->column};

		if (item) {
			load_value(key, item, out, mistakes);
		} else if (key->is_required) {
			mistake_at(mistakes, node, "%s needs the key '%s': %s",
				   section->what, key->name, key->help);
		} else if (key->fallback) {
			fallback.text = xstrdup(key->fallback);
			load_value(key, &fallback, out, mistakes);
			free(fallback.text);
		} else if (key->type == KEY_SECTION) {
			fallback.kind = YAML_MAP;
			load_value(key, &fallback, out, mistakes);
		}
	}
}

void schema_free(const struct section *section, void *out)
{
	for (size_t i = 0; i < section->key_count; i++) {
		const struct key *key = &section->keys[i];
		void *field = (char *)out + key->offset;
		struct list *list = field;

		if (key->type == KEY_TEXT || key->type == KEY_ENDPOINT)
			free(*(char **)field);
		if (key->type == KEY_SECTION)
			schema_free(key->section, field);
		if (key->type == KEY_NAMED)
			for (size_t j = 0; j < list->count; j++) {
				struct named *named =
					(void *)((char *)list->items +
						 j * key->section->size_bytes);
				free(named->name);
				schema_free(key->section, named);
			}
		if (key->type == KEY_NAMED || key->type == KEY_PORTS ||
		    key->type == KEY_ADDRESSES)
			free(list->items);
	}
}
