/*
 * What poold and poolctl must know alike of a pool, each from its own pool.yaml: a
 * short hash for each part, so that the part that differs can be named.  If a hash
 * is to cover something else one day, its part needs another name: versions must
 * not differ by that.
 */
#ifndef POOLCTL_POOL_DIGEST_H
#define POOLCTL_POOL_DIGEST_H

#include "buf.h"
#include "pool.h"

#include <jansson.h>

/* The hashes of the pool (`members`, `floor`, `max_out`) and of each service of the
 * server (`role`, `ports`, `sources`, `settle`, `probe`); a new reference. */
json_t *pool_digest(const struct pool *pool, const struct pool_server *server);

/* The same in two steps, for whoever needs it of many servers: once what all
 * servers of the pool share, then each.  New references, of which several may be to
 * one object: it is not to be changed. */
json_t *pool_digest_pool(const struct pool *pool);
json_t *pool_digest_server(json_t *of_pool, const struct pool *pool,
			   const struct pool_server *server);

/*
 * Compares the digest that a poold gave with one's own.  Adds to `services` what
 * differs in the services, as "service RTCSRV: ports, settle; service X is missing
 * there", and to `rest` the other parts that differ.  Parts that the other side
 * does not know do not differ; strange values do.
 */
void pool_digest_compare(const json_t *theirs, const json_t *own,
			 struct buf *services, struct buf *rest);

#endif
