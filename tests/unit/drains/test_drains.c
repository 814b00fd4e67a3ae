/*
 * Drains in force: deadlines and boots, whatever the clocks and the disk do, and
 * what all of them ask for together.
 */
#include "drains/drain_store.h"
#include "drains/drains.h"
#include "failing_disk.h"
#include "system/log.h"
#include "survive_counts.h"
#include "temp_folder.h"
#include "utf8.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_S = 3600 };

static const int64_t day_ms = INT64_C(24) * HOUR_S * SECOND_MS;

static struct {
	struct temp_folder folder;
	struct store *store;
	struct record *record;
	struct drains drains;
	int64_t mono_ms, wall_ms;
} world;

static struct mono fake_clock(void)
{
	return (struct mono){world.mono_ms};
}

static struct wall fake_wall(void)
{
	return (struct wall){world.wall_ms};
}

static void come_up(const char *boot_id)
{
	struct err err = {0};

	world.store = store_open(world.folder.path, &err);
	assert_string_equal(err.text, "");
	world.record = record_open(world.store, fake_wall, &err);
	assert_non_null(world.record);
	world.drains = (struct drains){.store = world.store,
				       .record = world.record,
				       .boot_id = boot_id,
				       .all = json_pack("[ss]", "A", "B"),
				       .clock = fake_clock,
				       .wall_clock = fake_wall};
	assert_int_equal(drains_open(&world.drains, &err), 0);
}

static void go_down(void)
{
	drains_close(&world.drains);
	record_close(world.record);
	store_close(world.store);
}

static void restart(void)
{
	go_down();
	come_up("boot1");
}

/* The clock of the boot starts anew; that of the day goes on. */
static void boot(void)
{
	go_down();
	world.mono_ms = 5 * SECOND_MS;
	world.wall_ms += 2 * MINUTE_MS;
	come_up("boot2");
}

static void pass_ms(int64_t ms)
{
	world.mono_ms += ms;
	world.wall_ms += ms;
}

static int begin(void **state)
{
	(void)state;
	failing_disk_set(0, 0);
	world.mono_ms = INT64_C(1000) * SECOND_MS;
	world.wall_ms = 1777624200250;
	if (temp_folder_make(&world.folder))
		return -1;
	come_up("boot1");
	return 0;
}

static int end(void **state)
{
	(void)state;
	failing_disk_set(0, 0);
	go_down();
	temp_folder_remove(&world.folder);
	return 0;
}

/* What is asked for; the services are a text of names of one letter. */
struct asked {
	const char *id, *services;
	int64_t deadline_s;
	enum on_deadline on_deadline;
	enum until until;
};

static int try_put(struct asked asked)
{
	struct drain drain = {.services = json_array(),
			      .deadline_s = asked.deadline_s,
			      .on_deadline = asked.on_deadline,
			      .until = asked.until};
	int ret;

	utf8_copy(drain.id, sizeof(drain.id), asked.id);
	utf8_copy(drain.owner, sizeof(drain.owner), "me");
	utf8_copy(drain.reason, sizeof(drain.reason), "Überraschung 'a' \"b\"");
	for (const char *c = asked.services ? asked.services : ""; *c; c++)
		(void)json_array_append_new(drain.services, json_stringn(c, 1));
	ret = drains_put(&world.drains, &drain, "192.0.2.7", NULL);
	drain_done(&drain);
	return ret;
}

static void put(struct asked asked)
{
	assert_int_equal(try_put(asked), 0);
}

static bool look(void)
{
	return drains_check_clock(&world.drains);
}

static const struct drain *active(const char *id)
{
	return drains_find(&world.drains, id);
}

static void is_ended_for(const char *id, enum end_reason reason)
{
	struct drain drain;

	assert_null(active(id));
	assert_int_equal(drain_store_get(world.store, id, &drain, NULL), 1);
	assert_true(drain.is_ended);
	assert_int_equal(drain.end_reason, reason);
	assert_string_equal(drain.ended_by,
			    reason == END_REQUEST ? "you" : "poold");
	assert_int_equal(drain.ended_at.ms, world.wall_ms);
	drain_done(&drain);
}

static struct wanted wanted(const char *service)
{
	return drains_want(&world.drains, service);
}

