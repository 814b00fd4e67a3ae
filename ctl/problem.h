/*
 * Why a server gave no good answer, and what that is worth as an exit status.
 */
#ifndef POOLCTL_PROBLEM_H
#define POOLCTL_PROBLEM_H

#include "client.h"
#include "err.h"

#include <stdbool.h>

struct problem {
	enum err_code code;
	int exit_status;
	bool is_silence;      /* nothing answered */
	bool may_be_received; /* it is no plain refusal: the server may have acted */
	bool is_retryable; /* the server itself says that it may go better in a moment */
	bool may_pass;     /* who was answered before may try again: also if what answers
			      now is no poold, as a proxy's "502" or another protocol */
	char text[ERR_TEXT_BYTES]; /* cleaned, so that it is UTF-8 even where it was cut
				    */
};

/* Returns 0 for a reply that is a success; otherwise fills `problem` and returns -1.
 * `url` is of the server, for the text. */
int problem_from_reply(const struct reply *reply, const char *url,
		       struct problem *problem);

/* The same for an error that poolctl found itself. */
void problem_from_err(const struct err *err, const char *url, struct problem *problem);

#endif
