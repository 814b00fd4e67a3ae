/*
 * Several session sources of one service: what they make together, and that what is
 * not known is said, with since when and why.
 */
#include "sessions/counting.h"
#include "pool_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PEEK_MS = 200, MINUTE_MS = 60000 };
enum { TICK_MS = 1000, SETTLE_MS = 10000, EVERY_MS = 5000, UNKNOWN = -1 };

/* http is asked every 5 s, so its word is good for 15 s. */
static const char pool_yaml[] =
	"pools:\n"
	"  p:\n"
	"    services:\n"
	"      A: {ports: 5061, http: [{url: 'http://127.0.0.1/'}]}\n"
	"      B: {ports: 5061, combine: sum, http: [{url: 'http://127.0.0.1/'}]}\n"
	"      C: {http: [{url: 'http://127.0.0.1/', ignore_unknown: true}]}\n"
	"      D: {ports: 5061, http: [{url: 'http://127.0.0.1/', ignore_unknown: true}]}\n"
	"      E: {ports: 5061, unverified: [counters]}\n"
	"      F: {unverified: [ports]}\n"
	"      G: {unverified: [counters]}\n"
	"      H: {ports: 5061, counters: [{path: '\\A\\B'}]}\n"
	"      I: {ports: 5061, http: [{url: 'http://127.0.0.1/', ignore_unknown: true,\n"
	"                               every: 1s, timeout: 10s}]}\n"
	"      J:\n"
	"        http:\n"
	"          - {url: 'http://127.0.0.1/'}\n"
	"          - {url: 'http://127.0.0.1/', pointer: /a}\n"
	"          - {url: 'http://127.0.0.1/', pointer: /b}\n"
	"          - {url: 'http://127.0.0.1/?k=1', pointer: /a}\n"
	"          - {url: 'http://127.0.0.1/?k=2', pointer: /a}\n"
	"        counters: [{path: '\\A\\B'}, {path: '\\A\\B'}]\n"
	"      K: {http: [{url: 'http://10.1.0.12/'}]}\n"
	"      L: {ports: 5061}\n"
	"    servers: {s: {address: 127.0.0.1}}\n";

static struct {
	struct pool_config *config;
	struct counting counting;
	int64_t now_ms;
	int64_t connections; /* UNKNOWN: the kernel is silent */
	int64_t list_ms;     /* that the kernel takes */
	int64_t tick_ms;     /* 0: TICK_MS */
	int64_t asked;       /* for one connection, how often */
} world;

static struct mono fake_clock(void)
{
	return (struct mono){world.now_ms};
}

static struct wall fake_wall(void)
{
	return (struct wall){1777624200000 + world.now_ms};
}

static int fake_list(const struct sessions_filter *filter,
		     const struct sessions_taker *taker, struct err *err)
{
	struct sessions_connection connection = {.idle_ms = -1};

	assert_int_equal(filter->port_count, 1);
	world.now_ms += world.list_ms;
	if (world.connections == UNKNOWN)
		return err_set(err, ERR_SESSIONS, "the kernel is silent");
	for (int64_t i = 0; i < world.connections; i++) {
		connection.peer_port = (uint16_t)(i + 1);
		taker->take(taker->arg, &connection);
	}
	return 0;
}

static int fake_is_there(const struct sessions_connection *connection)
{
	world.asked++;
	return world.connections == UNKNOWN
		       ? -1
		       : connection->peer_port <= world.connections;
}

static int try_begin(char letter, const struct list *commands, struct err *err)
{
	const struct pool *pool = world.config->pools.items;
	const struct pool_service *services = pool->services.items;
	const struct counting_deps deps = {.list_sessions = fake_list,
					   .is_there = fake_is_there,
					   .clock = fake_clock,
					   .wall_clock = fake_wall,
					   .tick_ms = world.tick_ms ? world.tick_ms
								    : TICK_MS,
					   .commands = commands,
					   .has_no_threads = true};

	world.now_ms = 1000000;
	world.connections = 0;
	return counting_init(&world.counting, pool, pool->servers.items,
			     &services[letter - 'A'], &deps, err);
}

