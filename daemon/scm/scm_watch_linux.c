#include "scm/scm_watch.h"

#include "mem.h"

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

struct scm_watch {
	scm_watch_changed *changed;
	void *arg;
	const char *name; /* within its folder; in `path` */
	char *path;
	int notified, stopped;
	pthread_t thread;
};

struct scm_watch *scm_watch_services(const char *const *names, size_t count,
				     scm_watch_changed *changed, void *arg)
{
	(void)names;
	(void)count;
	(void)changed;
	(void)arg;
	return NULL;
}

/* Takes all that has come; true if some of it was about the file. */
static bool is_about_file(const struct scm_watch *watch)
{
	union {
		struct inotify_event event;
		char bytes[4096];
	} buffer;
	ssize_t length = read(watch->notified, buffer.bytes, sizeof(buffer.bytes));
	bool is_about = false;

	for (ssize_t at = 0; at < length;) {
		struct inotify_event event;

		memcpy(&event, buffer.bytes + at, sizeof(event));
		is_about = is_about || (event.mask & IN_Q_OVERFLOW) ||
			   (event.len && !strcmp(buffer.bytes + at + sizeof(event),
						 watch->name));
		at += (ssize_t)(sizeof(event) + event.len);
	}
	return is_about;
}

static void *run(void *arg)
{
	struct scm_watch *watch = arg;
	struct pollfd files[] = {{watch->stopped, POLLIN, 0},
				 {watch->notified, POLLIN, 0}};

	while (poll(files, 2, -1) >= 0 && !files[0].revents) {
		if (!is_about_file(watch))
			continue;
		watch->changed(watch->arg);
		(void)poll(files, 1, SCM_WATCH_PAUSE_MS);
	}
	return NULL;
}

/* The folder is watched, as the file may be replaced by another. */
static int start(struct scm_watch *watch)
{
	char *end = strrchr(watch->path, '/');
	int added;

	watch->name = end ? end + 1 : watch->path;
	if (end)
		*end = '\0';
	added = inotify_add_watch(watch->notified,
				  !end           ? "."
				  : *watch->path ? watch->path
						 : "/",
				  IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE);
	return added < 0 || pthread_create(&watch->thread, NULL, run, watch) ? -1
									     : 0;
}

static void release(struct scm_watch *watch)
{
	(void)close(watch->notified);
	(void)close(watch->stopped);
	free(watch->path);
	free(watch);
}

struct scm_watch *scm_watch_file(const char *path, scm_watch_changed *changed,
				 void *arg)
{
	struct scm_watch *watch = xcalloc(1, sizeof(*watch));

	*watch = (struct scm_watch){.changed = changed,
				    .arg = arg,
				    .path = xstrdup(path),
				    .notified =
					    inotify_init1(IN_CLOEXEC | IN_NONBLOCK),
				    .stopped = eventfd(0, EFD_CLOEXEC)};
	if (watch->notified >= 0 && watch->stopped >= 0 && !start(watch))
		return watch;
	release(watch);
	return NULL;
}

void scm_watch_arm(struct scm_watch *watch)
{
	(void)watch;
}

void scm_watch_free(struct scm_watch *watch)
{
	if (!watch)
		return;
	(void)eventfd_write(watch->stopped, 1);
	(void)pthread_join(watch->thread, NULL);
	release(watch);
}
