/*
 * A drain: a named request that a server, or some of its services, be kept out.
 */
#ifndef POOLD_DRAIN_H
#define POOLD_DRAIN_H

#include "api.h"
#include "clock.h"
#include "err.h"
#include "system/host.h"

#include <jansson.h>

struct drain {
	char id[API_ID_BYTES];
	char owner[API_TEXT_BYTES];    /* the name of the credential that asked */
	char acts_for[API_TEXT_BYTES]; /* for whom, as the client says; "": not
					  said, or the owner */
	/* How the owner is known, for the record; NULL: not.  Not stored. */
	const char *credential;
	char reason[API_TEXT_BYTES];
	json_t *services; /* array of names; empty: all services of the server */
	struct wall created_at;
	enum until until;
	char boot_id[HOST_ID_BYTES]; /* the boot in which it was asked for last */

	/* By when it is to have reached drained.  It is over when the time of day
	 * says so and, in the same boot, as much time has gone by as was asked for:
	 * a clock that jumps can delay it, and never brings it early. */
	int64_t deadline_s; /* as asked; 0: none */
	struct wall deadline_at;
	struct mono not_before; /* in the boot of boot_id */
	enum on_deadline on_deadline;
	bool is_over; /* and was not met */
	/* When all that it covers was drained first; 0: not yet. */
	struct wall drained_at;
	bool is_drained_unwritten;

	/* The token of the reservation that it was, or is to be, committed with; ""
	 * if none. Of a request to reserve: for how long.  Of a commit: the gates
	 * that refused it, and that somebody passed all the same.  None of these is
	 * stored. */
	bool is_reserved; /* only announced */
	int64_t ttl_s;
	char reservation[API_TOKEN_BYTES];
	char forced[API_FORCED_LIMIT][API_GATE_BYTES];
	size_t forced_count;

	/* The index from which on everybody can see that it was asked for last; 0:
	 * before this poold started.  Not stored. */
	int64_t asked_index;

	bool is_ended;
	struct wall ended_at;
	char ended_by[API_TEXT_BYTES];
	enum end_reason end_reason;
};

/*
 * Reads the body of PUT /v1/drains/{id} into an empty drain.  Fails with
 * ERR_INVALID_JSON, ERR_UNKNOWN_FIELD or ERR_INVALID_REQUEST, and names the field.
 */
int drain_parse(const char *body, size_t length, struct drain *drain,
		struct err *err);

/* Reads the query of GET /v1/preflight, each NULL if it is not there, into an empty
 * drain: names with commas between them, and the names of an enum until and
 * on_deadline.
 */
int drain_parse_plan(const char *services, const char *until,
		     const char *on_deadline, struct drain *drain, struct err *err);

/* Takes a text without control characters, or fails with ERR_INVALID_REQUEST naming
 * the field. */
int drain_read_text(const json_t *value, const char *field, char to[API_TEXT_BYTES],
		    struct err *err);

bool drain_covers(const struct drain *drain, const char *service);
/* The deadline of an active drain is over, and was not met. */
bool drain_is_overdue(const struct drain *drain);
bool drain_asks_the_same(const struct drain *a, const struct drain *b);

/* The terms of the request, for the record; a new reference. */
json_t *drain_terms_to_json(const struct drain *drain);

/* True if both belong to the same credential, which acts for the same. */
bool drain_is_of_same(const struct drain *a, const struct drain *b);

/* Adds to the terms the credential, the token of its reservation and the gates that
 * were forced, each only if there is any. */
void drain_add_claim(const struct drain *drain, json_t *terms);

/* As the API shows it, a new reference.  `services` are the names that it covers.
 */
json_t *drain_to_json(const struct drain *drain, const json_t *services,
		      bool is_out);

/* The copy shares nothing with the original; drain_done frees what a drain holds.
 */
void drain_copy(struct drain *to, const struct drain *from);
void drain_done(struct drain *drain);

#endif
