#include "config/pin_edit.h"

#include "mem.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

/* ---- where ---- */

/* Names of pools and servers have no case. */
static const struct yaml_node *find(const struct yaml_node *map, const char *name)
{
	for (size_t i = 0; map && map->kind == YAML_MAP && i < map->count; i++)
		if (!utf8_compare_names(map->keys[i]->text, name))
			return map->items[i];
	return NULL;
}

static const struct yaml_node *find_server(const struct pool_config *config,
					   const struct pool_server *server)
{
	const struct yaml_node *pools = find(config->root, "pools");
	const struct yaml_node *pool = find(pools, server->pool->named.name);

	return find(find(pool, "servers"), server->named.name);
}

static bool is_before(const struct place *a, const struct place *b)
{
	return a->line < b->line || (a->line == b->line && a->column < b->column);
}

/* The first key that stands in the file, after what comes from elsewhere. */
static const struct place *first_key(const struct yaml_node *map, const char *path)
{
	const struct place *first = NULL;

	for (size_t i = 0; map->kind == YAML_MAP && i < map->count; i++) {
		const struct place *place = &map->keys[i]->place;

		if (place->line > 0 && place->origin &&
		    !strcmp(place->origin, path) &&
		    (!first || is_before(place, first)))
			first = place;
	}
	return first;
}

/* The place in the text; columns count characters.  NULL if it has no such place.
 */
static const char *find_place(const char *text, const struct place *place)
{
	for (int line = 1; line < place->line; line++) {
		text = strchr(text, '\n');
		if (!text)
			return NULL;
		text++;
	}
	for (int column = 1; column < place->column; text++) {
		if (!*text || *text == '\n')
			return NULL;
		/* The bytes that go on a character do not count. */
		column += ((unsigned char)text[1] & 0xC0) != 0x80;
	}
	return text;
}

/* ---- what ---- */

/* In place of `length` bytes. */
static char *splice(const char *text, const char *at, size_t length,
		    const char *fresh)
{
	return xasprintf("%.*s%s%s", (int)(at - text), text, fresh, at + length);
}

static char *replace(const char *text, const struct yaml_node *old, const char *pin)
{
	const char *at =
		old->kind == YAML_SCALAR ? find_place(text, &old->place) : NULL;
	size_t length;

	if (!at)
		return NULL;
	length = strlen(old->text);
	/* The quotes, if there are any, stay. */
	at += *at == '"' || *at == '\'';
	return length && !strncmp(at, old->text, length)
		       ? splice(text, at, length, pin)
		       : NULL;
}

/* Before the first key: in a line of its own, or between braces. */
static char *insert(const char *text, const struct place *place, const char *pin)
{
	const char *at = find_place(text, place), *line = at, *before;
	char *fresh, *longer;

	if (!at)
		return NULL;
	while (line > text && line[-1] != '\n')
		line--;
	before = at;
	while (before > line && (before[-1] == ' ' || before[-1] == '\t'))
		before--;
	if (before == line)
		fresh = xasprintf("pin: %s%s%.*s", pin,
				  line > text + 1 && line[-2] == '\r' ? "\r\n"
								      : "\n",
				  (int)(at - line), line);
	else if (before[-1] == '{')
		fresh = xasprintf("pin: %s, ", pin);
	else
		return NULL;
	longer = splice(text, at, 0, fresh);
	free(fresh);
	return longer;
}

/* ---- whether it is right ---- */

static bool is_same_trust(const struct pool_trust *a, const struct pool_trust *b)
{
	char *const *one = a->pins.items, *const *other = b->pins.items;

	if (a->pins.count != b->pins.count || !a->ca_file != !b->ca_file ||
	    (a->ca_file && strcmp(a->ca_file, b->ca_file) != 0))
		return false;
	for (size_t i = 0; i < a->pins.count; i++)
		if (strcmp(one[i], other[i]) != 0)
			return false;
	return true;
}

static bool is_other_as_it_was(const struct pool_server *before,
			       const struct pool_server *after)
{
	return !strcmp(before->url, after->url) &&
	       is_same_trust(pool_trust(before->pool, before),
			     pool_trust(after->pool, after));
}

static bool is_right(const struct pool_config *before,
		     const struct pool_config *after,
		     const struct pool_server *server, const char *pin)
{
	LIST_EACH (struct pool, pool, before->pools)
		LIST_EACH (struct pool_server, old, pool->servers) {
			const struct pool_server *new =
				pool_find_server(after, old->named.name, NULL);
			char *const *pins = new ? new->trust.pins.items : NULL;

			if (!new)
				return false;
			if (old == server ? new->trust.pins.count != 1 ||
						    strcmp(pins[0], pin) != 0
					  : !is_other_as_it_was(old, new))
				return false;
		}
	return true;
}

static bool loads(const char *text, const char *path,
		  const struct pool_config *before,
		  const struct pool_server *server, const char *pin)
{
	struct mistakes mistakes = {0};
	struct pool_config *after =
		pool_config_parse(path, text, strlen(text), &mistakes);
	bool is = after && !mistakes.count && is_right(before, after, server, pin);

	mistakes_done(&mistakes);
	pool_config_free(after);
	return is;
}

char *pin_edit(const char *text, const struct pool_config *config, const char *path,
	       const struct pool_server *server, const char *pin)
{
	const struct yaml_node *node = find_server(config, server);
	const struct yaml_node *old = node ? find(node, "pin") : NULL;
	const struct place *place = node ? first_key(node, path) : NULL;
	char *edited = NULL;

	if (old && !yaml_tree_is_null(old))
		edited = replace(text, old, pin);
	else if (place && !old)
		edited = insert(text, place, pin);
	if (edited && !loads(edited, path, config, server, pin)) {
		free(edited);
		edited = NULL;
	}
	return edited;
}
