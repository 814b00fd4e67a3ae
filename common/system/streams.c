#include "system/streams.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* 0 if all has arrived.  The first failure may have been long ago, and its reason
 * is not known any more; one more line feed tells it. */
static int find_reason(void)
{
	if (!ferror(stdout) && !fflush(stdout))
		return 0;
	clearerr(stdout);
	errno = 0;
	if (fputc('\n', stdout) != EOF && !fflush(stdout))
		return EIO;
	return errno ? errno : EIO;
}

int streams_finish(int status, struct err *err)
{
	int reason = find_reason();

	if (!reason || reason == EPIPE)
		return status;
	(void)err_set(err, ERR_INTERNAL, "cannot write the output: %s",
		      strerror(reason));
	return status ? status : err_info(ERR_INTERNAL)->exit_status;
}
