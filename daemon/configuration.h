/*
 * What one run of poold is told: poold.yaml, and its server's part of pool.yaml.
 */
#ifndef POOLD_CONFIGURATION_H
#define POOLD_CONFIGURATION_H

#include "pool_config.h"
#include "poold_config.h"
#include "system/file.h"

/* Both files, as file_stamp has them. */
struct configuration_stamps {
	char poold[FILE_STAMP_BYTES], pool[FILE_STAMP_BYTES];
};

/* Zeroed at first, so that it can be freed at any stage. */
struct configuration {
	struct configuration_stamps stamps; /* from before they were read */
	struct poold_config *poold;
	struct pool_config *pools;
	const struct pool *pool;
	const struct pool_server *server;
	struct net_address address; /* to listen on */
	uint16_t port;
};

/* Loads both files.  Fails with ERR_CONFIG and lines in `mistakes`, or with an
 * error.
 */
int configuration_load(struct configuration *configuration, const char *path,
		       struct buf *mistakes, struct err *err);

/* The same in two steps, as an address to listen on may need TLS first. */
int configuration_choose_address(struct configuration *configuration,
				 struct err *err);
int configuration_load_files(struct configuration *configuration, const char *path,
			     struct buf *mistakes, struct err *err);
void configuration_free(struct configuration *configuration);

#endif
