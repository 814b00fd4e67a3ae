/*
 * Rules for every request, whatever its route.
 */
#ifndef POOLD_REQUEST_CHECK_H
#define POOLD_REQUEST_CHECK_H

#include "http/host_names.h"
#include "http/http.h"

enum { REQUEST_QUERIES_LIMIT = 4 };

/*
 * Fails with ERR_HOST or ERR_ORIGIN if a web page may have sent it: only browsers
 * send an Origin, and a page of somebody else comes with a Host of somebody else.
 * A client that says no Host is no browser.
 */
int request_check_sender(const struct request *request,
			 const struct host_names *names, struct err *err);

/* Fails with ERR_INVALID_REQUEST if the path has a control character, or the query
 * a NUL. */
int request_check_path(const struct request *request, struct err *err);

/*
 * Fails if the query has a name that is not in `queries`, of which NULL is the last
 * and there are REQUEST_QUERIES_LIMIT at most, or has a name without a value,
 * twice, or with a control character: a part that is ignored would make another
 * request of it.
 */
int request_check_query(const struct request *request, const char *const *queries,
			struct err *err);

#endif
