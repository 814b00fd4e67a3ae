/*
 * Checks that a record of events is as poold wrote it: ids have no gap, and each
 * hash covers its event and all events before it (see chain.h).
 */
#ifndef POOLCTL_CHAIN_VERIFY_H
#define POOLCTL_CHAIN_VERIFY_H

#include "chain.h"
#include "err.h"

#include <stdbool.h>
#include <stdint.h>

struct json_t;

/* The state of a check between two events. */
struct chain_verify {
	int64_t id;                  /* of the last event */
	char hash[CHAIN_HASH_BYTES]; /* of it */
	const char *head;            /* the hash to find, or NULL */
	bool has_head;               /* it was found */
	int64_t first;               /* the first event that there is */
};

/* Begins a check; `head` may be NULL, and must outlive it. */
void chain_verify_init(struct chain_verify *verify, const char *head);

/* Begins with this event instead of event 1, if poold has removed those before it:
 * it keeps API_EVENTS_KEPT at least.  `last_id`: as in chain_verify_end. */
void chain_verify_begin(struct chain_verify *verify, const struct json_t *event,
			int64_t last_id);

/* Checks the next event.  Fails with ERR_NOT_VERIFIED if poold did not write it,
 * with ERR_BAD_REPLY if it has no id or no hash. */
int chain_verify_event(struct chain_verify *verify, const struct json_t *event,
		       struct err *err);

/* True if the event's hash follows from the hash before it. */
bool chain_verify_follows(const char before[CHAIN_HASH_BYTES],
			  const struct json_t *event);

/* Ends a check; `last_id` is the id of the last event, as the server says.  Fails
 * with ERR_NOT_VERIFIED if events or the head are missing. */
int chain_verify_end(const struct chain_verify *verify, int64_t last_id,
		     struct err *err);

#endif
