/*
 * The credential of the administrators of this machine, who need no set-up.
 *
 * poold makes another one at each start, and leaves it in a file that only its user
 * and root (on Windows SYSTEM and the administrators) can read.  The name of the
 * file is the address and the port on which poold listens: poolctl sends what it
 * finds there to that address, and to no other.  It is made anew so that a program
 * that took the port while poold was away has learned nothing.
 */
#ifndef POOLD_LOCAL_CREDENTIAL_H
#define POOLD_LOCAL_CREDENTIAL_H

#include "err.h"
#include "net_address.h"

/* Writes the file for a poold that listens there, in the first of
 * host_local_folders() that works.  Returns its path, to be freed, or NULL with
 * ERR_STATE_DIR. */
char *local_credential_write(const char *credential,
			     const struct net_address *address, uint16_t port,
			     struct err *err);

/* Removes the file and frees its path; NULL is fine. */
void local_credential_remove(char *path);

#endif
