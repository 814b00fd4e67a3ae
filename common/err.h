/*
 * Errors: a text that an operator can act on, and a code with its meaning for HTTP
 * and exit statuses.
 *
 * A function that can fail returns 0 or -1 and takes a `struct err *` last.  The
 * caller owns it and starts with a zeroed one.  The first error set wins: it is
 * nearest to the cause.
 */
#ifndef POOLCTL_ERR_H
#define POOLCTL_ERR_H

#include "compat.h"

#include <stdbool.h>
#include <stddef.h>

enum err_code {
	ERR_NONE,
	ERR_INTERNAL,
	ERR_USAGE,
	ERR_CONFIG,
	ERR_INTERRUPTED,
	/* Refusals of the HTTP API. */
	ERR_INVALID_JSON,
	ERR_INVALID_REQUEST,
	ERR_UNKNOWN_FIELD,
	ERR_UNKNOWN_PATH,
	ERR_UNKNOWN_DRAIN,
	ERR_UNKNOWN_SERVICE,
	ERR_GROUPED,
	ERR_LEFT_RUNNING,
	ERR_METHOD,
	ERR_MEDIA_TYPE,
	ERR_WRITE_HEADER,
	ERR_HOST,
	ERR_ORIGIN,
	ERR_UNAUTHENTICATED,
	ERR_FORBIDDEN,
	ERR_TOO_MANY_FAILURES,
	ERR_BODY_TOO_LARGE,
	ERR_HELD,
	ERR_RESERVED,
	ERR_NOT_RESERVED,
	ERR_BUSY,
	ERR_STALE,
	ERR_STOPPING,
	/* The Service Control Manager. */
	ERR_SCM_MISSING,
	ERR_SCM_DENIED,
	ERR_SCM_REFUSED,
	ERR_SCM_NOT_NOW,
	ERR_SCM_FAILED,
	/* The machine that poold runs on. */
	ERR_LISTEN,
	ERR_STATE_DIR,
	ERR_STATE_LOCKED,
	ERR_STORE,
	ERR_SESSIONS,
	/* Failures that only poolctl sees. */
	ERR_UNREACHABLE,
	ERR_BAD_REPLY,
	ERR_NOT_AUTHORISED,
	ERR_WRONG_SERVER,
	ERR_UNTRUSTED, /* its certificate is not the right one */
	ERR_NOT_VERIFIED,
	ERR_TIMEOUT,
	ERR__COUNT,
};

enum { ERR_TEXT_BYTES = 768 };

struct err {
	enum err_code code;
	/* errno or a Win32 error number, 0 if there is none. */
	unsigned long os_code;
	char text[ERR_TEXT_BYTES];
};

/* The meaning of one code; exit statuses are those of docs/api.md. */
struct err_info {
	const char *name; /* the `code` of a problem document */
	const char *title;
	int http_status;
	int exit_status;
	bool is_retryable;
};

/* Sets `err` unless it is set already (NULL is allowed).  Always returns -1. */
int err_set(struct err *err, enum err_code code, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* As err_set, and keeps the operating system's number, which the text ends with. */
int err_set_os(struct err *err, enum err_code code, unsigned long os_code,
	       const char *format, ...) PRINTF_LIKE(4, 5);

/* Puts "prefix: " before the text of an error that is set.  Always returns -1. */
int err_prefix(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

const struct err_info *err_info(enum err_code code);

/* The code with this wire name; ERR_INTERNAL for a name that this version does not
 * know.
 */
enum err_code err_from_name(const char *name);

#endif
