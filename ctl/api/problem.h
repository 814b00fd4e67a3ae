/*
 * Why a server gave no good reply, and the exit status for that.
 */
#ifndef POOLCTL_PROBLEM_H
#define POOLCTL_PROBLEM_H

#include "api/client.h"
#include "err.h"

#include <stdbool.h>

struct problem {
	enum err_code code;
	int exit_status;
	bool is_silence;      /* no reply of poold came */
	bool is_gateway;      /* as is_silence, and a proxy says so */
	bool may_be_received; /* not a plain refusal: the server may have acted */
	bool is_retryable; /* the server itself says that trying again may help */
	bool may_pass; /* a caller that had good replies before may try again: also
			  if the reply is not poold's, as a proxy's "502" */
	char text[ERR_TEXT_BYTES]; /* cleaned, so that it is UTF-8 even where it was
				    * cut
				    */
};

/* Returns 0 for a reply that is a success; otherwise fills `problem` and returns
 * -1. `url` is of the server, for the text. */
int problem_from_reply(const struct reply *reply, const char *url,
		       struct problem *problem);

/* Fills `problem` for an error that poolctl found itself. */
void problem_from_err(const struct err *err, const char *url,
		      struct problem *problem);

#endif
