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
