#include "text/text.h"

#include "utf8.h"

#include <string.h>

void text_clean(char *text, bool has_utf8)
{
	char *to = text;
	size_t length;

	for (const char *from = text; *from; from += length) {
		uint32_t character = utf8_read(from, &length);

		if (utf8_is_shown(character) && (has_utf8 || character < 0x80)) {
			memmove(to, from, length);
			to += length;
		} else {
			*to++ = '?';
		}
	}
	*to = '\0';
}

/* Hides what stands behind the prefix of a token, if it is as long as a secret. */
static void hide_tokens(char *text, const char *prefix)
{
	static const char hidden[] = "(hidden)";
	char *secret = text;

	while ((secret = strstr(secret, prefix))) {
		size_t length;

		secret += strlen(prefix);
		length = strspn(secret, "0123456789abcdef");
		if (length < 2 * sizeof(hidden))
			continue;
		memcpy(secret, hidden, strlen(hidden));
		memmove(secret + strlen(hidden), secret + length,
			strlen(secret + length) + 1);
	}
}

void text_hide_credentials(char *text)
{
	static const char after_scheme[] = "://";

	for (char *host = text; (host = strstr(host, after_scheme));) {
		char *end, *at;

		host += strlen(after_scheme);
		end = host + strcspn(host, " \t\n'\"");
		for (at = end; at > host && at[-1] != '@'; at--)
			;
		if (at > host)
			memmove(host, at, strlen(at) + 1);
	}
	hide_tokens(text, "poolctl_");
	hide_tokens(text, "poold_local_");
}

void text_join_lines(char *text)
{
	const char *from = text + strspn(text, " \t\r\n");
	char *to = text;

	while (*from) {
		size_t blank = strspn(from, " \t\r\n");

		if (!blank || strcspn(from, "\t\r\n") >= blank) {
			*to++ = *from++;
			continue;
		}
		*to++ = ' ';
		from += blank;
	}
	while (to > text && to[-1] == ' ')
		to--;
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
		columns += columns_of(utf8_read(text, &length));
	return columns;
}

size_t text_fit(const char *text, int columns)
{
	size_t used = 0, length;

	while (text[used]) {
		columns -= columns_of(utf8_read(text + used, &length));
		if (columns < 0)
			break;
		used += length;
	}
	return used;
}

int text_read_number(const char *text, int64_t *number, const char **end)
{
	size_t digits = strspn(text, "0123456789");

	*number = 0;
	*end = text + digits;
	if (!digits || digits > 18)
		return -1;
	for (size_t i = 0; i < digits; i++)
		*number = *number * 10 + (text[i] - '0');
	return 0;
}

void text_add_count(struct buf *text, int64_t count)
{
	if (count < 0)
		buf_puts(text, "?");
	else
		buf_printf(text, "%lld", (long long)count);
}
