/*
 * The log: one line per thing that happened, on standard error or in a file.
 *
 * Lines start with the time in UTC and a level.  A log file is kept under 8 MiB: the
 * older half is renamed to FILE.1.
 */
#ifndef POOLCTL_LOG_H
#define POOLCTL_LOG_H

#include "compat.h"

#include "err.h"

/* Sends further lines to this file; returns -1 with ERR_STATE_DIR if it cannot be opened.
 */
int log_to_file(const char *path, struct err *err);

void log_info(const char *format, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *format, ...) PRINTF_LIKE(1, 2);
void log_error(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
