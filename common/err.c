#include "err.h"

#include "exit_status.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The only place that knows the names and meanings of the codes. */
static const struct err_info infos[ERR__COUNT] = {
	[ERR_NONE] = {"none", "No error", 200, EXIT_REACHED, false},
	[ERR_INTERNAL] = {"internal", "Unexpected failure", 500, EXIT_FAILED, true},
	[ERR_USAGE] = {"usage", "Wrong command line", 400, EXIT_USAGE, false},
	[ERR_CONFIG] = {"config", "Mistake in a configuration file", 500,
			EXIT_USAGE, false},
	[ERR_INTERRUPTED] = {"interrupted", "Interrupted", 500, EXIT_INTERRUPTED,
			     false},
	[ERR_INVALID_JSON] = {"invalid_json", "The body is not JSON", 400,
			      EXIT_USAGE, false},
	[ERR_INVALID_REQUEST] = {"invalid_request", "A value is not allowed", 400,
				 EXIT_USAGE, false},
	[ERR_UNKNOWN_FIELD] = {"unknown_field", "The request has an unknown field",
			       400, EXIT_USAGE, false},
	[ERR_UNKNOWN_PATH] = {"unknown_path", "Unknown path", 404, EXIT_USAGE,
			      false},
	[ERR_UNKNOWN_DRAIN] = {"unknown_drain", "Unknown drain", 404, EXIT_USAGE,
			       false},
	[ERR_UNKNOWN_SERVICE] = {"unknown_service", "Unknown service", 404,
				 EXIT_USAGE, false},
	[ERR_GROUPED] = {"grouped", "The component shares its service with others",
			 409, EXIT_USAGE, false},
	[ERR_LEFT_RUNNING] = {"left_running", "The service must be left running",
			      409, EXIT_USAGE, false},
	[ERR_METHOD] = {"method_not_allowed", "This path does not have this method",
			405, EXIT_USAGE, false},
	[ERR_MEDIA_TYPE] = {"unsupported_media_type", "The body must be JSON", 415,
			    EXIT_USAGE, false},
	[ERR_WRITE_HEADER] = {"write_header_missing", "A header is missing", 403,
			      EXIT_USAGE, false},
	[ERR_HOST] = {"unknown_host", "Unknown name of the server", 403, EXIT_USAGE,
		      false},
	[ERR_ORIGIN] = {"origin_refused", "A web page may not ask", 403, EXIT_USAGE,
			false},
	[ERR_UNAUTHENTICATED] = {"unauthenticated", "A credential is needed", 401,
				 EXIT_UNREACHABLE, false},
	[ERR_FORBIDDEN] = {"forbidden", "The role does not allow this", 403,
			   EXIT_UNREACHABLE, false},
	[ERR_TOO_MANY_FAILURES] = {"too_many_failures",
				   "Too many wrong credentials", 429,
				   EXIT_UNREACHABLE, true},
	[ERR_BODY_TOO_LARGE] = {"body_too_large", "The body is too large", 413,
				EXIT_USAGE, false},
	[ERR_HELD] = {"held", "Held by another", 409, EXIT_HELD, false},
	[ERR_RESERVED] = {"reserved", "Reserved by another", 409, EXIT_HELD, true},
	[ERR_NOT_RESERVED] = {"not_reserved", "Not reserved for this drain", 409,
			      EXIT_HELD, true},
	[ERR_BUSY] = {"busy", "Too many requests at once", 503, EXIT_FAILED, true},
	[ERR_STALE] = {"stale", "The last known state is too old", 503, EXIT_FAILED,
		       true},
	[ERR_STOPPING] = {"stopping", "poold is stopping", 503, EXIT_UNREACHABLE,
			  true},
	[ERR_SCM_MISSING] = {"service_missing", "The service is not installed", 503,
			     EXIT_NOT_VERIFIED, false},
	[ERR_SCM_DENIED] = {"service_denied", "The SCM denies access", 503,
			    EXIT_NOT_VERIFIED, false},
	[ERR_SCM_REFUSED] = {"service_refused", "The service refused", 503,
			     EXIT_NOT_VERIFIED, false},
	[ERR_SCM_NOT_NOW] = {"service_not_now", "The service cannot do this now",
			     503, EXIT_NOT_VERIFIED, true},
	[ERR_SCM_FAILED] = {"service_failed", "The SCM failed", 503,
			    EXIT_NOT_VERIFIED, true},
	[ERR_LISTEN] = {"listen", "poold cannot listen on this address", 500,
			EXIT_LISTEN, false},
	[ERR_STATE_DIR] = {"state_dir", "The state directory cannot be used", 500,
			   EXIT_STATE_DIR, false},
	[ERR_STATE_LOCKED] = {"state_locked",
			      "Another poold uses this state directory", 500,
			      EXIT_STATE_LOCKED, false},
	[ERR_STORE] = {"store", "The store failed", 503, EXIT_FAILED, true},
	[ERR_SESSIONS] = {"sessions_unknown", "The sessions cannot be counted", 503,
			  EXIT_FAILED, true},
	[ERR_UNREACHABLE] = {"unreachable", "The server does not answer", 503,
			     EXIT_UNREACHABLE, true},
	[ERR_BAD_REPLY] = {"bad_reply", "The reply is not valid", 502, EXIT_FAILED,
			   false},
	[ERR_NOT_AUTHORISED] = {"not_authorised", "Not authorised", 401,
				EXIT_UNREACHABLE, false},
	[ERR_WRONG_SERVER] = {"wrong_server", "Another server answers", 502,
			      EXIT_UNREACHABLE, false},
	[ERR_UNTRUSTED] = {"untrusted", "The server is not trusted", 502,
			   EXIT_UNREACHABLE, false},
	[ERR_NOT_VERIFIED] = {"not_verified", "The requested state was not reached",
			      500, EXIT_NOT_VERIFIED, false},
	[ERR_TIMEOUT] = {"timeout", "The wait timed out", 504, EXIT_TIMEOUT, true},
};

