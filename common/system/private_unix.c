#include "system/private.h"

#include "mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void private_begin(void)
{
	(void)umask(077);
}

char *private_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return slash == path ? xstrdup("/")
			     : xasprintf("%.*s", (int)(slash - path), path);
}

/* With one, a symbolic link would be followed. */
static char *without_slashes(const char *path)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	return xasprintf("%.*s", (int)length, path);
}

static int check_owner(const char *path, const struct stat *status,
		       enum err_code code, struct err *err)
{
	if (status->st_uid == 0 || status->st_uid == geteuid())
		return 0;
	return err_set(err, code,
		       "%s belongs to user %u, who could change what poold does; "
		       "give it to the user who runs poold: chown %u '%s'",
		       path, (unsigned)status->st_uid, (unsigned)geteuid(), path);
}

static int check_mode(const char *path, const struct stat *status,
		      enum err_code code, struct err *err)
{
	if (!(status->st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	return err_set(err, code,
		       "%s may be written by %s, who could change what poold does; "
		       "take that right away: chmod go-w '%s'",
		       path, status->st_mode & S_IWOTH ? "everybody" : "its group",
		       path);
}

static int check_both(const char *path, const struct stat *status,
		      enum err_code code, struct err *err)
{
	return check_owner(path, status, code, err) ||
			       check_mode(path, status, code, err)
		       ? -1
		       : 0;
}

/* In a folder like /tmp (sticky) everybody may make files, and nobody may replace
 * those of others. */
static int check_place(const char *path, enum err_code code, struct err *err)
{
	char *folder = private_folder_of(path);
	struct stat status;
	int ret = 0;

	if (!stat(folder, &status)) {
		ret = check_owner(folder, &status, code, err);
		if (!ret && !(status.st_mode & S_ISVTX))
			ret = check_mode(folder, &status, code, err);
	}
	free(folder);
	return ret;
}

static int check_link(const char *path, const struct stat *status,
		      enum err_code code, struct err *err)
{
	if (!S_ISLNK(status->st_mode))
		return 0;
	return err_set(
		err, code,
		"%s is a symbolic link, which poold does not follow; put the "
		"folder or file itself there, or name the place it leads to "
		"in poold.yaml",
		path);
}

static int check_unlinked(const char *path, enum err_code code, struct err *err)
{
	struct stat status;

	if (lstat(path, &status))
		return 0;
	return check_link(path, &status, code, err) ||
			       check_both(path, &status, code, err)
		       ? -1
		       : 0;
}

int private_check_folder(const char *path, enum err_code code, struct err *err)
{
	char *plain = without_slashes(path);
	int ret = check_place(plain, code, err) || check_unlinked(plain, code, err)
			  ? -1
			  : 0;

	free(plain);
	return ret;
}

int private_check_own_file(const char *path, enum err_code code, struct err *err)
{
	return check_place(path, code, err) || check_unlinked(path, code, err) ? -1
									       : 0;
}

int private_check_file(const char *path, enum err_code code, struct err *err)
{
	struct stat status;

	if (stat(path, &status))
		return 0;
	return check_place(path, code, err) || check_both(path, &status, code, err)
		       ? -1
		       : 0;
}

/* With 0640 and root as its owner, a group can be given a key that it cannot
 * change.
 */
int private_check_secret(const char *path, enum err_code code, struct err *err)
{
	struct stat status;
	bool is_read_by_group;

	if (stat(path, &status))
		return 0;
	if (private_check_file(path, code, err))
		return -1;
	is_read_by_group = (status.st_mode & S_IRGRP) && status.st_uid != 0;
	if (!is_read_by_group && !(status.st_mode & S_IROTH))
		return 0;
	return err_set(err, code,
		       "%s may be read by %s, and is a secret; take that right "
		       "away: chmod %s '%s'",
		       path, status.st_mode & S_IROTH ? "everybody" : "its group",
		       status.st_uid ? "go-rwx" : "o-rwx", path);
}

static bool is_given_by_root(const char *folder, struct stat *status)
{
	char *around = private_folder_of(folder);
	struct stat above;
	bool is_given = !stat(around, &above) && above.st_uid == 0 &&
			!(above.st_mode & (S_IWGRP | S_IWOTH)) &&
			!lstat(folder, status) && S_ISDIR(status->st_mode);

	free(around);
	return is_given;
}

void private_begin_as_owner(const char *folder)
{
	struct stat status;

	/* The group first: without root's rights it cannot be changed. */
	if (getuid() == 0 && geteuid() == 0 && is_given_by_root(folder, &status) &&
	    status.st_uid != 0 && !setegid(status.st_gid) && seteuid(status.st_uid))
		private_end_as_owner();
}

void private_end_as_owner(void)
{
	if (getuid() != 0 || (geteuid() == 0 && getegid() == getgid()))
		return;
	if (seteuid(0) || setegid(getgid()))
		abort();
}
