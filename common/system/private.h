/*
 * Whether anybody but the administrators and the user who runs this program may
 * change a file or a folder that it trusts.
 */
#ifndef POOLCTL_PRIVATE_H
#define POOLCTL_PRIVATE_H

#include "err.h"

#include <stdbool.h>

/* All that this process makes from now on is for its user alone (on Windows the
 * folders say that; see file_make_directory). */
void private_begin(void);

/*
 * These fail with `code` and with the command that mends it, if others own the path
 * or may write it, or may put another in its place.  What is not there, and what
 * cannot be asked, is left to those who open it.
 */

/* A folder, and the one it is in; not a symbolic link or a junction. */
int private_check_folder(const char *path, enum err_code code, struct err *err);

/* A file that is made by this program, and the folder it is in; not a symbolic link
 * either. */
int private_check_own_file(const char *path, enum err_code code, struct err *err);

/* A file that an administrator wrote, or a program, and the folder it is in; links
 * are followed. */
int private_check_file(const char *path, enum err_code code, struct err *err);

/* The same of a file that is a secret: others may not read it either.  On Linux the
 * group of a file of root's may, as the key of a service has it. */
int private_check_secret(const char *path, enum err_code code, struct err *err);

/*
 * Lets root act as the user whom root gave a folder to, as the state directory of a
 * poold that runs as a user of its own: so nothing that this user puts there leads
 * root elsewhere, and what is written there is his.  Root gave it to him if nobody
 * else may change the folder that it is in.  Does nothing for anybody but root, and
 * on Windows.  All threads of the process act so meanwhile.
 */
void private_begin_as_owner(const char *folder);
void private_end_as_owner(void);

/* The folder that a path is in, to be freed. */
char *private_folder_of(const char *path);

#endif
