#include "schema.h"

#include "mem.h"
#include "net_address.h"

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

const struct key *schema_find_key(const struct section *section, const char *name)
{
	for (size_t i = 0; i < section->key_count; i++)
		if (!strcmp(section->keys[i].name, name))
			return &section->keys[i];
	return NULL;
}

/* ---- values: each fills its field or adds a mistake ---- */

struct value {
	const struct key *key;
	const struct yaml_node *node;
	struct mistakes *mistakes;
};

static void wrong(const struct value *value, const char *what)
{
	mistake_at(value->mistakes, value->node, "'%s: %s' is %s", value->key->name,
		   value->node->text, what);
}

/* Digits only, up to 18 of them. */
static bool read_number(const char *text, const char **end, int64_t *number)
{
	size_t digits = strspn(text, "0123456789");

	*number = 0;
	for (size_t i = 0; i < digits && digits <= 18; i++)
		*number = *number * 10 + (text[i] - '0');
	*end = text + digits;
	return digits > 0 && digits <= 18;
}

static void load_duration(const struct value *value, int64_t *ms)
{
	const char *unit;
	int64_t number;
	char text[96];

	if (read_number(value->node->text, &unit, &number))
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			if (strcmp(unit, units[i].name) ||
			    number > INT64_MAX / units[i].ms)
				continue;
			*ms = number * units[i].ms;
			if (*ms >= value->key->min && *ms <= value->key->max)
				return;
			(void)snprintf(
				text, sizeof(text), "out of range: from %lldms to %lldms",
				(long long)value->key->min, (long long)value->key->max);
			wrong(value, text);
			return;
		}
	wrong(value,
	      "no duration: expected a number and a unit (ms, s, m, h, d), like 10s");
}

static void load_number(const struct value *value, int64_t *number)
{
	const char *end;
	char text[96];

	if (read_number(value->node->text, &end, number) && !*end &&
	    *number >= value->key->min && *number <= value->key->max)
		return;
	(void)snprintf(text, sizeof(text), "no number from %lld to %lld",
		       (long long)value->key->min, (long long)value->key->max);
	wrong(value, text);
}

static void load_flag(const struct value *value, bool *flag)
{
	*flag = !strcmp(value->node->text, "true");
	if (!*flag && strcmp(value->node->text, "false"))
		wrong(value, "neither true nor false");
}

static void load_floor(const struct value *value, struct floor *floor)
{
	const char *end;
	int64_t number;

	if (!strcmp(value->node->text, "table")) {
		*floor = (struct floor){FLOOR_TABLE, 0};
		return;
	}
	if (read_number(value->node->text, &end, &number) && number <= 10000) {
		*floor = (struct floor){*end ? FLOOR_PERCENT : FLOOR_NUMBER, (int)number};
		if (!*end || (!strcmp(end, "%") && number <= 100))
			return;
	}
	wrong(value, "no floor: expected a number of servers, a percentage like 50%, or "
		     "table");
}

static void load_endpoint(const struct value *value, char **text)
{
	struct net_address address;
	uint16_t port;

	if (net_address_split(value->node->text, &address, &port))
		wrong(value, "no address: expected IP:PORT or [IPv6]:PORT");
	else
		*text = xstrdup(value->node->text);
}

static void load_choice(const struct value *value, int *choice)
{
	struct buf allowed = {0};

	for (int i = 0; value->key->choices[i]; i++) {
		if (!strcmp(value->key->choices[i], value->node->text)) {
			*choice = (int)value->key->min + i;
			buf_done(&allowed);
			return;
		}
		buf_printf(&allowed, "%s%s", i ? ", " : "", value->key->choices[i]);
	}
	mistake_at(value->mistakes, value->node,
		   "'%s: %s' is not known: expected one of %s", value->key->name,
		   value->node->text, allowed.text);
	buf_done(&allowed);
}

static void *append_item(struct list *list, size_t size_bytes)
{
	char *item;

	list->items = xrealloc(list->items, (list->count + 1) * size_bytes);
	item = (char *)list->items + list->count++ * size_bytes;
	memset(item, 0, size_bytes);
	return item;
}

static void load_list_item(const struct value *value, struct list *list)
{
	struct net_address address;
	const char *end;
	int64_t port;

	if (value->node->kind != YAML_SCALAR) {
		mistake_at(value->mistakes, value->node,
			   "'%s' takes a value or a list of values", value->key->name);
	} else if (value->key->type == KEY_TEXTS) {
		if (*value->node->text)
			*(char **)append_item(list, sizeof(char *)) =
				xstrdup(value->node->text);
	} else if (value->key->type == KEY_ADDRESSES) {
		if (net_address_parse(value->node->text, &address))
			wrong(value, "no IP address");
		else
			*(struct net_address *)append_item(list, sizeof(address)) =
				address;
	} else if (read_number(value->node->text, &end, &port) && !*end && port >= 1 &&
		   port <= 65535) {
		*(uint16_t *)append_item(list, sizeof(uint16_t)) = (uint16_t)port;
	} else {
		wrong(value, "no port: expected 1 to 65535");
	}
}

static void load_list(const struct value *value, struct list *list)
{
	struct value item = *value;

	if (value->node->kind != YAML_LIST) {
		load_list_item(value, list);
		return;
	}
	for (size_t i = 0; i < value->node->count; i++) {
		item.node = value->node->items[i];
		load_list_item(&item, list);
	}
}

/* All at once, so that a long list is not moved about while it grows. */
static char *make_room(struct list *list, const struct value *value)
{
	size_t size_bytes = value->key->section->size_bytes;

	list->count = value->node->count;
	list->items = xcalloc(list->count, size_bytes);
	return list->items;
}

