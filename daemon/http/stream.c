#include "http/stream.h"

#include "api.h"
#include "mem.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

enum { NOTICE_BYTES = 96, ASIDE_COUNT = 32 };

struct text {
	int64_t id;
	char *bytes;
	size_t length;
};

/* Events that follow each other, the oldest first: all after `after` up to `to`. */
struct window {
	int64_t after, to;
	struct text *texts; /* a circle of so many places */
	size_t places, first, count;
	size_t bytes, limit_bytes;
};

struct ring {
	ring_source *source;
	void *arg;
	struct window newest;
	/* The events that a watcher behind the ring read last. */
	struct window aside;
};

struct stream {
	struct ring *ring;
	int64_t seen;
	size_t sent_bytes;         /* of the event after that */
	char notice[NOTICE_BYTES]; /* goes before it */
	size_t notice_bytes;
	int64_t beat_ms;
	struct mono beat_at;
};

/* ---- windows ---- */

static struct text *text_at(const struct window *window, size_t i)
{
	return &window->texts[(window->first + i) % window->places];
}

static void drop_first(struct window *window)
{
	struct text *oldest = text_at(window, 0);

	window->after = oldest->id;
	window->bytes -= oldest->length;
	free(oldest->bytes);
	window->first = (window->first + 1) % window->places;
	window->count--;
}

static void start_at(struct window *window, int64_t after)
{
	while (window->count)
		drop_first(window);
	window->after = window->to = after;
}

/* The JSON is that of GET /v1/events. */
static struct text render(const struct event *event)
{
	json_t *json = event_to_json(event);
	char *data = json_dumps(json, JSON_COMPACT);
	char *bytes = xasprintf("id: %lld\nevent: %s\ndata: %s\n\n",
				(long long)event->id, event->kind, data);

	free(data);
	json_decref(json);
	return (struct text){event->id, bytes, strlen(bytes)};
}

static void push(void *arg, const struct event *event)
{
	struct window *window = arg;
	struct text text = render(event);

	while (window->count && (window->count == window->places ||
				 window->bytes + text.length > window->limit_bytes))
		drop_first(window);
	*text_at(window, window->count++) = text;
	window->bytes += text.length;
	window->to = text.id;
}

/* The first event after `seen`, or NULL.  Ids have no gaps, unless somebody made
 * one. */
static const struct text *find(const struct window *window, int64_t seen)
{
	size_t i = (size_t)(seen - window->after);

	if (seen < window->after || seen >= window->to || !window->count)
		return NULL;
	if (i >= window->count)
		i = window->count - 1;
	while (i && text_at(window, i - 1)->id > seen)
		i--;
	return text_at(window, i);
}

/* ---- the ring ---- */

struct ring *stream_ring_new(ring_source *source, void *arg)
{
	struct ring *ring = xcalloc(1, sizeof(*ring));

	ring->source = source;
	ring->arg = arg;
	ring->newest.places = API_EVENTS_LIMIT;
	ring->newest.limit_bytes = STREAM_RING_BYTES;
	ring->aside.places = ASIDE_COUNT;
	/* All that were read stay, or the first would be read for ever. */
	ring->aside.limit_bytes = SIZE_MAX;
	return ring;
}

static void free_window(struct window *window)
{
	start_at(window, 0);
	free(window->texts);
}

void stream_ring_free(struct ring *ring)
{
	if (!ring)
		return;
	free_window(&ring->newest);
	free_window(&ring->aside);
	free(ring);
}

static int fill(const struct ring *ring, struct window *window, struct err *err)
{
	if (!window->texts)
		window->texts = xcalloc(window->places, sizeof(*window->texts));
	return ring->source(ring->arg, window->to, (int)window->places, push,
			    window, err);
}

/* `*text` is NULL if the store has no event after `seen` yet. */
static int get_text(struct ring *ring, int64_t seen, int64_t last,
		    const struct text **text, struct err *err)
{
	struct window *newest = &ring->newest;

	if (newest->to < last - API_EVENTS_LIMIT)
		start_at(newest, last - API_EVENTS_LIMIT);
	if (newest->to < last && fill(ring, newest, err))
		return -1;
	*text = find(newest, seen);
	if (*text || seen >= newest->after)
		return 0;
	*text = find(&ring->aside, seen);
	if (*text)
		return 0;
	start_at(&ring->aside, seen);
	if (fill(ring, &ring->aside, err))
		return -1;
	*text = find(&ring->aside, seen);
	return 0;
}

