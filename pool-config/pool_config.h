/*
 * Loads pool.yaml: what the pools are, the same on every machine.
 *
 * A pool may name a profile: what is known about its kind of server.  A profile has
 * the keys of a pool; the pool's own keys override the profile's, and a server's
 * the pool's.
 */
#ifndef POOLCTL_POOL_CONFIG_H
#define POOLCTL_POOL_CONFIG_H

#include "buf.h"
#include "pool.h"

/* The keys of pool.yaml; a profile has those of a pool. */
extern const struct section pool_file_section;

/* Loads a file or fails with ERR_CONFIG and all its mistakes in `mistakes`, one
 * line each; the error's text is the first of them.  One that cannot be read has
 * the `remedy` beside it: how to name another.  Free a loaded one. */
struct pool_config *pool_config_load(const char *path, const char *remedy,
				     struct buf *mistakes, struct err *err);
void pool_config_free(struct pool_config *config);

extern const char pool_config_remedy[]; /* where the command line names it */
extern const char pool_file_remedy[];   /* where poold.yaml does */

/* The file with the pool's profile, to be freed; NULL if that is built in, or there
 * is none. */
char *pool_config_profile_file(const struct pool *pool, const char *pool_file);

/* As pool_config_load, from a text; `path` is for messages and for profiles beside
 * it. */
struct pool_config *pool_config_parse(const char *path, const char *text,
				      size_t length, struct mistakes *mistakes);

#endif
