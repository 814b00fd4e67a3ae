#include "schema_print.h"

#include "text/duration.h"
#include "text/words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { SECTIONS_LIMIT = 32 };

/* ---- going through ---- */

static void visit_below(struct schema_place *place,
			void (*visit)(const struct schema_place *place,
				      void *context),
			void *context)
{
	const struct section *section = place->section;

	visit(place, context);
	for (size_t i = 0; i < section->key_count && place->depth < SCHEMA_DEPTH;
	     i++) {
		const struct key *key = &section->keys[i];

		if (!key->section)
			continue;
		place->steps[place->depth++] = key;
		place->section = key->section;
		visit_below(place, visit, context);
		place->depth--;
		place->section = section;
	}
}

void schema_print_visit(const struct section *file,
			void (*visit)(const struct schema_place *place,
				      void *context),
			void *context)
{
	struct schema_place place = {.section = file};

	visit_below(&place, visit, context);
}

/* "POOL" stands for the name of a pool. */
static void add_name(const struct section *section, struct buf *text)
{
	const char *word = strrchr(section->what, ' ');

	for (word = word ? word + 1 : section->what; *word; word++)
		buf_printf(text, "%c", toupper((unsigned char)*word));
}

void schema_print_path(const struct schema_place *place, struct buf *text)
{
	for (size_t i = 0; i < place->depth; i++) {
		const struct key *step = place->steps[i];

		buf_printf(text, "%s%s%s", i ? "." : "", step->name,
			   step->type == KEY_ROWS ? "[]" : "");
		if (step->type != KEY_NAMED)
			continue;
		buf_puts(text, ".");
		add_name(step->section, text);
	}
}

/* ---- words ---- */

const char *schema_print_type(enum key_type type)
{
	static const char *const names[KEY__COUNT] = {
		[KEY_TEXT] = "text",
		[KEY_PATH] = "path",
		[KEY_ENDPOINT] = "IP:PORT",
		[KEY_CHOICE] = "choice",
		[KEY_DURATION] = "duration",
		[KEY_NUMBER] = "number",
		[KEY_FLAG] = "flag",
		[KEY_FLOOR] = "floor",
		[KEY_TEXTS] = "texts",
		[KEY_PORTS] = "ports",
		[KEY_ADDRESSES] = "IP addresses",
		[KEY_SECTION] = "keys",
		[KEY_NAMED] = "names",
		[KEY_ROWS] = "list",
	};

	return names[type];
}

static void print_choices(const struct key *key, char *text, size_t size_bytes)
{
	struct buf choices = {0};

	words_print(key->choices, &choices);
	(void)snprintf(text, size_bytes, "%s", choices.text);
	buf_done(&choices);
}

const char *schema_print_range(const struct key *key,
			       char range[SCHEMA_RANGE_BYTES])
{
	char from[DURATION_BYTES], to[DURATION_BYTES];

	*range = '\0';
	if (key->type == KEY_CHOICE) {
		print_choices(key, range, SCHEMA_RANGE_BYTES);
	} else if (key->type == KEY_FLAG) {
		(void)snprintf(range, SCHEMA_RANGE_BYTES, "true, false");
	} else if (key->type == KEY_PORTS) {
		(void)snprintf(range, SCHEMA_RANGE_BYTES, "1 to 65535");
	} else if (key->type == KEY_NUMBER) {
		(void)snprintf(range, SCHEMA_RANGE_BYTES, "%lld to %lld",
			       (long long)key->min, (long long)key->max);
	} else if (key->type == KEY_DURATION) {
		(void)snprintf(range, SCHEMA_RANGE_BYTES, "%s to %s",
			       duration_print_exact(key->min, from),
			       duration_print_exact(key->max, to));
	}
	return range;
}

/* ---- Markdown ---- */

struct reference {
	const struct section *file;
	const struct section *done[SECTIONS_LIMIT];
	size_t count;
	struct buf *text;
};

