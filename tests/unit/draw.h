/*
 * Numbers by chance, from a seed that a test prints and can be given.
 */
#ifndef POOLCTL_DRAW_H
#define POOLCTL_DRAW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t draw_state;

/* Of the environment. */
static inline int64_t number_of(const char *name, int64_t otherwise)
{
	const char *given = getenv(name);

	return given ? strtoll(given, NULL, 10) : otherwise;
}

static inline void draw_begin(int64_t seed)
{
	draw_state = (uint64_t)number_of("POOLCTL_SEED", seed);
	(void)printf("POOLCTL_SEED=%llu\n", (unsigned long long)draw_state);
	(void)fflush(stdout);
}

/* splitmix64: 0 to `limit` - 1. */
static inline int64_t draw(int64_t limit)
{
	uint64_t z = draw_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (int64_t)((z ^ z >> 31) % (uint64_t)limit);
}

static inline bool one_in(int64_t number)
{
	return draw(number) == 0;
}

#endif
