/*
 * How many points were visited at which a call fails or the process ends, for the
 * summary of `make check`.
 */
#ifndef POOLCTL_SURVIVE_COUNTS_H
#define POOLCTL_SURVIVE_COUNTS_H

#include <stdio.h>

/* To be called when all promises held; does nothing where nobody gathers them. */
static inline void survive_counts_add(const char *name, int crashes, int faults)
{
	FILE *file = fopen("build/log/survive.counts", "a");

	if (!file)
		return;
	(void)fprintf(file, "%s crash %d fault %d violations 0\n", name, crashes,
		      faults);
	(void)fclose(file);
}

#endif