/* All places of one section, as a text. */
struct places {
	const struct section *section;
	struct buf *text;
	size_t count;
};

static void add_place(const struct schema_place *place, void *context)
{
	struct places *places = context;

	if (place->section != places->section)
		return;
	buf_puts(places->text, places->count++ ? "`, `" : "");
	schema_print_path(place, places->text);
}

static void add_heading(const struct section *file, const struct section *section,
			struct buf *text)
{
	struct places places = {section, text, 0};

	buf_printf(text, "### %s\n\n", section->what);
	if (section == file)
		return;
	buf_puts(text, "Found at `");
	schema_print_visit(file, add_place, &places);
	buf_puts(text, "`.\n\n");
}

/* The anchor that a heading gets: spaces become dashes, dots are dropped. */
static void add_link(const struct section *section, struct buf *text)
{
	buf_printf(text, ": [%s](#", section->what);
	for (const char *at = section->what; *at; at++)
		if (*at != '.')
			buf_puts(text, *at == ' ' ? "-" : (char[]){*at, '\0'});
	buf_puts(text, ")");
}

static void add_row(const struct key *key, struct buf *text)
{
	char range[SCHEMA_RANGE_BYTES];
	const char *fallback = key->is_required ? "required" : key->fallback;
	const char *mark = !key->is_required && key->fallback ? "`" : "";

	buf_printf(text, "| `%s` | %s", key->name, schema_print_type(key->type));
	if (key->section)
		add_link(key->section, text);
	buf_printf(text, " | %s%s%s | %s | %s |\n", mark, fallback ? fallback : "-",
		   mark, schema_print_range(key, range), key->help);
}

/* The lines of a file that lead to the place; returns how many spaces come before
 * its keys. */
static int add_way(const struct schema_place *place, struct buf *text)
{
	int indent = 4;

	for (size_t i = 0; i < place->depth; i++, indent += 2) {
		buf_printf(text, "%*s%s:\n", indent, "", place->steps[i]->name);
		if (place->steps[i]->type != KEY_NAMED)
			continue;
		indent += 2;
		buf_printf(text, "%*s", indent, "");
		add_name(place->steps[i]->section, text);
		buf_puts(text, ":\n");
	}
	if (place->depth && place->steps[place->depth - 1]->type == KEY_ROWS)
		indent += 2;
	return indent;
}

static void add_example(const struct schema_place *place, struct buf *text)
{
	bool is_row =
		place->depth && place->steps[place->depth - 1]->type == KEY_ROWS;
	int indent = add_way(place, text);

	for (size_t i = 0; i < place->section->key_count; i++) {
		const struct key *key = &place->section->keys[i];

		if (!key->example)
			continue;
		buf_printf(text, "%*s%s%s: %s\n", is_row ? indent - 2 : indent, "",
			   is_row ? "- " : "", key->name, key->example);
		is_row = false;
	}
}

static bool has_example(const struct section *section)
{
	for (size_t i = 0; i < section->key_count; i++)
		if (section->keys[i].example)
			return true;
	return false;
}

static void print_place(const struct schema_place *place, void *context)
{
	struct reference *reference = context;
	struct buf *text = reference->text;

	for (size_t i = 0; i < reference->count; i++)
		if (reference->done[i] == place->section)
			return;
	if (reference->count < SECTIONS_LIMIT)
		reference->done[reference->count++] = place->section;
	add_heading(reference->file, place->section, text);
	buf_puts(text, "| key | type | default | range | meaning |\n"
		       "|---|---|---|---|---|\n");
	for (size_t i = 0; i < place->section->key_count; i++)
		add_row(&place->section->keys[i], text);
	buf_puts(text, "\n");
	if (!has_example(place->section))
		return;
	add_example(place, text);
	buf_puts(text, "\n");
}

void schema_print(const struct section *file, struct buf *text)
{
	struct reference reference = {.file = file, .text = text};

	schema_print_visit(file, print_place, &reference);
}
