#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *memory)
{
	if (!memory) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return memory;
}

void *xcalloc(size_t count, size_t size_bytes)
{
	return must(calloc(count ? count : 1, size_bytes ? size_bytes : 1));
}

void *xmalloc(size_t size_bytes)
{
	return must(malloc(size_bytes ? size_bytes : 1));
}

void *xrealloc(void *memory, size_t size_bytes)
{
	return must(realloc(memory, size_bytes ? size_bytes : 1));
}

char *xstrdup(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(xmalloc(size), text, size);
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		return xstrdup("");
	text = xmalloc((size_t)length + 1);
	va_start(args, format);
	(void)vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	return text;
}

void copy_text(char *to, size_t size_bytes, const char *from)
{
	size_t length = strlen(from);

	if (length >= size_bytes)
		length = size_bytes - 1;
	memcpy(to, from, length);
	to[length] = '\0';
	if (from[length])
		drop_cut_character(to);
}

void drop_cut_character(char *text)
{
	size_t length = strlen(text), follow = 0, wanted;
	unsigned char lead;

	while (follow < length && (text[length - 1 - follow] & 0xc0) == 0x80)
		follow++;
	if (follow == length)
		return;
	lead = (unsigned char)text[length - 1 - follow];
	wanted = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
	if (follow < wanted)
		text[length - 1 - follow] = '\0';
}
