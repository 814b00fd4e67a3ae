#include "text/json_write.h"

void json_write_value(json_t *object, const char *name, json_t *value)
{
	(void)json_object_set_new(object, name, value ? value : json_null());
}

void json_write_copy(json_t *object, const char *name, const json_t *value)
{
	json_write_value(object, name, json_incref((json_t *)value));
}

void json_write_text(json_t *object, const char *name, const char *text)
{
	json_write_value(object, name, text ? json_string(text) : NULL);
}

void json_write_number(json_t *object, const char *name, int64_t number)
{
	json_write_value(object, name, json_integer(number));
}

void json_write_count(json_t *object, const char *name, int64_t count)
{
	json_write_value(object, name, count < 0 ? NULL : json_integer(count));
}

void json_write_flag(json_t *object, const char *name, bool flag)
{
	json_write_value(object, name, json_boolean(flag));
}

void json_write_null(json_t *object, const char *name)
{
	json_write_value(object, name, NULL);
}

void json_write_item(json_t *list, json_t *value)
{
	(void)json_array_append_new(list, value ? value : json_null());
}

void json_write_text_item(json_t *list, const char *text)
{
	json_write_item(list, json_string(text));
}
