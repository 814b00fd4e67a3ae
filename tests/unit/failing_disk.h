/*
 * A disk that fails SQLite's writes and flushes, from a given one on so many times,
 * or that ends the process at one.
 *
 * It stands between SQLite's default VFS and the system's calls, which SQLite
 * allows (https://www.sqlite.org/c3ref/vfs.html, xSetSystemCall).
 */
#ifndef POOLCTL_FAILING_DISK_H
#define POOLCTL_FAILING_DISK_H

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <unistd.h>

/* One for the process, as SQLite's system calls are: they take no argument of ours.
 */
static struct {
	_Atomic int calls;
	_Atomic int fail_at; /* from 1; 0: never */
	_Atomic int fail_count;
	_Atomic bool is_flush_failed;
	/* The process ends at this call, with that. */
	_Atomic int crash_at, crash_status;
} failing_disk;

static inline bool failing_disk_fails(void)
{
	int call = ++failing_disk.calls, at = failing_disk.fail_at;

	if (call == failing_disk.crash_at)
		_exit(failing_disk.crash_status);
	errno = EIO;
	return at && call >= at && call - at < failing_disk.fail_count;
}

static inline ssize_t failing_disk_pwrite(int file, const void *bytes,
					  size_t length, off_t offset)
{
	return failing_disk_fails() ? -1 : pwrite(file, bytes, length, offset);
}

static inline int failing_disk_truncate(int file, off_t length)
{
	return failing_disk_fails() ? -1 : ftruncate(file, length);
}

/*
 * In place of the C library's.  Nothing is flushed: these tests lose processes, not
 * machines, and take minutes on a slow disk otherwise.  SQLite calls the first, the
 * simulated SCM the second.
 */
int fdatasync(int file)
{
	(void)file;
	if (!failing_disk_fails())
		return 0;
	failing_disk.is_flush_failed = true;
	return -1;
}

int fsync(int file)
{
	(void)file;
	return 0;
}

/* To be called once, before a store is opened. */
static inline void failing_disk_install(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	(void)vfs->xSetSystemCall(vfs, "pwrite",
				  (sqlite3_syscall_ptr)failing_disk_pwrite);
	(void)vfs->xSetSystemCall(vfs, "pwrite64",
				  (sqlite3_syscall_ptr)failing_disk_pwrite);
	(void)vfs->xSetSystemCall(vfs, "ftruncate",
				  (sqlite3_syscall_ptr)failing_disk_truncate);
}

/* Counts from now on. */
static inline void failing_disk_set(int fail_at, int fail_count)
{
	failing_disk.calls = failing_disk.crash_at = 0;
	failing_disk.fail_at = fail_at;
	failing_disk.fail_count = fail_count;
}

static inline void failing_disk_crash(int crash_at, int status)
{
	failing_disk_set(0, 0);
	failing_disk.crash_status = status;
	failing_disk.crash_at = crash_at;
}

#endif
