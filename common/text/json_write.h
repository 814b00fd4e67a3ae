/*
 * Writes JSON objects and lists: one call a field.
 *
 * The object or list owns what is set.  A text that is no UTF-8 becomes null.
 * Fields keep the order in which they were set.
 */
#ifndef COMMON_JSON_WRITE_H
#define COMMON_JSON_WRITE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Sets a field to a text; to null if it is NULL. */
void json_write_text(json_t *object, const char *name, const char *text);

void json_write_number(json_t *object, const char *name, int64_t number);

/* Sets a field to a number; to null if it is negative, which means that it is
 * unknown. */
void json_write_count(json_t *object, const char *name, int64_t count);

void json_write_flag(json_t *object, const char *name, bool flag);

void json_write_null(json_t *object, const char *name);

/* Sets a field to a value, and takes over the reference to it; to null if it is
 * NULL. */
void json_write_value(json_t *object, const char *name, json_t *value);

/* The same, but the caller keeps the reference. */
void json_write_copy(json_t *object, const char *name, const json_t *value);

/* Appends a value to a list, and takes over the reference to it. */
void json_write_item(json_t *list, json_t *value);

void json_write_text_item(json_t *list, const char *text);

#endif
