/*
 * The record: what is written is a chain that docs/api.md describes, whatever the
 * disk does meanwhile.
 */
#include "failing_disk.h"
#include "system/log.h"
#include "store/record.h"
#include "survive_counts.h"
#include "temp_folder.h"
#include "utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nettle/base16.h>
#include <nettle/sha2.h>

enum {
	WAITING = 255
}; /* so many wait in memory, and the one that says how many not */

static struct {
	struct temp_folder folder;
	struct store *store;
	struct record *record;
	int64_t now_ms;
} world;

static struct wall fake_clock(void)
{
	return (struct wall){world.now_ms += 1};
}

static void come_up(void)
{
	struct err err = {0};

	world.store = store_open(world.folder.path, &err);
	assert_string_equal(err.text, "");
	world.record = record_open(world.store, fake_clock, &err);
	assert_string_equal(err.text, "");
}

static void go_down(void)
{
	record_close(world.record);
	store_close(world.store);
}

static int begin(void **state)
{
	(void)state;
	world.now_ms = 1777624200250;
	failing_disk_set(0, 0);
	if (temp_folder_make(&world.folder))
		return -1;
	come_up();
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

static void add(const char *text, bool is_tied)
{
	record_add(world.record, &(struct line){.kind = EVENT_ACTION,
						.service = "RTCSRV",
						.who = "poold",
						.text = text,
						.is_tied = is_tied});
}

static void put_saved(const char *service)
{
	(void)store_put_saved(
		world.store, service,
		&(struct saved){.state = STATE_RUNNING, .start_type = START_MANUAL},
		NULL);
}

/* ---- what is there ---- */

struct found {
	int64_t count;
	char head[CHAIN_HASH_BYTES];
	char *texts; /* each after a space */
};

/* As docs/api.md says, without the help of the code that writes it. */
static void hash_as_documented(const char *previous, json_t *event,
			       char hash[CHAIN_HASH_BYTES])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx sha256;
	char *text, *whole;

	(void)json_object_del(event, "hash");
	text = json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS);
	whole = xasprintf("%s\n%s", previous, text);
	sha256_init(&sha256);
	sha256_update(&sha256, strlen(whole), (const uint8_t *)whole);
	sha256_digest(&sha256, sizeof(digest), digest);
	base16_encode_update(hash, sizeof(digest), digest);
	hash[CHAIN_HASH_BYTES - 1] = '\0';
	free(text);
	free(whole);
}

static void check_event(void *arg, const struct event *event)
{
	struct found *found = arg;
	json_t *json = event_to_json(event);
	char *longer = xasprintf("%s %s", found->texts, event->text);

	assert_int_equal(event->id, ++found->count);
	assert_string_equal(json_string_value(json_object_get(json, "hash")),
			    event->hash);
	hash_as_documented(found->head, json, found->head);
	assert_string_equal(event->hash, found->head);
	free(found->texts);
	found->texts = longer;
	json_decref(json);
}

/* What is in the store is a whole chain with these texts. */
static void is_chain_of(const char *texts)
{
	struct found found = {.texts = xstrdup("")};

	utf8_copy(found.head, sizeof(found.head), chain_start);
	assert_int_equal(
		store_each_event(world.store, 0, 100000, check_event, &found, NULL),
		0);
	if (texts)
		assert_string_equal(found.texts, texts);
	free(found.texts);
}

static bool is_saved(const char *service)
{
	struct saved saved;

	return store_get_saved(world.store, service, &saved, NULL) == 1;
}

/* ---- tests ---- */

static void the_chain_is_as_documented_and_goes_on_over_a_restart(void **state)
{
	(void)state;
	record_add(world.record,
		   &(struct line){.kind = EVENT_DRAIN_CREATED,
				  .who = "Jürgen \"7\" \\ /",
				  .from = "192.0.2.7",
				  .why = "€ \t",
				  .text = "first",
				  .before = json_pack("{si}", "b", 1),
				  .after = json_pack("{sbsn}", "z", 1, "a")});
	record_add(world.record,
		   &(struct line){.kind = EVENT_POOLD_STARTED, .text = "second"});
	assert_int_equal(record_commit(world.record, NULL), 0);
	is_chain_of(" first second");
	go_down();
	come_up();
	add("third", false);
	add("fourth", true);
	assert_int_equal(record_commit(world.record, NULL), 0);
	is_chain_of(" first second third fourth");
}

