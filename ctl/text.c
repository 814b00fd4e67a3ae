#include "text.h"

#include "mem.h"
#include "terminal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char text_no_color[] = "\033[0m";

static const char *const colors[PHASE__COUNT] = {
	[PHASE_SERVING] = "\033[32m",   [PHASE_DRAINED] = "\033[32m",
	[PHASE_RESUMING] = "\033[33m",  [PHASE_DRAINING] = "\033[33m",
	[PHASE_ATTENTION] = "\033[31m",
};

/* Characters that a terminal obeys instead of showing, or that turn text around. */
static const struct range {
	uint32_t first, last;
} unsafe[] = {
	{0x00, 0x1f},     {0x7f, 0x9f},     {0x200b, 0x200f},
	{0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff},
};

/* Reads one character of UTF-8 and its length; 0 for a byte that does not start one. */
static uint32_t decode(const char *text, size_t *length)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *bytes = (const unsigned char *)text;
	size_t count = bytes[0] < 0x80   ? 1
		       : bytes[0] < 0xc0 ? 0
		       : bytes[0] < 0xe0 ? 2
		       : bytes[0] < 0xf0 ? 3
		       : bytes[0] < 0xf8 ? 4
					 : 0;
	uint32_t character = count == 1 ? bytes[0] : bytes[0] & (0x7fu >> count);

	*length = 1;
	for (size_t i = 1; i < count; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (bytes[i] & 0x3f);
	}
	if (count == 0 || character < least[count])
		return 0;
	*length = count;
	return character;
}

static bool is_safe(uint32_t character)
{
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
		if (character >= unsafe[i].first && character <= unsafe[i].last)
			return false;
	return true;
}

void text_clean(char *text, bool has_utf8)
{
	char *to = text;
	size_t length;

	for (const char *from = text; *from; from += length) {
		uint32_t character = decode(from, &length);

		if (is_safe(character) && (has_utf8 || character < 0x80)) {
			memmove(to, from, length);
			to += length;
		} else {
			*to++ = '?';
		}
	}
	*to = '\0';
}

/* Letters of East Asia and pictures take two columns.  Exact tables are long and
 * terminals disagree; taking too many as wide only cuts a line a little early. */
static int columns_of(uint32_t character)
{
	bool is_drawing = character >= 0x2010 && character < 0x2600;

	return character < 0x1100 || is_drawing ? 1 : 2;
}

int text_columns(const char *text)
{
	int columns = 0;
	size_t length;

	for (; *text; text += length)
		columns += columns_of(decode(text, &length));
	return columns;
}

size_t text_fit(const char *text, int columns)
{
	size_t used = 0, length;

	while (text[used]) {
		columns -= columns_of(decode(text + used, &length));
		if (columns < 0)
			break;
		used += length;
	}
	return used;
}

void text_print(FILE *stream, const char *line)
{
	char *copy = xasprintf("%s", line);

	text_clean(copy, terminal_takes_utf8(stream));
	(void)fprintf(stream, "%s\n", copy);
	free(copy);
}

void text_print_lines(FILE *stream, char *text)
{
	for (char *line = text, *end; *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		text_print(stream, line);
	}
}

int text_read_line(char *line, size_t size)
{
	size_t start, end;

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

void text_complain(const char *format, ...)
{
	char text[2048] = "poolctl: ";
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text + used, sizeof(text) - used, format, args);
	va_end(args);
	/* Where both streams go to one place, what was said first comes first. */
	(void)fflush(stdout);
	text_print(stderr, text);
}

const char *text_duration(int64_t ms, char text[TEXT_DURATION_BYTES])
{
	long long seconds = ms > 0 ? (ms + 500) / 1000 : 0;

	if (seconds < 60)
		(void)snprintf(text, TEXT_DURATION_BYTES, "%llds", seconds);
	else if (seconds < 3600)
		(void)snprintf(text, TEXT_DURATION_BYTES, "%lldm%02llds", seconds / 60,
			       seconds % 60);
	else
		(void)snprintf(text, TEXT_DURATION_BYTES, "%lldh%02lldm", seconds / 3600,
			       seconds / 60 % 60);
	return text;
}

void text_add_count(struct buf *text, int64_t count)
{
	if (count < 0)
		buf_puts(text, "?");
	else
		buf_printf(text, "%lld", (long long)count);
}

const char *text_color(enum phase phase)
{
	return colors[phase];
}
