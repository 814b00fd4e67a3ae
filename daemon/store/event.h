/*
 * One line of the record, and how it hangs on the one before.
 */
#ifndef POOLD_EVENT_H
#define POOLD_EVENT_H

#include "chain.h"
#include "clock.h"

#include <jansson.h>
#include <stdint.h>

/* Texts may be NULL, but for `kind`. */
struct event {
	int64_t id; /* from 1, without gaps */
	struct wall time;
	const char *kind; /* the name of an enum event_kind, perhaps of another
			     version */
	const char *service, *who, *from, *why, *text;
	const char *before, *after; /* JSON objects as texts */
	const char *hash;
};

/* As the API shows it, a new reference; without `hash` if the event has none yet.
 */
json_t *event_to_json(const struct event *event);

/* The hash of this event after the one with the hash `previous`, over everything
 * that the API shows of it but its hash; docs/api.md says how. */
void event_hash(const struct event *event, const char previous[CHAIN_HASH_BYTES],
		char hash[CHAIN_HASH_BYTES]);

#endif
