#include "log.h"

#include "clock.h"
#include "host.h"
#include "mem.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_LIMIT_BYTES = 8 << 20, LINE_BYTES = 1024 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *log_file;
static char *log_path;
static long written_bytes;

int log_to_file(const char *path, struct err *err)
{
	FILE *file = host_open_for_append(path, err);

	if (!file)
		return -1;
	(void)fseek(file, 0, SEEK_END);
	pthread_mutex_lock(&lock);
	log_file = file;
	free(log_path);
	log_path = xstrdup(path);
	written_bytes = ftell(file);
	pthread_mutex_unlock(&lock);
	return 0;
}

/* If the old file cannot be moved away, the log grows on: better than no log. */
static void rotate(void)
{
	char *old = xasprintf("%s.1", log_path);
	FILE *file;

	(void)fclose(log_file);
	log_file = NULL;
	(void)host_replace_file(log_path, old, NULL);
	file = host_open_for_append(log_path, NULL);
	log_file = file;
	written_bytes = 0;
	free(old);
}

PRINTF_LIKE(2, 0)
static void write_line(const char *level, const char *format, va_list args)
{
	char text[LINE_BYTES], time[CLOCK_TEXT_BYTES];
	int length;

	(void)vsnprintf(text, sizeof(text), format, args);
	pthread_mutex_lock(&lock);
	if (log_file && written_bytes > FILE_LIMIT_BYTES)
		rotate();
	length = fprintf(log_file ? log_file : stderr, "%s %-7s %s\n",
			 clock_format(clock_wall(), time), level, text);
	if (length > 0)
		written_bytes += length;
	(void)fflush(log_file ? log_file : stderr);
	pthread_mutex_unlock(&lock);
}

#define LOG_FUNCTION(name, level)                \
	void name(const char *format, ...)       \
	{                                        \
		va_list args;                    \
		va_start(args, format);          \
		write_line(level, format, args); \
		va_end(args);                    \
	}

LOG_FUNCTION(log_info, "info")
LOG_FUNCTION(log_warning, "warning")
LOG_FUNCTION(log_error, "error")
