#include "tracker.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

void tracker_done(struct tracker *tracker)
{
	free(tracker->items);
	free(tracker->fresh);
	*tracker = (struct tracker){0};
}

static int compare_connections(const void *left, const void *right)
{
	const struct sessions_connection *a = &((const struct tracked *)left)->connection,
					 *b = &((const struct tracked *)right)
						       ->connection;
	int difference = memcmp(&a->peer, &b->peer, sizeof(a->peer));

	if (!difference)
		difference = a->peer_port - b->peer_port;
	if (!difference)
		difference = a->local_port - b->local_port;
	return difference ? difference : memcmp(&a->local, &b->local, sizeof(a->local));
}

void tracker_begin(struct tracker *tracker)
{
	tracker->fresh_count = 0;
	tracker->seen = 0;
}

void tracker_see(struct tracker *tracker, const struct sessions_connection *connection)
{
	tracker->seen++;
	if (tracker->fresh_count == TRACKER_LIMIT)
		return;
	if (tracker->fresh_count == tracker->fresh_room) {
		tracker->fresh_room =
			tracker->fresh_room ? tracker->fresh_room * 2 : FIRST_ROOM;
		tracker->fresh = xrealloc(tracker->fresh,
					  tracker->fresh_room * sizeof(*tracker->fresh));
	}
	tracker->fresh[tracker->fresh_count++] =
		(struct tracked){.connection = *connection};
}

static void swap(struct tracker *tracker)
{
	struct tracked *items = tracker->items;
	size_t room = tracker->room;

	tracker->items = tracker->fresh;
	tracker->count = tracker->fresh_count;
	tracker->room = tracker->fresh_room;
	tracker->fresh = items;
	tracker->fresh_room = room;
}

void tracker_end(struct tracker *tracker, struct mono now, struct wall wall)
{
	size_t known = 0;

	if (tracker->fresh_count)
		qsort(tracker->fresh, tracker->fresh_count, sizeof(*tracker->fresh),
		      compare_connections);
	for (size_t i = 0; i < tracker->fresh_count; i++) {
		struct tracked *session = &tracker->fresh[i];
		int order = 1;

		while (known < tracker->count &&
		       (order = compare_connections(session, &tracker->items[known])) > 0)
			known++;
		session->since = now;
		session->since_wall = wall;
		session->is_least = !tracker->is_whole;
		if (known == tracker->count || order)
			continue;
		session->since = tracker->items[known].since;
		session->since_wall = tracker->items[known].since_wall;
		session->is_least = tracker->items[known].is_least;
	}
	swap(tracker);
	tracker->is_whole = tracker->seen == (int64_t)tracker->count;
}

void tracker_failed(struct tracker *tracker)
{
	tracker->is_whole = false;
}

static int compare_ages(const void *left, const void *right)
{
	const struct tracked *a = *(const struct tracked *const *)left,
			     *b = *(const struct tracked *const *)right;

	if (a->since.ms != b->since.ms)
		return a->since.ms < b->since.ms ? -1 : 1;
	return compare_connections(a, b);
}

size_t tracker_oldest(const struct tracker *tracker, const struct tracked **oldest,
		      size_t limit)
{
	const struct tracked **all =
		xcalloc(tracker->count, sizeof(const struct tracked *));
	size_t count = tracker->count < limit ? tracker->count : limit;

	for (size_t i = 0; i < tracker->count; i++)
		all[i] = &tracker->items[i];
	if (count) {
		qsort(all, tracker->count, sizeof(const struct tracked *), compare_ages);
		memcpy(oldest, all, count * sizeof(const struct tracked *));
	}
	free(all);
	return count;
}

bool tracker_is_suspect(const struct tracked *session, struct mono now)
{
	return sessions_is_suspect(clock_since(session->since, now),
				   session->connection.idle_ms);
}
