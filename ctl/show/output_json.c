#include "show/output.h"

#include "mem.h"
#include "terminal/terminal.h"
#include "text/json_write.h"
#include "text/text.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

static char *dump(const json_t *value, size_t flags)
{
	/* So many digits that 0.95 is printed as it was read. */
	char *text = json_dumps(value, flags | JSON_COMPACT |
					       JSON_REAL_PRECISION(DBL_DIG));

	if (!text)
		abort();
	return text;
}

/* DEL is the one character of ASCII that a terminal may obey and jansson does not
 * escape. */
static void print_escaped(const char *text)
{
	for (size_t length; *text; text += length) {
		length = strcspn(text, "\x7f");
		(void)fwrite(text, 1, length, stdout);
		if (text[length] == '\x7f') {
			(void)fputs("\\u007f", stdout);
			length++;
		}
	}
	(void)fputs("\n", stdout);
}

/* A text that is not safe to show is escaped, so that its value stays the same:
 * nothing is cleaned in JSON. */
void output_json_print(json_t *value)
{
	char *text = dump(value, 0), *clean = xstrdup(text);

	text_clean(clean, terminal_takes_utf8_json(stdout));
	if (strcmp(clean, text) != 0) {
		free(text);
		text = dump(value, JSON_ENSURE_ASCII);
	}
	print_escaped(text);
	(void)fflush(stdout);
	free(clean);
	free(text);
	json_decref(value);
}

/* ---- json: one value at the end ---- */

static void begin(struct output *output)
{
	if (!output->kind->is_single)
		output->list = json_array();
}

static void entry(struct output *output, const void *entry)
{
	json_t *object = output->kind->describe(entry);

	if (!output->list)
		output_json_print(object);
	else if (object)
		json_write_item(output->list, object);
}

static void end(struct output *output)
{
	json_t *whole;

	if (!output->list)
		return;
	if (!output->kind->list) {
		output_json_print(output->list);
		return;
	}
	whole = json_object();
	json_write_value(whole, output->kind->list, output->list);
	output_json_print(whole);
}

const struct output_writer output_json = {
	.begin = begin, .entry = entry, .end = end};

/* ---- jsonl: a line for each ---- */

static void print_line_of(json_t *object)
{
	if (object)
		output_json_print(object);
}

static void line_entry(struct output *output, const void *entry)
{
	if (!output->kind->describe_row)
		print_line_of(output->kind->describe(entry));
}

static void line_row(struct output *output, const void *row)
{
	if (output->kind->describe_row)
		print_line_of(output->kind->describe_row(row));
}

const struct output_writer output_jsonl = {
	.can_be_live = true, .entry = line_entry, .row = line_row};
