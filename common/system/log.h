/*
 * The log: one line per thing that happened, on standard error or in a file.
 *
 * Lines start with the time in UTC and a level.  A log file is kept under 8 MiB:
 * the older half is renamed to FILE.1.
 *
 * After log_start a thread of its own writes the lines, so that nobody waits for a
 * pipe that nobody reads, a stopped console or a share that hangs.  Lines that find
 * no room are counted, and their number is said once lines go out again.
 */
#ifndef POOLCTL_LOG_H
#define POOLCTL_LOG_H

#include "compat.h"

#include "err.h"

/* For a command that ends soon and whose reader is the one who called it: from now
 * on a line is "NAME: TEXT". */
void log_plain(const char *name);

/* Starts the thread; without it lines are written at once. */
void log_start(void);

/* Waits up to so long for the lines that still wait, and ends the thread. */
void log_stop(int wait_ms);

/* True if log_stop waited in vain: the thread hangs in a write, and has the stream,
 * so that the process must end with _Exit. */
bool log_is_stuck(void);

/* Sends further lines to this file.  While it cannot be opened, the log says so,
 * goes on where it was and tries again with each line.  Without the thread returns
 * -1 with ERR_STATE_DIR. */
int log_to_file(const char *path, struct err *err);

void log_info(const char *format, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *format, ...) PRINTF_LIKE(1, 2);
void log_error(const char *format, ...) PRINTF_LIKE(1, 2);

/* For what a client can cause as often as it likes: 60 lines at once, then one a
 * second; the log says how many were left out. */
void log_request(const char *format, ...) PRINTF_LIKE(1, 2);
void log_request_warning(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
