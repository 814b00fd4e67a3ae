/*
 * Memory that is there or the program ends.
 *
 * Running out of memory logs one line and aborts: the store is written so that a
 * restart continues the work.  All results are freed with free().
 */
#ifndef POOLCTL_MEM_H
#define POOLCTL_MEM_H

#include "compat.h"

#include <stddef.h>

void *xcalloc(size_t count, size_t size_bytes);
void *xrealloc(void *memory, size_t size_bytes);
char *xstrdup(const char *text);
char *xasprintf(const char *format, ...) PRINTF_LIKE(1, 2);

/* malloc with the same rule, for libraries that let us choose their allocator. */
void *xmalloc(size_t size_bytes);

#endif
