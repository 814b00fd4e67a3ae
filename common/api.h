/*
 * The words that both ends of the HTTP API agree on.
 *
 * Each enum has a table of wire names; x_name() gives the name, x_from_name() finds the
 * value and returns -1 if there is none.
 */
#ifndef POOLCTL_API_H
#define POOLCTL_API_H

#include <stdbool.h>

#define API_VERSION_PATH "/v1"
#define API_JSON "application/json"
#define API_PROBLEM_JSON "application/problem+json"
#define API_EVENT_STREAM "text/event-stream"
#define API_LAST_EVENT_HEADER "Last-Event-ID"
#define API_WRITE_HEADER "Poolctl-Request"
#define API_OWNER_HEADER "Poolctl-Owner"

enum {
	API_BODY_LIMIT_BYTES = 64 << 10,
	API_WAIT_LIMIT_S = 300,
	API_ID_BYTES = 65,
	API_TEXT_BYTES = 513,
	API_EVENTS_LIMIT = 1000,
	API_SESSIONS_LIMIT = 10000,
	API_SESSIONS_USUAL = 1000,
	API_SERVICES_LIMIT = 64,
	API_DRAINS_LIMIT = 64,
	API_DEADLINE_LIMIT_S = 366 * 24 * 3600,
	API_TTL_LIMIT_S = 60, /* of a reservation, and what it is if not given */
	API_TTL_USUAL_S = 15,
	API_TOKEN_BYTES = 64,
	API_FORCED_LIMIT = 16,
	API_GATE_BYTES = 33,
};

enum phase {
	PHASE_SERVING,
	PHASE_DRAINED,
	PHASE_RESUMING,
	PHASE_DRAINING,
	PHASE_ATTENTION, /* the order is that of a server's phase: the highest of its
			    services */
	PHASE__COUNT,
};

enum want { WANT_SERVING, WANT_DRAINED, WANT__COUNT };

/* What the SCM says a service is (SERVICE_STATUS_PROCESS.dwCurrentState), and two more:
 * it is not installed, or the SCM could not be asked. */
enum service_state {
	STATE_STOPPED,
	STATE_START_PENDING,
	STATE_STOP_PENDING,
	STATE_RUNNING,
	STATE_CONTINUE_PENDING,
	STATE_PAUSE_PENDING,
	STATE_PAUSED,
	STATE_MISSING,
	STATE_ABSENT,
	STATE_UNKNOWN,
	STATE__COUNT,
};

enum start_type {
	START_BOOT,
	START_SYSTEM,
	START_AUTOMATIC,
	START_MANUAL,
	START_DISABLED,
	START__COUNT,
};

/* What poold does when a drain's deadline is over before everything was drained. */
enum on_deadline {
	ON_DEADLINE_HOLD,
	ON_DEADLINE_RESUME,
	ON_DEADLINE_STOP,
	ON_DEADLINE__COUNT,
};

/* What a drain is: asked for; only announced by a reservation; or over. */
enum drain_phase { DRAIN_ACTIVE, DRAIN_RESERVED, DRAIN_ENDED, DRAIN__COUNT };

/* How long a drain lasts: until somebody ends it, or only until the next boot. */
enum until { UNTIL_RESUME, UNTIL_REBOOT, UNTIL__COUNT };

/* Why a drain ended. */
enum end_reason { END_REQUEST, END_DEADLINE, END_REBOOT, END__COUNT };

const char *phase_name(enum phase phase);
const char *want_name(enum want want);
const char *service_state_name(enum service_state state);
const char *start_type_name(enum start_type type);
const char *drain_phase_name(enum drain_phase phase);
const char *on_deadline_name(enum on_deadline on_deadline);
const char *until_name(enum until until);
const char *end_reason_name(enum end_reason reason);

int phase_from_name(const char *name);
int want_from_name(const char *name);
int service_state_from_name(const char *name);
int start_type_from_name(const char *name);
int drain_phase_from_name(const char *name);
int on_deadline_from_name(const char *name);
int until_from_name(const char *name);
int end_reason_from_name(const char *name);

/* A drain's id: 1 to 64 of A-Z a-z 0-9 . _ @ -, the first a letter or digit. */
bool api_id_is_valid(const char *id);

#endif
