/*
 * JSON pointers (RFC 6901): "/sessions/active" is a place in a JSON document.
 */
#ifndef POOLCTL_JSON_POINTER_H
#define POOLCTL_JSON_POINTER_H

#include <jansson.h>
#include <stdbool.h>

/* True if the text is a pointer: "" (the whole document), or parts that each begin
 * with
 * '/', with '~' only as "~0" and "~1" (section 3). */
bool json_pointer_is_valid(const char *pointer);

/* Returns the value that a valid pointer points to, borrowed from the document, or
 * NULL (section 4: an index has no leading zeros, and "-" is always past the end).
 */
json_t *json_pointer_get(json_t *document, const char *pointer);

#endif
