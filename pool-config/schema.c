#include "schema.h"

#include "mem.h"
#include "net_address.h"
#include "text/duration.h"
#include "text/nearest.h"
#include "text/text.h"
#include "text/words.h"
#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct key *schema_find_key(const struct section *section, const char *name)
{
	for (size_t i = 0; i < section->key_count; i++)
		if (!strcmp(section->keys[i].name, name))
			return &section->keys[i];
	return NULL;
}

bool schema_is_list(enum key_type type)
{
	return type == KEY_TEXTS || type == KEY_PORTS || type == KEY_ADDRESSES;
}

/* ---- values: each fills its field or adds a mistake ---- */

struct value {
	const struct key *key;
	const struct yaml_node *node;
	struct mistakes *mistakes;
};

/* NULL for a character that everybody sees as what it is. */
static const char *describe_character(uint32_t character, enum text_rule rule)
{
	if (character < 0x20 || (character >= 0x7f && character < 0xa0))
		return character == '\t'   ? "a tab"
		       : character == '\n' ? "a line feed"
					   : "a control character";
	if (!utf8_is_shown(character) || character == 0xad)
		return rule == TEXT_NAME ? "a character that nobody sees" : NULL;
	if (rule == TEXT_NAME && utf8_is_odd_space(character))
		return "a space that is not the usual one";
	if (rule == TEXT_NAME && character >= 0x2018 && character <= 0x201f)
		return "a typographic quote";
	return NULL;
}

/* The first character that looks like another one, or like none; or NULL. */
static const char *find_odd(const char *text, enum text_rule rule)
{
	size_t length;

	for (const char *at = text; rule != TEXT_FREE && *at; at += length)
		/* Nothing in the usual part of ASCII is odd. */
		if (*at >= ' ' && *at <= '~')
			length = 1;
		else if (describe_character(utf8_read(at, &length), rule))
			return at;
	return NULL;
}

/* `what` says whose text it is; it stands between two `quote`s. */
static void report_odd(const struct yaml_node *node, const char *odd,
		       const char *quote, const char *what, enum text_rule rule,
		       struct mistakes *mistakes)
{
	const char *text = node->text;
	size_t length;
	uint32_t character = utf8_read(odd, &length);
	bool is_first = odd == text;

	mistakes_add(
		mistakes, &node->place, "%s%s%s has U+%04X %s '%.*s': %s%s", quote,
		what, quote, (unsigned)character, is_first ? "before" : "after",
		is_first ? (int)strcspn(odd + length, "\t\r\n") : (int)(odd - text),
		is_first ? odd + length : text, describe_character(character, rule),
		character < 0x20 ? "; a path with \\ needs single quotes, or "
				   "none"
				 : "; type it again without that");
}

/* False, with a mistake, if the name has a character that it must not have. */
static bool check_name_text(const struct yaml_node *name, const char *what,
			    struct mistakes *mistakes)
{
	const char *odd = find_odd(name->text, TEXT_NAME);

	if (odd)
		report_odd(name, odd, "", what, TEXT_NAME, mistakes);
	return !odd;
}

static void wrong(const struct value *value, const char *what)
{
	mistakes_add(value->mistakes, &value->node->place, "'%s: %s' is %s",
		     value->key->name, value->node->text, what);
}

static void load_duration(const struct value *value, int64_t *ms)
{
	char from[DURATION_BYTES], to[DURATION_BYTES], text[96];

	if (duration_parse(value->node->text, ms)) {
		*ms = -1;
		wrong(value, "not a duration: expected " DURATION_SYNTAX);
	} else if (*ms < value->key->min || *ms > value->key->max) {
		(void)snprintf(text, sizeof(text), "out of range: from %s to %s",
			       duration_print_exact(value->key->min, from),
			       duration_print_exact(value->key->max, to));
		*ms = -1;
		wrong(value, text);
	}
}

static void load_number(const struct value *value, int64_t *number)
{
	const char *end;
	char text[96];

	if (!text_read_number(value->node->text, number, &end) && !*end &&
	    *number >= value->key->min && *number <= value->key->max)
		return;
	*number = -1;
	(void)snprintf(text, sizeof(text), "not a number from %lld to %lld",
		       (long long)value->key->min, (long long)value->key->max);
	wrong(value, text);
}

static void load_flag(const struct value *value, bool *flag)
{
	*flag = !strcmp(value->node->text, "true");
	if (!*flag && strcmp(value->node->text, "false"))
		wrong(value, "not a flag: expected true or false");
}

static void load_floor(const struct value *value, struct floor *floor)
{
	const char *end;
	int64_t number;

	if (!strcmp(value->node->text, "table")) {
		*floor = (struct floor){FLOOR_TABLE, 0};
		return;
	}
	if (!text_read_number(value->node->text, &number, &end) &&
	    number <= 10000) {
		*floor = (struct floor){*end ? FLOOR_PERCENT : FLOOR_NUMBER,
					(int)number};
		if (!*end || (!strcmp(end, "%") && number <= 100))
			return;
	}
	*floor = (struct floor){FLOOR_NUMBER, -1};
	wrong(value,
	      "not a floor: expected a number of servers, a percentage like 50%, or table");
}

