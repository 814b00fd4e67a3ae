#include "mistakes.h"

#include "mem.h"
#include "text/text.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 512 };

struct mistake {
	char *origin, *text;
	int line, column;
	int order; /* in which they were found */
};

static int kept(const struct mistakes *mistakes)
{
	return mistakes->count < MISTAKES_LIMIT ? mistakes->count : MISTAKES_LIMIT;
}

/* What all servers have from their pool is said once. */
static bool is_known(const struct mistakes *mistakes, const struct place *place,
		     const char *text)
{
	for (int i = 0; i < kept(mistakes); i++)
		if (mistakes->items[i].line == place->line &&
		    mistakes->items[i].column == place->column &&
		    !strcmp(mistakes->items[i].text, text) &&
		    !strcmp(mistakes->items[i].origin, place->origin))
			return true;
	return false;
}

void mistakes_add(struct mistakes *mistakes, const struct place *place,
		  const char *format, ...)
{
	int order = mistakes->count;
	char text[TEXT_BYTES];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	utf8_drop_cut(text);
	text_hide_credentials(text);
	if (is_known(mistakes, place, text))
		return;
	mistakes->count++;
	if (order >= MISTAKES_LIMIT)
		return;
	mistakes->items = xrealloc(mistakes->items,
				   ((size_t)order + 1) * sizeof(*mistakes->items));
	mistakes->items[order] =
		(struct mistake){xstrdup(place->origin), xstrdup(text), place->line,
				 place->column, order};
}

static int compare_places(const void *a, const void *b)
{
	const struct mistake *one = a, *other = b;
	int order = strcmp(one->origin, other->origin);

	if (!order)
		order = one->line - other->line;
	if (!order)
		order = one->column - other->column;
	return order ? order : one->order - other->order;
}

void mistakes_print(struct mistakes *mistakes, struct buf *text)
{
	int count = kept(mistakes);

	if (count)
		qsort(mistakes->items, (size_t)count, sizeof(*mistakes->items),
		      compare_places);
	for (int i = 0; i < count; i++)
		buf_printf(text, "%s:%d:%d: %s\n", mistakes->items[i].origin,
			   mistakes->items[i].line, mistakes->items[i].column,
			   mistakes->items[i].text);
	if (mistakes->count > count)
		buf_printf(text, "%s: and %d more mistakes\n",
			   mistakes->items[0].origin, mistakes->count - count);
}

void mistakes_done(struct mistakes *mistakes)
{
	for (int i = 0; i < kept(mistakes); i++) {
		free(mistakes->items[i].origin);
		free(mistakes->items[i].text);
	}
	free(mistakes->items);
	*mistakes = (struct mistakes){0};
}

int mistakes_report(struct mistakes *mistakes, struct buf *text, struct err *err)
{
	size_t before = text->length;
	int count = mistakes->count;

	mistakes_print(mistakes, text);
	if (count)
		(void)err_set(err, ERR_CONFIG, "%.*s",
			      (int)strcspn(text->text + before, "\n"),
			      text->text + before);
	mistakes_done(mistakes);
	return count ? -1 : 0;
}
