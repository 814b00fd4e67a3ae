#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most texts fit, and are formatted once. */
enum { FIRST_BYTES = 256 };

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
	char first[FIRST_BYTES], *text;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(first, sizeof(first), format, args);
	va_end(args);
	if (length < 0)
		return xstrdup("");
	text = xmalloc((size_t)length + 1);
	if ((size_t)length < sizeof(first))
		return memcpy(text, first, (size_t)length + 1);
	va_start(args, format);
	(void)vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	return text;
}
