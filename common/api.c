#include "api.h"

#include <string.h>

static const char *const phases[PHASE__COUNT] = {
	[PHASE_SERVING] = "serving",     [PHASE_DRAINED] = "drained",
	[PHASE_RESUMING] = "resuming",   [PHASE_DRAINING] = "draining",
	[PHASE_ATTENTION] = "attention",
};

static const char *const wants[WANT__COUNT] = {
	[WANT_SERVING] = "serving",
	[WANT_DRAINED] = "drained",
};

static const char *const states[STATE__COUNT] = {
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

static const char *const start_types[START__COUNT] = {
	[START_BOOT] = "boot",           [START_SYSTEM] = "system",
	[START_AUTOMATIC] = "automatic", [START_MANUAL] = "manual",
	[START_DISABLED] = "disabled",
};

static const char *const drain_phases[DRAIN__COUNT] = {
	[DRAIN_ACTIVE] = "active",
	[DRAIN_RESERVED] = "reserved",
	[DRAIN_ENDED] = "ended",
};

static const char *const on_deadlines[ON_DEADLINE__COUNT] = {
	[ON_DEADLINE_HOLD] = "hold",
	[ON_DEADLINE_RESUME] = "resume",
	[ON_DEADLINE_STOP] = "stop",
};

static const char *const untils[UNTIL__COUNT] = {
	[UNTIL_RESUME] = "resume",
	[UNTIL_REBOOT] = "reboot",
};

static const char *const end_reasons[END__COUNT] = {
	[END_REQUEST] = "request",
	[END_DEADLINE] = "deadline",
	[END_REBOOT] = "reboot",
};

static int find(const char *const *names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

const char *phase_name(enum phase phase)
{
	return phases[phase];
}

const char *want_name(enum want want)
{
	return wants[want];
}

const char *service_state_name(enum service_state state)
{
	return states[state];
}

const char *start_type_name(enum start_type type)
{
	return start_types[type];
}

const char *drain_phase_name(enum drain_phase phase)
{
	return drain_phases[phase];
}

const char *on_deadline_name(enum on_deadline on_deadline)
{
	return on_deadlines[on_deadline];
}

const char *until_name(enum until until)
{
	return untils[until];
}

const char *end_reason_name(enum end_reason reason)
{
	return end_reasons[reason];
}

int phase_from_name(const char *name)
{
	return find(phases, PHASE__COUNT, name);
}

int want_from_name(const char *name)
{
	return find(wants, WANT__COUNT, name);
}

int service_state_from_name(const char *name)
{
	return find(states, STATE__COUNT, name);
}

int start_type_from_name(const char *name)
{
	return find(start_types, START__COUNT, name);
}

int drain_phase_from_name(const char *name)
{
	return find(drain_phases, DRAIN__COUNT, name);
}

int on_deadline_from_name(const char *name)
{
	return find(on_deadlines, ON_DEADLINE__COUNT, name);
}

int until_from_name(const char *name)
{
	return find(untils, UNTIL__COUNT, name);
}

int end_reason_from_name(const char *name)
{
	return find(end_reasons, END__COUNT, name);
}

static bool is_letter_or_digit(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
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
