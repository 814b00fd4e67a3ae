/*
 * fault.so: preloaded into poold, it makes the calls that change files fail or be
 *the last.
 *
 * It numbers the calls that concern files below FAULT_FOLDER: 1, 2, 3 ...  What
 *happens at number FAULT_AT says FAULT_WHAT:
 *
 *	kill             the process dies before the call
 *	kill_after       it dies after the call
 *	torn             a write gets half of its bytes out, then the process dies;
 *any other call is as with kill ENOSPC EIO EROFS the call fails; with FAULT_FROM=1
 *all later ones do, too
 *
 * FAULT_COUNT  a file that has the numbers of struct control; a test may change
 *them at any time, to arm or to lift a fault FAULT_TRACE  a file that gets a line
 *for each call FAULT_CLOCK  a file with seconds that the time of day is off; the
 *monotonic clock is not FAULT_BOOT   a file that is read in place of the kernel's
 *boot_id
 *
 * It asks the kernel itself rather than the next library, so that it works in front
 *of a sanitizer's.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { ROOM_BYTES = 1 << 20 };

enum { FILES = 1024, NAME_BYTES = 64, LINE_BYTES = 160 };

/* What happens: the number of an error, or one of these. */
enum { WHAT_KILL = -1, WHAT_KILL_AFTER = -2, WHAT_TORN = -3 };

enum verdict { GO_ON, FAIL, HALF, LAST };

static const struct {
	const char *name;
	int what;
} whats[] = {
	{"kill", WHAT_KILL}, {"kill_after", WHAT_KILL_AFTER},
	{"torn", WHAT_TORN}, {"ENOSPC", ENOSPC},
	{"EIO", EIO},        {"EROFS", EROFS},
};

/* Shared with the test through FAULT_COUNT: five 64-bit numbers. */
struct control {
	_Atomic int64_t calls; /* seen so far */
	_Atomic int64_t at;    /* 0: never */
	_Atomic int64_t what;
	_Atomic int64_t is_lasting;
	_Atomic int64_t hits; /* calls that the fault met */
};

static struct control own_control;
static struct control *control = &own_control;
static const char *folder, *clock_path, *boot_path;
static int trace_file = -1;

/* The last part of the path of each open file below the folder; empty: not ours. */
static char names[FILES][NAME_BYTES];
static bool is_in_place[FILES]; /* was written to where it has bytes already */

__attribute__((constructor)) static void start(void)
{
	const char *at = getenv("FAULT_AT"), *what = getenv("FAULT_WHAT");
	const char *count = getenv("FAULT_COUNT"), *trace = getenv("FAULT_TRACE");
	long file =
		count ? syscall(SYS_open, count, O_RDWR | O_CREAT | O_CLOEXEC, 0600)
		      : -1;

	folder = getenv("FAULT_FOLDER");
	clock_path = getenv("FAULT_CLOCK");
	boot_path = getenv("FAULT_BOOT");
	if (file >= 0 && !syscall(SYS_ftruncate, file, sizeof(*control))) {
		void *shared = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE,
				    MAP_SHARED, (int)file, 0);

		if (shared != MAP_FAILED)
			control = shared;
	}
	if (file >= 0)
		(void)syscall(SYS_close, file);
	if (trace)
		trace_file = (int)syscall(SYS_open, trace,
					  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
					  0600);
	control->calls = 0;
	control->hits = 0;
	control->what = WHAT_KILL;
	for (size_t i = 0; what && i < sizeof(whats) / sizeof(whats[0]); i++)
		if (!strcmp(whats[i].name, what))
			control->what = whats[i].what;
	control->is_lasting = getenv("FAULT_FROM") != NULL;
	control->at = at ? strtoll(at, NULL, 10) : 0;
}

static void die(void)
{
	(void)syscall(SYS_kill, getpid(), SIGKILL);
	for (;;)
		(void)syscall(SYS_pause);
}

/* ---- which files are ours ---- */

