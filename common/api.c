#include "api.h"

#include <string.h>

const char *const api_phases[PHASE__COUNT + 1] = {
	[PHASE_SERVING] = "serving",     [PHASE_DRAINED] = "drained",
	[PHASE_RESUMING] = "resuming",   [PHASE_DRAINING] = "draining",
	[PHASE_ATTENTION] = "attention",
};

const char *const api_wants[WANT__COUNT + 1] = {
	[WANT_SERVING] = "serving",
	[WANT_DRAINED] = "drained",
};

const char *const api_service_states[STATE__COUNT + 1] = {
	[STATE_STOPPED] = "stopped",
	[STATE_START_PENDING] = "start_pending",
	[STATE_STOP_PENDING] = "stop_pending",
	[STATE_RUNNING] = "running",
	[STATE_CONTINUE_PENDING] = "continue_pending",
	[STATE_PAUSE_PENDING] = "pause_pending",
	[STATE_PAUSED] = "paused",
	[STATE_MISSING] = "missing",
	[STATE_ABSENT] = "absent",
	[STATE_UNKNOWN] = "unknown",
};

const char *const api_start_types[START__COUNT + 1] = {
	[START_BOOT] = "boot",           [START_SYSTEM] = "system",
	[START_AUTOMATIC] = "automatic", [START_MANUAL] = "manual",
	[START_DISABLED] = "disabled",
};

const char *const api_drain_phases[DRAIN__COUNT + 1] = {
	[DRAIN_ACTIVE] = "active",
	[DRAIN_RESERVED] = "reserved",
	[DRAIN_ENDED] = "ended",
};

const char *const api_on_deadlines[ON_DEADLINE__COUNT + 1] = {
	[ON_DEADLINE_HOLD] = "hold",
	[ON_DEADLINE_RESUME] = "resume",
	[ON_DEADLINE_STOP] = "stop",
};

const char *const api_untils[UNTIL__COUNT + 1] = {
	[UNTIL_RESUME] = "resume",
	[UNTIL_REBOOT] = "reboot",
};

const char *const api_end_reasons[END__COUNT + 1] = {
	[END_REQUEST] = "request",
	[END_DEADLINE] = "deadline",
	[END_REBOOT] = "reboot",
};

bool api_is_media_type(const char *value, const char *type)
{
	size_t length = strlen(type);

	return value && !strncasecmp(value, type, length) &&
	       strchr("; \t,", value[length]);
}

static bool is_letter_or_digit(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9');
}

bool api_id_is_valid(const char *id)
{
	size_t length = strlen(id);

	if (length == 0 || length >= API_ID_BYTES || !is_letter_or_digit(id[0]))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_letter_or_digit(id[i]) && !strchr("._@-", id[i]))
			return false;
	return true;
}
