/* What becomes of sessions since their service is out: at the edges of each time.
 */
#include "sessions/since_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LIMIT_MS = 5000, OUT_MS = 10000, MINUTE_MS = 60000 };

static struct {
	struct since_out since_out;
	struct progress progress;
	struct tracker tracker;
} world;

/* A count at this time: so many sessions; those from `first_port` on. */
static void count_at(int64_t at_ms, int first_port, int sessions)
{
	struct mono now = {at_ms};

	tracker_begin(&world.tracker);
	for (int i = 0; i < sessions; i++)
		tracker_see(&world.tracker,
			    &(struct sessions_connection){
				    .peer_port = (uint16_t)(first_port + i)});
	tracker_end(&world.tracker, now, (struct wall){at_ms});
	progress_add(&world.progress, 0, (struct sample){now, now, true, sessions});
	progress_combine(&world.progress, now);
	since_out_see(&world.since_out, &world.progress, &world.tracker, LIMIT_MS);
}

/* Counted a second before, with so many sessions; then it goes out. */
static void begin(int sessions)
{
	tracker_done(&world.tracker);
	world.since_out = (struct since_out){0};
	world.progress = (struct progress){.source_count = 1};
	world.progress.sources[0].gap_limit_ms = 3000;
	count_at(OUT_MS - 1000, 1, sessions);
	progress_see(&world.progress, true, (struct mono){OUT_MS});
}

static bool is_accepting(int64_t at_ms)
{
	return since_out_is_accepting(&world.since_out, (struct mono){at_ms});
}

static void what_begins_while_the_port_is_being_closed_is_not_accepted(void **state)
{
	(void)state;
	begin(0);
	count_at(OUT_MS, 0, 0);
	count_at(OUT_MS + 999, 0, 0);
	/* It began after the last count, which was too early. */
	count_at(OUT_MS + 1900, 7, 1);
	count_at(OUT_MS + MINUTE_MS, 7, 1);
	assert_int_equal(world.since_out.accepted, 0);
	assert_int_equal(since_out_take_news(&world.since_out), SINCE_OUT_NOTHING);
	tracker_done(&world.tracker);
}

static void what_begins_later_and_lasts_is_accepted_until_all_is_calm(void **state)
{
	int64_t last_ms = OUT_MS + 1000 + LIMIT_MS;

	(void)state;
	begin(0);
	count_at(OUT_MS + 1000, 0, 0);
	count_at(OUT_MS + 1900, 7, 1);
	count_at(last_ms - 1, 7, 1);
	assert_int_equal(world.since_out.accepted, 0);
	count_at(last_ms, 7, 2);
	assert_int_equal(world.since_out.accepted, 1);
	assert_int_equal(world.since_out.connection.peer_port, 7);
	assert_int_equal(world.since_out.after_ms, 1900);
	assert_int_equal(since_out_take_news(&world.since_out), SINCE_OUT_ACCEPTED);
	assert_int_equal(since_out_take_news(&world.since_out), SINCE_OUT_NOTHING);
	count_at(last_ms + 1, 0, 0);
	assert_true(is_accepting(last_ms + 2 * MINUTE_MS - 1));
	assert_false(is_accepting(last_ms + 2 * MINUTE_MS));
	/* The next one is news again; how many there were is remembered. */
	count_at(last_ms + 3 * MINUTE_MS, 9, 1);
	count_at(last_ms + 4 * MINUTE_MS, 9, 1);
	assert_int_equal(world.since_out.accepted, 2);
	assert_int_equal(since_out_take_news(&world.since_out), SINCE_OUT_ACCEPTED);
	/* Another time out is another matter. */
	progress_see(&world.progress, false,
		     (struct mono){last_ms + 5 * MINUTE_MS});
	count_at(last_ms + 5 * MINUTE_MS, 9, 1);
	assert_int_equal(world.since_out.accepted, 0);
	tracker_done(&world.tracker);
}

static void many_that_end_at_once_are_told(void **state)
{
	static const struct {
		int before, left;
		bool are_many;
	} rows[] = {{24, 2, true}, {24, 18, true}, {24, 19, false}, {2, 0, true},
		    {1, 0, false}, {8, 9, false},  {0, 0, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct since_out *s = &world.since_out;

		begin(rows[i].before);
		count_at(OUT_MS + 100, 1, rows[i].left);
		assert_int_equal(s->is_ended_known, !rows[i].left);
		count_at(OUT_MS + 1999, 1, rows[i].left);
		assert_int_equal(s->is_ended_known, !rows[i].left);
		count_at(OUT_MS + 2000, 1, rows[i].left);
		assert_true(s->is_ended_known);
		assert_int_equal(s->before, rows[i].before);
		assert_int_equal(s->ended_within_s, 2);
		assert_int_equal(since_out_has_ended_many(s), rows[i].are_many);
		assert_int_equal(since_out_take_news(s),
				 rows[i].are_many ? SINCE_OUT_ENDED
						  : SINCE_OUT_NOTHING);
	}
	tracker_done(&world.tracker);
}

/* As after a restart of poold, or while nobody could count. */
static void what_was_counted_long_before_says_nothing_of_the_pause(void **state)
{
	(void)state;
	begin(8);
	progress_see(&world.progress, false, (struct mono){OUT_MS});
	progress_see(&world.progress, true, (struct mono){OUT_MS + 2001});
	count_at(OUT_MS + 5000, 1, 0);
	assert_false(world.since_out.is_ended_known);
	tracker_done(&world.tracker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_begins_while_the_port_is_being_closed_is_not_accepted),
		cmocka_unit_test(
			what_begins_later_and_lasts_is_accepted_until_all_is_calm),
		cmocka_unit_test(many_that_end_at_once_are_told),
		cmocka_unit_test(
			what_was_counted_long_before_says_nothing_of_the_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
