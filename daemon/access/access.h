/*
 * Whether a request may be done: who sends it, and whether that role may do it.
 *
 * The file of tokens is read again when it changes.  A file that cannot be used
 * changes nothing: the tokens of before stay in force, and that is told.  Refused
 * requests are counted, slowed for each address, and told for the record with a
 * limit. Used by the HTTP library's thread alone.
 */
#ifndef POOLD_ACCESS_H
#define POOLD_ACCESS_H

#include "access/caller.h"
#include "err.h"
#include "event_kind.h"
#include "net_address.h"

#include <stdint.h>

struct access;

/* Why requests were refused. */
enum refusal {
	REFUSAL_MISSING, /* it has no credential */
	REFUSAL_UNKNOWN, /* it has a credential that is none here */
	REFUSAL_EXPIRED,
	REFUSAL_REVOKED,
	REFUSAL_SLOWED, /* its address has failed too often */
	REFUSAL_ROLE,   /* its role does not allow what it asks for */
	REFUSAL__COUNT
};

/* The names of the refusals, for metrics. */
extern const char *const access_refusals[REFUSAL__COUNT];

/* A file of tokens that cannot be used now is told, and no token is taken. */
struct access *access_new(const char *state_dir);
void access_free(struct access *access);

/* Sets the credential of this machine's administrators; to be called before
 * requests come.  Without one, they need a token as well. */
void access_set_local(struct access *access, const char *credential);

/*
 * Finds out who sends a request, by the value of its header Authorization (NULL: it
 * has none) and the address that it comes from.  Fails with ERR_UNAUTHENTICATED, or
 * with ERR_TOO_MANY_FAILURES if the credential is wrong and that address is slowed.
 */
int access_identify(struct access *access, const char *authorization,
		    const char *from, struct caller *caller, struct err *err);

/* True if access_identify() would find the caller; counts and tells nothing. */
bool access_knows(struct access *access, const char *authorization);

/* Fails with ERR_FORBIDDEN if the caller's role is not at least this one; `what` it
 * would do, for the text: "end the drain of another". */
int access_require(struct access *access, const struct caller *caller,
		   enum role role, const char *what, const char *from,
		   struct err *err);

/* Counts and tells a refusal that was found elsewhere: the caller's role does not
 * allow what was asked for. */
void access_note_role(struct access *access, const struct caller *caller,
		      const char *from);

/* False once the caller's token was revoked, removed, or has expired. */
bool access_is_still_good(struct access *access, const struct caller *caller);

/* How many requests were refused for each reason, since poold started. */
const int64_t *access_counts(const struct access *access);

/* Something for the record. */
struct access_note {
	enum event_kind kind;
	char from[NET_ADDRESS_TEXT_BYTES]; /* "": from nowhere */
	char who[API_ID_BYTES];            /* the name of a token, or "" */
	char *text; /* to be freed by whoever takes the note */
};

/* Takes the oldest note; false if there is none. */
bool access_take_note(struct access *access, struct access_note *note);

#endif
