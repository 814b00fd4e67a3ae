#include "compat.h"
#include "system/waker.h"

#include "mem.h"

#include <windows.h>

#include <limits.h>
#include <stdlib.h>

struct waker {
	HANDLE event;
};

struct waker *waker_new(void)
{
	struct waker *waker = xcalloc(1, sizeof(*waker));

	waker->event = CreateEventW(NULL, FALSE, FALSE, NULL);
	if (!waker->event)
		abort();
	return waker;
}

void waker_free(struct waker *waker)
{
	if (waker)
		CloseHandle(waker->event);
	free(waker);
}

void waker_wake(struct waker *waker)
{
	SetEvent(waker->event);
}

bool waker_wait(struct waker *waker, int64_t timeout_ms)
{
	/* As an unsigned number, a negative time would be weeks. */
	if (timeout_ms < 0)
		timeout_ms = 0;
	if (timeout_ms > INT_MAX)
		timeout_ms = INT_MAX;
	/* Alertable: see scm_watch.h. */
	return WaitForSingleObjectEx(waker->event, (DWORD)timeout_ms, TRUE) !=
	       WAIT_TIMEOUT;
}
