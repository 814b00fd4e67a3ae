/*
 * The default id and owner: the run of a CI pipeline, or a person at a machine.
 *
 * All jobs and steps of one run have the same identity, on whichever runner they
 * are, so that one may drain a server and a later one resume it.
 */
#ifndef POOLCTL_IDENTITY_H
#define POOLCTL_IDENTITY_H

#include "api.h"

struct identity {
	char id[API_ID_BYTES];      /* of a drain */
	char owner[API_TEXT_BYTES]; /* UTF-8, without control characters */
};

/*
 * In a pipeline, e.g. owner "gitlab group/project#1234" and id
 * "gitlab-1234-group-project-0b7c1a2f", else both are USER@HOST.  `env` gives a
 * variable of the environment or NULL.  What an id may not have becomes '-', and it
 * is cut to its limit, which takes nothing from the number; a hash at its end then
 * tells it from others.
 */
void identity_find(const char *(*env)(const char *name), const char *user,
		   const char *host, struct identity *identity);

#endif
