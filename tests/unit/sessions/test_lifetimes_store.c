/* What is learned of a service's sessions, and what of it is there after a restart.
 */
#include "failing_disk.h"
#include "sessions/lifetimes_store.h"
#include "temp_folder.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MINUTE_MS = 60000 };

static struct temp_folder folder;
static struct tracker tracker;
static struct store *store;

static int begin(void **state)
{
	(void)state;
	failing_disk_install();
	failing_disk_set(0, 0);
	tracker = (struct tracker){0};
	if (temp_folder_make(&folder))
		return -1;
	store = store_open(folder.path, NULL);
	return store ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	failing_disk_set(0, 0);
	store_close(store);
	tracker_done(&tracker);
	temp_folder_remove(&folder);
	return 0;
}

static void sample(struct lifetimes_store *lifetimes_store, int64_t at_ms,
		   int count)
{
	tracker_begin(&tracker);
	for (int i = 0; i < count; i++)
		tracker_see(&tracker, &(struct sessions_connection){
					      .local_port = 5061,
					      .peer_port = (uint16_t)(50000 + i)});
	tracker_end(&tracker, (struct mono){at_ms}, (struct wall){at_ms});
	lifetimes_store_see(lifetimes_store, &tracker, (struct mono){at_ms});
}

static double risk_of(const struct lifetimes *lifetimes)
{
	double risk = 0;

	for (int bin = 0; bin < LIFETIMES_BINS; bin++)
		risk += lifetimes->risk[bin];
	return risk;
}

static int keep(struct lifetimes_store *lifetimes_store, int64_t at_ms)
{
	return lifetimes_store_keep(lifetimes_store, store, "RTCSRV",
				    (struct mono){at_ms}, (struct wall){at_ms},
				    NULL) ||
			       store_commit(store, NULL)
		       ? -1
		       : 0;
}

static void ends_are_learned_at_once_and_the_living_each_minute(void **state)
{
	struct lifetimes_store lifetimes_store = {0};
	double risk;

	(void)state;
	lifetimes_store_open(&lifetimes_store, store, "RTCSRV", (struct mono){0});
	sample(&lifetimes_store, 0, 0);
	sample(&lifetimes_store, 1000, 3);
	sample(&lifetimes_store, 2000, 3);
	assert_false(lifetimes_store.is_changed);
	sample(&lifetimes_store, 3000, 2);
	assert_true(lifetimes_ends(&lifetimes_store.lifetimes) > 0.99);
	risk = risk_of(&lifetimes_store.lifetimes);
	sample(&lifetimes_store, 59000, 2);
	assert_true(risk_of(&lifetimes_store.lifetimes) <= risk);
	sample(&lifetimes_store, 61000, 2);
	assert_true(risk_of(&lifetimes_store.lifetimes) > risk + 50);
	risk = risk_of(&lifetimes_store.lifetimes);
	sample(&lifetimes_store, 90000, 2);
	assert_true(risk_of(&lifetimes_store.lifetimes) <= risk);
	assert_true(risk_of(lifetimes_store_now(&lifetimes_store, &tracker,
						(struct mono){90000})) > risk);
}

static void what_was_kept_is_there_again(void **state)
{
	struct lifetimes_store lifetimes_store = {0}, again = {0};

	(void)state;
	lifetimes_store_open(&lifetimes_store, store, "RTCSRV", (struct mono){0});
	sample(&lifetimes_store, 0, 0);
	sample(&lifetimes_store, 1000, 9);
	sample(&lifetimes_store, 5000, 1);
	assert_int_equal(keep(&lifetimes_store, 5000), 0);
	lifetimes_store_open(&again, store, "RTCSRV", (struct mono){0});
	assert_true(lifetimes_ends(&again.lifetimes) > 7.99);
	assert_false(again.is_changed);
	lifetimes_store_open(&again, store, "OTHER", (struct mono){0});
	assert_true(lifetimes_ends(&again.lifetimes) < 0.01);
}

