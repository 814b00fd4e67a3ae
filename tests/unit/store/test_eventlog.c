/*
 * The thread that writes to the Windows Event Log: nobody waits for it, and what it
 * loses is said.
 */
#include "clock.h"
#include "store/eventlog.h"
#include "system/waker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOST                                                                           \
	" events are not in the Windows Event Log, as it did not take them; they are " \
	"in the record"

enum { LIMIT_MS = 20000, MOST = 2 * EVENTLOG_WAITING };

/* The Event Log service: it hangs in the calls for which nobody has let it go. */
static struct {
	struct waker *go, *pause;
	atomic_bool is_hanging, is_refusing;
	atomic_int count, refused;
	int ids[MOST];
	char texts[MOST][128];
} service;

static int report(int id, enum event_level level, const char *text, struct err *err)
{
	int at = service.count;

	(void)level;
	while (service.is_hanging)
		waker_wait(service.go, 10);
	if (service.is_refusing && ++service.refused)
		return err_set_os(err, ERR_INTERNAL, 1502, "it refuses them");
	service.ids[at] = id;
	(void)snprintf(service.texts[at], sizeof(service.texts[at]), "%s", text);
	service.count = at + 1;
	return 0;
}

static void write_some(struct eventlog *log, int count)
{
	char text[32];

	for (int i = 0; i < count; i++) {
		(void)snprintf(text, sizeof(text), "event %d", i);
		eventlog_write(log, 100 + i, EVENT_LEVEL_INFO, text);
	}
}

static void wait_for(const atomic_int *number, int count)
{
	struct mono began = clock_mono();

	while (*number < count && clock_since(began, clock_mono()) < LIMIT_MS)
		waker_wait(service.pause, 1);
	assert_int_equal(*number, count);
}

static void all_of_it_comes_in_its_order(void **state)
{
	struct eventlog *log = eventlog_new(report);

	(void)state;
	write_some(log, 200);
	eventlog_close(log);
	assert_int_equal(service.count, 200);
	for (int i = 0; i < service.count; i++)
		assert_int_equal(service.ids[i], 100 + i);
	assert_string_equal(service.texts[199], "event 199");
}

static void one_that_hangs_keeps_nobody_and_says_what_it_lost(void **state)
{
	struct eventlog *log = eventlog_new(report);
	struct mono began = clock_mono();
	int came = 0, said_lost = 0;

	(void)state;
	service.is_hanging = true;
	write_some(log, 1);
	write_some(log, EVENTLOG_WAITING + 10);
	assert_true(clock_since(began, clock_mono()) < LIMIT_MS);
	assert_int_equal(service.count, 0);
	service.is_hanging = false;
	eventlog_close(log);
	/* Each came, or is among those of which it is said that they did not. */
	for (int i = 0; i < service.count; i++) {
		bool is_about_lost = service.ids[i] == event_kind_id(EVENT_LOST);

		said_lost +=
			is_about_lost ? (int)strtol(service.texts[i], NULL, 10) : 0;
		came += !is_about_lost;
		assert_true(!is_about_lost || strstr(service.texts[i], LOST));
	}
	assert_in_range(came, EVENTLOG_WAITING, EVENTLOG_WAITING + 1);
	assert_int_equal(came + said_lost, EVENTLOG_WAITING + 11);
}

static void what_is_refused_is_said_once_it_is_taken_again(void **state)
{
	struct eventlog *log = eventlog_new(report);

	(void)state;
	service.is_refusing = true;
	write_some(log, 3);
	eventlog_close(log);
	assert_int_equal(service.count, 0);
	log = eventlog_new(report);
	write_some(log, 3);
	wait_for(&service.refused, 6);
	service.is_refusing = false;
	write_some(log, 1);
	wait_for(&service.count, 2);
	assert_int_equal(service.ids[0], 100);
	assert_int_equal(strtol(service.texts[1], NULL, 10), 3);
	write_some(log, 1);
	wait_for(&service.count, 3);
	assert_int_equal(service.ids[2], 100);
	eventlog_close(log);
	assert_int_equal(service.count, 3);
}

/* The last test: its thread never returns. */
static void one_that_hangs_for_ever_is_left_behind(void **state)
{
	struct eventlog *log = eventlog_new(report);
	struct mono began = clock_mono();

	(void)state;
	service.is_hanging = true;
	write_some(log, 1);
	eventlog_close(log);
	assert_true(clock_since(began, clock_mono()) < LIMIT_MS);
	assert_int_equal(service.count, 0);
}

static int set_up(void **state)
{
	(void)state;
	if (!service.go) {
		service.go = waker_new();
		service.pause = waker_new();
	}
	service.is_hanging = service.is_refusing = false;
	service.count = service.refused = 0;
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_of_it_comes_in_its_order),
		TEST(one_that_hangs_keeps_nobody_and_says_what_it_lost),
		TEST(what_is_refused_is_said_once_it_is_taken_again),
		TEST(one_that_hangs_for_ever_is_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
