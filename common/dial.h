/*
 * One TCP connection to a port of this machine, with a limit of time for each step.
 */
#ifndef POOLCTL_DIAL_H
#define POOLCTL_DIAL_H

#include "err.h"
#include "net_address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dial;

/* A connection to be made, from this address to the same: `*own_port` is its own end's,
 * known before anybody can see it.  NULL with ERR_SESSIONS on failure. */
struct dial *dial_new(const struct net_address *address, uint16_t *own_port,
		      struct err *err);
void dial_free(struct dial *dial);

/* 1: connected, 0: refused, -1: neither within the time; why is in `err`. */
int dial_connect(struct dial *dial, uint16_t port, int64_t timeout_ms, struct err *err);

/* Sends all of the text; -1 if it is not taken within the time. */
int dial_send(struct dial *dial, const char *text, int64_t timeout_ms, struct err *err);

/* Reads up to the end of a line, which is cut off, or until the room is full; 1: there is
 * one, 0: the other side closed or reset before, -1: neither within the time. */
int dial_read_line(struct dial *dial, char *line, size_t room, int64_t timeout_ms,
		   struct err *err);

#endif
