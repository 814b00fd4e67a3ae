#include "buf.h"
#include "mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { USUAL_BYTES = 32 };

static void reserve(struct buf *buf, size_t more)
{
	size_t need = buf->length + more + 1;

	if (need <= buf->size_bytes)
		return;
	buf->size_bytes = need < 128 ? 128 : need * 2;
	buf->text = xrealloc(buf->text, buf->size_bytes);
}

void buf_add(struct buf *buf, const void *bytes, size_t length)
{
	reserve(buf, length);
	memcpy(buf->text + buf->length, bytes, length);
	buf->length += length;
	buf->text[buf->length] = '\0';
}

void buf_puts(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
	size_t room;
	va_list again;
	int length;

	/* Mostly it fits, and is formatted once. */
	reserve(buf, USUAL_BYTES);
	room = buf->size_bytes - buf->length;
	va_copy(again, args);
	length = vsnprintf(buf->text + buf->length, room, format, args);
	if (length >= 0 && (size_t)length >= room) {
		reserve(buf, (size_t)length);
		(void)vsnprintf(buf->text + buf->length, (size_t)length + 1, format,
				again);
	}
	va_end(again);
	buf->length += length > 0 ? (size_t)length : 0;
	buf->text[buf->length] = '\0';
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	buf_vprintf(buf, format, args);
	va_end(args);
}

void buf_done(struct buf *buf)
{
	free(buf->text);
	*buf = (struct buf){0};
}

void buf_join(struct buf *buf, const char *between, struct buf *part)
{
	if (part->length)
		buf_printf(buf, "%s%s", buf->length ? between : "", part->text);
	buf_done(part);
}