static void load_named(const struct value *value, struct list *list)
{
	const struct section *section = value->key->section;
	char *items;

	if (yaml_is_empty(value->node))
		return;
	if (value->node->kind != YAML_MAP) {
		mistake_at(value->mistakes, value->node,
			   "'%s' takes names, each with %s below it", value->key->name,
			   section->what);
		return;
	}
	items = make_room(list, value);
	for (size_t i = 0; i < list->count; i++) {
		struct named *named = (void *)(items + i * section->size_bytes);

		named->name = xstrdup(value->node->keys[i]->text);
		named->place = value->node->keys[i];
		schema_load(section, value->node->items[i], named, value->mistakes);
	}
}

static void load_rows(const struct value *value, struct list *list)
{
	const struct section *section = value->key->section;
	char *items;

	if (yaml_is_empty(value->node))
		return;
	if (value->node->kind != YAML_LIST) {
		mistake_at(value->mistakes, value->node,
			   "'%s' takes a list, each item %s", value->key->name,
			   section->what);
		return;
	}
	items = make_room(list, value);
	for (size_t i = 0; i < list->count; i++)
		schema_load(section, value->node->items[i],
			    items + i * section->size_bytes, value->mistakes);
}

static bool is_scalar_type(enum key_type type)
{
	return type == KEY_TEXT || type == KEY_ENDPOINT || type == KEY_CHOICE ||
	       type == KEY_DURATION || type == KEY_NUMBER || type == KEY_FLAG ||
	       type == KEY_FLOOR;
}

static void load_value(const struct value *value, void *field)
{
	if (is_scalar_type(value->key->type) &&
	    (value->node->kind != YAML_SCALAR || !*value->node->text)) {
		mistake_at(value->mistakes, value->node, "'%s' takes one value",
			   value->key->name);
		return;
	}
	switch (value->key->type) {
	case KEY_TEXT:
		*(char **)field = xstrdup(value->node->text);
		break;
	case KEY_ENDPOINT:
		load_endpoint(value, field);
		break;
	case KEY_CHOICE:
		load_choice(value, field);
		break;
	case KEY_DURATION:
		load_duration(value, field);
		break;
	case KEY_NUMBER:
		load_number(value, field);
		break;
	case KEY_FLAG:
		load_flag(value, field);
		break;
	case KEY_FLOOR:
		load_floor(value, field);
		break;
	case KEY_SECTION:
		schema_load(value->key->section, value->node, field, value->mistakes);
		break;
	case KEY_NAMED:
		load_named(value, field);
		break;
	case KEY_ROWS:
		load_rows(value, field);
		break;
	default:
		load_list(value, field);
	}
}

/* ---- sections ---- */

static void report_unknown_keys(const struct section *section,
				const struct yaml_node *node, struct mistakes *mistakes)
{
	for (size_t i = 0; i < node->count; i++) {
		const char *name = node->keys[i]->text, *nearest;

		if (schema_find_key(section, name))
			continue;
		nearest =
			schema_nearest(name, key_name, section->keys, section->key_count);
		mistake_at(mistakes, node->keys[i], "%s has no key '%s'%s%s%s",
			   section->what, name, SCHEMA_HINT(nearest));
	}
}

static void set_absent(const struct key *key, void *field)
{
	if (key->type == KEY_CHOICE)
		*(int *)field = -1;
	if (key->type == KEY_DURATION || key->type == KEY_NUMBER)
		*(int64_t *)field = -1;
}

static void load_missing(const struct key *key, const struct yaml_node *node, void *field,
			 struct mistakes *mistakes, const struct section *section)
{
	struct yaml_node stand_in = {.kind = YAML_MAP,
				     .line = node->line,
				     .column = node->column,
				     .origin = node->origin};
	struct value value = {key, &stand_in, mistakes};

	if (key->is_required) {
		mistake_at(mistakes, node, "%s needs the key '%s': %s", section->what,
			   key->name, key->help);
	} else if (key->fallback) {
		stand_in.kind = YAML_SCALAR;
		stand_in.text = key->fallback;
		load_value(&value, field);
	} else if (key->type == KEY_SECTION) {
		load_value(&value, field);
	}
}

void schema_load(const struct section *section, const struct yaml_node *node, void *out,
		 struct mistakes *mistakes)
{
	if (node->kind != YAML_MAP && !yaml_is_empty(node)) {
		mistake_at(mistakes, node, "expected %s: keys with values",
			   section->what);
		return;
	}
	report_unknown_keys(section, node, mistakes);
	for (size_t i = 0; i < section->key_count; i++) {
		const struct key *key = &section->keys[i];
		struct value value = {key, yaml_find(node, key->name), mistakes};
		void *field = (char *)out + key->offset;

		set_absent(key, field);
		if (value.node)
			load_value(&value, field);
		else
			load_missing(key, node, field, mistakes, section);
	}
}

static void free_items(const struct key *key, struct list *list)
{
	char **texts = list->items;

	for (size_t i = 0; i < list->count; i++) {
		void *item = (char *)list->items +
			     i * (key->section ? key->section->size_bytes : 0);

		if (key->type == KEY_TEXTS)
			free(texts[i]);
		if (key->type == KEY_NAMED)
			free(((struct named *)item)->name);
		if (key->type == KEY_NAMED || key->type == KEY_ROWS)
			schema_free(key->section, item);
	}
	free(list->items);
}

void schema_free(const struct section *section, void *out)
{
	for (size_t i = 0; i < section->key_count; i++) {
		const struct key *key = &section->keys[i];
		void *field = (char *)out + key->offset;

		if (key->type == KEY_TEXT || key->type == KEY_ENDPOINT)
			free(*(char **)field);
		else if (key->type == KEY_SECTION)
			schema_free(key->section, field);
		else if (!is_scalar_type(key->type))
			free_items(key, field);
	}
}