static void begin(char letter)
{
	struct err err = {0};

	assert_int_equal(try_begin(letter, NULL, &err), 0);
	assert_string_equal(err.text, "");
}

static void end(void)
{
	counting_done(&world.counting);
}

/* The slow source says this now; it began to count so long ago. */
static void says_since(int64_t count, int64_t ago_ms)
{
	struct counting *c = &world.counting;
	struct sampler_reading reading = {.at = {world.now_ms - ago_ms},
					  .answered_at = {world.now_ms},
					  .is_known = count != UNKNOWN,
					  .count = count};

	if (count == UNKNOWN)
		(void)err_set(&reading.err, ERR_SESSIONS, "it went away");
	sampler_put(c->sources[c->progress.source_count - 1].sampler, reading);
}

static void says(int64_t count)
{
	says_since(count, 0);
}

static void look(bool is_out)
{
	progress_see(&world.counting.progress, is_out, fake_clock());
	counting_count(&world.counting, false);
}

/* Looks each second; the slow source says the same every five of them. */
static void pass_s(int seconds, int64_t count)
{
	for (int i = 0; i < seconds; i++) {
		world.now_ms += 1000;
		if (world.now_ms % EVERY_MS == 0)
			says(count);
		look(true);
	}
}

static enum tally tally(void)
{
	return counting_tally(&world.counting, SETTLE_MS);
}

static void check_count(int64_t expected)
{
	json_t *json = counting_count_to_json(&world.counting);

	if (expected == UNKNOWN)
		assert_true(json_is_null(json));
	else
		assert_int_equal(json_integer_value(json), expected);
	json_decref(json);
}

static void check_why(const char *words)
{
	char *why = counting_explain(&world.counting);

	if (!*words ? *why : !strstr(why, words))
		fail_msg("it says: %s", why);
	free(why);
}

static void the_most_or_the_sum(void **state)
{
	(void)state;
	begin('A');
	world.connections = 3;
	says(2);
	look(false);
	check_count(3);
	says(7);
	look(false);
	check_count(7);
	end();
	begin('B');
	world.connections = 3;
	says(2);
	look(false);
	check_count(5);
	end();
}

static void a_source_that_never_answered_is_not_zero(void **state)
{
	(void)state;
	begin('A');
	look(true);
	check_count(UNKNOWN);
	check_why(
		"http http://127.0.0.1/ (since 2026-05-01T08:46:40.000Z): it has not "
		"answered yet");
	assert_int_equal(tally(), TALLY_UNKNOWN);
	end();
}

static void unknown_says_since_when_and_why(void **state)
{
	(void)state;
	begin('A');
	says(0);
	look(true);
	check_why("");
	pass_s(10, UNKNOWN);
	check_count(UNKNOWN);
	/* Since the first of the two. */
	check_why(
		"http http://127.0.0.1/ (since 2026-05-01T08:46:45.000Z): it went "
		"away");
	pass_s(5, 0);
	check_count(0);
	check_why("");
	world.connections = UNKNOWN;
	pass_s(1, 0);
	check_why("tcp (since 2026-05-01T08:46:56.000Z): the kernel is silent");
	end();
}

static void drained_needs_every_source(void **state)
{
	(void)state;
	begin('A');
	says(1);
	pass_s(30, 1);
	assert_int_equal(tally(), TALLY_SOME);
	pass_s(5, 0);
	assert_int_equal(tally(), TALLY_ZERO);
	pass_s(9, 0);
	assert_int_equal(tally(), TALLY_ZERO);
	pass_s(1, 0);
	assert_int_equal(tally(), TALLY_SETTLED);
	world.connections = 1;
	pass_s(1, 0);
	assert_int_equal(tally(), TALLY_SOME);
	end();
}

static void an_answer_from_before_the_pause_says_nothing(void **state)
{
	(void)state;
	begin('A');
	look(false);
	world.now_ms += 4000;
	look(true);
	/* It began to count while new sessions were taken. */
	says_since(0, 3000);
	look(true);
	assert_int_equal(counting_tally(&world.counting, 0), TALLY_ZERO);
	world.now_ms += 1000;
	says(0);
	look(true);
	assert_int_equal(counting_tally(&world.counting, 0), TALLY_SETTLED);
	end();
}

