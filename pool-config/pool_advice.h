/*
 * What is right in pool.yaml, and will not do what its reader may expect.  Pure.
 */
#ifndef POOLCTL_POOL_ADVICE_H
#define POOLCTL_POOL_ADVICE_H

#include "buf.h"
#include "pool.h"

/* Adds lines about a pool, or nothing.  `services` are those of the pool or of one
 * of its servers; `commands` (struct poold_command) those of its poold.yaml, or
 * NULL. */
void pool_advice_print(const struct pool *pool, const struct list *services,
		       const struct list *commands, struct buf *text);

/* Adds the line of pool.yaml with which the connections of a service that lacks a
 * counter count alone, and how sure it is that they tell its sessions. */
void pool_advice_add_line(const struct pool_service *service, struct buf *text);

/* Adds "the floor is 2 of 4 servers", and where that comes from. */
void pool_advice_add_floor(const struct pool *pool, struct buf *text);

/* True if a command in poold.yaml counts the service's sessions; `commands` may be
 * NULL.
 */
bool pool_advice_has_command(const struct pool_service *service,
			     const struct list *commands);

#endif
