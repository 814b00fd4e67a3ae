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

static bool is_forced(const struct drain *drain, const char *gate)
{
	for (size_t i = 0; i < drain->forced_count; i++)
		if (!strcmp(drain->forced[i], gate))
			return true;
	return false;
}

/* Which gates there are is for the client to know: it asks them. */
static bool is_gate_name(const char *name)
{
	size_t length = name ? strlen(name) : 0;

	return length && length < API_GATE_BYTES &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz_") == length;
}

static int read_forced(json_t *value, struct drain *drain, struct err *err)
{
	json_t *gate;
	size_t i;

	if (!json_is_array(value) || !json_array_size(value) ||
	    json_array_size(value) > API_FORCED_LIMIT)
		return err_set(err, ERR_INVALID_REQUEST,
			       "'forced' must be a list of 1 to %d names of gates; leave "
			       "it out if none was",
			       API_FORCED_LIMIT);
	json_array_foreach (value, i, gate) {
		const char *name = json_string_value(gate);

		if (!is_gate_name(name))
			return err_set(err, ERR_INVALID_REQUEST,
				       "'forced[%zu]' must be 1 to %d of a-z and _", i,
				       API_GATE_BYTES - 1);
		if (is_forced(drain, name))
			return err_set(err, ERR_INVALID_REQUEST,
				       "'forced[%zu]' names '%s' once more", i, name);
		copy_text(drain->forced[drain->forced_count++], API_GATE_BYTES, name);
	}
	return 0;
}

static int read_choice(json_t *value, const char *field, int (*from_name)(const char *),
		       const char *choices, int *choice, struct err *err)
{
	*choice = json_is_string(value) ? from_name(json_string_value(value)) : -1;
	return *choice >= 0 ? 0
			    : err_set(err, ERR_INVALID_REQUEST, "'%s' must be %s", field,
				      choices);
}

/* What a drain is before it is one: whether it is only reserved, and with what. */
static int read_claim(const char *field, json_t *value, struct drain *drain,
		      struct err *err)
{
	const char *text = json_string_value(value);

	if (!strcmp(field, "phase")) {
		drain->is_reserved =
			text && !strcmp(text, drain_phase_name(DRAIN_RESERVED));
		return drain->is_reserved ||
				       (text &&
					!strcmp(text, drain_phase_name(DRAIN_ACTIVE)))
			       ? 0
			       : err_set(err, ERR_INVALID_REQUEST,
					 "'phase' must be 'active' or 'reserved'");
	}
	if (!strcmp(field, "ttl_s")) {
		drain->ttl_s = json_integer_value(value);
		return drain->ttl_s >= 1 && drain->ttl_s <= API_TTL_LIMIT_S
			       ? 0
			       : err_set(err, ERR_INVALID_REQUEST,
					 "'ttl_s' must be a whole number of seconds from "
					 "1 to %d",
					 API_TTL_LIMIT_S);
	}
	if (strcmp(field, "reservation"))
		return err_set(
			err, ERR_UNKNOWN_FIELD,
			"unknown field '%s'; a drain has services, reason, owner, "
			"deadline_s, on_deadline, until, phase, ttl_s, reservation, "
			"forced",
			field);
	if (!text || !*text || strlen(text) >= sizeof(drain->reservation))
		return err_set(err, ERR_INVALID_REQUEST,
			       "'reservation' must be the token of one");
	copy_text(drain->reservation, sizeof(drain->reservation), text);
	return 0;
}

static int read_field(const char *field, json_t *value, struct drain *drain,
		      struct err *err)
{
	int choice = 0, ret = 0;

	if (!strcmp(field, "reason"))
		return drain_read_text(value, field, drain->reason, err);
	if (!strcmp(field, "owner"))
		return drain_read_text(value, field, drain->owner, err);
	if (!strcmp(field, "services"))
		return read_services(value, drain, err);
	if (!strcmp(field, "forced"))
		return read_forced(value, drain, err);
	if (!strcmp(field, "deadline_s")) {
		drain->deadline_s = json_integer_value(value);
		return drain->deadline_s >= 1 && drain->deadline_s <= API_DEADLINE_LIMIT_S
			       ? 0
			       : err_set(err, ERR_INVALID_REQUEST,
					 "'deadline_s' must be a whole number of seconds "
					 "from 1 to %d",
					 API_DEADLINE_LIMIT_S);
	}
	if (!strcmp(field, "on_deadline")) {
		ret = read_choice(value, field, on_deadline_from_name,
				  "'hold', 'resume' or 'stop'", &choice, err);
		drain->on_deadline = (enum on_deadline)choice;
		return ret;
	}
	if (!strcmp(field, "until")) {
		ret = read_choice(value, field, until_from_name, "'resume' or 'reboot'",
				  &choice, err);
		drain->until = (enum until)choice;
		return ret;
	}
	return read_claim(field, value, drain, err);
}