static void load_endpoint(const struct value *value, char **text)
{
	struct net_address address;
	uint16_t port;

	if (net_address_split(value->node->text, &address, &port))
		wrong(value,
		      "not an address with a port: expected IP:PORT or [IPv6]:PORT");
	else
		*text = xstrdup(value->node->text);
}

static void load_choice(const struct value *value, int *choice)
{
	int found = words_find(value->key->choices, value->node->text);
	struct buf allowed = {0};

	if (found >= 0) {
		*choice = (int)value->key->min + found;
		return;
	}
	words_print(value->key->choices, &allowed);
	mistakes_add(value->mistakes, &value->node->place,
		     "'%s: %s' is not allowed: expected one of %s",
		     value->key->name, value->node->text, allowed.text);
	buf_done(&allowed);
}

char *schema_resolve_path(const struct yaml_node *node)
{
	const char *path = node->text, *from = node->place.origin;
	size_t folder = strlen(from);
	bool is_absolute =
		*path == '/' || *path == '\\' || (*path && path[1] == ':');

	while (folder && from[folder - 1] != '/' && from[folder - 1] != '\\')
		folder--;
	return is_absolute ? xstrdup(path)
			   : xasprintf("%.*s%s", (int)folder, from, path);
}

static void *append_item(struct list *list, size_t size_bytes)
{
	char *item;

	list->items = xrealloc(list->items, (list->count + 1) * size_bytes);
	item = (char *)list->items + list->count++ * size_bytes;
	memset(item, 0, size_bytes);
	return item;
}

static bool check_value_text(const struct value *value)
{
	enum text_rule rule = value->key->rule;
	const char *odd = find_odd(value->node->text, rule);

	if (odd)
		report_odd(value->node, odd, "'", value->key->name, rule,
			   value->mistakes);
	return !odd;
}

static void load_list_item(const struct value *value, struct list *list)
{
	struct net_address address;
	const char *end;
	int64_t port;

	if (value->node->kind != YAML_SCALAR || value->node->is_null) {
		mistakes_add(value->mistakes, &value->node->place,
			     "'%s' needs a value or a list of values",
			     value->key->name);
	} else if (!check_value_text(value)) {
		return;
	} else if (value->key->type == KEY_TEXTS) {
		if (*value->node->text)
			*(char **)append_item(list, sizeof(char *)) =
				xstrdup(value->node->text);
	} else if (value->key->type == KEY_ADDRESSES) {
		if (net_address_parse(value->node->text, &address))
			wrong(value, "not an IP address");
		else
			*(struct net_address *)append_item(list, sizeof(address)) =
				address;
	} else if (!text_read_number(value->node->text, &port, &end) && !*end &&
		   port >= 1 && port <= 65535) {
		*(uint16_t *)append_item(list, sizeof(uint16_t)) = (uint16_t)port;
	} else {
		wrong(value, "not a port: expected 1 to 65535");
	}
}

static void load_list(const struct value *value, struct list *list)
{
	struct value item = *value;
	int before = value->mistakes->count;

	if (yaml_tree_is_null(value->node))
		return;
	if (value->node->kind != YAML_LIST) {
		load_list_item(value, list);
		return;
	}
	for (size_t i = 0; i < value->node->count; i++) {
		item.node = value->node->items[i];
		load_list_item(&item, list);
	}
	if (value->key->is_required && !list->count &&
	    value->mistakes->count == before)
		mistakes_add(value->mistakes, &value->node->place,
			     "'%s' needs a value", value->key->name);
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

	if (yaml_tree_is_null(value->node))
		return;
	if (value->node->kind != YAML_MAP) {
		mistakes_add(
			value->mistakes, &value->node->place,
			"'%s' needs names; below each of them are the keys of %s",
			value->key->name, section->what);
		return;
	}
	items = make_room(list, value);
	for (size_t i = 0; i < list->count; i++) {
		struct named *named = (void *)(items + i * section->size_bytes);
		const struct yaml_node *name = value->node->keys[i];
		int before = value->mistakes->count;

		named->name = xstrdup(name->text);
		named->place = name->place;
		(void)check_name_text(name, "this name", value->mistakes);
		schema_load(section, value->node->items[i], named, value->mistakes);
		named->is_wrong = value->mistakes->count > before;
	}
}