struct tally {
	const char *kind;
	int count;
};

static void count_event(void *arg, const struct event *event)
{
	struct tally *tally = arg;

	tally->count += !strcmp(event->kind, tally->kind);
}

static int events_of(const char *kind)
{
	struct tally tally = {.kind = kind};

	assert_int_equal(record_commit(world.record, NULL), 0);
	assert_int_equal(
		store_each_event(world.store, 0, 100000, count_event, &tally, NULL),
		0);
	return tally.count;
}

/* ---- deadlines ---- */

static void nothing_happens_until(int64_t ms)
{
	pass_ms(ms - 1);
	assert_false(look());
	assert_false(active("d")->is_over);
	assert_false(wanted("A").may_cut);
	pass_ms(1);
}

static void a_deadline_holds(void **state)
{
	(void)state;
	put((struct asked){"d", .deadline_s = HOUR_S});
	nothing_happens_until(HOUR_S * SECOND_MS);
	assert_true(look());
	assert_true(active("d")->is_over);
	assert_int_equal(wanted("A").want, WANT_DRAINED);
	assert_false(wanted("A").may_cut);
	assert_int_equal(events_of("deadline"), 1);
	assert_false(look());
	restart();
	assert_true(active("d")->is_over);
	assert_false(look());
	assert_int_equal(events_of("deadline"), 1);
}

static void a_deadline_resumes(void **state)
{
	(void)state;
	put((struct asked){"d", .deadline_s = 1,
			   .on_deadline = ON_DEADLINE_RESUME});
	nothing_happens_until(SECOND_MS);
	assert_true(look());
	is_ended_for("d", END_DEADLINE);
	assert_int_equal(wanted("A").want, WANT_SERVING);
	assert_int_equal(events_of("drain_ended"), 1);
	assert_false(look());
}

static void a_deadline_stops(void **state)
{
	(void)state;
	put((struct asked){"d", .deadline_s = HOUR_S,
			   .on_deadline = ON_DEADLINE_STOP});
	nothing_happens_until(HOUR_S * SECOND_MS);
	assert_true(look());
	assert_true(wanted("A").may_cut);
	restart();
	assert_true(wanted("A").may_cut);
	drains_note_drained(&world.drains, "d");
	assert_false(wanted("A").may_cut);
}

static void the_same_deadline_again_does_not_move_it(void **state)
{
	struct asked asked = {"d", .deadline_s = HOUR_S};
	int64_t before;

	(void)state;
	put(asked);
	before = active("d")->deadline_at.ms;
	assert_int_equal(before, world.wall_ms + HOUR_S * SECOND_MS);
	pass_ms(MINUTE_MS);
	asked.on_deadline = ON_DEADLINE_RESUME;
	put(asked);
	assert_int_equal(active("d")->deadline_at.ms, before);
	restart();
	put(asked);
	assert_int_equal(active("d")->deadline_at.ms, before);
	nothing_happens_until((HOUR_S - 60) * SECOND_MS);
	assert_true(look());
	is_ended_for("d", END_DEADLINE);
}

static void another_deadline_counts_from_now(void **state)
{
	(void)state;
	put((struct asked){"d", .deadline_s = HOUR_S});
	pass_ms(HOUR_S * SECOND_MS);
	assert_true(look());
	put((struct asked){"d", .deadline_s = 2 * HOUR_S});
	assert_false(active("d")->is_over);
	nothing_happens_until(2 * HOUR_S * SECOND_MS);
	assert_true(look());
	put((struct asked){.id = "d"});
	assert_int_equal(active("d")->deadline_at.ms, 0);
	assert_false(active("d")->is_over);
	pass_ms(day_ms);
	assert_false(look());
}

/* A request must not stop or resume anything by itself. */
static void another_end_of_a_deadline_that_is_over_begins_anew(void **state)
{
	(void)state;
	put((struct asked){"d", .deadline_s = HOUR_S});
	pass_ms(HOUR_S * SECOND_MS);
	assert_true(look());
	put((struct asked){"d", .deadline_s = HOUR_S,
			   .on_deadline = ON_DEADLINE_STOP});
	nothing_happens_until(HOUR_S * SECOND_MS);
	assert_true(look());
	assert_true(wanted("A").may_cut);
}

