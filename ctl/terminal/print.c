#include "terminal/print.h"

#include "buf.h"
#include "mem.h"
#include "terminal/terminal.h"
#include "text/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 2048 }; /* of a complaint */

const char print_no_color[] = "\033[0m";

static const char *const colors[PHASE__COUNT] = {
	[PHASE_SERVING] = "\033[32m",   [PHASE_DRAINED] = "\033[32m",
	[PHASE_RESUMING] = "\033[33m",  [PHASE_DRAINING] = "\033[33m",
	[PHASE_ATTENTION] = "\033[31m",
};

static void put_line(FILE *stream, char *line)
{
	text_clean(line, terminal_takes_utf8(stream));
	(void)fprintf(stream, "%s\n", line);
}

void print_line(FILE *stream, const char *format, ...)
{
	struct buf line = {0};
	va_list args;

	va_start(args, format);
	buf_vprintf(&line, format, args);
	va_end(args);
	put_line(stream, line.text);
	buf_done(&line);
}

static void put_lines(FILE *stream, const char *before, const char *text)
{
	while (text && *text) {
		size_t length = strcspn(text, "\n");

		print_line(stream, "%s%.*s", before, (int)length, text);
		text += length + (text[length] != '\0');
	}
	(void)fflush(stream);
}

void print_lines(FILE *stream, const char *text)
{
	put_lines(stream, "", text);
}

void print_complaints(const char *text)
{
	put_lines(stderr, "poolctl: ", text);
}

void print_complaint(const char *format, ...)
{
	char line[LINE_BYTES] = "poolctl: ";
	size_t used = strlen(line);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line + used, sizeof(line) - used, format, args);
	va_end(args);
	/* Where both streams go to one place, the order stays that of the calls. */
	(void)fflush(stdout);
	put_line(stderr, line);
}

int print_prompt(char *line, size_t size, const char *format, ...)
{
	size_t start, end;
	va_list args;

	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fflush(stderr);
	if (!fgets(line, (int)size, stdin))
		return -1;
	start = strspn(line, " \t");
	end = strlen(line);
	while (end > start && strchr(" \t\r\n", line[end - 1]))
		end--;
	memmove(line, line + start, end - start);
	line[end - start] = '\0';
	return 0;
}

const char *print_color(enum phase phase)
{
	return colors[phase];
}
