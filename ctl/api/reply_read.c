#include "api/reply_read.h"

#include "text/json_parse.h"
#include "text/words.h"
#include "utf8.h"

#include <string.h>

const int64_t reply_id_most = (1LL << 53) - 1;
const int64_t reply_count_most = 1LL << 40;

json_t *reply_read_document(const char *body, size_t length, struct err *err)
{
	json_error_t error;
	json_t *document = json_parse(body, length, 0, &error);

	if (!document)
		(void)err_set(err, ERR_BAD_REPLY, "it is not JSON: %s", error.text);
	return document;
}

int reply_read_fail(const char *name, const char *what, struct err *err)
{
	return err_set(err, ERR_BAD_REPLY, "'%s' is not %s", name, what);
}

int reply_read_check_server(const json_t *reply, const struct pool_server *server,
			    struct err *err)
{
	const char *name = reply_read_text(reply, "server", REPLY_REQUIRED, err);
	const char *pool = reply_read_text(reply, "pool", REPLY_OPTIONAL, err);

	if (err->code)
		return -1;
	if (utf8_compare_names(name, server->named.name))
		return err_set(
			err, ERR_WRONG_SERVER,
			"server '%.100s' answers there, not '%s'; check 'url' in "
			"pool.yaml",
			name, server->named.name);
	if (pool && server->pool &&
	    utf8_compare_names(pool, server->pool->named.name))
		return err_set(
			err, ERR_WRONG_SERVER,
			"it is %s of pool %.100s that answers there, not that of "
			"pool %.100s; check 'url' in pool.yaml",
			server->named.name, pool, server->pool->named.name);
	return 0;
}

/* The field, or NULL if it is without a value, and may be. */
static const json_t *find(const json_t *object, const char *name,
			  enum reply_absence absence, struct err *err)
{
	const json_t *value = json_object_get(object, name);

	if (!value && absence != REPLY_OPTIONAL)
		(void)err_set(err, ERR_BAD_REPLY, "'%s' is missing", name);
	return absence != REPLY_REQUIRED && json_is_null(value) ? NULL : value;
}

const char *reply_read_text(const json_t *object, const char *name,
			    enum reply_absence absence, struct err *err)
{
	const json_t *value = find(object, name, absence, err);

	if (json_is_string(value))
		return json_string_value(value);
	if (value)
		(void)reply_read_fail(name, "a text", err);
	return value || absence == REPLY_REQUIRED ? "" : NULL;
}

bool reply_read_flag(const json_t *object, const char *name,
		     enum reply_absence absence, struct err *err)
{
	const json_t *value = find(object, name, absence, err);

	if (value && !json_is_boolean(value))
		(void)reply_read_fail(name, "true or false", err);
	return json_is_true(value);
}

int64_t reply_read_number(const json_t *object, const char *name, int64_t most,
			  enum reply_absence absence, struct err *err)
{
	const json_t *value = find(object, name, absence, err);
	json_int_t number = json_integer_value(value);

	if (value && json_is_integer(value) && number >= 0 && number <= most)
		return number;
	if (value)
		(void)err_set(err, ERR_BAD_REPLY,
			      "'%s' is not a whole number from 0 to %lld", name,
			      (long long)most);
	return COUNT_UNKNOWN;
}

int64_t reply_read_estimate(const json_t *object, const char *name, int64_t most)
{
	struct err ignored = {0};

	return reply_read_number(object, name, most, REPLY_OPTIONAL, &ignored);
}

const char *reply_read_hint(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

struct moment reply_read_time(const json_t *object, const char *name,
			      enum reply_absence absence, struct err *err)
{
	const json_t *value = find(object, name, absence, err);
	struct moment moment = {0};

	if (!value)
		return moment;
	moment.is_given = json_is_string(value) &&
			  !clock_parse(json_string_value(value), &moment.at);
	if (!moment.is_given)
		(void)reply_read_fail(name, "a time as in RFC 3339", err);
	return moment;
}

int reply_read_word(const json_t *object, const char *name,
		    const char *const *words, int usual, enum reply_absence absence,
		    struct err *err)
{
	const char *word = reply_read_text(object, name, absence, err);
	int value = word ? words_find(words, word) : usual;
	struct buf known = {0};

	if (value >= 0)
		return value;
	words_print(words, &known);
	(void)err_set(err, ERR_BAD_REPLY, "'%s' is none of %s", name, known.text);
	buf_done(&known);
	return usual;
}

const json_t *reply_read_object(const json_t *object, const char *name,
				enum reply_absence absence, struct err *err)
{
	const json_t *value = find(object, name, absence, err);

	if (json_is_object(value))
		return value;
	if (value)
		(void)reply_read_fail(name, "an object", err);
	return NULL;
}

const json_t *reply_read_list(const json_t *object, const char *name, size_t most,
			      enum reply_absence absence, struct err *err)
{
	const json_t *value = find(object, name, absence, err);

	if (value && !json_is_array(value))
		(void)reply_read_fail(name, "a list", err);
	else if (json_array_size(value) > most)
		(void)err_set(err, ERR_BAD_REPLY, "'%s' has more than %zu items",
			      name, most);
	else
		return value;
	return NULL;
}
