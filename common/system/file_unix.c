#include "system/file.h"

#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The files of poold are for its user alone, and links in their place are not
 * followed. */
enum { NEW_FILE = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC };

static int fail(struct err *err, enum err_code code, const char *what,
		const char *path)
{
	int number = errno;

	return err_set_os(err, code, (unsigned long)number, "cannot %s %s: %s",
			  what, path, strerror(number));
}

/* Up to one byte more than the limit.  The size is unknown before: it may be a
 * pipe. */
static char *read_some(FILE *file, size_t limit_bytes, size_t *got)
{
	size_t room = 8192, count;
	char *bytes = xmalloc(room + 1);

	*got = 0;
	while (*got <= limit_bytes &&
	       (count = fread(bytes + *got, 1, room - *got, file)) > 0) {
		*got += count;
		if (*got == room) {
			room *= 2;
			bytes = xrealloc(bytes, room + 1);
		}
	}
	return bytes;
}

static int read_and_close(FILE *file, const char *path, size_t limit_bytes,
			  enum err_code code, char **text, size_t *length,
			  struct err *err)
{
	size_t got;
	char *bytes;

	bytes = read_some(file, limit_bytes, &got);
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

int file_read(const char *path, size_t limit_bytes, enum err_code code, char **text,
	      size_t *length, struct err *err)
{
	FILE *file = fopen(path, "rbe");

	return file ? read_and_close(file, path, limit_bytes, code, text, length,
				     err)
		    : fail(err, code, "open", path);
}

/* A shell gives the output of a command as a pipe there, which has its writer. */
static bool is_shells_pipe(const char *path, mode_t mode)
{
	return S_ISFIFO(mode) &&
	       (!strncmp(path, "/dev/fd/", 8) || !strcmp(path, "/dev/stdin") ||
		!strncmp(path, "/proc/self/fd/", 14));
}

int file_read_regular(const char *path, size_t limit_bytes, enum err_code code,
		      char **text, size_t *length, struct err *err)
{
	/* Without O_NONBLOCK, a named pipe waits here for a writer. */
	int file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat status;
	FILE *stream;

	if (file < 0)
		return fail(err, code, "open", path);
	if (fstat(file, &status) ||
	    (!S_ISREG(status.st_mode) && !is_shells_pipe(path, status.st_mode))) {
		(void)close(file);
		return err_set(err, code,
			       "%s is not a regular file; put one there, or name "
			       "another file",
			       path);
	}
	stream = fcntl(file, F_SETFL, 0) ? NULL : fdopen(file, "rb");
	if (stream)
		return read_and_close(stream, path, limit_bytes, code, text, length,
				      err);
	(void)fail(err, code, "open", path);
	(void)close(file);
	return -1;
}

void file_stamp(const char *path, char stamp[FILE_STAMP_BYTES])
{
	struct stat found;

	stamp[0] = '\0';
	if (stat(path, &found) == 0)
		(void)snprintf(stamp, FILE_STAMP_BYTES, "%llx.%llx.%llx.%lx",
			       (unsigned long long)found.st_ino,
			       (unsigned long long)found.st_size,
			       (unsigned long long)found.st_mtim.tv_sec,
			       (unsigned long)found.st_mtim.tv_nsec);
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0 || errno != ENOENT;
}

void file_identify(const char *path, struct file_identity *identity)
{
	struct stat status;

	*identity = (struct file_identity){0};
	if (stat(path, &status) == 0)
		*identity = (struct file_identity){(uint64_t)status.st_dev,
						   (uint64_t)status.st_ino};
}

int64_t file_size(const char *path)
{
	struct stat status;

	return stat(path, &status) ? -1 : (int64_t)status.st_size;
}

static int create(const char *path, mode_t mode, const char *text, struct err *err)
{
	int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
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

int file_create(const char *path, const char *text, struct err *err)
{
	return create(path, 0644, text, err);
}

int file_create_secret(const char *path, const char *text, struct err *err)
{
	return create(path, 0600, text, err);
}

static int write_through(int file, const void *bytes, size_t length)
{
	bool is_written =
		write(file, bytes, length) == (ssize_t)length && fsync(file) == 0;

	return close(file) == 0 && is_written ? 0 : -1;
}

int file_overwrite(const char *path, const char *text, struct err *err)
{
	int file = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	if (file < 0)
		return fail(err, ERR_STATE_DIR, "open", path);
	return write_through(file, text, strlen(text))
		       ? fail(err, ERR_STATE_DIR, "write", path)
		       : 0;
}

int file_fill(const char *path, const void *bytes, size_t length, struct err *err)
{
	int file = open(path, NEW_FILE | O_TRUNC, 0600);

	if (file < 0)
		return fail(err, ERR_STATE_DIR, "create", path);
	if (!write_through(file, bytes, length))
		return 0;
	(void)fail(err, ERR_STATE_DIR, "write", path);
	(void)unlink(path);
	return -1;
}

int file_remove(const char *path, struct err *err)
{
	return unlink(path) ? fail(err, ERR_STATE_DIR, "remove", path) : 0;
}

int file_replace(const char *from, const char *to, struct err *err)
{
	return rename(from, to) ? fail(err, ERR_STATE_DIR, "rename", from) : 0;
}

static FILE *open_stream(const char *path, int flags, const char *mode)
{
	int file = open(path, flags, 0600);
	FILE *stream = file < 0 ? NULL : fdopen(file, mode);

	if (file >= 0 && !stream)
		(void)close(file);
	return stream;
}

int file_write(const char *path, const char *text, struct err *err)
{
	char *fresh = xasprintf("%s.new", path);
	FILE *file = open_stream(fresh, NEW_FILE | O_TRUNC, "wb");
	int ret = -1;

	if (!file) {
		(void)fail(err, ERR_STATE_DIR, "write", fresh);
		goto out;
	}
	(void)fputs(text, file);
	if (fflush(file) || fsync(fileno(file))) {
		(void)fail(err, ERR_STATE_DIR, "write", fresh);
		(void)fclose(file);
		(void)unlink(fresh);
		goto out;
	}
	(void)fclose(file);
	ret = file_replace(fresh, path, err);
out:
	free(fresh);
	return ret;
}

FILE *file_open_for_append(const char *path, struct err *err)
{
	FILE *file = open_stream(path, NEW_FILE | O_APPEND, "ab");

	if (!file)
		(void)fail(err, ERR_STATE_DIR, "open", path);
	return file;
}

int file_make_directory(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	struct stat status;
	char *parent;
	int number;

	/* Makes the parent only if it is missing; if that fails, the error is that
	 * of the path itself. */
	if (mkdir(path, 0700) && errno == ENOENT && slash && slash != path) {
		parent = xasprintf("%.*s", (int)(slash - path), path);
		(void)file_make_directory(parent, NULL);
		free(parent);
	}
	if (mkdir(path, 0700) == 0)
		return 0;
	number = errno;
	/* It may be there already, on a disk that takes no writes. */
	if (number == EEXIST ||
	    (stat(path, &status) == 0 && S_ISDIR(status.st_mode)))
		return 0;
	errno = number;
	return fail(err, ERR_STATE_DIR, "make directory", path);
}

/* Whoever asks whether a file is locked has the lock for an instant. */
static int lock_now(int file)
{
	enum { TRIES = 5, WAIT_MS = 20 };

	for (int i = 0; i < TRIES; i++) {
		if (flock(file, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			return -1;
		(void)poll(NULL, 0, WAIT_MS);
	}
	errno = EWOULDBLOCK;
	return -1;
}

/* What was locked, each file that was at a path in turn: it stays locked also
 * without a name. */
struct held_lock {
	char *path;
	dev_t device;
	ino_t number;
};

static struct held_lock *held_locks;
static size_t held_count;

static bool is_held(const char *path, const struct stat *file)
{
	for (size_t i = 0; i < held_count; i++)
		if (!strcmp(held_locks[i].path, path) &&
		    held_locks[i].device == file->st_dev &&
		    held_locks[i].number == file->st_ino)
			return true;
	return false;
}

static void hold(const char *path, int file)
{
	struct stat status = {0};

	(void)fstat(file, &status);
	held_locks = xrealloc(held_locks, (held_count + 1) * sizeof(*held_locks));
	held_locks[held_count++] =
		(struct held_lock){xstrdup(path), status.st_dev, status.st_ino};
}

int file_lock_for_life(const char *path, struct err *err)
{
	int file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int number = errno;

	if (file < 0)
		file = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	errno = number;
	if (file < 0)
		return fail(err, ERR_STATE_DIR, "open", path);
	if (!lock_now(file)) {
		hold(path, file);
		return 0;
	}
	if (errno == EWOULDBLOCK)
		(void)err_set(err, ERR_STATE_LOCKED,
			      "another poold is running: it has locked %s", path);
	else
		(void)fail(err, ERR_STATE_DIR, "lock", path);
	(void)close(file);
	return -1;
}

int file_keep_locks(int *taken, struct err *err)
{
	/* More come while it looks. */
	size_t count = held_count;
	int ret = 0;

	*taken = 0;
	for (size_t i = 0; i < count; i++) {
		const char *path = held_locks[i].path;
		struct stat found;

		if (!stat(path, &found) && is_held(path, &found))
			continue;
		if (file_lock_for_life(path, err))
			ret = -1;
		else
			++*taken;
	}
	return ret;
}

bool file_is_locked(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	bool is_locked =
		file >= 0 && flock(file, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;

	if (file >= 0)
		(void)close(file);
	return is_locked;
}