/* When the answer came, its session may just have ended. */
static void the_settle_time_begins_when_zero_was_there(void **state)
{
	(void)state;
	begin('A');
	look(true);
	world.now_ms += 2000;
	says_since(0, 2000);
	pass_s(12, 0);
	assert_int_equal(tally(), TALLY_ZERO);
	pass_s(1, 0);
	assert_int_equal(tally(), TALLY_SETTLED);
	end();

	/* The kernel takes its time, too. */
	begin('A');
	says(0);
	world.list_ms = 2000;
	look(true);
	world.list_ms = 0;
	pass_s(12, 0);
	assert_int_equal(tally(), TALLY_ZERO);
	pass_s(1, 0);
	assert_int_equal(tally(), TALLY_SETTLED);
	end();
}

/* A busy machine needs more than a second for its list, each time. */
static void a_list_that_is_always_slow_settles_too(void **state)
{
	(void)state;
	world.tick_ms = 200;
	begin('D');
	world.tick_ms = 0;
	world.list_ms = 1500;
	for (int i = 0; i < 9; i++) {
		says(UNKNOWN);
		look(true);
		world.now_ms += 200;
	}
	world.list_ms = 0;
	assert_int_equal(tally(), TALLY_SETTLED);
	end();
}

static void an_old_answer_becomes_unknown(void **state)
{
	(void)state;
	begin('A');
	says(0);
	look(true);
	for (int i = 0; i < 15; i++) {
		world.now_ms += 1000;
		look(true);
	}
	check_count(0);
	world.now_ms += 1000;
	look(true);
	check_count(UNKNOWN);
	check_why(
		"http http://127.0.0.1/ (since 2026-05-01T08:46:40.000Z): it has not "
		"answered since 2026-05-01T08:46:40.000Z");
	/* The answer comes; the time without one does not count. */
	says(0);
	look(true);
	check_count(0);
	assert_int_equal(tally(), TALLY_ZERO);
	end();
}

static json_t *sources_without_times(void)
{
	json_t *sources = counting_sources_to_json(&world.counting), *source;
	size_t i;

	json_array_foreach (sources, i, source)
		(void)json_object_del(source, "sampled_at");
	return sources;
}

/* Whatever it said before, or if it never did; and what is said of that stays the
 * same.
 */
static void one_that_may_be_unknown_and_hangs_holds_nothing_up(void **state)
{
	enum { SILENT_S = 15, SETTLE_S = SETTLE_MS / 1000 };
	static const int64_t words[] = {0, UNKNOWN, 3, INT64_MAX};
	json_t *before, *after;

	(void)state;
	for (int i = 0; i < 4; i++) {
		begin('D');
		if (words[i] != INT64_MAX)
			says(words[i]);
		look(true);
		for (int s = 1; s <= SILENT_S + SETTLE_S; s++) {
			world.now_ms += 1000;
			look(true);
			assert_int_equal(tally(), s <= SILENT_S && words[i] == 3
							  ? TALLY_SOME
							  : TALLY_ZERO);
		}
		before = sources_without_times();
		world.now_ms += 1000;
		look(true);
		assert_int_equal(tally(), TALLY_SETTLED);
		for (int s = 0; s < 3600; s++) {
			world.now_ms += 1000;
			look(true);
			assert_int_equal(tally(), TALLY_SETTLED);
		}
		after = sources_without_times();
		assert_true(json_equal(before, after));
		json_decref(before);
		json_decref(after);
		/* Its word counts again. */
		says(1);
		look(true);
		assert_int_equal(tally(), TALLY_SOME);
		end();
	}
}

/* Each answer takes as long as it may, and says nothing. */
static void one_that_may_be_unknown_and_is_slow_holds_nothing_up(void **state)
{
	enum { TIMEOUT_S = 10 };

	(void)state;
	begin('I');
	for (int s = 0; s < 60; s++) {
		if (s % TIMEOUT_S == 0)
			says_since(UNKNOWN, s ? TIMEOUT_S * 1000 : 0);
		look(true);
		assert_int_equal(tally(), s < 20 ? TALLY_ZERO : TALLY_SETTLED);
		world.now_ms += 1000;
	}
	end();
}

