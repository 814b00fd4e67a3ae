#include "api/events_reply.h"

#include "mem.h"

#include <stdlib.h>

static const char *text_of(const json_t *side, const char *name)
{
	return json_string_value(json_object_get(side, name));
}

/* The sides differ with the kind of event, and are for people alone: what is
 * strange is passed over. */
static struct event_side read_side(const json_t *event, const char *name)
{
	const json_t *json = json_object_get(event, name);
	const json_t *forced = json_object_get(json, "forced");
	struct event_side side = {
		/* That a drain ended leaves nothing but who asked for it. */
		.is_given = json_is_object(json) && (!text_of(json, "credential") ||
						     text_of(json, "owner")),
		.state = text_of(json, "state"),
		.start_type = text_of(json, "start_type"),
		.deadline_at = text_of(json, "deadline_at"),
		.on_deadline = text_of(json, "on_deadline"),
		.until = text_of(json, "until"),
		.is_delayed =
			json_is_true(json_object_get(json, "delayed_auto_start")),
	};

	for (size_t i = 0; i < json_array_size(forced) && i < API_FORCED_LIMIT;
	     i++) {
		const char *gate = json_string_value(json_array_get(forced, i));

		side.forced[side.forced_count++] = gate ? gate : "?";
	}
	return side;
}

struct event events_reply_read_one(json_t *document, struct err *err)
{
	return (struct event){
		.document = document,
		.id = reply_read_number(document, "id", reply_id_most,
					REPLY_REQUIRED, err),
		.hash = json_string_value(json_object_get(document, "hash")),
		.time = reply_read_text(document, "time", REPLY_NULL, err),
		.kind = reply_read_text(document, "kind", REPLY_NULL, err),
		.service = reply_read_text(document, "service", REPLY_NULL, err),
		.who = reply_read_text(document, "who", REPLY_NULL, err),
		.why = reply_read_text(document, "why", REPLY_OPTIONAL, err),
		.text = reply_read_text(document, "text", REPLY_NULL, err),
		.acts_for = text_of(json_object_get(document, "after"), "for"),
		.before = read_side(document, "before"),
		.after = read_side(document, "after"),
	};
}

struct events_reply *events_reply_parse(const char *body, size_t length,
					struct err *err)
{
	struct events_reply *events = xcalloc(1, sizeof(*events));
	const json_t *list;

	events->document = reply_read_document(body, length, err);
	list = reply_read_list(events->document, "events", SIZE_MAX, REPLY_REQUIRED,
			       err);
	events->last_id = reply_read_number(events->document, "last", reply_id_most,
					    REPLY_REQUIRED, err);
	events->count = json_array_size(list);
	events->items = xcalloc(events->count, sizeof(*events->items));
	for (size_t i = 0; i < events->count; i++)
		events->items[i] =
			events_reply_read_one(json_array_get(list, i), err);
	if (!err->code)
		return events;
	events_reply_free(events);
	return NULL;
}

void events_reply_free(struct events_reply *events)
{
	if (!events)
		return;
	free(events->items);
	json_decref(events->document);
	free(events);
}
