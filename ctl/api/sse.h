/*
 * Reads server-sent events out of bytes that come in pieces of any size.
 */
#ifndef POOLCTL_SSE_H
#define POOLCTL_SSE_H

#include "buf.h"
#include "err.h"

enum { SSE_LIMIT_BYTES = 4 << 20 };

/* Texts are NULL where nothing was said; they live as long as the call. */
struct sse_message {
	const char *id, *event, *data;
};

/* Start with a zeroed one. */
struct sse {
	struct buf line, id, event, data;
};

/*
 * Calls `got` for each message that is complete now; comments are none.  Fails with
 * ERR_BAD_REPLY if one is larger than SSE_LIMIT_BYTES.
 */
int sse_read(struct sse *sse, const char *bytes, size_t length,
	     void (*got)(void *arg, const struct sse_message *message), void *arg,
	     struct err *err);

/* Forgets what is incomplete: it comes again on the next connection. */
void sse_reset(struct sse *sse);

#endif