/* Nobody learns when it was asked in vain. */
static void one_that_hangs_was_sampled_when_it_answered_last(void **state)
{
	struct source_metrics sources[PROGRESS_SOURCES];
	json_t *json, *source;

	(void)state;
	begin('A');
	for (int answers = 0; answers < 2; answers++) {
		if (answers)
			says_since(0, 2000);
		for (int s = 0; s < 60; s++) {
			look(true);
			world.now_ms += 1000;
		}
		assert_int_equal(counting_metrics(&world.counting, sources), 2);
		assert_int_equal(sources[1].has_sample, answers);
		json = counting_sources_to_json(&world.counting);
		source = json_array_get(json, 1);
		if (!answers) {
			assert_true(json_is_null(
				json_object_get(source, "sampled_at")));
		} else {
			assert_int_equal(sources[1].sampled_at.ms, 1058000);
			assert_string_equal(json_string_value(json_object_get(
						    source, "sampled_at")),
					    "2026-05-01T08:47:38.000Z");
			assert_string_equal(json_string_value(json_object_get(
						    source, "unknown_since")),
					    "2026-05-01T08:47:40.000Z");
		}
		json_decref(json);
	}
	end();
}

static void a_source_may_be_ignored_only_beside_another(void **state)
{
	(void)state;
	begin('D');
	says(UNKNOWN);
	pass_s(20, UNKNOWN);
	check_count(0);
	assert_int_equal(tally(), TALLY_SETTLED);
	pass_s(5, 2);
	check_count(2);
	end();
	begin('C');
	says(UNKNOWN);
	pass_s(30, UNKNOWN);
	check_count(UNKNOWN);
	check_why("it went away");
	assert_int_equal(tally(), TALLY_UNKNOWN);
	end();
}

static void what_no_source_can_count_is_unknown(void **state)
{
	static const char *const whys[] = {"counter (since", "give it 'ports'",
					   "give it 'ports'"};

	(void)state;
	for (int i = 0; i < 3; i++) {
		begin((char)('E' + i));
		for (int s = 0; s < 30; s++) {
			world.now_ms += 1000;
			look(true);
		}
		check_count(UNKNOWN);
		check_why(whys[i]);
		assert_int_equal(tally(), TALLY_UNKNOWN);
		end();
	}
}

static void a_document_goes_with_the_service_on_its_server(void **state)
{
	static const struct {
		const char *url;
		bool is_on_server;
	} cases[] = {
		{"http://127.0.0.1/", true},
		{"https://127.8.9.1:8080/status?a@b", true},
		{"http://[::1]:80/", true},
		{"http://LocalHost", true},
		{"http://user:word@localhost/", true},
		{"http://S.contoso.com/", true},
		{"http://s:81", true},
		{"http://10.1.0.12/", false},
		{"http://127.0.0.1@10.1.0.12/", false},
		{"http://10.1.0.12/?127.0.0.1", false},
		{"http://other.contoso.com/localhost", false},
		{"http://ss/", false},
		{"http://localhost.contoso.com/", false},
		{"", false},
	};
	const struct pool *pool = world.config->pools.items;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (pool_is_on_server(pool->servers.items, cases[i].url) !=
		    cases[i].is_on_server)
			fail_msg("%s", cases[i].url);
	begin('A');
	counting_see(&world.counting, true, true);
	world.now_ms += 1000;
	says(UNKNOWN);
	counting_count(&world.counting, false);
	check_count(0);
	/* Another process may have it. */
	counting_see(&world.counting, true, false);
	says(UNKNOWN);
	counting_count(&world.counting, false);
	check_count(UNKNOWN);
	end();
	begin('K');
	counting_see(&world.counting, true, true);
	says(UNKNOWN);
	counting_count(&world.counting, false);
	check_count(UNKNOWN);
	end();
}

