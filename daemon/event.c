#include "event.h"

#include <stdlib.h>

static json_t *object_from(const char *text)
{
	json_t *object = text ? json_loads(text, 0, NULL) : NULL;

	return object ? object : json_null();
}

json_t *event_to_json(const struct event *event)
{
	char time[CLOCK_TEXT_BYTES];
	json_t *json = json_pack(
		"{sI ss ss ss? ss? ss? ss? ss? so so}", "id", (json_int_t)event->id,
		"time", clock_format(event->time, time), "kind", event->kind, "service",
		event->service, "who", event->who, "from", event->from, "why", event->why,
		"text", event->text, "before", object_from(event->before), "after",
		object_from(event->after));

	if (event->hash)
		(void)json_object_set_new(json, "hash", json_string(event->hash));
	return json;
}

void event_hash(const struct event *event, const char previous[CHAIN_HASH_BYTES],
		char hash[CHAIN_HASH_BYTES])
{
	struct event bare = *event;
	json_t *json;
	char *text;

	bare.hash = NULL;
	json = event_to_json(&bare);
	text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	chain_next(previous, text, hash);
	free(text);
	json_decref(json);
}
