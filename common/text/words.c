#include "text/words.h"

#include <string.h>

int words_find(const char *const *words, const char *word)
{
	for (int i = 0; *word && words[i]; i++)
		if (!strcmp(words[i], word))
			return i;
	return -1;
}

void words_print(const char *const *words, struct buf *text)
{
	for (size_t i = 0; words[i]; i++)
		buf_printf(text, "%s%s", i ? ", " : "", words[i]);
}
