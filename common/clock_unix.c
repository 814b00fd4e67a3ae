#include "clock.h"

#include <time.h>

static int64_t read_ms(clockid_t clock)
{
	struct timespec now;

	/* Cannot fail: the clocks exist on every Linux, and the pointer is good. */
	(void)clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct mono clock_mono(void)
{
	return (struct mono){read_ms(CLOCK_MONOTONIC)};
}

struct wall clock_wall(void)
{
	return (struct wall){read_ms(CLOCK_REALTIME)};
}
