/*
 * Files and directories, by paths in UTF-8.
 */
#ifndef POOLCTL_FILE_H
#define POOLCTL_FILE_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Reads a whole file; more than limit_bytes is an error.  `*text` ends with a NUL
 * and is the caller's to free.  Fails with `code`. */
int file_read(const char *path, size_t limit_bytes, enum err_code code, char **text,
	      size_t *length, struct err *err);

/* The same, but never waits for a writer: a named pipe, a directory and a device
 * are errors.  What a shell gives as /dev/fd/N or /dev/stdin is read.  On Windows
 * it is file_read. */
int file_read_regular(const char *path, size_t limit_bytes, enum err_code code,
		      char **text, size_t *length, struct err *err);

enum { FILE_STAMP_BYTES = 80 };

/* Fills in what changes when the file is written or replaced; "" if it cannot be
 * seen. */
void file_stamp(const char *path, char stamp[FILE_STAMP_BYTES]);

/* True also for a file that cannot be read. */
bool file_exists(const char *path);

/* Which file is at a path: another one has another identity, also at the same path.
 */
struct file_identity {
	uint64_t volume, number; /* 0 and 0: there is none */
};

/* Sets it to zeros if the file is not there or cannot be asked. */
void file_identify(const char *path, struct file_identity *identity);

/* In bytes; -1 if it is not there or cannot be asked. */
int64_t file_size(const char *path);

/* Writes a new file and moves it over the old one, so that readers see one or the
 * other.
 */
int file_write(const char *path, const char *text, struct err *err);
/* Writes a file that is not there yet; if it is, fails with ERR_USAGE. */
int file_create(const char *path, const char *text, struct err *err);
/* The same, for the user alone; on Windows for SYSTEM and the administrators. */
int file_create_secret(const char *path, const char *text, struct err *err);
/* Writes over the beginning of a file that is there and not shorter, and through to
 * the disk: that needs no space. */
int file_overwrite(const char *path, const char *text, struct err *err);

/* Writes a new file with these bytes, through to the disk; if that fails, there is
 * none. */
int file_fill(const char *path, const void *bytes, size_t length, struct err *err);
int file_remove(const char *path, struct err *err);
int file_replace(const char *from, const char *to, struct err *err);
/* A symbolic link is not followed, here and wherever poold writes. */
FILE *file_open_for_append(const char *path, struct err *err);

/* Makes the directory and those above it, unless they exist: for the user alone, on
 * Windows for SYSTEM and the administrators. */
int file_make_directory(const char *path, struct err *err);

/*
 * Takes a lock that ends with the process; another process that tries meanwhile
 * gets ERR_STATE_LOCKED.  There is no unlock.  A file on a read-only disk can be
 * locked if it is there.
 */
int file_lock_for_life(const char *path, struct err *err);

/* Locks anew each of those files that somebody has removed or replaced, counts them
 * in `*taken`, and fails as file_lock_for_life does if one cannot be locked.  Not
 * at once with other calls. */
int file_keep_locks(int *taken, struct err *err);

/* True if another process has that lock. */
bool file_is_locked(const char *path);

#endif
