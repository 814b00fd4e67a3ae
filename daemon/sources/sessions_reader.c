#include "sources/sessions_reader.h"

#include "text/json_parse.h"
#include "text/json_pointer.h"

#include <string.h>

const char *sessions_show(const char *text, size_t length,
			  char shown[SESSIONS_SHOWN_BYTES])
{
	size_t used = 0;

	while (length && strchr(" \t\r\n", *text)) {
		text++;
		length--;
	}
	while (used < length && used < SESSIONS_SHOWN_BYTES - 1 &&
	       text[used] != '\n' && text[used] != '\r') {
		shown[used] = text[used];
		if (shown[used] < ' ' || shown[used] > '~')
			shown[used] = '?';
		used++;
	}
	shown[used] = '\0';
	return shown;
}

/* NaN fails every comparison, so the good case is the one that is asked for. */
static bool is_count(const json_t *value)
{
	double number = json_number_value(value);

	return json_is_number(value) && number >= 0 &&
	       number <= SESSIONS_COUNT_LIMIT && (double)(int64_t)number == number;
}

int sessions_read_json(const char *text, size_t length, const char *pointer,
		       int64_t *count, struct err *err)
{
	char shown[SESSIONS_SHOWN_BYTES];
	json_t *document, *value;
	json_error_t error;
	int ret = 0;

	if (!*sessions_show(text, length, shown))
		return err_set(err, ERR_SESSIONS, "it is empty");
	document = json_parse(text, length, JSON_DECODE_ANY, &error);
	if (!document)
		return err_set(err, ERR_SESSIONS,
			       "it is not JSON (line %d, column %d): %s",
			       error.line, error.column, shown);
	value = pointer ? json_pointer_get(document, pointer) : document;
	if (!value)
		ret = err_set(err, ERR_SESSIONS, "it has nothing at '%s': %s",
			      pointer, shown);
	else if (!is_count(value))
		ret = err_set(err, ERR_SESSIONS,
			      "%s%s%s no whole number from 0 to %d: %s",
			      pointer ? "what it has at '" : "it",
			      pointer ? pointer : "", pointer ? "' is" : " is",
			      SESSIONS_COUNT_LIMIT, shown);
	else
		*count = (int64_t)json_number_value(value);
	json_decref(document);
	return ret;
}