static void append_os_code(struct err *err)
{
	size_t used = strlen(err->text), length;
	char code[32];

	if (!err->os_code)
		return;
	(void)snprintf(code, sizeof(code), " (error %lu)", err->os_code);
	length = strlen(code);
	/* The text may be that of another error, which has it. */
	if (used < length || strcmp(err->text + used - length, code) != 0)
		(void)snprintf(err->text + used, sizeof(err->text) - used, "%s",
			       code);
}

PRINTF_LIKE(4, 0)
static void set(struct err *err, enum err_code code, unsigned long os_code,
		const char *format, va_list args)
{
	if (!err || err->code != ERR_NONE)
		return;
	err->code = code;
	err->os_code = os_code;
	(void)vsnprintf(err->text, sizeof(err->text), format, args);
	utf8_drop_cut(err->text);
	append_os_code(err);
}

int err_set(struct err *err, enum err_code code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(err, code, 0, format, args);
	va_end(args);
	return -1;
}

int err_set_os(struct err *err, enum err_code code, unsigned long os_code,
	       const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(err, code, os_code, format, args);
	va_end(args);
	return -1;
}

int err_prefix(struct err *err, const char *format, ...)
{
	char old[ERR_TEXT_BYTES];
	va_list args;
	size_t used;

	if (!err || err->code == ERR_NONE)
		return -1;
	memcpy(old, err->text, sizeof(old));
	va_start(args, format);
	(void)vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	used = strlen(err->text);
	(void)snprintf(err->text + used, sizeof(err->text) - used, ": %s", old);
	utf8_drop_cut(err->text);
	return -1;
}

const struct err_info *err_info(enum err_code code)
{
	return &infos[code < ERR__COUNT ? code : ERR_INTERNAL];
}

enum err_code err_from_name(const char *name)
{
	for (int code = 0; code < ERR__COUNT; code++)
		if (!strcmp(infos[code].name, name))
			return (enum err_code)code;
	return ERR_INTERNAL;
}
