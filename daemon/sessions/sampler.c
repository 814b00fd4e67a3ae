#include "sessions/sampler.h"

#include "system/log.h"
#include "mem.h"
#include "sessions/progress.h"
#include "system/waker.h"

#include <pthread.h>
#include <stdlib.h>

enum { PATIENCE_MS = 2000 };

struct sampler {
	struct sessions_reader *reader;
	int64_t every_ms;
	struct waker *waker, *ended;
	pthread_t thread;
	bool is_started;
	atomic_bool is_at_rest, is_hurried, is_over;

	pthread_mutex_t lock; /* of the readings */
	struct sampler_reading last;
	struct sampler_reading
		loud;  /* was not zero, and is not the last any more */
	int64_t taken; /* the number of the newest that was */
};

/* Its thread is nobody's any more, and so is the fact. */
static atomic_bool has_left_any;

struct sampler *sampler_new(struct sessions_reader *reader)
{
	struct sampler *sampler = xcalloc(1, sizeof(*sampler));

	sampler->reader = reader;
	sampler->waker = waker_new();
	sampler->ended = waker_new();
	pthread_mutex_init(&sampler->lock, NULL);
	return sampler;
}

/* A number of sessions is worth more than that it is not known. */
static bool is_louder(const struct sampler_reading *a,
		      const struct sampler_reading *b)
{
	bool is_loud = !a->is_known || a->count;

	return is_loud && (!b->number || !b->is_known || a->is_known);
}

void sampler_put(struct sampler *sampler, struct sampler_reading reading)
{
	struct sampler_reading old;

	pthread_mutex_lock(&sampler->lock);
	old = sampler->last;
	if (old.number > sampler->taken && is_louder(&old, &sampler->loud)) {
		old = sampler->loud;
		sampler->loud = sampler->last;
	}
	reading.number = sampler->last.number + 1;
	sampler->last = reading;
	pthread_mutex_unlock(&sampler->lock);
	json_decref(old.sessions);
}

bool sampler_take(struct sampler *sampler, int64_t known,
		  struct sampler_reading *reading)
{
	bool is_new;

	pthread_mutex_lock(&sampler->lock);
	is_new = sampler->last.number != known;
	if (is_new && sampler->loud.number) {
		*reading = sampler->loud;
		sampler->loud = (struct sampler_reading){0};
	} else if (is_new) {
		*reading = sampler->last;
		sampler->last.sessions = NULL;
	}
	if (is_new)
		sampler->taken = reading->number;
	pthread_mutex_unlock(&sampler->lock);
	return is_new;
}

static void read_once(struct sampler *sampler)
{
	struct sampler_reading reading = {.at = clock_mono()};
	struct sessions_reading got = {0};

	reading.is_known =
		!sampler->reader->ops->read(sampler->reader, &got, &reading.err);
	reading.answered_at = clock_mono();
	reading.count = got.count;
	reading.sessions = got.sessions;
	/* What was broken off is no answer. */
	if (sampler->reader->is_stopping)
		json_decref(got.sessions);
	else
		sampler_put(sampler, reading);
}

static void *run(void *arg)
{
	struct sampler *sampler = arg;
	struct mono began, due = clock_mono();

	while (!sampler->reader->is_stopping) {
		int64_t wait_ms = clock_since(clock_mono(), due);

		if (sampler->is_at_rest) {
			(void)waker_wait(sampler->waker, sampler->every_ms);
			due = clock_mono();
			continue;
		}
		if (wait_ms > 0 && !sampler->is_hurried) {
			(void)waker_wait(sampler->waker, wait_ms);
			continue;
		}
		sampler->is_hurried = false;
		began = clock_mono();
		read_once(sampler);
		due = progress_due(began, clock_mono(), sampler->every_ms);
	}
	sampler->is_over = true;
	waker_wake(sampler->ended);
	return NULL;
}

int sampler_start(struct sampler *sampler, int64_t every_ms, struct err *err)
{
	sampler->every_ms = every_ms;
	if (pthread_create(&sampler->thread, NULL, run, sampler))
		return err_set(err, ERR_INTERNAL, "cannot start a thread");
	sampler->is_started = true;
	return 0;
}

void sampler_rest(struct sampler *sampler, bool is_at_rest)
{
	if (sampler->is_at_rest == is_at_rest)
		return;
	sampler->is_at_rest = is_at_rest;
	waker_wake(sampler->waker);
}

void sampler_hurry(struct sampler *sampler)
{
	sampler->is_hurried = true;
	waker_wake(sampler->waker);
}

/* False if its thread does not end. */
static bool stop(struct sampler *sampler)
{
	struct mono until = clock_add(clock_mono(), PATIENCE_MS);
	int64_t rest_ms = PATIENCE_MS;

	sampler->reader->is_stopping = true;
	waker_wake(sampler->waker);
	while (!sampler->is_over && rest_ms > 0) {
		(void)waker_wait(sampler->ended, rest_ms);
		rest_ms = clock_since(clock_mono(), until);
	}
	if (!sampler->is_over) {
		has_left_any = true;
		pthread_detach(sampler->thread);
		log_warning("a session source does not answer and is left behind");
		return false;
	}
	pthread_join(sampler->thread, NULL);
	return true;
}

bool sampler_has_left_any(void)
{
	return has_left_any;
}

void sampler_free(struct sampler *sampler)
{
	if (!sampler || (sampler->is_started && !stop(sampler)))
		return;
	sampler->reader->ops->free(sampler->reader);
	waker_free(sampler->waker);
	waker_free(sampler->ended);
	pthread_mutex_destroy(&sampler->lock);
	json_decref(sampler->last.sessions);
	json_decref(sampler->loud.sessions);
	free(sampler);
}
