/*
 * The check in front of every route: who sends a request, and whether he may.
 *
 * Whatever the record should know of it becomes a task of the supervisor.
 */
#ifndef POOLD_CALLER_CHECK_H
#define POOLD_CALLER_CHECK_H

#include "access/access.h"
#include "http/http.h"
#include "http/task_queue.h"

struct caller_check {
	struct access *access;
	struct task_queue *tasks;
};

/* Finds out who sends the request, by its header Authorization, or without one by
 * the certificate of the client, and fails if that role is not at least this one:
 * with the errors of access_identify() and access_require(), to which `what` is for
 * the text. */
int caller_check_find(struct caller_check *check, const struct request *request,
		      enum role role, const char *what, struct caller *caller,
		      struct err *err);

/* True if the request has a credential that is good here. */
bool caller_check_knows(struct caller_check *check, const struct request *request);

/* Fails with ERR_FORBIDDEN if the caller's role is not at least this one. */
int caller_check_role(struct caller_check *check, const struct request *request,
		      const struct caller *caller, enum role role, const char *what,
		      struct err *err);

/*
 * The owner of what the caller does.  That is the name of the credential; what the
 * client says (NULL: nothing) is for whom it acts.  Only an administrator of this
 * machine says himself who he is.
 */
void caller_check_owner(const struct request *request, const struct caller *caller,
			const char *said, char owner[API_TEXT_BYTES],
			char acts_for[API_TEXT_BYTES]);

/* False once the caller's credential is not good any more. */
bool caller_check_is_still_good(struct caller_check *check,
				const struct request *request,
				const struct caller *caller);

/* Sends what is to be recorded to the supervisor. */
void caller_check_tell(struct caller_check *check);

#endif