static void load_rows(const struct value *value, struct list *list)
{
	const struct section *section = value->key->section;
	char *items;

	if (yaml_tree_is_null(value->node))
		return;
	if (value->node->kind != YAML_LIST) {
		mistakes_add(value->mistakes, &value->node->place,
			     "'%s' needs a list; each item is %s", value->key->name,
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
	return type == KEY_TEXT || type == KEY_PATH || type == KEY_ENDPOINT ||
	       type == KEY_CHOICE || type == KEY_DURATION || type == KEY_NUMBER ||
	       type == KEY_FLAG || type == KEY_FLOOR;
}

static void load_value(const struct value *value, void *field)
{
	if (is_scalar_type(value->key->type) &&
	    (value->node->kind != YAML_SCALAR || !*value->node->text)) {
		mistakes_add(value->mistakes, &value->node->place,
			     "'%s' needs a single value", value->key->name);
		return;
	}
	if (is_scalar_type(value->key->type) && !check_value_text(value))
		return;
	switch (value->key->type) {
	case KEY_TEXT:
		*(char **)field = xstrdup(value->node->text);
		break;
	case KEY_PATH:
		*(char **)field = schema_resolve_path(value->node);
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
		schema_load(value->key->section, value->node, field,
			    value->mistakes);
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

/* The key of the section that has keys below it, one of them with this name. */
static const struct key *find_below(const struct section *section, const char *name)
{
	for (size_t i = 0; i < section->key_count; i++)
		if (section->keys[i].type == KEY_SECTION &&
		    schema_find_key(section->keys[i].section, name))
			return &section->keys[i];
	return NULL;
}

static void report_unknown_keys(const struct section *section,
				const struct yaml_node *node,
				struct mistakes *mistakes)
{
	for (size_t i = 0; i < node->count; i++) {
		const char *name = node->keys[i]->text;
		struct nearest nearest = {.word = name};
		const struct key *below;

		if (schema_find_key(section, name) ||
		    !check_name_text(node->keys[i], "this key", mistakes))
			continue;
		for (size_t j = 0; j < section->key_count; j++)
			nearest_try(&nearest, section->keys[j].name);
		below = find_below(section, name);
		if (below)
			mistakes_add(
				mistakes, &node->keys[i]->place,
				"%s has no key '%s' (did you mean '%s.%s'%s%s%s?)",
				section->what, name, below->name, name,
				nearest.found ? " or '" : "",
				nearest.found ? nearest.found : "",
				nearest.found ? "'" : "");
		else
			mistakes_add(mistakes, &node->keys[i]->place,
				     "%s has no key '%s'%s", section->what, name,
				     nearest_hint(&nearest));
	}
}

static void set_absent(const struct key *key, void *field)
{
	if (key->type == KEY_CHOICE)
		*(int *)field = -1;
	if (key->type == KEY_DURATION || key->type == KEY_NUMBER)
		*(int64_t *)field = -1;
	if (key->type == KEY_FLOOR)
		((struct floor *)field)->value = -1;
}

/* The key is there, with a mistake that was reported. */
static bool is_mistyped(const struct section *section, const struct yaml_node *node,
			const struct key *key)
{
	for (size_t i = 0; node->kind == YAML_MAP && i < node->count; i++) {
		struct nearest nearest = {.word = node->keys[i]->text};

		nearest_try(&nearest, key->name);
		if (nearest.found && !schema_find_key(section, nearest.word))
			return true;
	}
	return false;
}

static void load_missing(const struct key *key, const struct yaml_node *node,
			 void *field, struct mistakes *mistakes,
			 const struct section *section)
{
	struct yaml_node stand_in = {.kind = YAML_MAP, .place = node->place};
	struct value value = {key, &stand_in, mistakes};

	if (key->is_required && is_mistyped(section, node, key)) {
		return;
	} else if (key->is_required) {
		mistakes_add(mistakes, &node->place, "%s needs the key '%s': %s",
			     section->what, key->name, key->help);
	} else if (key->fallback) {
		stand_in.kind = YAML_SCALAR;
		stand_in.text = key->fallback;
		load_value(&value, field);
	} else if (key->type == KEY_SECTION) {
		load_value(&value, field);
	}
}

void schema_load(const struct section *section, const struct yaml_node *node,
		 void *out, struct mistakes *mistakes)
{
	if (node->kind != YAML_MAP && !yaml_tree_is_null(node)) {
		mistakes_add(mistakes, &node->place,
			     "expected keys with values, for %s", section->what);
		return;
	}
	report_unknown_keys(section, node, mistakes);
	for (size_t i = 0; i < section->key_count; i++) {
		const struct key *key = &section->keys[i];
		struct value value = {key, yaml_tree_find(node, key->name),
				      mistakes};
		void *field = (char *)out + key->offset;

		set_absent(key, field);
		if (value.node && (key->section || !yaml_tree_is_null(value.node)))
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

		if (key->type == KEY_TEXT || key->type == KEY_PATH ||
		    key->type == KEY_ENDPOINT)
			free(*(char **)field);
		else if (key->type == KEY_SECTION)
			schema_free(key->section, field);
		else if (!is_scalar_type(key->type))
			free_items(key, field);
	}
}
