/*
 * The reservation: one at a time, its owner's until its time is over, and a commit
 * only with it.
 */
#include "drains/reservation.h"

#include "utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND_MS = 1000 };

static struct mono at(int64_t ms)
{
	return (struct mono){5000000 + ms};
}

static struct drain ask(const char *id, const char *owner, int64_t ttl_s)
{
	struct drain drain = {.is_reserved = true, .ttl_s = ttl_s};

	utf8_copy(drain.id, sizeof(drain.id), id);
	utf8_copy(drain.owner, sizeof(drain.owner), owner);
	utf8_copy(drain.reason, sizeof(drain.reason), "patch day");
	drain.services = json_array();
	return drain;
}

/* 1 for a new one, 0 for a renewal, -1 for a refusal; the token is that of the one
 * that is held then. */
static int reserve(struct reservation *r, const char *id, const char *owner,
		   int64_t ttl_s, int64_t ms, struct err *err)
{
	struct drain asked = ask(id, owner, ttl_s);
	char token[API_TOKEN_BYTES];
	int ret;

	(void)snprintf(token, sizeof(token), "9f0e-%lld", (long long)r->number + 1);
	ret = reservation_reserve(r, &asked, "frontend01", token, at(ms),
				  (struct wall){1777624200250 + ms}, err);
	drain_done(&asked);
	return ret;
}

static int check(struct reservation *r, const char *id, const char *token,
		 int64_t ms, struct err *err)
{
	struct drain asked = ask(id, "alice", 0);
	int ret;

	utf8_copy(asked.reservation, sizeof(asked.reservation), token);
	ret = reservation_check(r, &asked, "frontend01", at(ms), err);
	drain_done(&asked);
	return ret;
}

static void says(const struct err *err, enum err_code code, const char *words)
{
	assert_int_equal(err->code, code);
	if (!strstr(err->text, words))
		fail_msg("'%s' should say '%s'", err->text, words);
}

static void a_commit_needs_the_token_of_its_own_reservation(void **state)
{
	struct reservation r = {0};
	char token[API_TOKEN_BYTES];

	(void)state;
	assert_int_equal(reserve(&r, "kb1", "alice", 15, 0, NULL), 1);
	utf8_copy(token, sizeof(token), r.drain.reservation);
	assert_string_equal(token, "9f0e-1");
	assert_int_equal(check(&r, "kb2", token, 0, NULL), -1);
	assert_int_equal(check(&r, "kb1", "", 0, NULL), -1);
	assert_int_equal(check(&r, "kb1", "9f0e-2", 0, NULL), -1);
	assert_int_equal(check(&r, "kb1", "9f0e-1x", 0, NULL), -1);
	assert_int_equal(check(&r, "kb1", token, 0, NULL), 0);
	/* What is on disk has used it up. */
	reservation_commit(&r);
	assert_int_equal(check(&r, "kb1", token, 0, NULL), -1);
}

static void a_check_changes_nothing(void **state)
{
	struct reservation r = {0};

	(void)state;
	assert_int_equal(reserve(&r, "kb1", "alice", 15, 0, NULL), 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(check(&r, "kb1", "9f0e-1", i, NULL), 0);
		assert_int_equal(check(&r, "kb1", "9f0e-7", i, NULL), -1);
	}
	assert_int_equal(reservation_rest_ms(&r, at(0)), 15 * SECOND_MS);
	reservation_done(&r);
}

static void it_holds_until_its_time_is_over_and_no_longer(void **state)
{
	static const struct {
		int64_t ttl_s, lasts_ms;
	} cases[] = {{1, SECOND_MS}, {60, 60 * SECOND_MS}, {0, 15 * SECOND_MS}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reservation r = {0};
		int64_t end_ms = cases[i].lasts_ms;

		assert_int_equal(
			reserve(&r, "kb1", "alice", cases[i].ttl_s, 0, NULL), 1);
		assert_false(reservation_expire(&r, at(end_ms - 1)));
		assert_int_equal(reservation_rest_ms(&r, at(end_ms - 1)), 1);
		assert_int_equal(check(&r, "kb1", "9f0e-1", end_ms - 1, NULL), 0);
		/* The check does not wait for anybody to look at the clock. */
		assert_int_equal(check(&r, "kb1", "9f0e-1", end_ms, NULL), -1);
		assert_false(r.is_active);
		assert_int_equal(reservation_rest_ms(&r, at(end_ms)), -1);
		assert_false(reservation_expire(&r, at(end_ms)));
	}
}

static void one_that_expired_is_not_the_next_one(void **state)
{
	struct reservation r = {0};

	(void)state;
	assert_int_equal(reserve(&r, "kb1", "alice", 1, 0, NULL), 1);
	assert_int_equal(reserve(&r, "kb1", "alice", 1, SECOND_MS, NULL), 1);
	assert_string_equal(r.drain.reservation, "9f0e-2");
	assert_int_equal(check(&r, "kb1", "9f0e-1", SECOND_MS, NULL), -1);
	assert_int_equal(check(&r, "kb1", "9f0e-2", SECOND_MS, NULL), 0);
	assert_true(reservation_expire(&r, at(2 * SECOND_MS)));
}

