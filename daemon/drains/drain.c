#include "drains/drain.h"

#include "buf.h"
#include "text/json_parse.h"
#include "text/json_write.h"
#include "text/words.h"
#include "utf8.h"

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
				       "'%s' must not contain control characters",
				       field);
	utf8_copy(to, API_TEXT_BYTES, text);
	return 0;
}

static int read_services(json_t *value, struct drain *drain, struct err *err)
{
	json_t *name;
	size_t i;

	if (!json_is_array(value) || !json_array_size(value) ||
	    json_array_size(value) > API_SERVICES_LIMIT)
		return err_set(
			err, ERR_INVALID_REQUEST,
			"'services' must be a list of 1 to %d service names; "
			"leave it out for all services",
			API_SERVICES_LIMIT);
	json_array_foreach (value, i, name) {
		if (!json_is_string(name))
			return err_set(err, ERR_INVALID_REQUEST,
				       "'services[%zu]' must be a service name", i);
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

/* The client runs the gates, so only the client knows which there are. */
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
		return err_set(
			err, ERR_INVALID_REQUEST,
			"'forced' must be a list of 1 to %d gate names; leave it out "
			"if no gate was forced",
			API_FORCED_LIMIT);
	json_array_foreach (value, i, gate) {
		const char *name = json_string_value(gate);

		if (!is_gate_name(name))
			return err_set(
				err, ERR_INVALID_REQUEST,
				"'forced[%zu]' must have 1 to %d letters a-z or _",
				i, API_GATE_BYTES - 1);
		if (is_forced(drain, name))
			return err_set(err, ERR_INVALID_REQUEST,
				       "'forced' has '%s' twice", name);
		utf8_copy(drain->forced[drain->forced_count++], API_GATE_BYTES,
			  name);
	}
	return 0;
}

static int read_choice(json_t *value, const char *field, const char *const *words,
		       const char *choices, int *choice, struct err *err)
{
	*choice = json_is_string(value)
			  ? words_find(words, json_string_value(value))
			  : -1;
	return *choice >= 0 ? 0
			    : err_set(err, ERR_INVALID_REQUEST, "'%s' must be %s",
				      field, choices);
}

/* The fields of the reservation: whether the drain is only reserved, and its token.
 */
static int read_claim(const char *field, json_t *value, struct drain *drain,
		      struct err *err)
{
	const char *text = json_string_value(value);

	if (!strcmp(field, "phase")) {
		drain->is_reserved =
			text && !strcmp(text, api_drain_phases[DRAIN_RESERVED]);
		return drain->is_reserved ||
				       (text &&
					!strcmp(text,
						api_drain_phases[DRAIN_ACTIVE]))
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
			       "'reservation' must be the token of a reservation");
	utf8_copy(drain->reservation, sizeof(drain->reservation), text);
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
		return drain->deadline_s >= 1 &&
				       drain->deadline_s <= API_DEADLINE_LIMIT_S
			       ? 0
			       : err_set(err, ERR_INVALID_REQUEST,
					 "'deadline_s' must be a whole number of seconds "
					 "from 1 to %d",
					 API_DEADLINE_LIMIT_S);
	}
	if (!strcmp(field, "on_deadline")) {
		ret = read_choice(value, field, api_on_deadlines,
				  "'hold', 'resume' or 'stop'", &choice, err);
		drain->on_deadline = (enum on_deadline)choice;
		return ret;
	}
	if (!strcmp(field, "until")) {
		ret = read_choice(value, field, api_untils, "'resume' or 'reboot'",
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
			       "'on_deadline' needs 'deadline_s'");
	if (drain->ttl_s && !drain->is_reserved)
		return err_set(
			err, ERR_INVALID_REQUEST,
			"'ttl_s' is only for a reservation; it needs 'phase': "
			"'reserved'");
	if (*drain->reservation && drain->is_reserved)
		return err_set(
			err, ERR_INVALID_REQUEST,
			"'reservation' is only for committing a drain; it needs "
			"'phase': 'active'");
	if (drain->forced_count && drain->is_reserved)
		return err_set(err, ERR_INVALID_REQUEST,
			       "'forced' is only for committing a drain; it needs "
			       "'phase': 'active'");
	return 0;
}

int drain_parse(const char *body, size_t length, struct drain *drain,
		struct err *err)
{
	json_error_t error;
	json_t *root = json_parse(body, length, 0, &error), *value;
	const char *field;
	int ret = 0;

	if (!root)
		return err_set(err, ERR_INVALID_JSON, "line %d, column %d: %s",
			       error.line, error.column, error.text);
	drain->services = json_array();
	if (!json_is_object(root))
		ret = err_set(err, ERR_INVALID_JSON,
			      "the body must be a JSON object");
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

/* Names with commas between them; "\," is a comma of a name. */
static json_t *split(const char *names)
{
	json_t *list = json_array();
	struct buf name = {0};

	for (; *names; names++)
		if (*names == '\\' && names[1] == ',') {
			buf_puts(&name, ",");
			names++;
		} else if (*names == ',') {
			json_write_text_item(list, name.length ? name.text : "");
			buf_done(&name);
		} else {
			buf_add(&name, names, 1);
		}
	json_write_text_item(list, name.length ? name.text : "");
	buf_done(&name);
	return list;
}

int drain_parse_plan(const char *services, const char *until,
		     const char *on_deadline, struct drain *drain, struct err *err)
{
	int ret = 0;

	drain->services = json_array();
	if (services)
		ret = read_plan_field("services", split(services), drain, err);
	if (!ret && until)
		ret = read_plan_field("until", json_string(until), drain, err);
	if (!ret && on_deadline)
		ret = read_plan_field("on_deadline", json_string(on_deadline),
				      drain, err);
	return ret;
}

bool drain_covers(const struct drain *drain, const char *service)
{
	json_t *name;
	size_t i;

	json_array_foreach (drain->services, i, name)
		if (!utf8_compare_names(json_string_value(name), service))
			return true;
	return json_array_size(drain->services) == 0;
}

bool drain_is_of_same(const struct drain *a, const struct drain *b)
{
	return !strcmp(a->owner, b->owner) && !strcmp(a->acts_for, b->acts_for);
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

/* Null if it has not come. */
static void write_time(json_t *object, const char *name, struct wall time)
{
	char text[CLOCK_TEXT_BYTES];

	json_write_text(object, name, time.ms ? clock_format(time, text) : NULL);
}

static void write_owner(json_t *object, const struct drain *drain)
{
	json_write_text(object, "owner", drain->owner);
	if (*drain->acts_for)
		json_write_text(object, "for", drain->acts_for);
}

json_t *drain_terms_to_json(const struct drain *drain)
{
	json_t *json = json_object();

	json_write_copy(json, "services", drain->services);
	write_owner(json, drain);
	json_write_text(json, "reason", drain->reason);
	write_time(json, "deadline_at", drain->deadline_at);
	json_write_text(json, "on_deadline", api_on_deadlines[drain->on_deadline]);
	json_write_text(json, "until", api_untils[drain->until]);
	return json;
}

void drain_add_claim(const struct drain *drain, json_t *terms)
{
	json_t *forced;

	if (drain->credential)
		json_write_text(terms, "credential", drain->credential);
	if (*drain->reservation)
		json_write_text(terms, "reservation", drain->reservation);
	if (!drain->forced_count)
		return;
	forced = json_array();
	for (size_t i = 0; i < drain->forced_count; i++)
		json_write_text_item(forced, drain->forced[i]);
	json_write_value(terms, "forced", forced);
}

bool drain_is_overdue(const struct drain *drain)
{
	return !drain->is_ended && drain->is_over && !drain->drained_at.ms;
}

static enum drain_phase phase_of(const struct drain *drain)
{
	if (drain->is_ended)
		return DRAIN_ENDED;
	return drain->is_reserved ? DRAIN_RESERVED : DRAIN_ACTIVE;
}

json_t *drain_to_json(const struct drain *drain, const json_t *services,
		      bool is_out)
{
	bool is_ended = drain->is_ended;
	json_t *json = json_object();

	json_write_text(json, "id", drain->id);
	json_write_text(json, "phase", api_drain_phases[phase_of(drain)]);
	json_write_copy(json, "services", services);
	write_owner(json, drain);
	json_write_text(json, "reason", drain->reason);
	write_time(json, "created_at", drain->created_at);
	write_time(json, "ended_at", is_ended ? drain->ended_at : (struct wall){0});
	json_write_text(json, "ended_by", is_ended ? drain->ended_by : NULL);
	json_write_text(json, "end_reason",
			is_ended ? api_end_reasons[drain->end_reason] : NULL);
	write_time(json, "deadline_at", drain->deadline_at);
	json_write_value(json, "deadline_s",
			 drain->deadline_s ? json_integer(drain->deadline_s)
					   : NULL);
	json_write_text(json, "on_deadline", api_on_deadlines[drain->on_deadline]);
	json_write_text(json, "until", api_untils[drain->until]);
	write_time(json, "drained_at", drain->drained_at);
	json_write_flag(json, "overdue", drain_is_overdue(drain));
	json_write_flag(json, "out", is_out);
	return json;
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
