/*
 * The sessions of a service, as its server lists them.
 *
 * All texts live as long as the struct, and are not cleaned.
 */
#ifndef POOLCTL_SESSIONS_REPLY_H
#define POOLCTL_SESSIONS_REPLY_H

#include "api/reply_read.h"

#include <stddef.h>

/* A way in which the sessions are counted, and what came of it. */
struct session_source {
	const char *kind;
	const char *name; /* NULL: there is one of the kind */
	bool is_known;
	int64_t count;     /* if it is known; 0 or more */
	const char *error; /* if it is not */
	bool is_ignored;   /* the others count when this one is unknown */
	struct moment unknown_since;
	struct moment sampled_at;
};

struct session_sources {
	struct session_source *items;
	size_t count;
};

struct session {
	const json_t *document; /* all that was said of it */
	const char *source;
	const char *peer; /* NULL: it is no connection */
	int64_t peer_port;
	const char *user, *state; /* NULL: not said */
	int64_t age_s, idle_s;    /* COUNT_UNKNOWN: unknown */
	bool is_age_least;        /* it may be older */
	bool is_own;              /* the server's to itself */
	bool is_suspect;          /* its other end may be gone */
};

struct sessions_reply {
	json_t *document; /* the whole reply, to be passed on to programs as it is
			   */
	bool is_known;
	const char *error; /* why it is not known how many there are */
	int64_t count;     /* if that is known; more or less than are listed */
	int64_t own_not_counted; /* connections of the server to itself */
	bool is_whole; /* all that are counted are listed, and no others */
	struct session *items;
	size_t item_count;
	struct session_sources sources;
};

/* Reads the reply to a question about this service; fails with ERR_BAD_REPLY.  To
 * be freed with sessions_reply_free. */
struct sessions_reply *sessions_reply_parse(const char *service, const char *body,
					    size_t length, struct err *err);
void sessions_reply_free(struct sessions_reply *sessions);

/* Reads a list of sources, or none of NULL; see reply_read.h.  The texts are the
 * list's, the items are to be freed. */
struct session_sources sessions_reply_read_sources(const json_t *list,
						   struct err *err);

#endif
