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
	tracker->ended_count = 0;
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

/* What was known of it, before it is compared with the sample before. */
static void start(struct tracked *session, struct mono now, struct wall wall,
		  bool is_least)
{
	session->since = session->told = now;
	session->since_wall = wall;
	session->is_least = is_least;
}

static void go_on(struct tracked *session, const struct tracked *known)
{
	session->since = known->since;
	session->since_wall = known->since_wall;
	session->told = known->told;
	session->is_least = known->is_least;
}

/* Carries over what was known; puts those that are not there any more at the front of
 * where they were, and returns how many. */
static size_t compare(struct tracker *tracker, struct mono now, struct wall wall)
{
	size_t known = 0, ended = 0;
	bool is_there = false; /* the known one, in the sample */

	for (size_t i = 0; i < tracker->fresh_count; i++) {
		struct tracked *session = &tracker->fresh[i];
		int order = 1;

		while (known < tracker->count &&
		       (order = compare_connections(session, &tracker->items[known])) >
			       0) {
			if (!is_there)
				tracker->items[ended++] = tracker->items[known];
			is_there = false;
			known++;
		}
		start(session, now, wall, !tracker->is_whole);
		if (known == tracker->count || order)
			continue;
		is_there = true;
		go_on(session, &tracker->items[known]);
	}
	for (; known < tracker->count; known++, is_there = false)
		if (!is_there)
			tracker->items[ended++] = tracker->items[known];
	return ended;
}

/* A list that is read in pieces while others change it may have a connection twice. */
static void drop_repeats(struct tracker *tracker)
{
	struct tracked *fresh = tracker->fresh;
	size_t kept = 0;

	for (size_t i = 0; i < tracker->fresh_count; i++)
		if (!kept || compare_connections(&fresh[kept - 1], &fresh[i]) != 0)
			fresh[kept++] = fresh[i];
	tracker->seen -= (int64_t)(tracker->fresh_count - kept);
	tracker->fresh_count = kept;
}

void tracker_end(struct tracker *tracker, struct mono now, struct wall wall)
{
	size_t ended;

	if (tracker->fresh_count)
		qsort(tracker->fresh, tracker->fresh_count, sizeof(*tracker->fresh),
		      compare_connections);
	drop_repeats(tracker);
	ended = compare(tracker, now, wall);
	swap(tracker);
	tracker->is_whole = tracker->seen == (int64_t)tracker->count;
	tracker->ended_count = tracker->is_whole ? ended : 0;
	tracker->ended_at =
		clock_add(tracker->seen_at, clock_since(tracker->seen_at, now) / 2);
	tracker->seen_at = now;
}

void tracker_failed(struct tracker *tracker)
{
	tracker->is_whole = false;
}

static double age_s(const struct tracked *session, struct mono at)
{
	return (double)clock_since(session->since, at) / 1000;
}

static void tell(struct tracked *session, struct mono until, bool has_ended,
		 const struct tracker_listener *listener)
{
	if (!session->is_least)
		listener->watched(listener->arg, age_s(session, session->told),
				  age_s(session, until), has_ended);
	session->told = until;
}

void tracker_tell(struct tracker *tracker, bool with_living,
		  const struct tracker_listener *listener)
{
	for (size_t i = 0; i < tracker->ended_count; i++)
		tell(&tracker->fresh[i], tracker->ended_at, true, listener);
	tracker->ended_count = 0;
	for (size_t i = 0; with_living && i < tracker->count; i++)
		tell(&tracker->items[i], tracker->seen_at, false, listener);
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
