#include "sessions/counting.h"

#include "mem.h"
#include "text/json_write.h"

#include <stdlib.h>

json_t *counting_count_to_json(const struct counting *c)
{
	return counting_is_known(c) ? json_integer(c->progress.last.count)
				    : json_null();
}

static json_t *source_to_json(const struct counting *c, size_t i)
{
	const struct source *source = &c->sources[i];
	const struct progress_source *said = &c->progress.sources[i];
	bool is_known = said->has_sample && said->last.is_known;
	char text[CLOCK_TEXT_BYTES];
	json_t *json = json_object();

	json_write_text(json, "kind", counting_source_name(source->kind));
	json_write_text(json, "name", source->name);
	json_write_flag(json, "known", is_known);
	json_write_count(json, "count", is_known ? said->last.count : -1);
	json_write_text(json, "unknown_since",
			is_known ? NULL
				 : clock_format(source->unknown_since, text));
	json_write_text(json, "error", is_known ? NULL : source->why.text);
	json_write_flag(json, "ignore_unknown", said->ignores_unknown);
	json_write_text(json, "sampled_at",
			source->has_answered
				? clock_format(source->sampled_at, text)
				: NULL);
	return json;
}

json_t *counting_sources_to_json(const struct counting *c)
{
	json_t *sources = json_array();

	for (size_t i = 0; i < c->progress.source_count; i++)
		json_write_item(sources, source_to_json(c, i));
	return sources;
}

/* ---- the sessions themselves ---- */

static json_t *connection_to_json(const struct counting *c,
				  const struct tracked *session, struct mono now)
{
	const struct sessions_connection *connection = &session->connection;
	int64_t age_ms = clock_since(session->since, now),
		idle_ms = connection->idle_ms;
	char text[NET_ADDRESS_TEXT_BYTES], since[CLOCK_TEXT_BYTES];
	json_t *json = json_object();

	/* It came before the sample that saw it first. */
	if (!session->is_least && idle_ms > age_ms)
		idle_ms = age_ms;
	json_write_text(json, "source", "tcp");
	json_write_text(json, "peer", net_address_format(&connection->peer, text));
	json_write_number(json, "peer_port", connection->peer_port);
	json_write_text(json, "local",
			net_address_format(&connection->local, text));
	json_write_number(json, "local_port", connection->local_port);
	json_write_text(json, "since", clock_format(session->since_wall, since));
	json_write_number(json, "age_s", age_ms / 1000);
	json_write_flag(json, "age_is_least", session->is_least);
	json_write_count(json, "idle_s", idle_ms < 0 ? -1 : idle_ms / 1000);
	json_write_flag(json, "suspect", tracker_is_suspect(session, now));
	json_write_flag(json, "own", sessions_source_is_own(&c->tcp, connection));
	return json;
}

static void list_connections(const struct counting *c, size_t limit, json_t *list)
{
	const struct tracked **oldest =
		xcalloc(limit, sizeof(const struct tracked *));
	size_t count = tracker_oldest(&c->tracker, oldest, limit);
	struct mono now = c->deps.clock();

	for (size_t i = 0; i < count; i++)
		json_write_item(list, connection_to_json(c, oldest[i], now));
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
	json_int_t one =
		json_is_integer(ages[0]) ? json_integer_value(ages[0]) : -1;
	json_int_t other =
		json_is_integer(ages[1]) ? json_integer_value(ages[1]) : -1;

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
	json_t *json = json_object(), *list;
	bool is_known;
	char *why;

	counting_count(c, true);
	is_known = counting_is_known(c);
	list = list_all(c, limit);
	why = counting_explain(c);
	json_write_text(json, "service", c->service->named.name);
	json_write_flag(json, "known", is_known);
	json_write_value(json, "count", counting_count_to_json(c));
	json_write_text(json, "error", is_known ? NULL : why);
	json_write_flag(json, "whole",
			is_known && (int64_t)json_array_size(list) ==
					    c->progress.last.count);
	json_write_number(json, "own_not_counted",
			  c->tcp.counts_own ? 0 : (int64_t)c->own_count);
	json_write_value(json, "sources", counting_sources_to_json(c));
	json_write_value(json, "sessions", list);
	free(why);
	return json;
}