static void nothing_is_known_of_a_service_that_is_not_installed(void **state)
{
	(void)state;
	begin('H');
	counting_see_missing(&world.counting, true);
	counting_count(&world.counting, false);
	check_count(UNKNOWN);
	check_why("counter \\A\\B (since 2026-05-01T08:46:40.000Z): the service is "
		  "not installed");
	counting_see_missing(&world.counting, false);
	says(2);
	counting_count(&world.counting, false);
	check_count(2);
	end();
}

/* As the supervisor does: a count when one is due, and peeks between.  Returns
 * after how long the tally is this one. */
static int64_t ms_until(enum tally wanted)
{
	struct counting *c = &world.counting;
	int64_t began_ms = world.now_ms;

	while (tally() != wanted) {
		int64_t peek_ms = counting_peek_in_ms(c);
		int64_t count_ms = clock_since(fake_clock(), c->due);

		assert_true(count_ms > 0);
		if (peek_ms < 0 || peek_ms >= count_ms) {
			world.now_ms += count_ms;
			counting_count(c, false);
		} else {
			world.now_ms += peek_ms;
			if (counting_peek(c))
				counting_count(c, false);
		}
		assert_true(world.now_ms < began_ms + MINUTE_MS);
	}
	return world.now_ms - began_ms;
}

static void the_end_of_the_last_few_is_seen_soon(void **state)
{
	(void)state;
	for (int64_t after_ms = 0; after_ms < TICK_MS; after_ms += 7) {
		begin('L');
		world.connections = 3;
		look(true);
		world.now_ms += after_ms;
		if (counting_peek_in_ms(&world.counting) == 0)
			assert_false(counting_peek(&world.counting));
		world.connections = 0;
		assert_in_range(ms_until(TALLY_ZERO), 0, PEEK_MS);
		/* Not a tick after the settle time is over, and no earlier. */
		assert_int_equal(ms_until(TALLY_SETTLED), SETTLE_MS);
		end();
	}
}

static void nobody_peeks_without_a_reason(void **state)
{
	struct counting *c = &world.counting;

	(void)state;
	begin('L');
	world.connections = 3;
	world.asked = 0;
	look(false);
	assert_int_equal(counting_peek_in_ms(c), -1);
	look(true);
	assert_int_equal(counting_peek_in_ms(c), PEEK_MS);
	/* One that is there says it for all. */
	world.now_ms += PEEK_MS;
	assert_false(counting_peek(c));
	assert_int_equal(world.asked, 1);
	assert_int_equal(counting_peek_in_ms(c), PEEK_MS);
	world.connections = UNKNOWN;
	assert_false(counting_peek(c));
	look(true);
	assert_int_equal(counting_peek_in_ms(c), -1);
	world.connections = 17;
	look(true);
	assert_int_equal(counting_peek_in_ms(c), -1);
	world.connections = 16;
	look(true);
	assert_int_equal(counting_peek_in_ms(c), PEEK_MS);
	world.connections = 0;
	look(true);
	assert_int_equal(counting_peek_in_ms(c), -1);
	end();
}

static void a_counter_goes_with_the_process_of_its_service(void **state)
{
	(void)state;
	begin('H');
	counting_see(&world.counting, true, false);
	says(UNKNOWN);
	counting_count(&world.counting, false);
	check_count(UNKNOWN);
	/* What was read before it stopped says nothing of that. */
	world.now_ms += 1000;
	counting_see(&world.counting, true, true);
	says_since(UNKNOWN, 500);
	counting_count(&world.counting, false);
	check_count(UNKNOWN);
	world.now_ms += 1000;
	says(UNKNOWN);
	counting_count(&world.counting, false);
	check_count(0);
	/* One that is still known counts, as do connections. */
	says(2);
	counting_count(&world.counting, false);
	check_count(2);
	says(UNKNOWN);
	world.connections = 3;
	counting_count(&world.counting, false);
	check_count(3);
	counting_see(&world.counting, true, false);
	says(UNKNOWN);
	counting_count(&world.counting, false);
	check_count(UNKNOWN);
	end();
}

