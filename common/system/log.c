#include "system/log.h"

#include "clock.h"
#include "mem.h"
#include "system/rate.h"
#include "system/file.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	LINE_BYTES = 1024,
	FILE_LIMIT_BYTES = (8 << 20) - 2 * LINE_BYTES,
	QUEUE_LINES = 1024,
	REQUESTS_AT_ONCE = 60,
	REQUEST_EVERY_MS = 1000,
};

/* The lines that wait; one for the process, as standard error is.  Its lock is
 * never held during a write. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool is_started, is_ending, is_ended, is_stuck;
	char *lines[QUEUE_LINES]; /* a ring */
	int first, count;
	int64_t lost; /* found no room, or could not be written */
	struct rate requests;
	char *wanted; /* the file to go on in, from log_to_file; or NULL */
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* Where lines go; its lock is for the time without the thread. */
static struct {
	pthread_mutex_t lock;
	FILE *file; /* NULL: standard error */
	char *path; /* of the file */
	long written_bytes;
	char *next_path; /* could not be opened yet; or NULL */
} out = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- writing ---- */

static const char *plain_name; /* or NULL */

void log_plain(const char *name)
{
	plain_name = name;
}

static char *make_line(const char *level, const char *text)
{
	char time[CLOCK_TEXT_BYTES];

	if (plain_name)
		return xasprintf("%s: %s\n", plain_name, text);
	return xasprintf("%s %-7s %s\n", clock_format(clock_wall(), time), level,
			 text);
}

/* If the old file cannot be renamed, the log keeps growing: better than no log. */
static void rotate(void)
{
	char *old = xasprintf("%s.1", out.path);

	(void)fclose(out.file);
	(void)file_replace(out.path, old, NULL);
	out.file = file_open_for_append(out.path, NULL);
	out.written_bytes = 0;
	free(old);
}

static int write_line(const char *line)
{
	FILE *to;

	if (out.file && out.written_bytes > FILE_LIMIT_BYTES)
		rotate();
	if (!out.file && out.path)
		out.file = file_open_for_append(out.path, NULL);
	to = out.file ? out.file : stderr;
	if (fputs(line, to) < 0 || fflush(to)) {
		clearerr(to);
		return -1;
	}
	out.written_bytes += (long)strlen(line);
	return 0;
}

static int write_warning(const char *text)
{
	char *line = make_line("warning", text);
	int ret = write_line(line);

	free(line);
	return ret;
}

/* Goes on in the next file; the one before is closed, as Windows renames none that
 * is open. */
static int open_next(struct err *err)
{
	FILE *file = file_open_for_append(out.next_path, err);

	if (!file)
		return -1;
	if (out.file)
		(void)fclose(out.file);
	free(out.path);
	(void)fseek(file, 0, SEEK_END);
	out.written_bytes = ftell(file);
	out.file = file;
	out.path = out.next_path;
	out.next_path = NULL;
	return 0;
}

static void set_next(char *path)
{
	free(out.next_path);
	out.next_path = path;
}

/* Writes a line, and before it what became of others.  Returns how many were lost
 * now. */
static int64_t write_one(const char *line, char *wanted, int64_t lost)
{
	struct err err = {0};
	char *text;

	pthread_mutex_lock(&out.lock);
	if (wanted)
		set_next(wanted);
	if (out.next_path && open_next(&err) && wanted)
		(void)write_warning(err.text);
	if (line && !write_line(line))
		line = NULL;
	if (!line && lost) {
		text = xasprintf(
			"%lld lines were lost, as the log could not be written",
			(long long)lost);
		lost = write_warning(text) ? lost : 0;
		free(text);
	}
	pthread_mutex_unlock(&out.lock);
	return lost + (line != NULL);
}

/* Writes all that waits; with the queue's lock, but for the time of a write. */
static void write_all(void)
{
	while (queue.count || queue.wanted) {
		char *line = NULL, *wanted = queue.wanted;
		int64_t lost = queue.lost;

		if (queue.count) {
			line = queue.lines[queue.first];
			queue.first = (queue.first + 1) % QUEUE_LINES;
			queue.count--;
		}
		queue.wanted = NULL;
		queue.lost = 0;
		pthread_mutex_unlock(&queue.lock);
		lost = write_one(line, wanted, lost);
		free(line);
		pthread_mutex_lock(&queue.lock);
		queue.lost += lost;
	}
}