static void another_is_told_who_holds_the_server_since_when(void **state)
{
	static const char *const others[][2] = {{"kb2", "alice"}, {"kb1", "bob"}};
	struct reservation r = {0};

	(void)state;
	assert_int_equal(reserve(&r, "kb1", "alice", 15, 0, NULL), 1);
	for (int i = 0; i < 2; i++) {
		struct err err = {0};

		assert_int_equal(reserve(&r, others[i][0], others[i][1], 15,
					 3 * SECOND_MS, &err),
				 -1);
		says(&err, ERR_RESERVED,
		     "frontend01 is reserved by alice for drain kb1 since "
		     "2026-05-01T08:30:00.250Z, for another 12 s: patch day");
		assert_string_equal(r.drain.reservation, "9f0e-1");
	}
	/* Then it is free. */
	assert_int_equal(reserve(&r, "kb2", "bob", 15, 15 * SECOND_MS, NULL), 1);
	assert_string_equal(r.drain.owner, "bob");
	reservation_done(&r);
}

static void a_commit_that_is_refused_says_why(void **state)
{
	struct reservation r = {0};
	struct err none = {0}, old = {0}, held = {0};

	(void)state;
	(void)check(&r, "kb1", "", 0, &none);
	says(&none, ERR_NOT_RESERVED,
	     "drain 'kb1' has no reservation on frontend01");
	(void)check(&r, "kb1", "9f0e-1", 0, &old);
	says(&old, ERR_NOT_RESERVED, "is no longer valid");
	assert_int_equal(reserve(&r, "kb2", "bob", 15, 0, NULL), 1);
	(void)check(&r, "kb1", "9f0e-7", 0, &held);
	says(&held, ERR_NOT_RESERVED, "reserved by bob for drain kb2");
	reservation_done(&r);
}

static void a_renewal_keeps_the_token_and_gives_more_time(void **state)
{
	struct reservation r = {0};

	(void)state;
	assert_int_equal(reserve(&r, "kb1", "alice", 10, 0, NULL), 1);
	assert_int_equal(reserve(&r, "kb1", "alice", 10, 7 * SECOND_MS, NULL), 0);
	assert_string_equal(r.drain.reservation, "9f0e-1");
	assert_int_equal(r.drain.created_at.ms, 1777624200250);
	assert_int_equal(reservation_rest_ms(&r, at(7 * SECOND_MS)),
			 10 * SECOND_MS);
	assert_int_equal(check(&r, "kb1", "9f0e-1", 16 * SECOND_MS, NULL), 0);
	reservation_done(&r);
}

static void no_renewal_lasts_longer_than_five_minutes_from_the_first(void **state)
{
	struct reservation r = {0};
	int64_t ms;

	(void)state;
	for (ms = 0; ms < RESERVATION_LIFE_S * SECOND_MS; ms += SECOND_MS)
		assert_int_equal(reserve(&r, "kb1", "alice", 60, ms, NULL),
				 ms == 0);
	assert_int_equal(reservation_rest_ms(&r, at(ms - 1)), 1);
	assert_true(reservation_expire(&r, at(ms)));
}

static void a_withdrawal_ends_what_it_names_and_nothing_else(void **state)
{
	struct reservation r = {0};

	(void)state;
	assert_false(reservation_withdraw(&r, "kb1", NULL));
	assert_int_equal(reserve(&r, "kb1", "alice", 15, 0, NULL), 1);
	assert_false(reservation_withdraw(&r, "kb2", NULL));
	assert_false(reservation_withdraw(&r, "kb2", "9f0e-1"));
	assert_false(reservation_withdraw(&r, "kb1", "9f0e-0"));
	assert_false(reservation_withdraw(&r, "kb1", ""));
	assert_true(reservation_withdraw(&r, "kb1", "9f0e-1"));
	assert_false(reservation_withdraw(&r, "kb1", "9f0e-1"));
	assert_int_equal(check(&r, "kb1", "9f0e-1", 0, NULL), -1);
	assert_int_equal(reserve(&r, "kb1", "alice", 15, 0, NULL), 1);
	assert_true(reservation_withdraw(&r, "kb1", NULL));
}

static void only_its_owner_sees_the_token(void **state)
{
	struct reservation r = {0};
	json_t *none = reservation_to_json(&r, true, at(0)), *whole, *seen;

	(void)state;
	assert_true(json_is_null(none));
	assert_int_equal(reserve(&r, "kb1", "alice", 15, 0, NULL), 1);
	whole = reservation_to_json(&r, true, at(2001));
	seen = reservation_to_json(&r, false, at(2001));
	assert_string_equal(json_string_value(json_object_get(whole, "token")),
			    "9f0e-1");
	/* Rounded up: it is gone by then. */
	assert_int_equal(json_integer_value(json_object_get(whole, "expires_in_s")),
			 13);
	assert_int_equal(json_object_size(whole), 6);
	assert_int_equal(json_object_size(seen), 5);
	assert_string_equal(json_string_value(json_object_get(seen, "created_at")),
			    "2026-05-01T08:30:00.250Z");
	json_decref(whole);
	json_decref(seen);
	reservation_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_commit_needs_the_token_of_its_own_reservation),
		cmocka_unit_test(a_check_changes_nothing),
		cmocka_unit_test(it_holds_until_its_time_is_over_and_no_longer),
		cmocka_unit_test(one_that_expired_is_not_the_next_one),
		cmocka_unit_test(another_is_told_who_holds_the_server_since_when),
		cmocka_unit_test(a_commit_that_is_refused_says_why),
		cmocka_unit_test(a_renewal_keeps_the_token_and_gives_more_time),
		cmocka_unit_test(
			no_renewal_lasts_longer_than_five_minutes_from_the_first),
		cmocka_unit_test(a_withdrawal_ends_what_it_names_and_nothing_else),
		cmocka_unit_test(only_its_owner_sees_the_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