static int check_whole(const struct drain *drain, struct err *err)
{
	if (!*drain->reason)
		return err_set(err, ERR_INVALID_REQUEST,
			       "'reason' is required: say why, for the record");
	if (drain->on_deadline != ON_DEADLINE_HOLD && !drain->deadline_s)
		return err_set(err, ERR_INVALID_REQUEST,
			       "'on_deadline' needs a deadline; give 'deadline_s' too");
	if (drain->ttl_s && !drain->is_reserved)
		return err_set(err, ERR_INVALID_REQUEST,
			       "'ttl_s' is of a reservation; it goes with the phase "
			       "'reserved'");
	if (*drain->reservation && drain->is_reserved)
		return err_set(err, ERR_INVALID_REQUEST,
			       "'reservation' is what a drain is committed with; it goes "
			       "with the phase 'active'");
	if (drain->forced_count && drain->is_reserved)
		return err_set(err, ERR_INVALID_REQUEST,
			       "'forced' is what a drain is committed with; it goes with "
			       "the phase 'active'");
	return 0;
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
	json_object_foreach (root, field, value)
		if (!ret)
			ret = read_field(field, value, drain, err);
	if (!ret)
		ret = check_whole(drain, err);
	json_decref(root);
	if (ret)
		drain_done(drain);
	return ret;
}

static int read_plan_field(const char *field, json_t *value, struct drain *drain,
			   struct err *err)
{
	int ret = read_field(field, value, drain, err);

	json_decref(value);
	return ret;
}

static json_t *split(const char *names)
{
	json_t *list = json_array();

	for (size_t length = strcspn(names, ",");; length = strcspn(names, ",")) {
		(void)json_array_append_new(list, json_stringn(names, length));
		if (!names[length])
			return list;
		names += length + 1;
	}
}

int drain_parse_plan(const char *services, const char *until, const char *on_deadline,
		     struct drain *drain, struct err *err)
{
	int ret = 0;

	drain->services = json_array();
	if (services)
		ret = read_plan_field("services", split(services), drain, err);
	if (!ret && until)
		ret = read_plan_field("until", json_string(until), drain, err);
	if (!ret && on_deadline)
		ret = read_plan_field("on_deadline", json_string(on_deadline), drain,
				      err);
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

	if (strcmp(a->reason, b->reason) || a->deadline_s != b->deadline_s ||
	    a->on_deadline != b->on_deadline || a->until != b->until ||
	    json_array_size(a->services) != json_array_size(b->services))
		return false;
	json_array_foreach (a->services, i, name)
		if (!drain_covers(b, json_string_value(name)))
			return false;
	return true;
}

static json_t *time_to_json(struct wall time)
{
	char text[CLOCK_TEXT_BYTES];

	return time.ms ? json_string(clock_format(time, text)) : json_null();
}

json_t *drain_terms_to_json(const struct drain *drain)
{
	return json_pack("{sO ss ss so ss ss}", "services", drain->services, "owner",
			 drain->owner, "reason", drain->reason, "deadline_at",
			 time_to_json(drain->deadline_at), "on_deadline",
			 on_deadline_name(drain->on_deadline), "until",
			 until_name(drain->until));
}

void drain_add_claim(const struct drain *drain, json_t *terms)
{
	json_t *forced;

	if (*drain->reservation)
		(void)json_object_set_new(terms, "reservation",
					  json_string(drain->reservation));
	if (!drain->forced_count)
		return;
	forced = json_array();
	for (size_t i = 0; i < drain->forced_count; i++)
		(void)json_array_append_new(forced, json_string(drain->forced[i]));
	(void)json_object_set_new(terms, "forced", forced);
}

bool drain_is_overdue(const struct drain *drain)
{
	return !drain->is_ended && drain->is_over && !drain->drained_at.ms;
}

json_t *drain_to_json(const struct drain *drain, json_t *services, bool is_out)
{
	bool is_ended = drain->is_ended;
	enum drain_phase phase = is_ended             ? DRAIN_ENDED
				 : drain->is_reserved ? DRAIN_RESERVED
						      : DRAIN_ACTIVE;

	return json_pack("{ss ss sO ss ss so so ss? ss? so ss ss so sb sb}", "id",
			 drain->id, "phase", drain_phase_name(phase), "services",
			 services, "owner", drain->owner, "reason", drain->reason,
			 "created_at", time_to_json(drain->created_at), "ended_at",
			 is_ended ? time_to_json(drain->ended_at) : json_null(),
			 "ended_by", is_ended ? drain->ended_by : NULL, "end_reason",
			 is_ended ? end_reason_name(drain->end_reason) : NULL,
			 "deadline_at", time_to_json(drain->deadline_at), "on_deadline",
			 on_deadline_name(drain->on_deadline), "until",
			 until_name(drain->until), "drained_at",
			 time_to_json(drain->drained_at), "overdue",
			 drain_is_overdue(drain), "out", is_out);
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
