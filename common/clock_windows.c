#include "clock.h"

#include <windows.h>

struct mono clock_mono(void)
{
	return (struct mono){(int64_t)GetTickCount64()};
}

struct wall clock_wall(void)
{
	/* FILETIME counts 100 ns steps since 1601-01-01. */
	const int64_t steps_to_1970 = INT64_C(116444736000000000);
	FILETIME now;

	GetSystemTimeAsFileTime(&now);
	return (struct wall){
		((((int64_t)now.dwHighDateTime << 32) | now.dwLowDateTime) -
		 steps_to_1970) /
		10000};
}
