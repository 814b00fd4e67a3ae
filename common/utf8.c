#include "utf8.h"

#include <string.h>

/* The joiners U+200C and U+200D are not among them: letters of Persian and of
 * India, and pictures, are put together with them. */
static const struct range {
	uint32_t first, last;
} unsafe[] = {
	{0x00, 0x1f},     {0x7f, 0x9f},     {0x200b, 0x200b}, {0x200e, 0x200f},
	{0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff},
};

uint32_t utf8_read(const char *text, size_t *length)
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
	if (count == 0 || character < least[count] || character > 0x10ffff ||
	    (character & 0xfffff800) == 0xd800)
		return 0;
	*length = count;
	return character;
}

bool utf8_is_shown(uint32_t character)
{
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
		if (character >= unsafe[i].first && character <= unsafe[i].last)
			return false;
	return true;
}

bool utf8_is_odd_space(uint32_t character)
{
	return character == 0xa0 || character == 0x1680 || character == 0x180e ||
	       (character >= 0x2000 && character <= 0x200a) ||
	       character == 0x202f || character == 0x205f || character == 0x3000;
}

static uint32_t fold(uint32_t character)
{
	static const struct {
		uint32_t first, last, to_lower;
	} capitals[] = {
		{'A', 'Z', 0x20},     {0xc0, 0xd6, 0x20},   {0xd8, 0xde, 0x20},
		{0x391, 0x3a1, 0x20}, {0x3a3, 0x3ab, 0x20}, {0x400, 0x40f, 0x50},
		{0x410, 0x42f, 0x20},
	};

	for (size_t i = 0; i < sizeof(capitals) / sizeof(capitals[0]); i++)
		if (character >= capitals[i].first && character <= capitals[i].last)
			return character + capitals[i].to_lower;
	return character;
}

static bool is_ascii(char byte)
{
	return (unsigned char)byte < 0x80;
}

static char fold_ascii(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte + 0x20) : byte;
}

/* How far both are ASCII and the same: most names are, up to where they differ. */
static size_t same_ascii(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] && is_ascii(a[i]) && is_ascii(b[i]) &&
	       fold_ascii(a[i]) == fold_ascii(b[i]))
		i++;
	return i;
}

int utf8_compare_names(const char *a, const char *b)
{
	size_t same = same_ascii(a, b);

	a += same;
	b += same;
	if (is_ascii(*a) && is_ascii(*b))
		return fold_ascii(*a) - fold_ascii(*b);
	for (;;) {
		size_t length_a, length_b;
		uint32_t one = fold(utf8_read(a, &length_a));
		uint32_t other = fold(utf8_read(b, &length_b));

		if (!one && !other && *a != *b)
			return (unsigned char)*a - (unsigned char)*b;
		if (one != other)
			return one < other ? -1 : 1;
		if (!*a)
			return 0;
		a += length_a;
		b += length_b;
	}
}

void utf8_copy(char *to, size_t size_bytes, const char *from)
{
	size_t length = strlen(from);

	if (length >= size_bytes)
		length = size_bytes - 1;
	memcpy(to, from, length);
	to[length] = '\0';
	if (from[length])
		utf8_drop_cut(to);
}

void utf8_drop_cut(char *text)
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
