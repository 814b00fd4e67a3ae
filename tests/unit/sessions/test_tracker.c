/* Since when each connection is there: arrivals, ends, order, and what is not
 * whole. */
#include "sessions/tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HOUR_MS = 60 * 60 * 1000, MINUTE_MS = 60 * 1000 };

static struct sessions_connection connection(const char *peer, int peer_port)
{
	struct sessions_connection made = {.local_port = 5061,
					   .peer_port = (uint16_t)peer_port,
					   .idle_ms = -1};

	assert_int_equal(net_address_parse(peer, &made.peer), 0);
	assert_int_equal(net_address_parse("10.1.0.11", &made.local), 0);
	return made;
}

/* One sample: 10.0.0.7 with each of these ports; 0 ends them. */
static void sample(struct tracker *tracker, int64_t at_ms, const int *peer_ports)
{
	tracker_begin(tracker);
	for (; *peer_ports; peer_ports++) {
		struct sessions_connection each =
			connection("10.0.0.7", *peer_ports);

		tracker_see(tracker, &each);
	}
	tracker_end(tracker, (struct mono){at_ms}, (struct wall){at_ms + HOUR_MS});
}

#define PORTS(...) ((const int[]){__VA_ARGS__, 0})
#define NONE ((const int[]){0})

static const struct tracked *find(const struct tracker *tracker, int peer_port)
{
	for (size_t i = 0; i < tracker->live.count; i++)
		if (tracker->live.items[i].connection.peer_port == peer_port)
			return &tracker->live.items[i];
	return NULL;
}

static void check(const struct tracker *tracker, int peer_port, int64_t since_ms,
		  bool is_least)
{
	const struct tracked *session = find(tracker, peer_port);

	assert_non_null(session);
	assert_int_equal(session->since.ms, since_ms);
	assert_int_equal(session->since_wall.ms, since_ms + HOUR_MS);
	assert_int_equal(session->is_least, is_least);
}

static void what_is_there_at_first_may_be_older_and_what_comes_is_not(void **state)
{
	struct tracker tracker = {0};

	(void)state;
	sample(&tracker, 1000, PORTS(50002, 50001));
	assert_int_equal(tracker.seen, 2);
	assert_true(tracker.is_whole);
	sample(&tracker, 2000, PORTS(50003, 50001, 50002));
	sample(&tracker, 3000, PORTS(50000, 50002, 50003, 50001));
	check(&tracker, 50001, 1000, true);
	check(&tracker, 50002, 1000, true);
	check(&tracker, 50003, 2000, false);
	check(&tracker, 50000, 3000, false);
	assert_int_equal(tracker.seen, 4);
	tracker_done(&tracker);
}

static size_t find_lasting(struct tracker *tracker, int64_t began_after_ms,
			   size_t *fresh_count)
{
	const struct tracked *fresh;
	size_t count = tracker_find_lasting(tracker, (struct mono){began_after_ms},
					    5000, fresh_count, &fresh);

	assert_int_equal(fresh != NULL, *fresh_count > 0);
	return count;
}

/* The sample before their first one is the moment that counts: they certainly began
 * after it. */
static void those_that_began_later_and_last_are_found_once(void **state)
{
	struct tracker tracker = {0};
	size_t fresh_count;

	(void)state;
	sample(&tracker, 1000, PORTS(50001));
	sample(&tracker, 2000, PORTS(50001, 50002));
	sample(&tracker, 3000, PORTS(50001, 50002, 50003));
	sample(&tracker, 6999, PORTS(50001, 50002, 50003));
	assert_int_equal(find_lasting(&tracker, 2000, &fresh_count), 0);
	sample(&tracker, 7000, PORTS(50001, 50002, 50003));
	assert_int_equal(find_lasting(&tracker, 2001, &fresh_count), 0);
	assert_int_equal(find_lasting(&tracker, 2000, &fresh_count), 1);
	assert_int_equal(fresh_count, 1);
	sample(&tracker, 8000, PORTS(50001, 50002, 50003));
	assert_int_equal(find_lasting(&tracker, 2000, &fresh_count), 1);
	assert_int_equal(fresh_count, 0);
	sample(&tracker, 9000, PORTS(50001, 50002));
	assert_int_equal(find_lasting(&tracker, 2000, &fresh_count), 0);
	tracker_done(&tracker);
}

