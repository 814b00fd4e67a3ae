/*
 * The credential that poolctl sends to a server: a token, or on the server itself
 * that of its administrators.
 */
#ifndef POOLCTL_CREDENTIAL_H
#define POOLCTL_CREDENTIAL_H

#include "pool.h"

enum { CREDENTIAL_BYTES = 513 };

/*
 * Finds the credential for a server, the first of these that there is: `token_file`
 * of the server in pool.yaml, or else of its pool; the variable POOLCTL_TOKEN; the
 * file that POOLCTL_TOKEN_FILE names; the credential that a poold which listens at
 * exactly the address of the url has left on this machine.
 *
 * Returns 0, with "" if there is none; or -1 with ERR_NOT_AUTHORISED: a file cannot
 * be read, has no token, or may be read by others, or the url would show the token
 * to the network (http:// to anything but a loopback address).  The texts of errors
 * have no part of a token.  `source`, unless it is NULL, is then what gave it, as
 * "POOLCTL_TOKEN": "" if there is none.
 */
int credential_find(const struct pool_server *server, char text[CREDENTIAL_BYTES],
		    const char **source, struct err *err);

/* True if the credential is that of a poold on this machine, and nothing but the
 * port says which program gets it (no TLS): then a connection that was made before
 * it was found may lead to a program that had the port earlier. */
bool credential_needs_fresh(const struct pool_server *server,
			    const char *credential);

#endif