static void fails(const char *why)
{
	struct counting *c = &world.counting;
	struct sampler_reading reading = {.at = fake_clock(),
					  .answered_at = fake_clock()};

	(void)err_set(&reading.err, ERR_SESSIONS, "%s", why);
	sampler_put(c->sources[1].sampler, reading);
	look(false);
}

static void a_reason_that_differs_in_numbers_is_the_same(void **state)
{
	(void)state;
	begin('A');
	fails("08:30:01 failed after 12 ms");
	check_why("08:30:01 failed after 12 ms");
	fails("08:30:02 failed after 7 ms");
	check_why("08:30:01 failed after 12 ms");
	fails("08:30:03 failed after 7 ms or so");
	check_why("08:30:03 failed after 7 ms or so");
	says(0);
	look(false);
	check_why("");
	fails("08:30:04 failed after 8 ms or so");
	check_why("08:30:04 failed after 8 ms or so");
	end();
}

static void a_number_that_cannot_be_is_unknown(void **state)
{
	static const int64_t numbers[] = {-7, 1000000001, INT64_MAX, INT64_MIN};

	(void)state;
	for (int i = 0; i < 4; i++) {
		begin('B');
		says(numbers[i]);
		look(true);
		check_count(UNKNOWN);
		check_why("is no number of sessions");
		end();
	}
}

static char service_g[] = "g";

static struct list commands_of(struct poold_command *commands, char **run,
			       size_t count)
{
	for (size_t i = 0; i < count; i++)
		commands[i] = (struct poold_command){.service = service_g,
						     .run = {run, 1},
						     .every_ms = EVERY_MS,
						     .timeout_ms = EVERY_MS};
	return (struct list){commands, count};
}

static void a_command_counts_its_service_alone(void **state)
{
	static char program[] = "/bin/count", *run[] = {program};
	struct poold_command commands[1];
	struct list list = commands_of(commands, run, 1);
	struct err err = {0};

	(void)state;
	assert_int_equal(try_begin('G', &list, &err), 0);
	says(0);
	pass_s(20, 0);
	assert_int_equal(tally(), TALLY_SETTLED);
	end();
	assert_int_equal(try_begin('F', &list, &err), 0);
	assert_int_equal(world.counting.progress.source_count, 1);
	check_why("give it 'ports'");
	end();
}

static void no_two_sources_of_a_kind_have_one_name(void **state)
{
	static char program[] = "/bin/count", numbered[] = "/bin/count (2)",
		    pointer[] = "/a", service_j[] = "J";
	static char *run[] = {program}, *other[] = {numbered};
	static const char *const expected[] = {
		"\\A\\B",
		"\\A\\B (2)",
		"http://127.0.0.1/",
		"http://127.0.0.1/#/a",
		"http://127.0.0.1/#/b",
		"http://127.0.0.1/#/a (2)",
		"http://127.0.0.1/#/a (3)",
		"/bin/count",
		"/bin/count#/a",
		"/bin/count (2)",
		"/bin/count (2) (2)",
	};
	struct source_metrics sources[PROGRESS_SOURCES];
	struct poold_command commands[4];
	struct list list = commands_of(commands, run, 4);
	struct err err = {0};
	json_t *json;

	(void)state;
	for (int i = 0; i < 4; i++)
		commands[i].service = service_j;
	commands[1].pointer = pointer;
	commands[3].run.items = other;
	assert_int_equal(try_begin('J', &list, &err), 0);
	assert_int_equal(counting_metrics(&world.counting, sources), 11);
	json = counting_sources_to_json(&world.counting);
	for (size_t i = 0; i < 11; i++) {
		const json_t *name =
			json_object_get(json_array_get(json, i), "name");

		assert_string_equal(sources[i].name, expected[i]);
		assert_string_equal(json_string_value(name), expected[i]);
	}
	json_decref(json);
	check_why("; http http://127.0.0.1/#/a (2) (since 2026");
	end();
}

