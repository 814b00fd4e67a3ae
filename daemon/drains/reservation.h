/*
 * The reservation: a short claim on this server, made before a drain is committed,
 * so that two operators see each other.
 *
 * A client reserves, checks every other member of the pool, and commits or
 * withdraws. There is one reservation at most, in memory only: after a restart
 * there is none, and a commit with an earlier one is refused.  When two operators
 * drain at once, whoever reserves second is certain to see the first one's
 * reservation or drain: it is visible from before its owner checks the pool until
 * the drain it becomes has ended. tests/model/reservation.pml has the same steps,
 * and shows that no pool falls below its floor.  Pure.
 */
#ifndef POOLD_RESERVATION_H
#define POOLD_RESERVATION_H

#include "drains/drain.h"

enum { RESERVATION_LIFE_S = 300 }; /* however often it is renewed */

struct reservation {
	bool is_active;
	/* What is to be committed, with `reservation` the token and `created_at`
	 * since when; owned.  Valid while it is active. */
	struct drain drain;
	int64_t number; /* of this one; how many there were since poold started */
	struct mono made_at, expires_at;
};

/*
 * Makes a reservation for the drain that is asked for, or renews the one that the
 * same owner has for the same drain: that keeps its token, as the reply that told
 * it may be lost, and what is asked for is what was asked for last.  1 if it is
 * new, 0 if renewed; ERR_RESERVED if another holds the server.  It lasts for
 * `ttl_s` of the drain, or API_TTL_USUAL_S if that is 0.  A new one has `token`,
 * which nobody can guess and no other had.
 */
int reservation_reserve(struct reservation *reservation, const struct drain *asked,
			const char *server, const char *token, struct mono now,
			struct wall wall, struct err *err);

/* Whether the drain may be committed: ERR_NOT_RESERVED if its token is not that of
 * a reservation for it that holds now.  Changes nothing. */
int reservation_check(struct reservation *reservation, const struct drain *asked,
		      const char *server, struct mono now, struct err *err);

/* The drain is on disk: it is to be seen instead of the reservation from now on. */
void reservation_commit(struct reservation *reservation);

/* Ends the reservation of this drain, only if it has this token, which may be NULL
 * for any. False if there is no such one. */
bool reservation_withdraw(struct reservation *reservation, const char *id,
			  const char *token);

/* Ends it when its time is over; true if it did. */
bool reservation_expire(struct reservation *reservation, struct mono now);

/* For how long it still holds; -1 if there is none. */
int64_t reservation_rest_ms(const struct reservation *reservation, struct mono now);

/* As the API shows it, a new reference: null if there is none.  The token is for
 * its owner alone. */
json_t *reservation_to_json(const struct reservation *reservation, bool with_token,
			    struct mono now);

void reservation_done(struct reservation *reservation);

#endif
