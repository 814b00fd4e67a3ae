/*
 * The preflight of a server: whether a drain could work, what it would change, and
 * how long it would take.
 *
 * Read strictly, and as a whole.  All texts live as long as the struct, and are not
 * cleaned.
 */
#ifndef POOLCTL_PREFLIGHT_REPLY_H
#define POOLCTL_PREFLIGHT_REPLY_H

#include "api/reply_read.h"
#include "buf.h"

#include <stddef.h>

/* The order is that in which a person should read them. */
enum preflight_level {
	PREFLIGHT_REFUSAL, /* forbids the drain */
	PREFLIGHT_WARNING,
	PREFLIGHT_NOTE,
	PREFLIGHT_LEVEL__COUNT
};

struct preflight_finding {
	enum preflight_level level;
	const char *service; /* NULL: it is about the whole server */
	const char *text;
	const char *remedy; /* or NULL */
	const char *code;
};

/* A service, or one that needs it. */
struct preflight_state {
	const char *name, *state;
	const char *start_type; /* NULL: unknown */
	bool is_delayed;
};

struct preflight_service {
	struct preflight_state is;
	const char *display_name;
	int64_t sessions;     /* COUNT_UNKNOWN: unknown */
	const char **changes; /* that a drain would make, in their order */
	size_t change_count;
	struct preflight_state *dependants;
	size_t dependant_count;
};

/* The time that the drain would take; COUNT_UNKNOWN where it is unknown. */
struct preflight_forecast {
	bool is_given; /* an older poold gives none; the rest is valid if it is */
	bool is_known;
	int64_t half_s, nine_tenths_s; /* in one, and in nine of ten cases */
	double chance;      /* to end before the deadline; negative: unknown */
	const char *reason; /* why something is unknown, or NULL */
};

struct preflight_reply {
	json_t *document;   /* the whole reply, to be passed on to programs as it is
			     */
	int64_t deadline_s; /* that was asked about; 0: none */
	bool is_possible;
	struct preflight_finding *findings; /* the server's first */
	size_t finding_count;
	struct preflight_service *services; /* at least one */
	size_t service_count;
	struct preflight_forecast forecast;
};

/*
 * Reads the reply of this server to a question about a drain with this deadline.
 * Fails with ERR_BAD_REPLY, which names what is wrong, or with ERR_WRONG_SERVER if
 * it is another server's.  To be freed with preflight_reply_free.
 */
struct preflight_reply *preflight_reply_parse(const struct pool_server *server,
					      int64_t deadline_s, const char *body,
					      size_t length, struct err *err);
void preflight_reply_free(struct preflight_reply *preflight);

const char *preflight_reply_level_name(enum preflight_level level);

/* Adds "RTCSRV paused, 3 sessions" for each service if all of them are out already;
 * returns false, and adds nothing, if one is not. */
bool preflight_reply_tell_out(const struct preflight_reply *preflight,
			      struct buf *text);

/* Does the drain fit into the time until its deadline? */
enum fit {
	FIT_NO_DEADLINE,  /* there is nothing to fit into */
	FIT_YES,          /* in nine cases of ten, or more */
	FIT_NOT_POSSIBLE, /* there is no drain that could fit */
	FIT_NO,
	FIT_NOT_KNOWN,
	FIT__COUNT
};

enum fit preflight_reply_fit(const struct preflight_reply *preflight);
const char *preflight_reply_fit_name(enum fit fit);

/* For a drain that is possible: adds "about 11m00s, 90% likely within 25m00s", and
 * for a deadline how likely the drain is to meet it; or that this is unknown, and
 * why. */
void preflight_reply_explain(const struct preflight_reply *preflight,
			     struct buf *text);

#endif
