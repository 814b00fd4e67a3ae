/*
 * The exit statuses of poolctl and poold, in one table.
 *
 * docs/api.md explains each to the operator.
 */
#ifndef COMMON_EXIT_STATUS_H
#define COMMON_EXIT_STATUS_H

enum exit_status {
	EXIT_REACHED = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_UNREACHABLE = 3,
	EXIT_REFUSED = 4,
	EXIT_HELD = 5,
	EXIT_TIMEOUT = 6,
	EXIT_CUT = 7,
	EXIT_SEVERAL = 8,
	EXIT_NOT_VERIFIED = 9,
	/* poold's own: a script may want to tell apart why the start failed. */
	EXIT_LISTEN = 10,
	EXIT_STATE_DIR = 11,
	EXIT_STATE_LOCKED = 12,
	EXIT_INTERRUPTED = 130,
};

/* The word for a result that is not the asked one, as "refused" in `-o json`;
 * "failed" for a status that has none.  NULL for EXIT_REACHED and EXIT_CUT, which
 * are the asked one. */
const char *exit_status_word(int status);

/* The status of two servers together: the same, or EXIT_SEVERAL. */
int exit_status_combine(int one, int other);

#endif