static void a_service_that_is_added_has_all_the_time(void **state)
{
	static const enum on_deadline all[] = {ON_DEADLINE_HOLD, ON_DEADLINE_RESUME,
					       ON_DEADLINE_STOP};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct asked one = {"d", .services = "A", .deadline_s = HOUR_S,
				    .on_deadline = all[i]},
			     both = one;
		struct drain ended;

		put(one);
		drains_note_drained(&world.drains, "d");
		pass_ms(day_ms);
		assert_false(look());
		both.services = "AB";
		put(both);
		assert_int_equal(active("d")->drained_at.ms, 0);
		nothing_happens_until(HOUR_S * SECOND_MS);
		assert_int_equal(drains_end(&world.drains, "d", "you", NULL, NULL,
					    &ended, NULL),
				 0);
		drain_done(&ended);
	}
}

static void a_deadline_that_was_met_is_met_before_that_is_written(void **state)
{
	(void)state;
	put((struct asked){"d", .deadline_s = HOUR_S,
			   .on_deadline = ON_DEADLINE_RESUME});
	failing_disk_set(1, INT_MAX);
	drains_note_drained(&world.drains, "d");
	pass_ms(2 * HOUR_S * SECOND_MS);
	assert_false(look());
	failing_disk_set(0, 0);
	assert_false(look());
	assert_non_null(active("d"));
	restart();
	assert_true(active("d")->drained_at.ms > 0);
	assert_false(look());
}

static void what_was_drained_once_met_its_deadline_for_good(void **state)
{
	static const enum on_deadline all[] = {ON_DEADLINE_HOLD, ON_DEADLINE_RESUME,
					       ON_DEADLINE_STOP};

	(void)state;
	for (int i = 0; i < 3; i++) {
		char id[2] = {(char)('0' + i), '\0'};

		put((struct asked){
			.id = id, .deadline_s = HOUR_S, .on_deadline = all[i]});
		drains_note_drained(&world.drains, id);
	}
	restart();
	pass_ms(day_ms);
	assert_false(look());
	for (int i = 0; i < 3; i++) {
		char id[2] = {(char)('0' + i), '\0'};

		assert_non_null(active(id));
		assert_false(active(id)->is_over);
	}
	assert_false(wanted("A").may_cut);
	assert_int_equal(events_of("drained"), 3);
	assert_int_equal(events_of("deadline"), 0);
}

/* ---- clocks ---- */

static void a_time_of_day_that_jumps_brings_no_deadline_early(void **state)
{
	(void)state;
	put((struct asked){"d", .deadline_s = HOUR_S,
			   .on_deadline = ON_DEADLINE_RESUME});
	world.wall_ms += day_ms;
	assert_false(look());
	assert_int_equal(events_of("clock"), 1);
	restart();
	assert_false(look());
	pass_ms((HOUR_S - 1) * SECOND_MS);
	assert_false(look());
	pass_ms(SECOND_MS);
	assert_true(look());
}

static void a_time_of_day_that_jumps_back_delays_it(void **state)
{
	(void)state;
	put((struct asked){"d", .deadline_s = HOUR_S,
			   .on_deadline = ON_DEADLINE_RESUME});
	world.wall_ms -= day_ms;
	assert_false(look());
	assert_int_equal(events_of("clock"), 1);
	pass_ms(HOUR_S * SECOND_MS);
	assert_false(look());
	pass_ms(day_ms - 1);
	assert_false(look());
	pass_ms(1);
	assert_true(look());
	assert_int_equal(events_of("clock"), 1);
}

static void the_time_of_day_is_not_trusted_in_the_first_minute(void **state)
{
	(void)state;
	put((struct asked){"d", .deadline_s = HOUR_S,
			   .on_deadline = ON_DEADLINE_RESUME});
	world.wall_ms += day_ms;
	boot();
	assert_false(look());
	pass_ms(MINUTE_MS - 1);
	assert_false(look());
	/* The time service has put it right. */
	world.wall_ms -= day_ms;
	pass_ms(1);
	assert_false(look());
	pass_ms(HOUR_S * SECOND_MS);
	assert_true(look());
	is_ended_for("d", END_DEADLINE);
}

