/*
 * A thread waits here until another wakes it or the time is over.  A wake that
 * comes first is not lost.  Clock changes do not lengthen or shorten the wait.  A
 * time that was over before is no wait.
 */
#ifndef POOLCTL_WAKER_H
#define POOLCTL_WAKER_H

#include <stdbool.h>
#include <stdint.h>

struct waker;
struct waker *waker_new(void);
void waker_free(struct waker *waker);
void waker_wake(struct waker *waker);

/* False if the time is over and nobody woke it. */
bool waker_wait(struct waker *waker, int64_t timeout_ms);

#endif
