#include "buf.h"
#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		return;
	reserve(buf, (size_t)length);
	va_start(args, format);
	(void)vsnprintf(buf->text + buf->length, (size_t)length + 1, format, args);
	va_end(args);
	buf->length += (size_t)length;
}

void buf_done(struct buf *buf)
{
	free(buf->text);
	*buf = (struct buf){0};
}
