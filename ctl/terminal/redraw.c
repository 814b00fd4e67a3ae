#include "terminal/redraw.h"

#include "buf.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

/* Adds the lines, each with an order to clear what is right of it; returns how
 * many. */
static int add_lines(struct buf *out, const char *text)
{
	int rows = 0;

	for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
		buf_add(out, text, (size_t)(end - text));
		buf_puts(out, "\033[K\n");
		rows++;
	}
	return rows;
}

/* In one piece, so that nothing flickers. */
void redraw_show(struct redraw *frame, const char *text)
{
	struct buf out = {0};

	if (frame->text && !strcmp(frame->text, text))
		return;
	buf_puts(&out, "\r");
	if (frame->rows)
		buf_printf(&out, "\033[%dA", frame->rows);
	frame->rows = add_lines(&out, text);
	buf_puts(&out, "\033[J");
	(void)fwrite(out.text, 1, out.length, frame->stream);
	(void)fflush(frame->stream);
	buf_done(&out);
	free(frame->text);
	frame->text = xstrdup(text);
}

void redraw_done(struct redraw *frame)
{
	free(frame->text);
	frame->text = NULL;
}
