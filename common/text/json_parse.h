/*
 * Reads JSON that another program wrote.
 */
#ifndef COMMON_JSON_PARSE_H
#define COMMON_JSON_PARSE_H

#include <jansson.h>
#include <stddef.h>

/* As json_loadb(), but a byte order mark may come first, as programs on Windows
 * like to write one.  Of two members with one name, nobody knows which is meant:
 * they are an error. */
json_t *json_parse(const char *text, size_t length, size_t flags,
		   json_error_t *error);

#endif
