/*
 * Checks that a record of events is what poold wrote: ids without a gap, and each hash
 * that of the event and all before it (see chain.h).
 */
#ifndef POOLCTL_VERIFY_H
#define POOLCTL_VERIFY_H

#include "chain.h"
#include "err.h"

#include <stdbool.h>
#include <stdint.h>

struct json_t;

/* How far the checking is. */
struct verify {
	int64_t id;                  /* of the last event */
	char hash[CHAIN_HASH_BYTES]; /* of it */
	const char *head;            /* to be looked for, or NULL */
	bool has_head;               /* it was found */
};

/* Before the first event; `head` may be NULL and must outlive the checking. */
void verify_init(struct verify *verify, const char *head);

/* The next event, with its hash.  Fails with ERR_NOT_VERIFIED if it is not the one that
 * poold wrote, with ERR_BAD_REPLY if it has no id or no hash. */
int verify_event(struct verify *verify, const struct json_t *event, struct err *err);

/* True if the event's hash is that of the hash before and the event. */
bool verify_follows(const char before[CHAIN_HASH_BYTES], const struct json_t *event);

/* After the last event, whose id the server says: fails with ERR_NOT_VERIFIED if events
 * or the head are missing. */
int verify_end(const struct verify *verify, int64_t last_id, struct err *err);

#endif
