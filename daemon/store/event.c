#include "store/event.h"

#include "text/json_write.h"

#include <stdlib.h>

static json_t *object_from(const char *text)
{
	return text ? json_loads(text, 0, NULL) : NULL;
}

json_t *event_to_json(const struct event *event)
{
	char time[CLOCK_TEXT_BYTES];
	json_t *json = json_object();

	json_write_number(json, "id", event->id);
	json_write_text(json, "time", clock_format(event->time, time));
	json_write_text(json, "kind", event->kind);
	json_write_text(json, "service", event->service);
	json_write_text(json, "who", event->who);
	json_write_text(json, "from", event->from);
	json_write_text(json, "why", event->why);
	json_write_text(json, "text", event->text);
	json_write_value(json, "before", object_from(event->before));
	json_write_value(json, "after", object_from(event->after));
	if (event->hash)
		json_write_text(json, "hash", event->hash);
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