static void a_deadline_goes_on_over_a_boot(void **state)
{
	(void)state;
	put((struct asked){"d", .deadline_s = HOUR_S,
			   .on_deadline = ON_DEADLINE_RESUME});
	pass_ms(HOUR_S * SECOND_MS);
	boot();
	assert_non_null(active("d"));
	pass_ms(MINUTE_MS);
	assert_true(look());
	is_ended_for("d", END_DEADLINE);
}

/* ---- until the next boot ---- */

static void a_boot_ends_a_drain_that_is_until_reboot(void **state)
{
	(void)state;
	put((struct asked){"d", .until = UNTIL_REBOOT});
	put((struct asked){"e", .services = "B"});
	restart();
	assert_false(look());
	assert_int_equal(wanted("A").want, WANT_DRAINED);
	boot();
	/* Even before that is written. */
	assert_int_equal(wanted("A").want, WANT_SERVING);
	assert_int_equal(wanted("B").want, WANT_DRAINED);
	assert_true(look());
	is_ended_for("d", END_REBOOT);
	assert_non_null(active("e"));
}

static void a_boot_ends_it_also_while_nothing_can_be_written(void **state)
{
	(void)state;
	put((struct asked){"d", .until = UNTIL_REBOOT});
	boot();
	failing_disk_set(1, INT_MAX);
	assert_false(look());
	assert_non_null(active("d"));
	assert_int_equal(wanted("A").want, WANT_SERVING);
	failing_disk_set(0, 0);
	assert_true(look());
	is_ended_for("d", END_REBOOT);
}

static void one_that_is_asked_for_after_the_boot_is_for_the_next(void **state)
{
	(void)state;
	put((struct asked){.id = "d"});
	boot();
	put((struct asked){"d", .until = UNTIL_REBOOT});
	assert_false(look());
	assert_int_equal(wanted("A").want, WANT_DRAINED);
	assert_true(wanted("A").leaves_startup);
}

/* ---- all together ---- */

/* Every pair of drains, each of any kind and covering A or not. */
static void all_that_cover_a_service_decide_together(void **state)
{
	enum { KINDS = 16 };

	(void)state;
	for (int pair = 0; pair < KINDS * KINDS; pair++) {
		int kinds[] = {pair % KINDS, pair / KINDS}, covering = 0,
		    lasting = 0, stopping = 0;
		struct wanted got;

		for (int i = 0; i < 2; i++) {
			bool covers = kinds[i] & 1, is_lasting = kinds[i] & 2,
			     is_stop = kinds[i] & 4, is_over = kinds[i] & 8;

			put((struct asked){
				i ? "b" : "a", covers ? "A" : "B",
				.deadline_s = is_over ? 1 : HOUR_S,
				.on_deadline = is_stop ? ON_DEADLINE_STOP
						       : ON_DEADLINE_HOLD,
				.until = is_lasting ? UNTIL_RESUME : UNTIL_REBOOT});
			covering += covers;
			lasting += covers && is_lasting;
			stopping += covers && is_stop && is_over;
		}
		pass_ms(SECOND_MS);
		(void)look();
		got = wanted("A");
		assert_int_equal(got.want, covering ? WANT_DRAINED : WANT_SERVING);
		assert_int_equal(got.cover != NULL, covering > 0);
		assert_int_equal(got.leaves_startup, lasting == 0);
		assert_int_equal(got.may_cut, stopping > 0);
		for (int i = 0; i < 2; i++) {
			struct drain ended;

			assert_int_equal(drains_end(&world.drains, i ? "b" : "a",
						    "you", NULL, NULL, &ended,
						    NULL),
					 0);
			drain_done(&ended);
			is_ended_for(i ? "b" : "a", END_REQUEST);
		}
	}
}

/* ---- a disk that fails ---- */

