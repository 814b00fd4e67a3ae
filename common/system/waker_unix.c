#include "system/waker.h"

#include "mem.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct waker {
	int event;
};

struct waker *waker_new(void)
{
	struct waker *waker = xcalloc(1, sizeof(*waker));

	waker->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (waker->event < 0)
		abort();
	return waker;
}

void waker_free(struct waker *waker)
{
	if (waker)
		(void)close(waker->event);
	free(waker);
}

void waker_wake(struct waker *waker)
{
	/* Fails only if the counter is full, and then the waiter is awake anyway.
	 */
	(void)!eventfd_write(waker->event, 1);
}

bool waker_wait(struct waker *waker, int64_t timeout_ms)
{
	struct pollfd event = {.fd = waker->event, .events = POLLIN};
	eventfd_t count;
	int ready;

	/* For poll(), a negative time has no end. */
	if (timeout_ms < 0)
		timeout_ms = 0;
	if (timeout_ms > INT_MAX)
		timeout_ms = INT_MAX;
	/* A signal ends the wait early; callers must allow for that. */
	ready = poll(&event, 1, (int)timeout_ms);
	if (ready > 0)
		(void)!eventfd_read(waker->event, &count);
	return ready != 0;
}
