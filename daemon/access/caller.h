/*
 * The caller of a request: which credential came with it, and what that allows.
 */
#ifndef POOLD_CALLER_H
#define POOLD_CALLER_H

#include "api.h"
#include "chain.h"

/* Each allows all that the ones before it allow. */
enum role {
	ROLE_NONE,     /* /livez and /readyz */
	ROLE_VIEWER,   /* everything that is read */
	ROLE_OPERATOR, /* reserve, drain, end one's own drains */
	ROLE_ADMIN,    /* pass a gate by force, end the drains of others */
	ROLE__COUNT
};

/* The names of the roles by value, for words_find(). */
extern const char *const caller_roles[ROLE__COUNT + 1];

enum credential_kind {
	CREDENTIAL_NONE,
	CREDENTIAL_LOCAL, /* of the administrators of this machine */
	CREDENTIAL_TOKEN,
	CREDENTIAL_CERTIFICATE,
	CREDENTIAL__COUNT
};

/* As the record says them; NULL for none. */
extern const char *const caller_credentials[CREDENTIAL__COUNT];

/* Zeroed: nobody. */
struct caller {
	enum role role;
	enum credential_kind kind;
	char name[API_ID_BYTES];     /* of the token or the client; "" for the local
					credential, whose holders say themselves who
					they are */
	char hash[CHAIN_HASH_BYTES]; /* of the token; "" for any other */
};

#endif