/* What is in memory is what another poold would read. */
static void memory_is_as_the_disk(void)
{
	struct drain items[API_DRAINS_LIMIT];
	int count =
		drain_store_get_active(world.store, items, API_DRAINS_LIMIT, NULL);

	assert_int_equal(count, world.drains.count);
	for (int i = 0; i < count; i++) {
		json_t *in = drain_terms_to_json(&world.drains.items[i]);
		json_t *on = drain_terms_to_json(&items[i]);

		assert_string_equal(items[i].id, world.drains.items[i].id);
		assert_true(json_equal(in, on));
		assert_int_equal(items[i].is_over, world.drains.items[i].is_over);
		if (!world.drains.items[i].is_drained_unwritten)
			assert_int_equal(items[i].drained_at.ms,
					 world.drains.items[i].drained_at.ms);
		json_decref(in);
		json_decref(on);
		drain_done(&items[i]);
	}
}

static void every_failing_write_changes_nothing_in_memory(void **state)
{
	bool is_met = true;
	int at = 0;

	while (is_met) {
		struct drain ended;

		at++;
		(void)end(state);
		(void)begin(state);
		put((struct asked){"known", .deadline_s = 1,
				   .on_deadline = ON_DEADLINE_RESUME});
		put((struct asked){"late", .deadline_s = 1});
		failing_disk_set(at, 1);
		(void)try_put((struct asked){"new", .services = "A"});
		memory_is_as_the_disk();
		(void)try_put((struct asked){"new", .services = "AB"});
		memory_is_as_the_disk();
		if (active("new")) {
			drains_note_drained(&world.drains, "new");
			memory_is_as_the_disk();
		}
		pass_ms(SECOND_MS);
		(void)look();
		memory_is_as_the_disk();
		if (active("new") && !drains_end(&world.drains, "new", "you", NULL,
						 NULL, &ended, NULL))
			drain_done(&ended);
		memory_is_as_the_disk();
		is_met = failing_disk.calls >= at;
		failing_disk_set(0, 0);
		(void)look();
		assert_null(active("known"));
		assert_true(active("late")->is_over);
	}
	assert_true(at > 10);
	survive_counts_add("test_drains", 0, at - 1);
}

static void a_row_that_cannot_be_read_is_an_error(void **state)
{
	const struct drain_row good = {.id = "bad",
				       .owner = "o",
				       .reason = "r",
				       .services = "[]",
				       .boot_id = "",
				       .on_deadline = "hold",
				       .until = "resume"};
	struct drain_row rows[] = {good, good, good};
	struct drain items[2];

	(void)state;
	put((struct asked){.id = "a-good"});
	rows[0].services = "{\"";
	rows[1].until = "never";
	rows[2].ended_at = 1;
	for (int i = 0; i < 3; i++) {
		struct err err = {0};

		assert_int_equal(store_put_drain(world.store, &rows[i], NULL), 0);
		assert_int_equal(drain_store_get(world.store, "bad", items, &err),
				 -1);
		assert_int_equal(err.code, ERR_STORE);
		assert_non_null(strstr(err.text, "'bad'"));
		if (!rows[i].ended_at)
			assert_int_equal(
				drain_store_get_active(world.store, items, 2, NULL),
				-1);
	}
	assert_int_equal(store_commit(world.store, NULL), 0);
}

static int set_up(void **state)
{
	(void)state;
	failing_disk_install();
	return log_to_file("/dev/null", NULL);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_deadline_holds),
		TEST(a_deadline_resumes),
		TEST(a_deadline_stops),
		TEST(the_same_deadline_again_does_not_move_it),
		TEST(another_deadline_counts_from_now),
		TEST(another_end_of_a_deadline_that_is_over_begins_anew),
		TEST(a_service_that_is_added_has_all_the_time),
		TEST(a_deadline_that_was_met_is_met_before_that_is_written),
		TEST(what_was_drained_once_met_its_deadline_for_good),
		TEST(a_time_of_day_that_jumps_brings_no_deadline_early),
		TEST(a_time_of_day_that_jumps_back_delays_it),
		TEST(the_time_of_day_is_not_trusted_in_the_first_minute),
		TEST(a_deadline_goes_on_over_a_boot),
		TEST(a_boot_ends_a_drain_that_is_until_reboot),
		TEST(a_boot_ends_it_also_while_nothing_can_be_written),
		TEST(one_that_is_asked_for_after_the_boot_is_for_the_next),
		TEST(all_that_cover_a_service_decide_together),
		TEST(every_failing_write_changes_nothing_in_memory),
		TEST(a_row_that_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