static void *run(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&queue.lock);
	for (write_all(); !queue.is_ending; write_all())
		pthread_cond_wait(&queue.changed, &queue.lock);
	queue.is_ended = true;
	pthread_cond_broadcast(&queue.changed);
	pthread_mutex_unlock(&queue.lock);
	return NULL;
}

/* ---- life ---- */

void log_start(void)
{
	pthread_mutex_lock(&queue.lock);
	queue.is_ending = queue.is_ended = false;
	queue.is_started = !pthread_create(&queue.thread, NULL, run, NULL);
	pthread_mutex_unlock(&queue.lock);
}

void log_stop(int wait_ms)
{
	struct timespec until;
	int late = 0;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&queue.lock);
	queue.is_ending = true;
	pthread_cond_broadcast(&queue.changed);
	while (queue.is_started && !queue.is_ended && !late)
		late = pthread_cond_timedwait(&queue.changed, &queue.lock, &until);
	queue.is_stuck = late != 0;
	pthread_mutex_unlock(&queue.lock);
	if (queue.is_started && !queue.is_stuck) {
		pthread_join(queue.thread, NULL);
		queue.is_started = false;
	}
}

bool log_is_stuck(void)
{
	return queue.is_stuck;
}

int log_to_file(const char *path, struct err *err)
{
	int ret = 0;

	pthread_mutex_lock(&queue.lock);
	if (queue.is_started) {
		free(queue.wanted);
		queue.wanted = xstrdup(path);
		pthread_cond_broadcast(&queue.changed);
	} else {
		pthread_mutex_lock(&out.lock);
		set_next(xstrdup(path));
		ret = open_next(err);
		pthread_mutex_unlock(&out.lock);
	}
	pthread_mutex_unlock(&queue.lock);
	return ret;
}

/* ---- lines ---- */

/* With the lock. */
static void add_line(const char *level, const char *text)
{
	if (queue.count == QUEUE_LINES) {
		queue.lost++;
		return;
	}
	queue.lines[(queue.first + queue.count++) % QUEUE_LINES] =
		make_line(level, text);
	if (queue.is_started)
		pthread_cond_broadcast(&queue.changed);
	else
		write_all();
}

PRINTF_LIKE(2, 0)
static void log_line(const char *level, const char *format, va_list args)
{
	char text[LINE_BYTES];

	(void)vsnprintf(text, sizeof(text), format, args);
	pthread_mutex_lock(&queue.lock);
	add_line(level, text);
	pthread_mutex_unlock(&queue.lock);
}

/* With the lock. */
static void tell_left_out(void)
{
	char *text =
		xasprintf("%lld lines about requests were left out, as there were "
			  "too many",
			  (long long)queue.requests.left_out);

	if (queue.requests.left_out)
		add_line("info", text);
	queue.requests.left_out = 0;
	free(text);
}

PRINTF_LIKE(2, 0)
static void log_limited(const char *level, const char *format, va_list args)
{
	char text[LINE_BYTES];

	(void)vsnprintf(text, sizeof(text), format, args);
	pthread_mutex_lock(&queue.lock);
	if (rate_take(&queue.requests, REQUESTS_AT_ONCE, REQUEST_EVERY_MS,
		      clock_mono())) {
		tell_left_out();
		add_line(level, text);
	}
	pthread_mutex_unlock(&queue.lock);
}

#define LOG_FUNCTION(name, log, level)     \
	void name(const char *format, ...) \
	{                                  \
		va_list args;              \
		va_start(args, format);    \
		log(level, format, args);  \
		va_end(args);              \
	}

LOG_FUNCTION(log_info, log_line, "info")
LOG_FUNCTION(log_warning, log_line, "warning")
LOG_FUNCTION(log_error, log_line, "error")
LOG_FUNCTION(log_request, log_limited, "info")
LOG_FUNCTION(log_request_warning, log_limited, "warning")
