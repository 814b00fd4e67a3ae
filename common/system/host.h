/*
 * This machine: its names, its boot, its environment, randomness, sockets that
 * listen.
 *
 * All paths and names are UTF-8 on every platform.
 */
#ifndef POOLCTL_HOST_H
#define POOLCTL_HOST_H

#include "compat.h"
#include "err.h"
#include "net_address.h"

#include <stdint.h>

enum { HOST_NAME_BYTES = 256, HOST_ID_BYTES = 64, HOST_PATH_BYTES = 1024 };

/*
 * main calls this first.  Opens those of the standard streams that are closed on
 * the null device, before a file or connection takes their place and gets what is
 * printed; turns the arguments into UTF-8; starts the socket library; makes the
 * console take UTF-8.
 */
void host_init(int *argc, char ***argv);

/* main calls this last: gives the console back as it was.  Safe at any time. */
void host_done(void);

void host_name(char name[HOST_NAME_BYTES]);

/* Whoever runs this program: "anna", or "CONTOSO\\anna" for a user of a domain. */
void host_user(char name[HOST_NAME_BYTES]);

/*
 * The identity of this boot: the same for all processes until the machine boots
 * again, then another.  On Linux the kernel's boot_id; on Windows a random number
 * in a volatile registry key, which a boot forgets.  It does not depend on clocks.
 */
int host_boot_id(char id[HOST_ID_BYTES], struct err *err);

/*
 * Sets `*what` to what waits for a reboot of this machine, in words, or to NULL if
 * nothing does: on Windows updates, components and files to be replaced, on Linux
 * /run/reboot-required.
 */
int host_reboot_pending(const char **what, struct err *err);

/* Random bytes that nobody can guess, and that are never the same twice. */
int host_random(void *bytes, size_t length, struct err *err);

/* A variable of the environment, or NULL; good until the end of the program. */
const char *host_env(const char *name);

/* The standard place of a configuration file, e.g. /etc/poolctl/pool.yaml. */
void host_config_path(const char *file, char path[HOST_PATH_BYTES]);

/* The standard directory for the state of poold. */
void host_state_path(char path[HOST_PATH_BYTES]);

/*
 * The folders in which poold may leave its credential for the administrators of
 * this machine, the best first: beside the standard state; on Linux for a user who
 * cannot write there, one of that user.  POOLCTL_LOCAL_DIR names another one
 * instead. Returns how many there are.
 */
enum { HOST_LOCAL_FOLDERS = 2 };
int host_local_folders(char folders[HOST_LOCAL_FOLDERS][HOST_PATH_BYTES]);

/* Lets this process have so many files and connections open, as far as the system
 * does.  Returns how many it may have at least: `count` or fewer. */
unsigned host_allow_files(unsigned count);

/* A listening socket on this address; port 0 takes a free one.  Fails with
 * ERR_LISTEN. */
int host_listen(const struct net_address *address, uint16_t port,
		socket_handle *listener, struct err *err);

/* Ends a connection in both directions, from any thread; its owner still closes it.
 */
void host_cut(socket_handle connection);

/* True if the other side of a connection has closed it, or sends no more.  Does not
 * block if the connection does not. */
bool host_is_left(socket_handle connection);

/* Closes a listening socket, unless somebody did it already.  No other may be
 * opened meanwhile. */
void host_close_listener(socket_handle listener);

#endif
