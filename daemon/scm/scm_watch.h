/*
 * Tells soon when somebody has changed a service.
 *
 * It is a hint: it may come late, twice, or not at all, so that whoever gets it
 * looks for himself, and also looks without it from time to time.
 */
#ifndef POOLD_SCM_WATCH_H
#define POOLD_SCM_WATCH_H

#include <stddef.h>

/* After a hint, the next one is not before. */
enum { SCM_WATCH_PAUSE_MS = 10 };

struct scm_watch;

/* Called on any thread; must not block. */
typedef void scm_watch_changed(void *arg);

/* Watches these services of Windows; NULL if it cannot.  Their names are copied. */
struct scm_watch *scm_watch_services(const char *const *names, size_t count,
				     scm_watch_changed *changed, void *arg);

/* Watches the file of a simulated SCM; NULL if it cannot. */
struct scm_watch *scm_watch_file(const char *path, scm_watch_changed *changed,
				 void *arg);

/* Has it tell of what comes next.  Always called on the same thread, before each
 * wait, which must be alertable on Windows, as that of a waker is.  NULL is
 * allowed. */
void scm_watch_arm(struct scm_watch *watch);

/* Called on the thread that armed it, or once that has ended.  After that nothing
 * is called.  NULL is allowed. */
void scm_watch_free(struct scm_watch *watch);

#endif