static void one_of_unknown_age_is_not_found_among_the_later_ones(void **state)
{
	struct tracker tracker = {0};
	size_t fresh_count;

	(void)state;
	sample(&tracker, 1000, NONE);
	tracker_begin(&tracker);
	tracker_failed(&tracker);
	sample(&tracker, 3000, PORTS(50001));
	sample(&tracker, 30000, PORTS(50001));
	assert_int_equal(find_lasting(&tracker, 500, &fresh_count), 0);
	tracker_done(&tracker);
}

static void one_that_is_listed_twice_is_one(void **state)
{
	struct tracker tracker = {0};

	(void)state;
	sample(&tracker, 1000, PORTS(50002, 50001, 50002, 50002));
	assert_int_equal(tracker.seen, 2);
	assert_int_equal(tracker.live.count, 2);
	assert_true(tracker.is_whole);
	sample(&tracker, 2000, PORTS(50001, 50001));
	assert_int_equal(tracker.seen, 1);
	assert_int_equal(tracker.ended_count, 1);
	check(&tracker, 50001, 1000, true);
	tracker_done(&tracker);
}

static void an_end_is_forgotten_and_the_same_ports_are_another_session(void **state)
{
	struct tracker tracker = {0};

	(void)state;
	sample(&tracker, 1000, NONE);
	sample(&tracker, 2000, PORTS(50001, 50002));
	sample(&tracker, 3000, PORTS(50002));
	assert_null(find(&tracker, 50001));
	sample(&tracker, 4000, PORTS(50001, 50002));
	check(&tracker, 50001, 4000, false);
	check(&tracker, 50002, 2000, false);
	sample(&tracker, 5000, NONE);
	assert_int_equal(tracker.live.count, 0);
	tracker_done(&tracker);
}

/* The documented limit: nobody looked meanwhile. */
static void ports_used_again_within_a_tick_look_like_one_session(void **state)
{
	struct tracker tracker = {0};

	(void)state;
	sample(&tracker, 1000, NONE);
	sample(&tracker, 2000, PORTS(50001));
	sample(&tracker, 3000, PORTS(50001));
	check(&tracker, 50001, 2000, false);
	tracker_done(&tracker);
}

static void each_part_of_both_ends_tells_sessions_apart(void **state)
{
	struct sessions_connection all[5];
	struct tracker tracker = {0};

	(void)state;
	for (int i = 0; i < 5; i++)
		all[i] = connection(i == 1 ? "2001:db8::7" : "10.0.0.7", 50001);
	all[2].peer_port++;
	all[3].local_port++;
	all[4].local.bytes[15]++;
	sample(&tracker, 0, NONE);
	for (int i = 0; i < 5; i++) {
		tracker_begin(&tracker);
		for (int j = i; j >= 0; j--)
			tracker_see(&tracker, &all[j]);
		tracker_end(&tracker, (struct mono){i + 1}, (struct wall){0});
	}
	assert_int_equal(tracker.live.count, 5);
	for (int i = 0; i < 5; i++) {
		const struct tracked *oldest[5];

		assert_int_equal(tracker_oldest(&tracker, oldest, 5), 5);
		assert_int_equal(oldest[i]->since.ms, i + 1);
		assert_memory_equal(
			&oldest[i]->connection, &all[i],
			offsetof(struct sessions_connection, peer_port));
	}
	tracker_done(&tracker);
}

