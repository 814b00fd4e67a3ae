#include "err.h"

#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The only place that knows what a code is called and what it is worth.  Exit statuses
 * from 10 up are poold's own: its start failed for a reason that a script may want to
 * tell apart. */
static const struct err_info infos[ERR__COUNT] = {
	[ERR_NONE] = {"none", "No error", 200, 0, false},
	[ERR_INTERNAL] = {"internal", "Unexpected failure", 500, 1, true},
	[ERR_USAGE] = {"usage", "Wrong use of the command", 400, 2, false},
	[ERR_CONFIG] = {"config", "Mistake in a configuration file", 500, 2, false},
	[ERR_INTERRUPTED] = {"interrupted", "Interrupted", 500, 130, false},
	[ERR_INVALID_JSON] = {"invalid_json", "The body is not JSON", 400, 2, false},
	[ERR_INVALID_REQUEST] = {"invalid_request", "A value is not allowed", 400, 2,
				 false},
	[ERR_UNKNOWN_FIELD] = {"unknown_field", "The body has an unknown field", 400, 2,
			       false},
	[ERR_UNKNOWN_PATH] = {"unknown_path", "Nothing lives at this path", 404, 2,
			      false},
	[ERR_UNKNOWN_DRAIN] = {"unknown_drain", "There is no such drain", 404, 2, false},
	[ERR_UNKNOWN_SERVICE] = {"unknown_service", "There is no such service", 404, 2,
				 false},
	[ERR_GROUPED] = {"grouped", "The component shares its service with others", 409,
			 2, false},
	[ERR_LEFT_RUNNING] = {"left_running", "The service must be left running", 409, 2,
			      false},
	[ERR_METHOD] = {"method_not_allowed", "Not a method of this path", 405, 2, false},
	[ERR_MEDIA_TYPE] = {"unsupported_media_type", "The body must be JSON", 415, 2,
			    false},
	[ERR_WRITE_HEADER] = {"write_header_missing", "A header is missing", 403, 2,
			      false},
	[ERR_BODY_TOO_LARGE] = {"body_too_large", "The body is too large", 413, 2, false},
	[ERR_HELD] = {"held", "Held by another", 409, 5, false},
	[ERR_RESERVED] = {"reserved", "Reserved by another", 409, 5, true},
	[ERR_NOT_RESERVED] = {"not_reserved", "Not reserved for this drain", 409, 5,
			      true},
	[ERR_BUSY] = {"busy", "Too many requests at once", 503, 1, true},
	[ERR_STALE] = {"stale", "What is known is too old", 503, 1, true},
	[ERR_STOPPING] = {"stopping", "poold is stopping", 503, 3, true},
	[ERR_SCM_MISSING] = {"service_missing", "The service is not installed", 503, 9,
			     false},
	[ERR_SCM_DENIED] = {"service_denied", "The SCM denies access", 503, 9, false},
	[ERR_SCM_REFUSED] = {"service_refused", "The service refused", 503, 9, false},
	[ERR_SCM_NOT_NOW] = {"service_not_now", "The service cannot do it now", 503, 9,
			     true},
	[ERR_SCM_FAILED] = {"service_failed", "The SCM failed", 503, 9, true},
	[ERR_LISTEN] = {"listen", "The address cannot be listened on", 500, 10, false},
	[ERR_STATE_DIR] = {"state_dir", "The state directory cannot be used", 500, 11,
			   false},
	[ERR_STATE_LOCKED] = {"state_locked", "Another poold uses the state", 500, 12,
			      false},
	[ERR_STORE] = {"store", "The store failed", 503, 1, true},
	[ERR_SESSIONS] = {"sessions_unknown", "The sessions cannot be counted", 503, 1,
			  true},
	[ERR_UNREACHABLE] = {"unreachable", "The server does not answer", 503, 3, true},
	[ERR_BAD_REPLY] = {"bad_reply", "The reply cannot be understood", 502, 1, false},
	[ERR_NOT_VERIFIED] = {"not_verified", "The asked state was not reached", 500, 9,
			      false},
	[ERR_TIMEOUT] = {"timeout", "The time to wait is over", 504, 6, true},
};

static void append_os_code(struct err *err)
{
	size_t used = strlen(err->text);

	if (err->os_code)
		(void)snprintf(err->text + used, sizeof(err->text) - used, " (error %lu)",
			       err->os_code);
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
	drop_cut_character(err->text);
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
	drop_cut_character(err->text);
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
