/*
 * One TCP connection to a port of this machine, with one limit of time for all of
 * it.
 */
#ifndef POOLCTL_DIAL_H
#define POOLCTL_DIAL_H

#include "err.h"
#include "net_address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dial;

/* A connection to be made within the time, from this address to the same:
 * `*own_port` is its own end's, known before anybody can see it.  NULL with
 * ERR_SESSIONS on failure. */
struct dial *dial_new(const struct net_address *address, int64_t timeout_ms,
		      uint16_t *own_port, struct err *err);
void dial_free(struct dial *dial);

/*
 * These block until the time is over at most: it counts from dial_new.  Why they
 * give -1 is in `err`.
 */

/* 1: connected, 0: refused, -1: neither within the time. */
int dial_connect(struct dial *dial, uint16_t port, struct err *err);

/* Sends all of the text; -1 if it is not taken within the time. */
int dial_send(struct dial *dial, const char *text, struct err *err);

/* 1 as soon as this came, 0 as soon as something else did, or the other side closed
 * or reset before, -1: neither within the time. */
int dial_expect(struct dial *dial, const char *text, struct err *err);

#endif