/* ---- watchers ---- */

static void give_notice(struct stream *stream, const char *text)
{
	utf8_copy(stream->notice, sizeof(stream->notice), text);
	stream->notice_bytes = strlen(stream->notice);
}

static bool is_too_far(int64_t seen, int64_t last)
{
	return last - seen > API_EVENTS_LIMIT;
}

/* The id is for a client that connects again before the next event. */
static void resync(struct stream *stream, int64_t last)
{
	char text[NOTICE_BYTES];

	(void)snprintf(text, sizeof(text),
		       "id: %lld\nevent: resync\ndata: {\"last\":%lld}\n\n",
		       (long long)last, (long long)last);
	give_notice(stream, text);
	stream->seen = last;
}

struct stream *stream_new(struct ring *ring, int64_t after, int64_t last,
			  int64_t beat_ms, struct mono now)
{
	struct stream *stream = xcalloc(1, sizeof(*stream));
	char text[NOTICE_BYTES];

	*stream = (struct stream){.ring = ring,
				  .seen = after == STREAM_FROM_NOW ? last : after,
				  .beat_ms = beat_ms,
				  .beat_at = clock_add(now, beat_ms)};
	if (stream->seen > last || is_too_far(stream->seen, last)) {
		resync(stream, last);
		return stream;
	}
	/* An id alone is no event, but the client goes on from it. */
	(void)snprintf(text, sizeof(text), "id: %lld\n\n", (long long)stream->seen);
	give_notice(stream, text);
	return stream;
}

void stream_free(struct stream *stream)
{
	free(stream);
}

/* Copies as many of the bytes as fit into the room; returns how many. */
static size_t take(const char *bytes, size_t length, char *room, size_t room_bytes)
{
	size_t taken = length < room_bytes ? length : room_bytes;

	memcpy(room, bytes, taken);
	return taken;
}

static size_t take_notice(struct stream *stream, char *room, size_t room_bytes)
{
	size_t taken = take(stream->notice, stream->notice_bytes, room, room_bytes);

	stream->notice_bytes -= taken;
	memmove(stream->notice, stream->notice + taken, stream->notice_bytes);
	return taken;
}

static size_t take_event(struct stream *stream, const struct text *text, char *room,
			 size_t room_bytes)
{
	size_t taken = take(text->bytes + stream->sent_bytes,
			    text->length - stream->sent_bytes, room, room_bytes);

	stream->sent_bytes += taken;
	if (stream->sent_bytes == text->length) {
		stream->seen = text->id;
		stream->sent_bytes = 0;
	}
	return taken;
}

/* Fills the room with events. */
static int read_events(struct stream *stream, int64_t last, char *room,
		       size_t room_bytes, size_t *used, struct err *err)
{
	while (*used < room_bytes) {
		const struct text *text;

		if (stream->notice_bytes) {
			*used += take_notice(stream, room + *used,
					     room_bytes - *used);
			continue;
		}
		if (stream->seen >= last)
			return 0;
		/* Never in the middle of an event. */
		if (!stream->sent_bytes && is_too_far(stream->seen, last)) {
			resync(stream, last);
			continue;
		}
		if (get_text(stream->ring, stream->seen, last, &text, err))
			return -1;
		if (!text)
			return 0;
		*used += take_event(stream, text, room + *used, room_bytes - *used);
	}
	return 0;
}

int64_t stream_read(struct stream *stream, int64_t last, struct mono now,
		    char *room, size_t room_bytes, struct err *err)
{
	size_t used = 0;

	if (read_events(stream, last, room, room_bytes, &used, err))
		return -1;
	if (!used && !stream_rest_ms(stream, now)) {
		give_notice(stream, ": nothing new\n\n");
		used = take_notice(stream, room, room_bytes);
	}
	if (used)
		stream->beat_at = clock_add(now, stream->beat_ms);
	return (int64_t)used;
}

int64_t stream_seen(const struct stream *stream)
{
	return stream->seen;
}

int64_t stream_rest_ms(const struct stream *stream, struct mono now)
{
	int64_t rest_ms = clock_since(now, stream->beat_at);

	return rest_ms > 0 ? rest_ms : 0;
}
