#include "text/json_parse.h"

#include <string.h>

json_t *json_parse(const char *text, size_t length, size_t flags,
		   json_error_t *error)
{
	static const char mark[] = "\xEF\xBB\xBF";
	const size_t mark_length = sizeof(mark) - 1;

	if (length >= mark_length && !memcmp(text, mark, mark_length)) {
		text += mark_length;
		length -= mark_length;
	}
	return json_loadb(text, length, flags | JSON_REJECT_DUPLICATES, error);
}
