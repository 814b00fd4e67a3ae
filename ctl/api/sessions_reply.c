#include "api/sessions_reply.h"

#include "mem.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

static void read_source(const json_t *json, struct session_source *source,
			struct err *err)
{
	source->kind = reply_read_text(json, "kind", REPLY_REQUIRED, err);
	source->name = reply_read_text(json, "name", REPLY_NULL, err);
	source->is_known = reply_read_flag(json, "known", REPLY_REQUIRED, err);
	source->is_ignored =
		reply_read_flag(json, "ignore_unknown", REPLY_REQUIRED, err);
	source->unknown_since =
		reply_read_time(json, "unknown_since", REPLY_NULL, err);
	source->sampled_at =
		reply_read_time(json, "sampled_at", REPLY_OPTIONAL, err);
	if (source->is_known)
		source->count = reply_read_number(json, "count", reply_count_most,
						  REPLY_REQUIRED, err);
	else
		source->error = reply_read_text(json, "error", REPLY_REQUIRED, err);
}

struct session_sources sessions_reply_read_sources(const json_t *list,
						   struct err *err)
{
	struct session_sources sources = {.count = json_array_size(list)};

	sources.items = xcalloc(sources.count, sizeof(*sources.items));
	for (size_t i = 0; i < sources.count; i++)
		read_source(json_array_get(list, i), &sources.items[i], err);
	return sources;
}

/* A connection has a peer with a port; another kind of session may have a user. */
static void read_session(const json_t *json, struct session *session,
			 struct err *err)
{
	session->document = json;
	session->source = reply_read_text(json, "source", REPLY_REQUIRED, err);
	session->peer = reply_read_text(json, "peer", REPLY_OPTIONAL, err);
	if (session->peer)
		session->peer_port = reply_read_number(
			json, "peer_port", UINT16_MAX, REPLY_REQUIRED, err);
	session->user = reply_read_text(json, "user", REPLY_OPTIONAL, err);
	session->state = reply_read_text(json, "state", REPLY_OPTIONAL, err);
	session->age_s =
		reply_read_number(json, "age_s", INT32_MAX, REPLY_NULL, err);
	session->idle_s =
		reply_read_number(json, "idle_s", INT32_MAX, REPLY_NULL, err);
	session->is_age_least =
		reply_read_flag(json, "age_is_least", REPLY_REQUIRED, err);
	session->is_own = json_is_true(json_object_get(json, "own"));
	session->is_suspect = reply_read_flag(json, "suspect", REPLY_REQUIRED, err);
}

static void read_document(struct sessions_reply *sessions, const char *service,
			  struct err *err)
{
	const json_t *json = sessions->document, *list;

	if (utf8_compare_names(
		    reply_read_text(json, "service", REPLY_REQUIRED, err), service))
		(void)reply_read_fail("service", "the service that was asked about",
				      err);
	sessions->is_known = reply_read_flag(json, "known", REPLY_REQUIRED, err);
	if (sessions->is_known) {
		sessions->count = reply_read_number(json, "count", reply_count_most,
						    REPLY_REQUIRED, err);
		sessions->is_whole =
			reply_read_flag(json, "whole", REPLY_REQUIRED, err);
	} else {
		sessions->error =
			reply_read_text(json, "error", REPLY_REQUIRED, err);
	}
	list = reply_read_list(json, "sessions", SIZE_MAX,
			       sessions->is_known ? REPLY_REQUIRED : REPLY_OPTIONAL,
			       err);
	sessions->item_count = json_array_size(list);
	sessions->items = xcalloc(sessions->item_count, sizeof(*sessions->items));
	for (size_t i = 0; i < sessions->item_count; i++)
		read_session(json_array_get(list, i), &sessions->items[i], err);
	sessions->own_not_counted =
		reply_read_estimate(json, "own_not_counted", reply_count_most);
	list = reply_read_list(json, "sources", SIZE_MAX, REPLY_OPTIONAL, err);
	sessions->sources = sessions_reply_read_sources(list, err);
}

struct sessions_reply *sessions_reply_parse(const char *service, const char *body,
					    size_t length, struct err *err)
{
	struct sessions_reply *sessions = xcalloc(1, sizeof(*sessions));

	sessions->document = reply_read_document(body, length, err);
	if (sessions->document)
		read_document(sessions, service, err);
	if (!err->code)
		return sessions;
	sessions_reply_free(sessions);
	return NULL;
}

void sessions_reply_free(struct sessions_reply *sessions)
{
	if (!sessions)
		return;
	free(sessions->items);
	free(sessions->sources.items);
	json_decref(sessions->document);
	free(sessions);
}
