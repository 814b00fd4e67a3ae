#include "store/eventlog.h"

#include "clock.h"
#include "mem.h"
#include "system/log.h"
#include "system/waker.h"

#include <pthread.h>
#include <stdlib.h>

enum { PATIENCE_MS = 3000, IDLE_MS = 60000 };

struct entry {
	int id;
	enum event_level level;
	char *text;
};

struct eventlog {
	eventlog_report *report;
	pthread_t thread;
	struct waker *waker, *ended;

	pthread_mutex_t lock; /* of all below; never held during a report */
	struct entry entries[EVENTLOG_WAITING]; /* a ring */
	int first, count;
	int64_t lost; /* found no room, or were not taken */
	bool is_closing, is_over;
};

/* ---- the thread ---- */

/* True if there is one; else whether the thread is to end is in `is_closing`. */
static bool take(struct eventlog *log, struct entry *entry, int64_t *lost,
		 bool *is_closing)
{
	bool is_there;

	pthread_mutex_lock(&log->lock);
	is_there = log->count > 0;
	if (is_there) {
		*entry = log->entries[log->first];
		log->first = (log->first + 1) % EVENTLOG_WAITING;
		log->count--;
	}
	*lost = log->lost;
	*is_closing = log->is_closing;
	pthread_mutex_unlock(&log->lock);
	return is_there;
}

/* Says the first of several in a row. */
static void note_lost(struct eventlog *log, const char *why)
{
	pthread_mutex_lock(&log->lock);
	if (!log->lost++)
		log_warning("the Windows Event Log does not take events: %s; they "
			    "are in the record all the same",
			    why);
	pthread_mutex_unlock(&log->lock);
}

/* One was taken again: how many are not there is said where they are missing, too.
 * If that is not taken either, it is said with the next one. */
static void tell_lost(struct eventlog *log, int64_t lost)
{
	char *text = xasprintf(
		"%lld events are not in the Windows Event Log, as it did not take "
		"them; they are in the record",
		(long long)lost);

	if (!log->report(event_kind_id(EVENT_LOST), event_kind_level(EVENT_LOST),
			 text, NULL)) {
		log_warning("%s", text);
		pthread_mutex_lock(&log->lock);
		log->lost -= lost;
		pthread_mutex_unlock(&log->lock);
	}
	free(text);
}

static void report_one(struct eventlog *log, const struct entry *entry,
		       int64_t lost)
{
	struct err err = {0};

	if (log->report(entry->id, entry->level, entry->text, &err))
		note_lost(log, err.text);
	else if (lost)
		tell_lost(log, lost);
}

static void free_all(struct eventlog *log)
{
	waker_free(log->waker);
	waker_free(log->ended);
	pthread_mutex_destroy(&log->lock);
	free(log);
}

static void *run(void *arg)
{
	struct eventlog *log = arg;
	bool is_closing = false;
	struct entry entry;
	int64_t lost;

	while (!is_closing) {
		while (take(log, &entry, &lost, &is_closing)) {
			report_one(log, &entry, lost);
			free(entry.text);
		}
		if (!is_closing)
			waker_wait(log->waker, IDLE_MS);
	}
	pthread_mutex_lock(&log->lock);
	log->is_over = true;
	pthread_mutex_unlock(&log->lock);
	waker_wake(log->ended);
	return NULL;
}

/* ---- from outside ---- */

struct eventlog *eventlog_new(eventlog_report *report)
{
	struct eventlog *log = xcalloc(1, sizeof(*log));

	log->report = report;
	log->waker = waker_new();
	log->ended = waker_new();
	pthread_mutex_init(&log->lock, NULL);
	if (!pthread_create(&log->thread, NULL, run, log))
		return log;
	log_warning("no thread for the Windows Event Log; events are in the record "
		    "alone");
	free_all(log);
	return NULL;
}

void eventlog_write(struct eventlog *log, int id, enum event_level level,
		    const char *text)
{
	bool has_room;

	if (!log)
		return;
	pthread_mutex_lock(&log->lock);
	has_room = log->count < EVENTLOG_WAITING;
	if (has_room)
		log->entries[(log->first + log->count++) % EVENTLOG_WAITING] =
			(struct entry){id, level, xstrdup(text)};
	pthread_mutex_unlock(&log->lock);
	if (has_room)
		waker_wake(log->waker);
	else
		note_lost(log, "it does not answer");
}

static bool is_over(struct eventlog *log)
{
	bool is_over;

	pthread_mutex_lock(&log->lock);
	is_over = log->is_over;
	pthread_mutex_unlock(&log->lock);
	return is_over;
}

void eventlog_close(struct eventlog *log)
{
	struct mono until = clock_add(clock_mono(), PATIENCE_MS);
	int64_t rest_ms = PATIENCE_MS;

	if (!log)
		return;
	pthread_mutex_lock(&log->lock);
	log->is_closing = true;
	pthread_mutex_unlock(&log->lock);
	waker_wake(log->waker);
	while (!is_over(log) && rest_ms > 0) {
		waker_wait(log->ended, rest_ms);
		rest_ms = clock_since(clock_mono(), until);
	}
	if (is_over(log)) {
		pthread_join(log->thread, NULL);
		free_all(log);
		return;
	}
	/* With its memory, which the thread uses until the process ends. */
	pthread_detach(log->thread);
	log_warning("the Windows Event Log does not answer and is left behind; the "
		    "last events are in the record alone");
}