static void more_sources_than_there_is_room_for_are_refused(void **state)
{
	static char program[] = "/bin/count", *run[] = {program};
	struct poold_command commands[PROGRESS_SOURCES + 1];
	struct list list = commands_of(commands, run, PROGRESS_SOURCES + 1);
	struct err err = {0};

	(void)state;
	assert_int_equal(try_begin('G', &list, &err), -1);
	assert_int_equal(err.code, ERR_CONFIG);
	end();
	list.count--;
	err = (struct err){0};
	assert_int_equal(try_begin('G', &list, &err), 0);
	end();
}

static json_t *row(const char *user, int age_s)
{
	return age_s < 0 ? json_pack("{ss sn}", "user", user, "age_s")
			 : json_pack("{ss si}", "user", user, "age_s", age_s);
}

/* The sessions of all sources in one list, cut at the limit. */
static void the_list_has_the_oldest_first(void **state)
{
	static const char *const expected[] = {"bob", "ann", NULL, "eve"};
	struct sampler_reading reading = {.is_known = true, .count = 3};
	json_t *json, *list;

	(void)state;
	begin('B');
	world.connections = 1;
	reading.at = fake_clock();
	reading.sessions = json_pack("[ooo]", row("eve", -1), row("ann", 60),
				     row("bob", 3600));
	look(false);
	world.now_ms += 3000;
	sampler_put(world.counting.sources[1].sampler, reading);
	json = counting_list(&world.counting, 10);
	list = json_object_get(json, "sessions");
	assert_int_equal(json_array_size(list), 4);
	assert_true(json_is_true(json_object_get(json, "whole")));
	for (size_t i = 0; i < 4; i++) {
		const char *user = json_string_value(
			json_object_get(json_array_get(list, i), "user"));

		assert_true(user ? expected[i] && !strcmp(user, expected[i])
				 : !expected[i]);
	}
	json_decref(json);
	json = counting_list(&world.counting, 2);
	assert_int_equal(json_array_size(json_object_get(json, "sessions")), 2);
	assert_true(json_is_false(json_object_get(json, "whole")));
	json_decref(json);
	end();
}

static int make_world(void **state)
{
	struct mistakes mistakes = {0};

	(void)state;
	world.config = pool_config_parse("pool.yaml", pool_yaml, strlen(pool_yaml),
					 &mistakes);
	return world.config ? 0 : -1;
}

static int end_world(void **state)
{
	(void)state;
	pool_config_free(world.config);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_most_or_the_sum),
		cmocka_unit_test(a_source_that_never_answered_is_not_zero),
		cmocka_unit_test(unknown_says_since_when_and_why),
		cmocka_unit_test(drained_needs_every_source),
		cmocka_unit_test(an_answer_from_before_the_pause_says_nothing),
		cmocka_unit_test(the_settle_time_begins_when_zero_was_there),
		cmocka_unit_test(a_list_that_is_always_slow_settles_too),
		cmocka_unit_test(an_old_answer_becomes_unknown),
		cmocka_unit_test(
			one_that_may_be_unknown_and_hangs_holds_nothing_up),
		cmocka_unit_test(
			one_that_may_be_unknown_and_is_slow_holds_nothing_up),
		cmocka_unit_test(one_that_hangs_was_sampled_when_it_answered_last),
		cmocka_unit_test(a_source_may_be_ignored_only_beside_another),
		cmocka_unit_test(what_no_source_can_count_is_unknown),
		cmocka_unit_test(a_counter_goes_with_the_process_of_its_service),
		cmocka_unit_test(a_reason_that_differs_in_numbers_is_the_same),
		cmocka_unit_test(a_number_that_cannot_be_is_unknown),
		cmocka_unit_test(a_command_counts_its_service_alone),
		cmocka_unit_test(
			nothing_is_known_of_a_service_that_is_not_installed),
		cmocka_unit_test(a_document_goes_with_the_service_on_its_server),
		cmocka_unit_test(the_end_of_the_last_few_is_seen_soon),
		cmocka_unit_test(nobody_peeks_without_a_reason),
		cmocka_unit_test(no_two_sources_of_a_kind_have_one_name),
		cmocka_unit_test(more_sources_than_there_is_room_for_are_refused),
		cmocka_unit_test(the_list_has_the_oldest_first),
	};

	return cmocka_run_group_tests(tests, make_world, end_world);
}