static bool is_ours(const char *path)
{
	size_t length = folder ? strlen(folder) : 0;

	return length && !strncmp(path, folder, length) && path[length] == '/';
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void remember(int file, const char *path)
{
	if (file < 0 || file >= FILES)
		return;
	names[file][0] = '\0';
	is_in_place[file] = false;
	if (path && is_ours(path))
		(void)snprintf(names[file], NAME_BYTES, "%s", last_part(path));
}

static const char *name_of(int file)
{
	return file >= 0 && file < FILES && names[file][0] ? names[file] : NULL;
}

/* ---- counting ---- */

static void trace_call(int64_t number, const char *call, const char *name,
		       size_t length)
{
	char line[LINE_BYTES];
	int used = snprintf(line, sizeof(line), "%lld %s %s %zu\n",
			    (long long)number, call, name, length);

	if (trace_file >= 0 && used > 0)
		(void)syscall(SYS_write, trace_file, line, (size_t)used);
}

static enum verdict next_call(const char *call, const char *name, size_t length)
{
	int64_t number = ++control->calls, at = control->at, what = control->what;

	trace_call(number, call, name, length);
	if (!at || number < at || (number > at && !control->is_lasting))
		return GO_ON;
	control->hits++;
	if (what == WHAT_KILL || (what == WHAT_TORN && !length))
		die();
	if (what < 0)
		return what == WHAT_TORN ? HALF : LAST;
	errno = (int)what;
	return FAIL;
}

/* Ends a call that the process should not survive. */
static long after(enum verdict verdict, long result)
{
	if (verdict == HALF || verdict == LAST)
		die();
	return result;
}

static size_t share(enum verdict verdict, size_t length)
{
	return verdict == HALF ? length / 2 : length;
}

/* ---- calls on open files ---- */

/* What overwrites a file in place needs no space. */
static bool needs_space(int file, size_t length)
{
	off_t at = lseek(file, 0, SEEK_CUR);
	struct stat status;

	return at < 0 || fstat(file, &status) ||
	       at + (off_t)length > status.st_size;
}

ssize_t write(int file, const void *bytes, size_t length)
{
	const char *name = name_of(file);
	enum verdict verdict = name ? next_call("write", name, length) : GO_ON;

	if (verdict == FAIL && errno == ENOSPC && !needs_space(file, length)) {
		is_in_place[file] = true;
		verdict = GO_ON;
	}

	if (verdict == FAIL)
		return -1;
	return after(verdict,
		     syscall(SYS_write, file, bytes, share(verdict, length)));
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset)
{
	const char *name = name_of(file);
	enum verdict verdict = name ? next_call("pwrite", name, length) : GO_ON;

	if (verdict == FAIL)
		return -1;
	return after(verdict, syscall(SYS_pwrite64, file, bytes,
				      share(verdict, length), offset));
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset)
{
	return pwrite64(file, bytes, length, offset);
}

ssize_t writev(int file, const struct iovec *parts, int count)
{
	const char *name = name_of(file);
	enum verdict verdict = name ? next_call("writev", name, 0) : GO_ON;

	if (verdict == FAIL)
		return -1;
	return after(verdict, syscall(SYS_writev, file, parts, count));
}

static int on_file(const char *call, long number, int file, long argument)
{
	const char *name = name_of(file);
	enum verdict verdict = name ? next_call(call, name, 0) : GO_ON;

	if (verdict == FAIL && !(errno == ENOSPC && is_in_place[file]))
		return -1;
	return (int)after(verdict, syscall(number, file, argument));
}

int fsync(int file)
{
	return on_file("fsync", SYS_fsync, file, 0);
}

int fdatasync(int file)
{
	return on_file("fdatasync", SYS_fdatasync, file, 0);
}

int ftruncate64(int file, off64_t length)
{
	return on_file("ftruncate", SYS_ftruncate, file, length);
}

int ftruncate(int file, off_t length)
{
	return on_file("ftruncate", SYS_ftruncate, file, length);
}

int close(int file)
{
	remember(file, NULL);
	return (int)syscall(SYS_close, file);
}

/* ---- calls on paths ---- */

/* Nothing that only removes needs space. */
static int on_path(const char *call, const char *path, bool needs_space)
{
	enum verdict verdict =
		is_ours(path) ? next_call(call, last_part(path), 0) : GO_ON;

	return verdict == FAIL && errno == ENOSPC && !needs_space ? GO_ON
								  : (int)verdict;
}

int rename(const char *from, const char *to)
{
	int verdict = on_path("rename", to, false);

	return verdict == FAIL ? -1
			       : (int)after(verdict, syscall(SYS_rename, from, to));
}

/* A large file that is removed leaves room on a full disk. */
int unlink(const char *path)
{
	int verdict = on_path("unlink", path, false), status;
	struct stat file = {0};

	if (verdict == FAIL)
		return -1;
	(void)stat(path, &file);
	status = (int)after(verdict, syscall(SYS_unlink, path));
	if (!status && is_ours(path) && file.st_size >= ROOM_BYTES &&
	    control->what == ENOSPC)
		control->at = 0;
	return status;
}

int mkdir(const char *path, mode_t mode)
{
	int verdict = on_path("mkdir", path, true);

	return verdict == FAIL
		       ? -1
		       : (int)after(verdict, syscall(SYS_mkdir, path, mode));
}

static const char *instead_of(const char *path)
{
	return boot_path && !strcmp(path, "/proc/sys/kernel/random/boot_id")
		       ? boot_path
		       : path;
}

static int open_at(int where, const char *path, int flags, mode_t mode)
{
	bool is_change = flags & (O_CREAT | O_TRUNC), exists;
	int verdict = GO_ON, file;

	path = instead_of(path);
	exists = !is_change || !syscall(SYS_access, path, F_OK);
	if (is_change)
		verdict = on_path("open", path, !exists);
	if (verdict == FAIL)
		return -1;
	file = (int)after(verdict, syscall(SYS_openat, where, path, flags, mode));
	remember(file, path);
	return file;
}

static mode_t mode_of(int flags, va_list args)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

/* The four names under which a file is opened differ in nothing on 64 bits. */
#define OPEN(name)                                           \
	int name(const char *path, int flags, ...)           \
	{                                                    \
		va_list args;                                \
		mode_t mode;                                 \
                                                             \
		va_start(args, flags);                       \
		mode = mode_of(flags, args);                 \
		va_end(args);                                \
		return open_at(AT_FDCWD, path, flags, mode); \
	}

#define OPENAT(name)                                          \
	int name(int where, const char *path, int flags, ...) \
	{                                                     \
		va_list args;                                 \
		mode_t mode;                                  \
                                                              \
		va_start(args, flags);                        \
		mode = mode_of(flags, args);                  \
		va_end(args);                                 \
		return open_at(where, path, flags, mode);     \
	}

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

/* ---- streams, whose system calls are out of sight inside libc ---- */

FILE *fopen(const char *path, const char *mode)
{
	FILE *(*real)(const char *, const char *) =
		(FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, "fopen");
	int verdict = *mode == 'r' ? GO_ON : on_path("fopen", path, true);
	FILE *file;

	if (verdict == FAIL)
		return NULL;
	file = real(instead_of(path), mode);
	(void)after(verdict, 0);
	if (file)
		remember(fileno(file), path);
	return file;
}

int fflush(FILE *file)
{
	int (*real)(FILE *) = (int (*)(FILE *))dlsym(RTLD_NEXT, "fflush");
	const char *name = file ? name_of(fileno(file)) : NULL;
	size_t length = name ? __fpending(file) : 0;
	enum verdict verdict = length ? next_call("fflush", name, length) : GO_ON;

	if (verdict == FAIL)
		return EOF;
	if (verdict == HALF)
		(void)syscall(SYS_write, fileno(file), file->_IO_write_base,
			      length / 2);
	return verdict == HALF ? (int)after(verdict, 0)
			       : (int)after(verdict, real(file));
}

int fclose(FILE *file)
{
	int (*real)(FILE *) = (int (*)(FILE *))dlsym(RTLD_NEXT, "fclose");

	remember(fileno(file), NULL);
	return real(file);
}

/* ---- the time of day ---- */

static long offset_s(void)
{
	char text[32] = "";
	long file = clock_path ? syscall(SYS_open, clock_path, O_RDONLY | O_CLOEXEC)
			       : -1;

	if (file < 0)
		return 0;
	if (syscall(SYS_read, file, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	(void)syscall(SYS_close, file);
	return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int status = (int)syscall(SYS_clock_gettime, clock, now);

	if (!status && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += offset_s();
	return status;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec time;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &time);
	*now = (struct timeval){time.tv_sec, time.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *to)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (to)
		*to = now.tv_sec;
	return now.tv_sec;
}
