#include "scm/scm_lock.h"

#include "buf.h"
#include "mem.h"
#include "system/file.h"
#include "system/log.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Paths that this process has locked, each on a line: they stay locked when it
 * begins anew with other files. */
static struct buf locked;

/* Names compare without case, and may hold what a path may not. */
char *scm_lock_path(const char *beside, const char *service, const char *ending)
{
	struct buf path = {0};

	buf_printf(&path, "%s-", beside);
	for (const unsigned char *at = (const unsigned char *)service; *at; at++)
		buf_printf(&path, *at < 128 && isalnum(*at) ? "%c" : "%%%02x",
			   tolower(*at));
	buf_puts(&path, ending);
	return path.text;
}

static bool is_locked(const char *path)
{
	char *line = xasprintf("%s\n", path);
	bool is_there = locked.length && strstr(locked.text, line);

	free(line);
	return is_there;
}

static int refuse(const char *path, const char *service, struct err *err)
{
	return err_set(err, ERR_STATE_LOCKED,
		       "another poold on this machine drains %s (it has locked "
		       "%s); stop that one, or drain other services with this one",
		       service, path);
}

static int lock(const char *path, const char *service, struct err *err)
{
	struct err failure = {0};

	if (is_locked(path))
		return 0;
	if (!file_lock_for_life(path, &failure)) {
		buf_printf(&locked, "%s\n", path);
		return 0;
	}
	if (failure.code == ERR_STATE_LOCKED)
		return refuse(path, service, err);
	log_warning("%s; nothing keeps a second poold from draining %s",
		    failure.text, service);
	return 0;
}

static int check(const char *path, const char *service, struct err *err)
{
	return file_is_locked(path) ? refuse(path, service, err) : 0;
}

static int each_service(const char *beside, const struct list *services,
			int (*act)(const char *path, const char *service,
				   struct err *err),
			struct err *err)
{
	int ret = 0;

	LIST_EACH (struct pool_service, service, *services) {
		char *path;

		if (ret || service->role != ROLE_DRAIN)
			continue;
		path = scm_lock_path(beside, service->named.name, ".lock");
		ret = act(path, service->named.name, err);
		free(path);
	}
	return ret;
}

int scm_lock(const char *beside, const struct list *services, struct err *err)
{
	return each_service(beside, services, lock, err);
}

int scm_lock_check(const char *beside, const struct list *services, struct err *err)
{
	return each_service(beside, services, check, err);
}
