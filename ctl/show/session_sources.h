/*
 * The sources that a service's sessions are counted by, in words for people.
 */
#ifndef POOLCTL_SESSION_SOURCES_H
#define POOLCTL_SESSION_SOURCES_H

#include "api/sessions_reply.h"

/*
 * Prints a line for each of them on standard output: what it counted and how long
 * before `now`, the server's time, or since when and why that is unknown.  Prints
 * nothing of a single one that lists all that it counts.
 */
void session_sources_print(const char *service,
			   const struct session_sources *sources, struct wall now);

#endif
