#include "counting.h"

#include "mem.h"

#include <stdlib.h>

static json_t *moment_to_json(struct wall at)
{
	char text[CLOCK_TEXT_BYTES];

	return json_string(clock_format(at, text));
}

json_t *counting_count_to_json(const struct counting *c)
{
	return counting_is_known(c) ? json_integer(c->progress.last.count) : json_null();
}

static json_t *source_to_json(const struct counting *c, size_t i, bool with_times)
{
	const struct source *source = &c->sources[i];
	const struct progress_source *said = &c->progress.sources[i];
	bool is_known = said->has_sample && said->last.is_known;
	json_t *json = json_pack(
		"{ss ss? sb so so ss? sb}", "kind", source_kind_name(source->kind),
		"name", source->name, "known", is_known, "count",
		is_known ? json_integer(said->last.count) : json_null(), "unknown_since",
		is_known ? json_null() : moment_to_json(source->unknown_since), "error",
		is_known ? NULL : source->why.text, "ignore_unknown",
		said->ignores_unknown);

	if (with_times)
		(void)json_object_set_new(json, "sampled_at",
					  source->has_answered
						  ? moment_to_json(source->sampled_at)
						  : json_null());
	return json;
}

json_t *counting_sources_to_json(const struct counting *c, bool with_times)
{
	json_t *sources = json_array();

	for (size_t i = 0; i < c->progress.source_count; i++)
		(void)json_array_append_new(sources, source_to_json(c, i, with_times));
	return sources;
}

/* ---- the sessions themselves ---- */

static json_t *connection_to_json(const struct tracked *session, struct mono now)
{
	const struct sessions_connection *connection = &session->connection;
	char peer[NET_ADDRESS_TEXT_BYTES], local[NET_ADDRESS_TEXT_BYTES];
	int64_t age_ms = clock_since(session->since, now), idle_ms = connection->idle_ms;

	/* It came before the sample that saw it first. */
	if (!session->is_least && idle_ms > age_ms)
		idle_ms = age_ms;
	return json_pack(
		"{ss ss si ss si so sI sb so sb}", "source", "tcp", "peer",
		net_address_format(&connection->peer, peer), "peer_port",
		connection->peer_port, "local",
		net_address_format(&connection->local, local), "local_port",
		connection->local_port, "since", moment_to_json(session->since_wall),
		"age_s", (json_int_t)(age_ms / 1000), "age_is_least", session->is_least,
		"idle_s", idle_ms < 0 ? json_null() : json_integer(idle_ms / 1000),
		"suspect", tracker_is_suspect(session, now));
}

static void list_connections(const struct counting *c, size_t limit, json_t *list)
{
	const struct tracked **oldest = xcalloc(limit, sizeof(const struct tracked *));
	size_t count = tracker_oldest(&c->tracker, oldest, limit);
	struct mono now = c->tools.clock();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, connection_to_json(oldest[i], now));
	free(oldest);
}

struct row {
	json_t *session;
	size_t place;
};

/* The oldest first; those whose age is not known are last. */
static int compare_rows(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	const json_t *ages[] = {json_object_get(a->session, "age_s"),
				json_object_get(b->session, "age_s")};
	json_int_t one = json_is_integer(ages[0]) ? json_integer_value(ages[0]) : -1;
	json_int_t other = json_is_integer(ages[1]) ? json_integer_value(ages[1]) : -1;

	if (one != other)
		return one > other ? -1 : 1;
	return a->place < b->place ? -1 : 1;
}

/* A new list of the `limit` oldest; drops the old one. */
static json_t *cut_to_oldest(json_t *list, size_t limit)
{
	size_t count = json_array_size(list);
	struct row *rows = xcalloc(count, sizeof(*rows));
	json_t *sorted = json_array();

	for (size_t i = 0; i < count; i++)
		rows[i] = (struct row){json_array_get(list, i), i};
	if (count)
		qsort(rows, count, sizeof(*rows), compare_rows);
	for (size_t i = 0; i < count && i < limit; i++)
		(void)json_array_append(sorted, rows[i].session);
	free(rows);
	json_decref(list);
	return sorted;
}

/* Of every source that tells who its sessions are, and is not out of date. */
static json_t *list_all(const struct counting *c, size_t limit)
{
	json_t *list = json_array();
	bool is_mixed = false;

	for (size_t i = 0; i < c->progress.source_count; i++) {
		if (!c->progress.sources[i].last.is_known)
			continue;
		if (c->sources[i].kind == SOURCE_TCP)
			list_connections(c, limit, list);
		if (c->sources[i].sessions)
			(void)json_array_extend(list, c->sources[i].sessions);
		is_mixed = is_mixed || c->sources[i].sessions;
	}
	return is_mixed ? cut_to_oldest(list, limit) : list;
}

json_t *counting_list(struct counting *c, size_t limit)
{
	json_t *list, *json;
	bool is_whole;
	char *why;

	counting_count(c, true);
	list = list_all(c, limit);
	is_whole = counting_is_known(c) &&
		   (int64_t)json_array_size(list) == c->progress.last.count;
	why = counting_explain(c);
	json = json_pack("{ss sb so ss? sb so so}", "service", c->service->named.name,
			 "known", counting_is_known(c), "count",
			 counting_count_to_json(c), "error",
			 counting_is_known(c) ? NULL : why, "whole", is_whole, "sources",
			 counting_sources_to_json(c, true), "sessions", list);
	free(why);
	return json;
}
