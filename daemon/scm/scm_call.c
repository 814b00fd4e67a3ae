#include "scm/scm_call.h"

#include "clock.h"
#include "mem.h"
#include "system/waker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { UNDER_WAY, OVER, LEFT };

struct scm_call {
	struct scm_call_order order;
	char *service;
	struct waker *ended;
	pthread_t thread;
	int ret; /* once it is over */
	struct err err;
	/* Set once: over by the thread, or left by the owner.  Whoever comes second
	 * frees the call. */
	atomic_int state;
};

/* False if the other side was first. */
static bool settle(struct scm_call *call, int state)
{
	int before = UNDER_WAY;

	return atomic_compare_exchange_strong(&call->state, &before, state);
}

static void free_call(struct scm_call *call)
{
	waker_free(call->ended);
	free(call->service);
	free(call);
}

static void *run(void *arg)
{
	struct scm_call *call = arg;

	call->ret = call->order.make(call->order.scm, call->service, &call->err);
	if (!settle(call, OVER)) {
		free_call(call);
		return NULL;
	}
	/* The owner joins this thread before it frees anything. */
	call->order.returned(call->order.arg);
	waker_wake(call->ended);
	return NULL;
}

struct scm_call *scm_call_begin(const struct scm_call_order *order)
{
	struct scm_call *call = xcalloc(1, sizeof(*call));

	call->order = *order;
	call->service = xstrdup(order->service);
	call->ended = waker_new();
	if (!pthread_create(&call->thread, NULL, run, call))
		return call;
	free_call(call);
	return NULL;
}

bool scm_call_wait(struct scm_call *call, int64_t ms)
{
	struct mono until = clock_add(clock_mono(), ms);
	int64_t rest_ms = ms;

	while (call->state == UNDER_WAY && rest_ms > 0) {
		waker_wait(call->ended, rest_ms);
		rest_ms = clock_since(clock_mono(), until);
	}
	return call->state == OVER;
}

int scm_call_end(struct scm_call *call, struct err *err)
{
	int ret;

	pthread_join(call->thread, NULL);
	ret = call->ret;
	if (ret)
		*err = call->err;
	free_call(call);
	return ret;
}

bool scm_call_leave(struct scm_call *call)
{
	pthread_t thread;

	if (!call)
		return false;
	thread = call->thread;
	if (settle(call, LEFT)) {
		pthread_detach(thread);
		return true;
	}
	pthread_join(thread, NULL);
	free_call(call);
	return false;
}
