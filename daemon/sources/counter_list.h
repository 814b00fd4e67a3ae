/*
 * The performance counters of this machine, so that a person finds the right one.
 */
#ifndef POOLD_COUNTER_LIST_H
#define POOLD_COUNTER_LIST_H

#include "err.h"

/*
 * Calls `each` for every counter whose object matches the pattern, in which *
 * stands for any text and ? for any character, in any case: its path, as the key
 * `path` takes it on an English Windows, and its value, NAN if it gives none now.
 * Blocks for about a second, as rates need two readings.  Fails with ERR_SESSIONS;
 * also where there is none.
 */
int counter_list(const char *pattern, void (*each)(const char *path, double value),
		 struct err *err);

#endif
