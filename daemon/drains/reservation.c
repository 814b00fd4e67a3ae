#include "drains/reservation.h"

#include "text/json_write.h"
#include "utf8.h"

#include <string.h>

static void end(struct reservation *reservation)
{
	drain_done(&reservation->drain);
	reservation->is_active = false;
}

static bool is_of(const struct reservation *reservation, const char *id)
{
	return reservation->is_active && !strcmp(reservation->drain.id, id);
}

static bool is_renewal(const struct reservation *reservation,
		       const struct drain *asked)
{
	return is_of(reservation, asked->id) &&
	       drain_is_of_same(&reservation->drain, asked);
}

static int64_t rest_s(const struct reservation *reservation, struct mono now)
{
	return (reservation_rest_ms(reservation, now) + 999) / 1000;
}

/* Says who has reserved the server, since when and for how long. */
static void describe(const struct reservation *reservation, struct mono now,
		     char text[ERR_TEXT_BYTES])
{
	const struct drain *drain = &reservation->drain;
	char since[CLOCK_TEXT_BYTES];

	(void)snprintf(
		text, ERR_TEXT_BYTES,
		"reserved by %.250s for drain %s since %s, for another %lld s: %.250s",
		drain->owner, drain->id, clock_format(drain->created_at, since),
		(long long)rest_s(reservation, now), drain->reason);
}

static struct mono earlier(struct mono a, struct mono b)
{
	return clock_since(a, b) < 0 ? b : a;
}

static void hold(struct reservation *reservation, const struct drain *asked,
		 struct mono now)
{
	int64_t ttl_s = asked->ttl_s ? asked->ttl_s : API_TTL_USUAL_S;

	drain_copy(&reservation->drain, asked);
	reservation->drain.is_reserved = true;
	reservation->is_active = true;
	reservation->expires_at =
		earlier(clock_add(now, ttl_s * 1000),
			clock_add(reservation->made_at,
				  (int64_t)RESERVATION_LIFE_S * 1000));
}

static void renew(struct reservation *reservation, const struct drain *asked,
		  struct mono now)
{
	struct drain before = reservation->drain;

	hold(reservation, asked, now);
	reservation->drain.created_at = before.created_at;
	utf8_copy(reservation->drain.reservation, API_TOKEN_BYTES,
		  before.reservation);
	drain_done(&before);
}

int reservation_reserve(struct reservation *reservation, const struct drain *asked,
			const char *server, const char *token, struct mono now,
			struct wall wall, struct err *err)
{
	char holder[ERR_TEXT_BYTES];

	(void)reservation_expire(reservation, now);
	if (is_renewal(reservation, asked)) {
		renew(reservation, asked, now);
		return 0;
	}
	if (reservation->is_active) {
		describe(reservation, now, holder);
		return err_set(err, ERR_RESERVED, "%s is %s", server, holder);
	}
	reservation->made_at = now;
	hold(reservation, asked, now);
	reservation->drain.created_at = wall;
	reservation->number++;
	utf8_copy(reservation->drain.reservation, API_TOKEN_BYTES, token);
	return 1;
}

int reservation_check(struct reservation *reservation, const struct drain *asked,
		      const char *server, struct mono now, struct err *err)
{
	char holder[ERR_TEXT_BYTES];

	(void)reservation_expire(reservation, now);
	if (is_of(reservation, asked->id) &&
	    !strcmp(reservation->drain.reservation, asked->reservation))
		return 0;
	if (reservation->is_active) {
		describe(reservation, now, holder);
		return err_set(err, ERR_NOT_RESERVED, "%s is %s", server, holder);
	}
	if (!*asked->reservation)
		return err_set(
			err, ERR_NOT_RESERVED,
			"drain '%s' has no reservation on %s; PUT it with 'phase': "
			"'reserved' first, check the other members of the pool, "
			"then PUT it with the reservation's token",
			asked->id, server);
	return err_set(
		err, ERR_NOT_RESERVED,
		"the reservation of drain '%s' on %s is no longer valid; reserve "
		"again, and check the pool again",
		asked->id, server);
}

void reservation_commit(struct reservation *reservation)
{
	end(reservation);
}

bool reservation_withdraw(struct reservation *reservation, const char *id,
			  const char *token)
{
	if (!is_of(reservation, id) ||
	    (token && strcmp(reservation->drain.reservation, token)))
		return false;
	end(reservation);
	return true;
}

bool reservation_expire(struct reservation *reservation, struct mono now)
{
	if (!reservation->is_active || reservation_rest_ms(reservation, now) > 0)
		return false;
	end(reservation);
	return true;
}

int64_t reservation_rest_ms(const struct reservation *reservation, struct mono now)
{
	int64_t rest_ms = clock_since(now, reservation->expires_at);

	if (!reservation->is_active)
		return -1;
	return rest_ms > 0 ? rest_ms : 0;
}

json_t *reservation_to_json(const struct reservation *reservation, bool with_token,
			    struct mono now)
{
	const struct drain *drain = &reservation->drain;
	char since[CLOCK_TEXT_BYTES];
	json_t *json;

	if (!reservation->is_active)
		return json_null();
	json = json_object();
	json_write_text(json, "id", drain->id);
	json_write_text(json, "owner", drain->owner);
	if (*drain->acts_for)
		json_write_text(json, "for", drain->acts_for);
	json_write_text(json, "reason", drain->reason);
	json_write_text(json, "created_at", clock_format(drain->created_at, since));
	if (with_token)
		json_write_text(json, "token", drain->reservation);
	json_write_number(json, "expires_in_s", rest_s(reservation, now));
	return json;
}

void reservation_done(struct reservation *reservation)
{
	if (reservation->is_active)
		end(reservation);
}