static void the_oldest_come_first(void **state)
{
	const struct tracked *oldest[4];
	struct tracker tracker = {0};

	(void)state;
	sample(&tracker, 1000, NONE);
	sample(&tracker, 2000, PORTS(50009));
	sample(&tracker, 3000, PORTS(50009, 50001));
	sample(&tracker, 4000, PORTS(50005, 50009, 50004, 50001));
	assert_int_equal(tracker_oldest(&tracker, oldest, 4), 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(oldest[i]->connection.peer_port,
				 PORTS(50009, 50001, 50004, 50005)[i]);
	assert_int_equal(tracker_oldest(&tracker, oldest, 1), 1);
	assert_int_equal(oldest[0]->connection.peer_port, 50009);
	sample(&tracker, 5000, NONE);
	assert_int_equal(tracker_oldest(&tracker, oldest, 4), 0);
	tracker_done(&tracker);
}

static void a_sample_that_fails_changes_nothing_but_what_may_be_said_of_the_new(
	void **state)
{
	struct sessions_connection half = connection("10.0.0.9", 1);
	struct tracker tracker = {0};

	(void)state;
	sample(&tracker, 1000, NONE);
	sample(&tracker, 2000, PORTS(50001));
	tracker_begin(&tracker);
	tracker_see(&tracker, &half);
	tracker_failed(&tracker);
	check(&tracker, 50001, 2000, false);
	assert_null(find(&tracker, 1));
	sample(&tracker, 9000, PORTS(50001, 50002));
	check(&tracker, 50001, 2000, false);
	check(&tracker, 50002, 9000, true);
	sample(&tracker, 9100, PORTS(50001, 50002, 50003));
	check(&tracker, 50003, 9100, false);
	tracker_done(&tracker);
}

/* Connections of `count` peers, from the one numbered `first` on. */
static void sample_many(struct tracker *tracker, int64_t at_ms, int first,
			int count)
{
	struct sessions_connection each = connection("10.0.0.7", 1);

	tracker_begin(tracker);
	for (int i = first; i < first + count; i++) {
		memcpy(each.peer.bytes, &i, sizeof(i));
		tracker_see(tracker, &each);
	}
	tracker_end(tracker, (struct mono){at_ms}, (struct wall){at_ms});
}

static void more_than_the_limit_are_counted_and_the_list_is_not_whole(void **state)
{
	struct tracker tracker = {0};

	(void)state;
	sample(&tracker, 0, NONE);
	sample_many(&tracker, 1000, 0, TRACKER_LIMIT);
	assert_true(tracker.is_whole);
	assert_int_equal(tracker.live.count, TRACKER_LIMIT);
	sample_many(&tracker, 2000, 0, TRACKER_LIMIT + 5);
	assert_false(tracker.is_whole);
	assert_int_equal(tracker.live.count, TRACKER_LIMIT);
	assert_int_equal(tracker.seen, TRACKER_LIMIT + 5);
	/* Five are in the list for the first time, and were there before. */
	sample_many(&tracker, 3000, 5, TRACKER_LIMIT);
	assert_true(tracker.is_whole);
	int least = 0;
	for (size_t i = 0; i < tracker.live.count; i++) {
		assert_int_equal(tracker.live.items[i].since.ms,
				 tracker.live.items[i].is_least ? 3000 : 1000);
		least += tracker.live.items[i].is_least;
	}
	assert_int_equal(least, 5);
	tracker_done(&tracker);
}

static void a_suspect_is_old_and_known_to_be_idle(void **state)
{
	static const struct {
		int64_t age_ms, idle_ms;
		bool is_suspect;
	} cases[] = {
		{HOUR_MS + 1, 15 * MINUTE_MS + 1, true},
		{HOUR_MS, 15 * MINUTE_MS + 1, false},
		{HOUR_MS + 1, 15 * MINUTE_MS, false},
		{24 * HOUR_MS, -1, false},
		{24 * HOUR_MS, 0, false},
		{24 * HOUR_MS, 24 * HOUR_MS, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tracked session = {.connection.idle_ms = cases[i].idle_ms,
					  .since = {500}};

		assert_int_equal(
			tracker_is_suspect(&session,
					   (struct mono){500 + cases[i].age_ms}),
			cases[i].is_suspect);
	}
}

/* What a listener was told: the last of each kind, and how many. */
struct told {
	int ended, alive;
	double from_s, to_s; /* of the last end */
	double alive_s;      /* of all the living */
};

static void hear(void *arg, double from_age_s, double to_age_s, bool has_ended)
{
	struct told *told = arg;

	if (!has_ended) {
		told->alive++;
		told->alive_s += to_age_s - from_age_s;
		return;
	}
	told->ended++;
	told->from_s = from_age_s;
	told->to_s = to_age_s;
}

static struct told listen_to(struct tracker *tracker, bool with_living)
{
	struct told told = {0};

	tracker_tell(tracker, with_living,
		     &(struct tracker_listener){.watched = hear, .arg = &told});
	return told;
}

static void an_end_is_told_once_and_is_between_two_samples(void **state)
{
	struct tracker tracker = {0};
	struct told told;

	(void)state;
	sample(&tracker, 0, NONE);
	sample(&tracker, 1000, PORTS(50001, 50002, 50003));
	sample(&tracker, 2000, PORTS(50003, 50001, 50002));
	assert_int_equal(listen_to(&tracker, false).ended, 0);
	sample(&tracker, 4000, PORTS(50002));
	told = listen_to(&tracker, false);
	assert_int_equal(told.ended, 2);
	assert_true(told.from_s == 0 && told.to_s == 2);
	assert_int_equal(listen_to(&tracker, false).ended, 0);
	sample(&tracker, 5000, NONE);
	told = listen_to(&tracker, false);
	assert_int_equal(told.ended, 1);
	assert_true(told.to_s == 3.5);
	tracker_done(&tracker);
}

static void each_second_of_a_life_is_told_of_once(void **state)
{
	struct tracker tracker = {0};
	struct told told;

	(void)state;
	sample(&tracker, 0, NONE);
	sample(&tracker, 1000, PORTS(50001, 50002));
	sample(&tracker, 8000, PORTS(50001, 50002));
	told = listen_to(&tracker, true);
	assert_int_equal(told.alive, 2);
	assert_true(told.alive_s == 14);
	assert_true(listen_to(&tracker, true).alive_s == 0);
	sample(&tracker, 10000, PORTS(50002));
	told = listen_to(&tracker, true);
	assert_int_equal(told.ended, 1);
	assert_true(told.from_s == 7 && told.to_s == 8);
	assert_true(told.alive_s == 2);
	tracker_done(&tracker);
}

static void of_a_session_of_unknown_age_nothing_is_told(void **state)
{
	struct tracker tracker = {0};
	struct told told;

	(void)state;
	sample(&tracker, 1000, PORTS(50001));
	sample(&tracker, 2000, PORTS(50001, 50002));
	assert_int_equal(listen_to(&tracker, true).alive, 1);
	sample(&tracker, 3000, NONE);
	told = listen_to(&tracker, true);
	assert_int_equal(told.ended, 1);
	assert_true(told.to_s == 0.5);
	tracker_done(&tracker);
}

static void what_ended_while_nobody_could_look_is_told_after_that(void **state)
{
	struct tracker tracker = {0};
	struct told told;

	(void)state;
	sample(&tracker, 0, NONE);
	sample(&tracker, 1000, PORTS(50001));
	for (int i = 0; i < 3; i++) {
		tracker_begin(&tracker);
		tracker_failed(&tracker);
		assert_int_equal(listen_to(&tracker, false).ended, 0);
	}
	sample(&tracker, 11000, PORTS(50002));
	told = listen_to(&tracker, true);
	assert_int_equal(told.ended, 1);
	assert_int_equal(told.alive, 0);
	assert_true(told.to_s == 5);
	tracker_done(&tracker);
}

static void who_has_no_room_has_not_ended(void **state)
{
	struct tracker tracker = {0};

	(void)state;
	sample(&tracker, 0, NONE);
	sample(&tracker, 1000, PORTS(50001, 50002));
	tracker_begin(&tracker);
	for (int i = 0; i < TRACKER_LIMIT + 1; i++) {
		struct sessions_connection each =
			connection("10.0.0.9", 1 + i % 65535);

		each.local_port = (uint16_t)(1 + i / 65535);
		tracker_see(&tracker, &each);
	}
	tracker_end(&tracker, (struct mono){2000}, (struct wall){0});
	assert_false(tracker.is_whole);
	assert_int_equal(listen_to(&tracker, false).ended, 0);
	tracker_done(&tracker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_is_there_at_first_may_be_older_and_what_comes_is_not),
		cmocka_unit_test(
			an_end_is_forgotten_and_the_same_ports_are_another_session),
		cmocka_unit_test(
			ports_used_again_within_a_tick_look_like_one_session),
		cmocka_unit_test(each_part_of_both_ends_tells_sessions_apart),
		cmocka_unit_test(the_oldest_come_first),
		cmocka_unit_test(
			a_sample_that_fails_changes_nothing_but_what_may_be_said_of_the_new),
		cmocka_unit_test(
			more_than_the_limit_are_counted_and_the_list_is_not_whole),
		cmocka_unit_test(a_suspect_is_old_and_known_to_be_idle),
		cmocka_unit_test(an_end_is_told_once_and_is_between_two_samples),
		cmocka_unit_test(each_second_of_a_life_is_told_of_once),
		cmocka_unit_test(of_a_session_of_unknown_age_nothing_is_told),
		cmocka_unit_test(
			what_ended_while_nobody_could_look_is_told_after_that),
		cmocka_unit_test(who_has_no_room_has_not_ended),
		cmocka_unit_test(those_that_began_later_and_last_are_found_once),
		cmocka_unit_test(
			one_of_unknown_age_is_not_found_among_the_later_ones),
		cmocka_unit_test(one_that_is_listed_twice_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
