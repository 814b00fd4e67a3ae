/*
 * The profiles that ship inside the programs.
 */
#ifndef POOLCTL_PROFILES_H
#define POOLCTL_PROFILES_H

#include <stddef.h>

struct profile {
	const char *name;
	const char *text; /* YAML */
};

/* Generated from pool-config/profiles/ by the Makefile, sorted by name; ends with a
 * NULL name. */
extern const struct profile profiles[];

#endif
