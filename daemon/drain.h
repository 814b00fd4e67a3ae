/*
 * A drain: a named request that a server, or some of its services, be kept out.
 */
#ifndef POOLD_DRAIN_H
#define POOLD_DRAIN_H

#include "api.h"
#include "clock.h"
#include "err.h"

#include <jansson.h>

struct drain {
	char id[API_ID_BYTES];
	char owner[API_TEXT_BYTES];
	char reason[API_TEXT_BYTES];
	json_t *services; /* array of names; empty: all services of the server */
	bool is_ended;
	struct wall created_at, ended_at;
};

/*
 * Reads the body of PUT /v1/drains/{id} into an empty drain.  Fails with
 * ERR_INVALID_JSON, ERR_UNKNOWN_FIELD or ERR_INVALID_REQUEST, and names the field.
 */
int drain_parse(const char *body, size_t length, struct drain *drain, struct err *err);

/* Takes a text without control characters, or fails with ERR_INVALID_REQUEST naming the
 * field. */
int drain_read_text(const json_t *value, const char *field, char to[API_TEXT_BYTES],
		    struct err *err);

bool drain_covers(const struct drain *drain, const char *service);
bool drain_asks_the_same(const struct drain *a, const struct drain *b);

/* As the API shows it, a new reference.  `services` are the names that it covers. */
json_t *drain_to_json(const struct drain *drain, json_t *services, bool is_out);

/* The copy shares nothing with the original; drain_done frees what a drain holds. */
void drain_copy(struct drain *to, const struct drain *from);
void drain_done(struct drain *drain);

#endif
