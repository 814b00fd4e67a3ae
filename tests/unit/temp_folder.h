/*
 * A folder of a test's own, with what the test puts there; gone afterwards.
 */
#ifndef POOLCTL_TEMP_FOLDER_H
#define POOLCTL_TEMP_FOLDER_H

#include "mem.h"
#include "utf8.h"
#include "system/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct temp_folder {
	char path[64];
};

static inline int temp_folder_make(struct temp_folder *folder)
{
	/* In memory, where there is such a place: no test depends on a disk's
	 * speed. */
	bool has_memory = !access("/dev/shm", W_OK | X_OK);

	utf8_copy(folder->path, sizeof(folder->path),
		  has_memory ? "/dev/shm/poolctl-test-XXXXXX"
			     : "/tmp/poolctl-test-XXXXXX");
	return mkdtemp(folder->path) ? 0 : -1;
}

/* Free the result. */
static inline char *temp_folder_file(const struct temp_folder *folder,
				     const char *name)
{
	return xasprintf("%s/%s", folder->path, name);
}

static inline int temp_folder_write(const struct temp_folder *folder,
				    const char *name, const char *text)
{
	char *path = temp_folder_file(folder, name);
	FILE *file = fopen(path, "wb");
	bool is_written = file && fputs(text, file) >= 0;

	free(path);
	return (file && fclose(file)) || !is_written ? -1 : 0;
}

static inline char *temp_folder_read(const struct temp_folder *folder,
				     const char *name)
{
	char *path = temp_folder_file(folder, name), *text = NULL;
	size_t length;

	(void)file_read(path, 1 << 20, ERR_INTERNAL, &text, &length, NULL);
	free(path);
	return text;
}

/* Removes the files in it, which have no folders beside them. */
static inline void temp_folder_empty(const struct temp_folder *folder)
{
	DIR *dir = opendir(folder->path);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *path = temp_folder_file(folder, entry->d_name);

		(void)unlink(path);
		free(path);
	}
	if (dir)
		(void)closedir(dir);
}

static inline void temp_folder_remove(const struct temp_folder *folder)
{
	(void)chmod(folder->path, 0700);
	temp_folder_empty(folder);
	(void)rmdir(folder->path);
}

#endif