static void it_is_kept_every_ten_minutes_if_there_is_something(void **state)
{
	struct lifetimes_store lifetimes_store = {0};

	(void)state;
	lifetimes_store_open(&lifetimes_store, store, "RTCSRV", (struct mono){0});
	sample(&lifetimes_store, 0, 0);
	assert_false(lifetimes_store_is_due(&lifetimes_store,
					    (struct mono){100 * MINUTE_MS}));
	sample(&lifetimes_store, 1000, 2);
	sample(&lifetimes_store, 2000, 0);
	assert_false(lifetimes_store_is_due(&lifetimes_store,
					    (struct mono){10 * MINUTE_MS - 1}));
	assert_true(lifetimes_store_is_due(&lifetimes_store,
					   (struct mono){10 * MINUTE_MS}));
	assert_int_equal(keep(&lifetimes_store, 10 * MINUTE_MS), 0);
	assert_false(lifetimes_store_is_due(&lifetimes_store,
					    (struct mono){100 * MINUTE_MS}));
}

static void what_cannot_be_kept_is_still_known(void **state)
{
	struct lifetimes_store lifetimes_store = {0};

	(void)state;
	lifetimes_store_open(&lifetimes_store, store, "RTCSRV", (struct mono){0});
	sample(&lifetimes_store, 0, 0);
	sample(&lifetimes_store, 1000, 2);
	sample(&lifetimes_store, 2000, 0);
	failing_disk_set(1, INT_MAX);
	assert_int_equal(keep(&lifetimes_store, 10 * MINUTE_MS), -1);
	failing_disk_set(0, 0);
	assert_false(lifetimes_store_is_due(&lifetimes_store,
					    (struct mono){11 * MINUTE_MS}));
	assert_true(lifetimes_ends(&lifetimes_store.lifetimes) > 1.99);
}

static void what_cannot_be_read_is_learned_anew(void **state)
{
	struct lifetimes_store lifetimes_store = {0};

	(void)state;
	assert_int_equal(store_put_lifetimes(store, "RTCSRV", "lifetimes 1 9:x:1",
					     (struct wall){1}, NULL),
			 0);
	lifetimes_store_open(&lifetimes_store, store, "RTCSRV", (struct mono){0});
	assert_true(lifetimes_ends(&lifetimes_store.lifetimes) < 0.01);
	sample(&lifetimes_store, 0, 0);
	sample(&lifetimes_store, 1000, 2);
	sample(&lifetimes_store, 2000, 0);
	assert_int_equal(keep(&lifetimes_store, 3000), 0);
	lifetimes_store_open(&lifetimes_store, store, "RTCSRV", (struct mono){0});
	assert_true(lifetimes_ends(&lifetimes_store.lifetimes) > 1.99);
}

static void the_newest_services_are_kept(void **state)
{
	enum { KEPT = 64, MORE = 3 };
	char *text = NULL, name[16];

	(void)state;
	assert_int_equal(store_get_lifetimes(store, "RTCSRV", &text, NULL), 0);
	for (int i = 0; i < KEPT + MORE; i++) {
		(void)snprintf(name, sizeof(name), "service%d", i);
		assert_int_equal(store_put_lifetimes(store, name, "one",
						     (struct wall){1000 + i}, NULL),
				 0);
	}
	assert_int_equal(store_put_lifetimes(store, "service3", "two",
					     (struct wall){2000}, NULL),
			 0);
	assert_int_equal(store_commit(store, NULL), 0);
	store_close(store);
	store = store_open(folder.path, NULL);
	for (int i = 0; i < MORE; i++) {
		(void)snprintf(name, sizeof(name), "service%d", i);
		assert_int_equal(store_get_lifetimes(store, name, &text, NULL), 0);
	}
	assert_int_equal(store_get_lifetimes(store, "service3", &text, NULL), 1);
	assert_string_equal(text, "two");
	free(text);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ends_are_learned_at_once_and_the_living_each_minute),
		TEST(what_was_kept_is_there_again),
		TEST(it_is_kept_every_ten_minutes_if_there_is_something),
		TEST(what_cannot_be_kept_is_still_known),
		TEST(what_cannot_be_read_is_learned_anew),
		TEST(the_newest_services_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
