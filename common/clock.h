/*
 * Time, in two kinds that cannot be mixed up.
 *
 * `struct mono` only moves forward and measures waits; `struct wall` is the time of
 * day and goes into records.  No wait and no decision uses the wall clock.
 */
#ifndef POOLCTL_CLOCK_H
#define POOLCTL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct mono {
	int64_t ms; /* since some fixed moment of this boot */
};

struct wall {
	int64_t ms; /* since 1970-01-01T00:00:00Z, without leap seconds */
};

enum { CLOCK_TEXT_BYTES = 32 };

struct mono clock_mono(void);
struct wall clock_wall(void);

/* Milliseconds from one moment to the other; negative if `to` comes first. */
int64_t clock_since(struct mono from, struct mono to);
struct mono clock_add(struct mono from, int64_t ms);

/* RFC 3339 in UTC with milliseconds, "2026-05-01T08:30:00.250Z"; returns `text`. */
const char *clock_format(struct wall wall, char text[CLOCK_TEXT_BYTES]);

/* For people: as clock_format, but after clock_show_local() in the time zone of
 * this machine, with its offset, "2026-05-01T10:30:00.250+02:00". */
const char *clock_print(struct wall wall, char text[CLOCK_TEXT_BYTES]);
void clock_show_local(void);

/* Reads what clock_format writes, with or without the fraction; -1 if it is not
 * such a time. */
int clock_parse(const char *text, struct wall *wall);

#endif
