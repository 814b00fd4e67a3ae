/*
 * A disk that fails SQLite's writes, from a given one on or only once.
 *
 * It stands between SQLite's default VFS and the system's calls, which SQLite allows
 * (https://www.sqlite.org/c3ref/vfs.html, xSetSystemCall).
 */
#ifndef POOLCTL_FAILING_DISK_H
#define POOLCTL_FAILING_DISK_H

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <unistd.h>

/* One for the process, as SQLite's system calls are: they take no argument of ours. */
static struct {
	_Atomic int calls;
	_Atomic int fail_at; /* from 1; 0: never */
	_Atomic bool is_lasting;
} failing_disk;

static inline bool failing_disk_fails(void)
{
	int call = ++failing_disk.calls, at = failing_disk.fail_at;

	errno = EIO;
	return at && (failing_disk.is_lasting ? call >= at : call == at);
}

static inline ssize_t failing_disk_pwrite(int file, const void *bytes, size_t length,
					  off_t offset)
{
	return failing_disk_fails() ? -1 : pwrite(file, bytes, length, offset);
}

static inline int failing_disk_truncate(int file, off_t length)
{
	return failing_disk_fails() ? -1 : ftruncate(file, length);
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
static inline void failing_disk_set(int fail_at, bool is_lasting)
{
	failing_disk.calls = 0;
	failing_disk.fail_at = fail_at;
	failing_disk.is_lasting = is_lasting;
}

#endif
