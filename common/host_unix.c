#include "host.h"

#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

void host_init(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
}

void host_name(char name[HOST_NAME_BYTES])
{
	if (gethostname(name, HOST_NAME_BYTES))
		copy_text(name, HOST_NAME_BYTES, "localhost");
	name[HOST_NAME_BYTES - 1] = '\0';
}

void host_user(char name[HOST_NAME_BYTES])
{
	struct passwd entry, *found = NULL;
	char space[4096];

	if (getpwuid_r(geteuid(), &entry, space, sizeof(space), &found) == 0 && found)
		copy_text(name, HOST_NAME_BYTES, found->pw_name);
	else
		(void)snprintf(name, HOST_NAME_BYTES, "uid%u", (unsigned)geteuid());
}

int host_boot_id(char id[HOST_ID_BYTES], struct err *err)
{
	const char *path = "/proc/sys/kernel/random/boot_id";
	size_t length;
	char *text;

	if (host_read_file(path, HOST_ID_BYTES - 1, ERR_INTERNAL, &text, &length, err))
		return -1;
	text[strcspn(text, "\n")] = '\0';
	copy_text(id, HOST_ID_BYTES, text);
	free(text);
	return 0;
}

int host_reboot_pending(const char **what, struct err *err)
{
	static const char flag[] = "/run/reboot-required";

	(void)err;
	*what = host_file_exists(flag) ? flag : NULL;
	return 0;
}

int host_random(void *bytes, size_t length, struct err *err)
{
	if (getrandom(bytes, length, 0) != (ssize_t)length)
		return err_set_os(err, ERR_INTERNAL, (unsigned long)errno,
				  "no random bytes");
	return 0;
}

const char *host_env(const char *name)
{
	return getenv(name);
}

void host_config_path(const char *file, char path[HOST_PATH_BYTES])
{
	(void)snprintf(path, HOST_PATH_BYTES, "/etc/poolctl/%s", file);
}

void host_state_path(char path[HOST_PATH_BYTES])
{
	copy_text(path, HOST_PATH_BYTES, "/var/lib/poold");
}

static int fail(struct err *err, enum err_code code, const char *what, const char *path)
{
	int number = errno;

	return err_set_os(err, code, (unsigned long)number, "cannot %s %s: %s", what,
			  path, strerror(number));
}

int host_read_file(const char *path, size_t limit_bytes, enum err_code code, char **text,
		   size_t *length, struct err *err)
{
	FILE *file = fopen(path, "rbe");
	size_t got;
	char *bytes;

	if (!file)
		return fail(err, code, "open", path);
	bytes = xmalloc(limit_bytes + 2);
	got = fread(bytes, 1, limit_bytes + 1, file);
	if (ferror(file)) {
		(void)fail(err, code, "read", path);
	} else if (got > limit_bytes) {
		(void)err_set(err, code, "%s is larger than %zu bytes", path,
			      limit_bytes);
	} else {
		(void)fclose(file);
		bytes[got] = '\0';
		*text = xrealloc(bytes, got + 1);
		*length = got;
		return 0;
	}
	(void)fclose(file);
	free(bytes);
	return -1;
}

bool host_file_exists(const char *path)
{
	return access(path, F_OK) == 0 || errno != ENOENT;
}

int host_create_file(const char *path, const char *text, struct err *err)
{
	int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	size_t length = strlen(text);
	bool is_written;

	if (file < 0)
		return fail(err, ERR_USAGE, "create", path);
	is_written = write(file, text, length) == (ssize_t)length;
	if (close(file) == 0 && is_written)
		return 0;
	(void)fail(err, ERR_INTERNAL, "write", path);
	(void)unlink(path);
	return -1;
}

int host_replace_file(const char *from, const char *to, struct err *err)
{
	return rename(from, to) ? fail(err, ERR_STATE_DIR, "rename", from) : 0;
}

int host_write_file(const char *path, const char *text, struct err *err)
{
	char *fresh = xasprintf("%s.new", path);
	FILE *file = fopen(fresh, "wbe");
	int ret = -1;

	if (!file) {
		(void)fail(err, ERR_STATE_DIR, "write", fresh);
		goto out;
	}
	(void)fputs(text, file);
	if (fflush(file) || fsync(fileno(file))) {
		(void)fail(err, ERR_STATE_DIR, "write", fresh);
		(void)fclose(file);
		goto out;
	}
	(void)fclose(file);
	ret = host_replace_file(fresh, path, err);
out:
	free(fresh);
	return ret;
}

FILE *host_open_for_append(const char *path, struct err *err)
{
	FILE *file = fopen(path, "abe");

	if (!file)
		(void)fail(err, ERR_STATE_DIR, "open", path);
	return file;
}

int host_make_directory(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *parent;

	/* The parent is only made if it has to be; if that fails too, the path itself
	 * says why. */
	if (mkdir(path, 0700) && errno == ENOENT && slash && slash != path) {
		parent = xasprintf("%.*s", (int)(slash - path), path);
		(void)host_make_directory(parent, NULL);
		free(parent);
	}
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	return fail(err, ERR_STATE_DIR, "make directory", path);
}

int host_lock_for_life(const char *path, struct err *err)
{
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (file < 0)
		return fail(err, ERR_STATE_DIR, "open", path);
	if (flock(file, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		(void)err_set(err, ERR_STATE_LOCKED, "another poold holds %s", path);
	else
		(void)fail(err, ERR_STATE_DIR, "lock", path);
	(void)close(file);
	return -1;
}

void host_allow_files(unsigned count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= count)
		return;
	limit.rlim_cur = limit.rlim_max < count ? limit.rlim_max : count;
	/* What is not allowed is not had: then fewer connections are taken. */
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

int host_listen(const struct net_address *address, uint16_t port, socket_handle *listener,
		struct err *err)
{
	enum { BACKLOG = 256 };
	struct sockaddr_storage to;
	int size = net_address_to_socket(address, port, &to), on = 1;
	char text[NET_ADDRESS_TEXT_BYTES];
	int number;

	*listener = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Without this a restart has to wait until the old connections are forgotten. */
	if (*listener >= 0)
		(void)setsockopt(*listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (*listener >= 0 && !bind(*listener, (struct sockaddr *)&to, (socklen_t)size) &&
	    !listen(*listener, BACKLOG))
		return 0;
	number = errno;
	if (*listener >= 0)
		(void)close(*listener);
	return err_set_os(err, ERR_LISTEN, (unsigned long)number,
			  "cannot listen on %s port %u: %s",
			  net_address_format(address, text), port, strerror(number));
}

void host_cut(socket_handle connection)
{
	/* Fails if the peer was faster, which is as good. */
	(void)shutdown(connection, SHUT_RDWR);
}

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
	/* Fails only when the counter is full, and then the waiter is awake anyway. */
	(void)!eventfd_write(waker->event, 1);
}

void waker_wait(struct waker *waker, int64_t timeout_ms)
{
	struct pollfd event = {.fd = waker->event, .events = POLLIN};
	eventfd_t count;

	/* To poll, a negative time is without end. */
	if (timeout_ms < 0)
		timeout_ms = 0;
	if (timeout_ms > INT_MAX)
		timeout_ms = INT_MAX;
	/* A signal ends the wait early, which callers must stand anyway. */
	if (poll(&event, 1, (int)timeout_ms) > 0)
		(void)!eventfd_read(waker->event, &count);
}
