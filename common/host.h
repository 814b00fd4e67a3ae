/*
 * What the operating system of this machine is asked for: files, names, randomness,
 * waiting.
 *
 * All paths and names are UTF-8 on every platform.
 */
#ifndef POOLCTL_HOST_H
#define POOLCTL_HOST_H

#include "compat.h"
#include "err.h"
#include "net_address.h"

#include <stdint.h>
#include <stdio.h>

enum { HOST_NAME_BYTES = 256, HOST_ID_BYTES = 64, HOST_PATH_BYTES = 1024 };

/* To be called first in main: turns the arguments into UTF-8, starts the socket library.
 */
void host_init(int *argc, char ***argv);

void host_name(char name[HOST_NAME_BYTES]);
void host_user(char name[HOST_NAME_BYTES]);

/*
 * The identity of this boot: the same for all processes until the machine boots again,
 * then another.  On Linux the kernel's boot_id; on Windows a random number in a volatile
 * registry key, which a boot forgets.  It does not depend on clocks.
 */
int host_boot_id(char id[HOST_ID_BYTES], struct err *err);

/*
 * What of this machine waits for a reboot, in words, or NULL if nothing does: on Windows
 * updates, components and files to be renamed, on Linux /run/reboot-required.
 */
int host_reboot_pending(const char **what, struct err *err);

/* Random bytes good enough for names that must never be the same twice. */
int host_random(void *bytes, size_t length, struct err *err);

/* A variable of the environment, or NULL; good until the end of the program. */
const char *host_env(const char *name);

/* The standard place of a configuration file, e.g. /etc/poolctl/pool.yaml. */
void host_config_path(const char *file, char path[HOST_PATH_BYTES]);

/* Where poold keeps its state unless told otherwise. */
void host_state_path(char path[HOST_PATH_BYTES]);

/* Reads a whole file; more than limit_bytes is an error.  `*text` ends with a NUL and is
 * the caller's to free.  Fails with `code`. */
int host_read_file(const char *path, size_t limit_bytes, enum err_code code, char **text,
		   size_t *length, struct err *err);

/* True also if it is there and cannot be read. */
bool host_file_exists(const char *path);

/* Writes a new file and moves it over the old one, so that readers see one or the other.
 */
int host_write_file(const char *path, const char *text, struct err *err);
/* Writes a file that is not there yet; if it is, fails with ERR_USAGE. */
int host_create_file(const char *path, const char *text, struct err *err);
int host_replace_file(const char *from, const char *to, struct err *err);
FILE *host_open_for_append(const char *path, struct err *err);

/* Makes the directory and those above it, for the owner alone, unless they exist. */
int host_make_directory(const char *path, struct err *err);

/*
 * Takes a lock that ends with the process; another process that tries meanwhile gets
 * ERR_STATE_LOCKED.  There is no unlock: it is held as long as the program runs.
 */
int host_lock_for_life(const char *path, struct err *err);

/* Lets this process have so many files and connections open, as far as the system does.
 */
void host_allow_files(unsigned count);

/* A listening socket on this address; port 0 takes a free one.  Fails with ERR_LISTEN. */
int host_listen(const struct net_address *address, uint16_t port, socket_handle *listener,
		struct err *err);

/* Ends a connection in both directions, from any thread; its owner still closes it. */
void host_cut(socket_handle connection);

/*
 * A thread waits here until another wakes it or the time is over.  A wake that comes
 * first is not lost.  Clock changes do not lengthen or shorten the wait.  A time that was
 * over before is no wait.
 */
struct waker;
struct waker *waker_new(void);
void waker_free(struct waker *waker);
void waker_wake(struct waker *waker);
void waker_wait(struct waker *waker, int64_t timeout_ms);

#endif
