/*
 * The words that both ends of the HTTP API agree on.
 *
 * Each enum has a list of its names, which words_find() finds the value in.
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
/* What the credential of a machine's administrators begins with. */
#define API_LOCAL_PREFIX "poold_local_"

enum {
	API_BODY_LIMIT_BYTES = 64 << 10,
	API_WAIT_LIMIT_S = 300,
	API_ID_BYTES = 65,
	API_TEXT_BYTES = 513,
	API_EVENTS_LIMIT = 1000,
	API_EVENTS_KEPT = 100000, /* in the record, at least */
	API_SESSIONS_LIMIT = 10000,
	API_SESSIONS_USUAL = 1000,
	API_SERVICES_LIMIT = 64,
	API_DRAINS_LIMIT = 64,
	API_DEADLINE_LIMIT_S = 366 * 24 * 3600,
	API_CERTIFICATE_WARN_DAYS = 30, /* before the end of a certificate */
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
	PHASE_ATTENTION, /* the order is that of a server's phase: the highest of
			    its services */
	PHASE__COUNT,
};

enum want { WANT_SERVING, WANT_DRAINED, WANT__COUNT };

/* The states of a service in the SCM (SERVICE_STATUS_PROCESS.dwCurrentState), and
 * more: it is not installed, or the SCM could not be asked. */
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

/* The action of poold if a drain's deadline passes before everything is drained. */
enum on_deadline {
	ON_DEADLINE_HOLD,
	ON_DEADLINE_RESUME,
	ON_DEADLINE_STOP,
	ON_DEADLINE__COUNT,
};

/* A drain is in force; only announced by a reservation; or over. */
enum drain_phase { DRAIN_ACTIVE, DRAIN_RESERVED, DRAIN_ENDED, DRAIN__COUNT };

/* A drain lasts until somebody ends it, or only until the next boot. */
enum until { UNTIL_RESUME, UNTIL_REBOOT, UNTIL__COUNT };

/* The reason for which a drain ended. */
enum end_reason { END_REQUEST, END_DEADLINE, END_REBOOT, END__COUNT };

/* The names of the values above, by value; see words.h. */
extern const char *const api_phases[PHASE__COUNT + 1];
extern const char *const api_wants[WANT__COUNT + 1];
extern const char *const api_service_states[STATE__COUNT + 1];
extern const char *const api_start_types[START__COUNT + 1];
extern const char *const api_drain_phases[DRAIN__COUNT + 1];
extern const char *const api_on_deadlines[ON_DEADLINE__COUNT + 1];
extern const char *const api_untils[UNTIL__COUNT + 1];
extern const char *const api_end_reasons[END__COUNT + 1];

/* True if the value of a header is this media type, in any case, with parameters or
 * without; or if it is a list, its first one.  The value may be NULL. */
bool api_is_media_type(const char *value, const char *type);

/* A drain's id: 1 to 64 of A-Z a-z 0-9 . _ @ -, the first a letter or digit. */
bool api_id_is_valid(const char *id);

#endif
