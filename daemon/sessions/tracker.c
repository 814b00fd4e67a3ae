#include "sessions/tracker.h"

#include "mem.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

static void free_list(struct tracker_list *list)
{
	free(list->items);
	free(list->slots);
}

void tracker_done(struct tracker *tracker)
{
	free_list(&tracker->live);
	free_list(&tracker->fresh);
	*tracker = (struct tracker){0};
}

/* ---- a list ---- */

static bool is_same(const struct sessions_connection *a,
		    const struct sessions_connection *b)
{
	return a->peer_port == b->peer_port && a->local_port == b->local_port &&
	       net_address_equal(&a->peer, &b->peer) &&
	       net_address_equal(&a->local, &b->local);
}

static uint64_t mix(uint64_t hash, const void *eight_bytes)
{
	uint64_t word;

	memcpy(&word, eight_bytes, sizeof(word));
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

static size_t hash_of(const struct sessions_connection *connection)
{
	uint64_t ports =
		(uint64_t)connection->peer_port << 16 | connection->local_port;
	uint64_t hash = mix(0, &ports);

	hash = mix(hash, connection->peer.bytes);
	hash = mix(hash, connection->peer.bytes + 8);
	hash = mix(hash, connection->local.bytes);
	return (size_t)mix(hash, connection->local.bytes + 8);
}

static uint32_t *find_slot(const struct tracker_list *list,
			   const struct sessions_connection *connection)
{
	size_t mask = 2 * list->room - 1, at = hash_of(connection) & mask;

	while (list->slots[at] &&
	       !is_same(&list->items[list->slots[at] - 1].connection, connection))
		at = (at + 1) & mask;
	return &list->slots[at];
}

/* By its hash.  Items get their slots here: mostly nobody looks for any of them in
 * this way. */
static struct tracked *find(struct tracker_list *list,
			    const struct sessions_connection *connection)
{
	uint32_t place;

	if (!list->count)
		return NULL;
	for (; list->slotted < list->count; list->slotted++)
		*find_slot(list, &list->items[list->slotted].connection) =
			(uint32_t)list->slotted + 1;
	place = *find_slot(list, connection);
	return place ? &list->items[place - 1] : NULL;
}

static struct tracked *append(struct tracker_list *list)
{
	if (list->count == list->room) {
		list->room = list->room ? list->room * 2 : FIRST_ROOM;
		list->items =
			xrealloc(list->items, list->room * sizeof(*list->items));
		free(list->slots);
		list->slots = xcalloc(2 * list->room, sizeof(*list->slots));
		list->slotted = 0;
	}
	return &list->items[list->count++];
}

static void empty(struct tracker_list *list)
{
	if (list->slotted)
		memset(list->slots, 0, 2 * list->room * sizeof(*list->slots));
	list->count = list->slotted = 0;
}

/* ---- a sample ---- */

void tracker_begin(struct tracker *tracker)
{
	empty(&tracker->fresh);
	tracker->next = 0;
	tracker->ended_count = 0;
	tracker->seen = 0;
}

/* Mostly the system lists them in the same order again: then it is the next one. */
static struct tracked *find_known(struct tracker *tracker,
				  const struct sessions_connection *connection)
{
	struct tracker_list *live = &tracker->live;

	if (tracker->next < live->count &&
	    is_same(&live->items[tracker->next].connection, connection))
		return &live->items[tracker->next];
	return find(live, connection);
}

/* Carries over what was known.  A list that is read in pieces while others change
 * it may have a connection twice. */
void tracker_see(struct tracker *tracker,
		 const struct sessions_connection *connection)
{
	struct tracked *known = find_known(tracker, connection), *session;

	if (known ? known->is_there : find(&tracker->fresh, connection) != NULL)
		return;
	tracker->seen++;
	if (known) {
		known->is_there = true;
		tracker->next = (size_t)(known - tracker->live.items) + 1;
	}
	if (tracker->fresh.count == TRACKER_LIMIT)
		return;
	session = append(&tracker->fresh);
	*session = known ? *known
			 : (struct tracked){.unseen_at = tracker->seen_at,
					    .is_least = !tracker->is_whole,
					    .is_new = true};
	session->connection = *connection;
	session->is_there = false;
}

static void date_new(struct tracker_list *list, struct mono now, struct wall wall)
{
	for (size_t i = 0; i < list->count; i++) {
		struct tracked *session = &list->items[i];

		if (!session->is_new)
			continue;
		session->since = session->told = now;
		session->since_wall = wall;
		session->is_new = false;
	}
}

/* Puts those that are not there any more at the front; returns how many. */
static size_t gather_ended(struct tracker_list *list)
{
	size_t ended = 0;

	for (size_t i = 0; i < list->count; i++)
		if (!list->items[i].is_there)
			list->items[ended++] = list->items[i];
	return ended;
}

void tracker_end(struct tracker *tracker, struct mono now, struct wall wall)
{
	struct tracker_list before = tracker->live;
	size_t ended;

	date_new(&tracker->fresh, now, wall);
	ended = gather_ended(&before);
	tracker->live = tracker->fresh;
	tracker->fresh = before;
	tracker->is_whole = tracker->seen == (int64_t)tracker->live.count;
	tracker->ended_count = tracker->is_whole ? ended : 0;
	tracker->ended_at =
		clock_add(tracker->seen_at, clock_since(tracker->seen_at, now) / 2);
	tracker->seen_at = now;
}

void tracker_failed(struct tracker *tracker)
{
	tracker->is_whole = false;
	for (size_t i = 0; i < tracker->live.count; i++)
		tracker->live.items[i].is_there = false;
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
		tell(&tracker->fresh.items[i], tracker->ended_at, true, listener);
	tracker->ended_count = 0;
	for (size_t i = 0; with_living && i < tracker->live.count; i++)
		tell(&tracker->live.items[i], tracker->seen_at, false, listener);
}

static int compare_connections(const struct sessions_connection *a,
			       const struct sessions_connection *b)
{
	int difference = memcmp(&a->peer, &b->peer, sizeof(a->peer));

	if (!difference)
		difference = a->peer_port - b->peer_port;
	if (!difference)
		difference = a->local_port - b->local_port;
	return difference ? difference
			  : memcmp(&a->local, &b->local, sizeof(a->local));
}

static int compare_ages(const void *left, const void *right)
{
	const struct tracked *a = *(const struct tracked *const *)left,
			     *b = *(const struct tracked *const *)right;

	if (a->since.ms != b->since.ms)
		return a->since.ms < b->since.ms ? -1 : 1;
	return compare_connections(&a->connection, &b->connection);
}

size_t tracker_oldest(const struct tracker *tracker, const struct tracked **oldest,
		      size_t limit)
{
	const struct tracked **all =
		xcalloc(tracker->live.count, sizeof(const struct tracked *));
	size_t count = tracker->live.count < limit ? tracker->live.count : limit;

	for (size_t i = 0; i < tracker->live.count; i++)
		all[i] = &tracker->live.items[i];
	if (count) {
		qsort(all, tracker->live.count, sizeof(const struct tracked *),
		      compare_ages);
		memcpy(oldest, all, count * sizeof(const struct tracked *));
	}
	free(all);
	return count;
}

size_t tracker_find_lasting(struct tracker *tracker, struct mono began_after,
			    int64_t least_ms, size_t *fresh_count,
			    const struct tracked **fresh)
{
	size_t count = 0;

	*fresh_count = 0;
	*fresh = NULL;
	for (size_t i = 0; i < tracker->live.count; i++) {
		struct tracked *each = &tracker->live.items[i];

		if (each->is_least ||
		    clock_since(began_after, each->unseen_at) < 0 ||
		    clock_since(each->unseen_at, tracker->seen_at) < least_ms)
			continue;
		count++;
		if (each->is_lasting)
			continue;
		each->is_lasting = true;
		(*fresh_count)++;
		*fresh = each;
	}
	return count;
}

bool tracker_is_suspect(const struct tracked *session, struct mono now)
{
	return sessions_is_suspect(clock_since(session->since, now),
				   session->connection.idle_ms);
}
