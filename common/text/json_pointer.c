#include "text/json_pointer.h"

#include "mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool json_pointer_is_valid(const char *pointer)
{
	if (*pointer && *pointer != '/')
		return false;
	for (const char *c = strchr(pointer, '~'); c; c = strchr(c + 1, '~'))
		if (c[1] != '0' && c[1] != '1')
			return false;
	return true;
}

/* "~1" stands for '/', and "~0" for '~'; in place. */
static void unescape(char *part)
{
	char *to = part;

	for (const char *from = part; *from; from++) {
		if (*from == '~')
			*to++ = *++from == '1' ? '/' : '~';
		else
			*to++ = *from;
	}
	*to = '\0';
}

static json_t *get_item(const json_t *array, const char *index)
{
	bool is_index = *index && strspn(index, "0123456789") == strlen(index) &&
			(*index != '0' || !index[1]);
	unsigned long long place;

	errno = 0;
	place = is_index ? strtoull(index, NULL, 10) : 0;
	return is_index && !errno ? json_array_get(array, (size_t)place) : NULL;
}

json_t *json_pointer_get(json_t *document, const char *pointer)
{
	json_t *found = document;

	while (found && *pointer) {
		size_t length = strcspn(++pointer, "/");
		char *part = xasprintf("%.*s", (int)length, pointer);

		unescape(part);
		found = json_is_array(found) ? get_item(found, part)
					     : json_object_get(found, part);
		free(part);
		pointer += length;
	}
	return found;
}
