/*
 * Events of a server's record, as the server lists or streams them.
 *
 * All texts live as long as the event's document, and are not cleaned.
 */
#ifndef POOLCTL_EVENTS_REPLY_H
#define POOLCTL_EVENTS_REPLY_H

#include "api.h"
#include "api/reply_read.h"

#include <stddef.h>

/* A service or a drain, before or after a change. */
struct event_side {
	bool is_given;
	const char *state, *start_type; /* these and the next: NULL if not said */
	const char *deadline_at, *on_deadline, *until;
	bool is_delayed;
	const char *forced[API_FORCED_LIMIT]; /* gates that refused the drain and
						 were passed all the same */
	size_t forced_count;
};

struct event {
	json_t *document; /* all of it: the hash covers this */
	int64_t id;
	const char *hash;                                     /* or NULL */
	const char *time, *kind, *service, *who, *why, *text; /* or NULL */
	const char *acts_for; /* for whom `who`, a credential, acts; or NULL */
	struct event_side before, after;
};

/* Events, and how far the whole record goes. */
struct events_reply {
	json_t *document;
	struct event *items;
	size_t count;
	int64_t last_id;
};

/* Fails with ERR_BAD_REPLY; to be freed with events_reply_free. */
struct events_reply *events_reply_parse(const char *body, size_t length,
					struct err *err);
void events_reply_free(struct events_reply *events);

/* Reads one event, whose document stays the caller's; see reply_read.h. */
struct event events_reply_read_one(json_t *document, struct err *err);

#endif