static void a_changed_event_breaks_the_chain_after_it(void **state)
{
	struct event event = {.id = 1, .kind = "action", .text = "a", .time = {5}};
	char as_it_was[CHAIN_HASH_BYTES], changed[CHAIN_HASH_BYTES];

	(void)state;
	event_hash(&event, chain_start, as_it_was);
	event.service = "RTCSRV";
	event_hash(&event, chain_start, changed);
	assert_string_not_equal(as_it_was, changed);
}

static void nothing_to_write_needs_no_disk(void **state)
{
	(void)state;
	failing_disk_set(1, INT_MAX);
	assert_int_equal(record_commit(world.record, NULL), 0);
	assert_int_equal(failing_disk.calls, 0);
}

static void a_failing_disk_delays_events_and_undoes_what_is_tied(void **state)
{
	struct err err = {0};

	(void)state;
	failing_disk_set(1, INT_MAX);
	add("one", false);
	put_saved("A");
	add("of-A", true);
	add("two", false);
	assert_int_equal(record_commit(world.record, &err), -1);
	assert_int_equal(err.code, ERR_STORE);
	assert_false(is_saved("A"));
	put_saved("B");
	add("of-B", true);
	add("three", false);
	assert_int_equal(record_commit(world.record, NULL), -1);
	is_chain_of("");

	failing_disk_set(0, 0);
	add("four", false);
	put_saved("C");
	add("of-C", true);
	assert_int_equal(record_commit(world.record, NULL), 0);
	assert_false(is_saved("A") || is_saved("B"));
	assert_true(is_saved("C"));
	is_chain_of(" one two three four of-C");
}

/* Each write of a few commits fails, once or for a while. */
static int fail_each_write(int count)
{
	int at = 0;
	bool is_met = true;

	while (is_met) {
		at++;
		go_down();
		temp_folder_empty(&world.folder);
		failing_disk_set(0, 0);
		come_up();
		failing_disk_set(at, count);
		for (int i = 0; i < 3; i++) {
			char service[2] = {(char)('A' + i), '\0'};
			char *tied = xasprintf("of-%s", service);
			bool is_done;

			add(service, false);
			put_saved(service);
			add(tied, true);
			is_done = !record_commit(world.record, NULL);
			assert_int_equal(is_saved(service), is_done);
			is_chain_of(NULL);
			free(tied);
		}
		is_met = failing_disk.calls >= at;
		failing_disk_set(0, 0);
		add("last", false);
		assert_int_equal(record_commit(world.record, NULL), 0);
		is_chain_of(is_met ? NULL : " A of-A B of-B C of-C last");
		go_down();
		come_up();
		is_chain_of(NULL);
		assert_true(store_last_event(world.store, NULL) >= 4);
	}
	return at - 1;
}

static void every_failing_write_leaves_a_whole_chain(void **state)
{
	int once = fail_each_write(1), more = fail_each_write(3);

	(void)state;
	assert_true(once > 3);
	survive_counts_add("test_record", 0, once + more);
}

static void what_does_not_fit_is_counted_in_one_event(void **state)
{
	struct found found = {.texts = xstrdup("")};

	(void)state;
	failing_disk_set(1, INT_MAX);
	for (int i = 0; i < WAITING + 10; i++)
		add("x", false);
	assert_int_equal(record_commit(world.record, NULL), -1);
	for (int i = 0; i < 7; i++) {
		add("x", false);
		assert_int_equal(record_commit(world.record, NULL), -1);
	}
	failing_disk_set(0, 0);
	assert_int_equal(record_commit(world.record, NULL), 0);
	utf8_copy(found.head, sizeof(found.head), chain_start);
	assert_int_equal(
		store_each_event(world.store, 0, 100000, check_event, &found, NULL),
		0);
	assert_int_equal(found.count, WAITING + 1);
	assert_non_null(strstr(found.texts, " x 17 events were lost"));
	free(found.texts);
	add("after", false);
	assert_int_equal(record_commit(world.record, NULL), 0);
	assert_int_equal(store_last_event(world.store, NULL), WAITING + 2);
	is_chain_of(NULL);
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
		TEST(the_chain_is_as_documented_and_goes_on_over_a_restart),
		TEST(a_changed_event_breaks_the_chain_after_it),
		TEST(nothing_to_write_needs_no_disk),
		TEST(a_failing_disk_delays_events_and_undoes_what_is_tied),
		TEST(every_failing_write_leaves_a_whole_chain),
		TEST(what_does_not_fit_is_counted_in_one_event),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
