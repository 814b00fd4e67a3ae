/*
 * The credential of the administrators of this machine, who need no set-up.
 *
 * poold makes another one at each start, and leaves it in a file that only its user
 * and root (on Windows SYSTEM and the administrators) can read.  The name of the
 * file is the address and the port on which poold listens: poolctl sends what it
 * finds there to that address, and to no other.  The file gets its name once poold
 * has the port, so that a program that had it before has learned nothing.
 */
#ifndef POOLD_LOCAL_CREDENTIAL_H
#define POOLD_LOCAL_CREDENTIAL_H

#include "access/tokens.h"
#include "net_address.h"

/* Zeroed at first. */
struct local_credential {
	char text[TOKEN_TEXT_BYTES];
	struct net_address address; /* where poold is asked */
	char *next, *path;          /* of the file before and after poold has the
				       port; NULL: there is none */
	struct err problem;         /* then: why */
};

/* Makes the credential of a poold that is about to listen there, and writes it
 * where nobody looks for it, in the first of host_local_folders() that works; with
 * port 0, only makes it. */
int local_credential_make(struct local_credential *local,
			  const struct net_address *address, uint16_t port,
			  struct err *err);

/* Once poold has this port: leaves the file where poolctl finds it, and warns in
 * the log if that does not work.  Without it, poold goes on, and takes tokens
 * alone. */
void local_credential_leave(struct local_credential *local, uint16_t port);

/* Removes the file. */
void local_credential_remove(struct local_credential *local);

#endif
