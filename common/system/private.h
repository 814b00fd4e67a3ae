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

/* Gives a file that this process made to the owner of its folder, if it may: what
 * an administrator writes for poold must be readable for the user who runs it.  On
 * Windows the folder hands its rights down, and nothing is done. */
int private_hand_over(const char *path, struct err *err);

/* The folder that a path is in, to be freed. */
char *private_folder_of(const char *path);

#endif
