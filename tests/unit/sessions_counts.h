/*
 * What the unit tests add to the last line of `make check-sessions`.
 */
#ifndef POOLCTL_SESSIONS_COUNTS_H
#define POOLCTL_SESSIONS_COUNTS_H

#include <stdint.h>
#include <stdio.h>

/* So many times it was checked whether "drained" is said, and so often it was said
 * early.
 */
static inline void sessions_counts_add(int64_t checks, int64_t early)
{
	FILE *file = fopen("build/log/sessions.counts", "a");

	if (!file)
		return;
	(void)fprintf(file, "checks %lld\nearly %lld\n", (long long)checks,
		      (long long)early);
	(void)fclose(file);
}

#endif
