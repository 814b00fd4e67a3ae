/*
 * Counts the sessions of a port as poold does, with its own objects: for comparing
 * with ss.
 *
 * usage: count_sessions list|track PORT TIMES.  "list" counts the connections
 * alone, "track" follows their ages as well.  Prints their number and the CPU of
 * each time in us, a line each.
 */
#include "sessions/tracker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void count(void *arg, const struct sessions_connection *connection)
{
	(void)connection;
	++*(int64_t *)arg;
}

static void see(void *arg, const struct sessions_connection *connection)
{
	tracker_see(arg, connection);
}

static int64_t list(const struct sessions_filter *filter, struct err *err)
{
	int64_t number = 0;
	const struct sessions_taker taker = {count, &number, false};

	return sessions_tcp_list(filter, &taker, err) ? -1 : number;
}

static int64_t track(const struct sessions_filter *filter, struct err *err)
{
	static struct tracker tracker;
	const struct sessions_taker taker = {see, &tracker, false};

	tracker_begin(&tracker);
	if (sessions_tcp_list(filter, &taker, err))
		return -1;
	tracker_end(&tracker, clock_mono(), clock_wall());
	return tracker.seen;
}

static double cpu_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
	uint16_t port = argc == 4 ? (uint16_t)strtoul(argv[2], NULL, 10) : 0;
	const struct sessions_filter filter = {.ports = &port, .port_count = 1};
	int times = argc == 4 ? (int)strtol(argv[3], NULL, 10) : 0;

	for (int i = 0; i < times; i++) {
		double before_us = cpu_us();
		struct err err = {0};
		int64_t number = strcmp(argv[1], "track") ? list(&filter, &err)
							  : track(&filter, &err);

		if (number < 0) {
			(void)fprintf(stderr, "%s\n", err.text);
			return 1;
		}
		(void)printf("%lld %.0f\n", (long long)number,
			     cpu_us() - before_us);
	}
	return times > 0 ? 0 : 2;
}
