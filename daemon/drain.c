#include "drain.h"

#include "mem.h"

#include <string.h>

int drain_read_text(const json_t *value, const char *field, char to[API_TEXT_BYTES],
		    struct err *err)
{
	const char *text = json_string_value(value);

	if (!text || !*text || json_string_length(value) >= API_TEXT_BYTES ||
	    strlen(text) != json_string_length(value))
		return err_set(err, ERR_INVALID_REQUEST,
			       "'%s' must be a text of 1 to %d bytes", field,
			       API_TEXT_BYTES - 1);
	for (const unsigned char *c = (const unsigned char *)text; *c; c++)
		if (*c < ' ' || *c == 0x7f)
			return err_set(err, ERR_INVALID_REQUEST,
				       "'%s' must not have control characters", field);
	copy_text(to, API_TEXT_BYTES, text);
	return 0;
}

static int read_services(json_t *value, struct drain *drain, struct err *err)
{
	json_t *name;
	size_t i;

	if (!json_is_array(value) || !json_array_size(value) ||
	    json_array_size(value) > API_SERVICES_LIMIT)
		return err_set(err, ERR_INVALID_REQUEST,
			       "'services' must be a list of 1 to %d service names; "
			       "leave it out to mean all",
			       API_SERVICES_LIMIT);
	json_array_foreach (value, i, name) {
		if (!json_is_string(name))
			return err_set(err, ERR_INVALID_REQUEST,
				       "'services[%zu]' must be a text", i);
		if (drain_covers(drain, json_string_value(name)) &&
		    json_array_size(drain->services))
			continue;
		(void)json_array_append(drain->services, name);
	}
	return 0;
}

/* Fields that the contract has and that take one value only, as nothing else exists yet.
 */
static const struct {
	const char *name, *value;
} fixed_fields[] = {
	{"phase", "active"},
	{"on_deadline", "hold"},
	{"until", "resume"},
};

static int read_fixed(const char *field, json_t *value, struct err *err)
{
	for (size_t i = 0; i < sizeof(fixed_fields) / sizeof(fixed_fields[0]); i++) {
		if (strcmp(fixed_fields[i].name, field))
			continue;
		if (json_is_string(value) &&
		    !strcmp(json_string_value(value), fixed_fields[i].value))
			return 0;
		return err_set(err, ERR_INVALID_REQUEST,
			       "'%s' must be '%s' in this version", field,
			       fixed_fields[i].value);
	}
	return err_set(err, ERR_UNKNOWN_FIELD,
		       "unknown field '%s'; a drain has services, reason, owner, phase, "
		       "on_deadline, until",
		       field);
}

int drain_parse(const char *body, size_t length, struct drain *drain, struct err *err)
{
	json_error_t error;
	json_t *root = json_loadb(body, length, JSON_REJECT_DUPLICATES, &error), *value;
	const char *field;
	int ret = 0;

	if (!root)
		return err_set(err, ERR_INVALID_JSON, "line %d, column %d: %s",
			       error.line, error.column, error.text);
	drain->services = json_array();
	if (!json_is_object(root))
		ret = err_set(err, ERR_INVALID_JSON, "the body must be a JSON object");
	json_object_foreach (root, field, value) {
		if (ret)
			break;
		if (!strcmp(field, "reason"))
			ret = drain_read_text(value, field, drain->reason, err);
		else if (!strcmp(field, "owner"))
			ret = drain_read_text(value, field, drain->owner, err);
		else if (!strcmp(field, "services"))
			ret = read_services(value, drain, err);
		else
			ret = read_fixed(field, value, err);
	}
	if (!ret && !*drain->reason)
		ret = err_set(err, ERR_INVALID_REQUEST,
			      "'reason' is required: say why, for the record");
	json_decref(root);
	if (ret)
		drain_done(drain);
	return ret;
}

bool drain_covers(const struct drain *drain, const char *service)
{
	json_t *name;
	size_t i;

	json_array_foreach (drain->services, i, name)
		if (!strcmp(json_string_value(name), service))
			return true;
	return json_array_size(drain->services) == 0;
}

bool drain_asks_the_same(const struct drain *a, const struct drain *b)
{
	json_t *name;
	size_t i;

	if (strcmp(a->reason, b->reason) ||
	    json_array_size(a->services) != json_array_size(b->services))
		return false;
	json_array_foreach (a->services, i, name)
		if (!drain_covers(b, json_string_value(name)))
			return false;
	return true;
}

json_t *drain_to_json(const struct drain *drain, json_t *services, bool is_out)
{
	char created[CLOCK_TEXT_BYTES], ended[CLOCK_TEXT_BYTES];

	return json_pack("{ss ss sO ss ss ss ss? sn ss ss sb}", "id", drain->id, "phase",
			 drain->is_ended ? "ended" : "active", "services", services,
			 "owner", drain->owner, "reason", drain->reason, "created_at",
			 clock_format(drain->created_at, created), "ended_at",
			 drain->is_ended ? clock_format(drain->ended_at, ended) : NULL,
			 "deadline_at", "on_deadline", "hold", "until", "resume", "out",
			 is_out);
}

void drain_copy(struct drain *to, const struct drain *from)
{
	*to = *from;
	to->services = json_deep_copy(from->services);
}

void drain_done(struct drain *drain)
{
	json_decref(drain->services);
	drain->services = NULL;
}
