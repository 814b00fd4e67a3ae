/*
 * What watchers of the record get: every event once and in order, from shared
 * texts.
 */
#include "api.h"
#include "buf.h"
#include "mem.h"
#include "http/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	BEAT_MS = 15000,
	ROOM_BYTES = 4096,
	RANDOM_WATCHERS = 20,
	RANDOM_STEPS = 20000
};

/* A record whose events have texts of different lengths. */
static struct {
	int64_t last;
	int64_t gap; /* an id that is missing; 0: none */
	size_t text_bytes;
	int reads;
	bool is_failing;
	struct ring *ring;
} record;

static const struct mono start = {1000};

static int read_record(void *arg, int64_t after, int limit,
		       void (*each)(void *arg, const struct event *event),
		       void *each_arg, struct err *err)
{
	char *text = xcalloc(1, record.text_bytes + 1);

	(void)arg;
	record.reads++;
	memset(text, 'x', record.text_bytes);
	for (int64_t id = after + 1; id <= record.last && limit; id++) {
		/* The same at every reading. */
		size_t skipped = record.text_bytes
					 ? (size_t)id * 7919 % record.text_bytes
					 : 0;

		if (id == record.gap)
			continue;
		each(each_arg, &(struct event){.id = id,
					       .kind = "action",
					       .text = text + skipped});
		limit--;
	}
	free(text);
	return record.is_failing ? err_set(err, ERR_STORE, "no disk") : 0;
}

static int begin(void **state)
{
	(void)state;
	memset(&record, 0, sizeof(record));
	record.ring = stream_ring_new(read_record, NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	stream_ring_free(record.ring);
	return 0;
}

static struct stream *watch(int64_t after)
{
	return stream_new(record.ring, after, record.last, BEAT_MS, start);
}

/* Adds all that there is for the stream, read in pieces of so many bytes. */
static void read_all(struct stream *stream, size_t room_bytes, struct buf *text)
{
	char room[ROOM_BYTES];
	int64_t got;

	while ((got = stream_read(stream, record.last, start, room, room_bytes,
				  NULL)) > 0) {
		assert_in_range(got, 1, room_bytes);
		buf_add(text, room, (size_t)got);
	}
	assert_int_equal(got, 0);
}

/* Reads all, and gives it as one text that is to be freed. */
static char *read_text(struct stream *stream)
{
	struct buf text = {0};

	read_all(stream, ROOM_BYTES, &text);
	return text.text ? text.text : xstrdup("");
}

static void expect(struct stream *stream, const char *expected)
{
	char *text = read_text(stream);

	assert_string_equal(text, expected);
	free(text);
}

/* Whether the text has the events from `first` to `last`, each whole and in its
 * turn. */
static void expect_events(const char *text, int64_t first, int64_t last)
{
	int64_t next = first;

	for (const char *at = text; *at; next++) {
		char head[100];

		if (next == record.gap)
			continue;
		(void)snprintf(head, sizeof(head),
			       "id: %lld\nevent: action\ndata: {\"id\":%lld,",
			       (long long)next, (long long)next);
		assert_memory_equal(at, head, strlen(head));
		at = strstr(at, "}\n\n");
		assert_non_null(at);
		at += strlen("}\n\n");
	}
	assert_int_equal(next, last + 1);
}

static void from_now_on(void **state)
{
	struct stream *stream;
	char *text;

	(void)state;
	record.last = 7;
	stream = watch(STREAM_FROM_NOW);
	expect(stream, "id: 7\n\n");
	expect(stream, "");
	assert_int_equal(record.reads, 0);
	record.last = 9;
	text = read_text(stream);
	expect_events(text, 8, 9);
	assert_int_equal(stream_seen(stream), 9);
	free(text);
	stream_free(stream);
}

static void an_event_is_as_in_the_list(void **state)
{
	struct stream *stream = watch(0);
	json_t *json = event_to_json(
		&(struct event){.id = 1, .kind = "action", .text = ""});
	char *list = json_dumps(json, JSON_COMPACT),
	     *all = xasprintf("id: 0\n\nid: 1\nevent: action\ndata: %s\n\n", list);

	(void)state;
	record.last = 1;
	expect(stream, all);
	free(all);
	free(list);
	json_decref(json);
	stream_free(stream);
}

static void any_room_gives_the_same_bytes(void **state)
{
	struct stream *stream;
	char *whole;

	(void)state;
	record.last = 40;
	record.text_bytes = 300;
	stream = watch(3);
	whole = read_text(stream);
	expect_events(whole + strlen("id: 3\n\n"), 4, 40);
	stream_free(stream);
	for (size_t room_bytes = 1; room_bytes < 700; room_bytes += 13) {
		struct buf text = {0};

		stream = watch(3);
		read_all(stream, room_bytes, &text);
		assert_string_equal(text.text, whole);
		buf_done(&text);
		stream_free(stream);
	}
	free(whole);
}

static void a_thousand_watchers_read_the_store_once(void **state)
{
	enum { WATCHERS = 1000 };
	static struct stream *streams[WATCHERS];

	(void)state;
	record.last = 500;
	for (int i = 0; i < WATCHERS; i++) {
		streams[i] = watch(i % 2 ? STREAM_FROM_NOW : i / 2);
		free(read_text(streams[i]));
	}
	assert_int_equal(record.reads, 1);
	record.last = 503;
	for (int i = 0; i < WATCHERS; i++) {
		char *text = read_text(streams[i]);

		expect_events(text, 501, 503);
		free(text);
		stream_free(streams[i]);
	}
	assert_int_equal(record.reads, 2);
}

/* A thousand of these texts are more than the ring has room for. */
static void who_is_behind_the_ring_gets_all(void **state)
{
	struct stream *ahead, *behind;
	char *text;
	int reads;

	(void)state;
	record.last = API_EVENTS_LIMIT;
	record.text_bytes = STREAM_RING_BYTES / 100;
	ahead = watch(API_EVENTS_LIMIT - 2);
	free(read_text(ahead));
	reads = record.reads;
	behind = watch(0);
	text = read_text(behind);
	expect_events(text + strlen("id: 0\n\n"), 1, API_EVENTS_LIMIT);
	assert_in_range(record.reads - reads, 1, API_EVENTS_LIMIT / 20);
	free(text);
	stream_free(ahead);
	stream_free(behind);
}

static void a_gap_that_is_too_large(void **state)
{
	static const struct {
		int64_t last, after;
		const char *expected;
	} cases[] = {
		{5000, 3999, "id: 5000\nevent: resync\ndata: {\"last\":5000}\n\n"},
		{5000, 0, "id: 5000\nevent: resync\ndata: {\"last\":5000}\n\n"},
		{5000, 5001, "id: 5000\nevent: resync\ndata: {\"last\":5000}\n\n"},
		{0, 1, "id: 0\nevent: resync\ndata: {\"last\":0}\n\n"},
		{5, INT64_MAX, "id: 5\nevent: resync\ndata: {\"last\":5}\n\n"},
		{5000, 5000, "id: 5000\n\n"},
	};
	struct stream *stream;
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		record.last = cases[i].last;
		stream = watch(cases[i].after);
		expect(stream, cases[i].expected);
		record.last++;
		text = read_text(stream);
		expect_events(text, record.last, record.last);
		free(text);
		stream_free(stream);
		stream_ring_free(record.ring);
		record.ring = stream_ring_new(read_record, NULL);
	}
	record.last = 5000;
	stream = watch(4000);
	text = read_text(stream);
	expect_events(text + strlen("id: 4000\n\n"), 4001, 5000);
	free(text);
	stream_free(stream);
}

static void who_falls_behind_meanwhile_starts_anew_after_a_whole_event(void **state)
{
	struct stream *stream = watch(0);
	char room[ROOM_BYTES], *text;
	int64_t got;
	const char *rest;

	(void)state;
	free(read_text(stream));
	record.last = 10;
	got = stream_read(stream, record.last, start, room, 50, NULL);
	assert_int_equal(got, 50);
	record.last = 5000;
	text = read_text(stream);
	rest = strstr(text, "}\n\n");
	assert_non_null(rest);
	assert_string_equal(rest + 3,
			    "id: 5000\nevent: resync\ndata: {\"last\":5000}\n\n");
	free(text);
	stream_free(stream);
}

static void a_comment_comes_when_nothing_else_does(void **state)
{
	struct stream *stream = watch(0);
	char room[ROOM_BYTES];
	struct mono later = clock_add(start, BEAT_MS - 1),
		    due = clock_add(start, BEAT_MS);
	int64_t got;

	(void)state;
	expect(stream, "id: 0\n\n");
	assert_int_equal(stream_rest_ms(stream, later), 1);
	assert_int_equal(stream_read(stream, 0, later, room, sizeof(room), NULL),
			 0);
	assert_int_equal(stream_rest_ms(stream, due), 0);
	got = stream_read(stream, 0, due, room, sizeof(room), NULL);
	assert_true(got > 0 && room[0] == ':' &&
		    !memcmp(room + got - 2, "\n\n", 2));
	assert_int_equal(stream_rest_ms(stream, due), BEAT_MS);
	assert_int_equal(stream_read(stream, 0, due, room, sizeof(room), NULL), 0);
	/* An event is as good. */
	record.last = 1;
	assert_true(stream_read(stream, 1, clock_add(due, 9), room, sizeof(room),
				NULL) > 0);
	assert_int_equal(stream_rest_ms(stream, due), BEAT_MS + 9);
	stream_free(stream);
}

static void a_store_that_cannot_be_read_ends_it(void **state)
{
	struct stream *stream = watch(0);
	struct err err = {0};
	char room[ROOM_BYTES];

	(void)state;
	free(read_text(stream));
	record.last = 1;
	record.is_failing = true;
	assert_int_equal(stream_read(stream, 1, start, room, sizeof(room), &err),
			 -1);
	assert_int_equal(err.code, ERR_STORE);
	stream_free(stream);
}

/* As after somebody took an event out of the store. */
static void an_event_that_is_missing_holds_nobody_up(void **state)
{
	struct stream *stream;
	char *text;

	(void)state;
	record.last = 60;
	record.gap = 30;
	for (int64_t after = 0; after < 60; after += 29) {
		char head[32];
		size_t length = (size_t)snprintf(head, sizeof(head), "id: %lld\n\n",
						 (long long)after);

		stream = watch(after);
		text = read_text(stream);
		expect_events(text + length, after + 1, 60);
		free(text);
		stream_free(stream);
	}
}

struct watcher {
	struct stream *stream;
	struct buf text;
	int64_t after;
};

static void check_watcher(struct watcher *watcher)
{
	read_all(watcher->stream, ROOM_BYTES, &watcher->text);
	expect_events(strstr(watcher->text.text, "\n\n") + 2, watcher->after + 1,
		      record.last);
	stream_free(watcher->stream);
	buf_done(&watcher->text);
}

static void watchers_that_come_and_go_at_random_miss_nothing(void **state)
{
	struct watcher watchers[RANDOM_WATCHERS] = {0};
	const char *given = getenv("POOLCTL_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 20260501;
	char room[ROOM_BYTES];

	(void)state;
	print_message("POOLCTL_SEED=%u\n", seed);
	srand(seed);
	record.text_bytes = 2000; /* so that the ring does not have all */
	for (int step = 0; step < RANDOM_STEPS; step++) {
		struct watcher *watcher = &watchers[rand() % RANDOM_WATCHERS];
		int64_t got;

		record.last += rand() % 20 == 0 ? rand() % 5 : 0;
		if (!watcher->stream) {
			watcher->after = record.last - rand() % 500;
			if (watcher->after < 0)
				watcher->after = 0;
			watcher->stream = watch(watcher->after);
		}
		got = stream_read(watcher->stream, record.last, start, room,
				  (size_t)(1 + rand() % ROOM_BYTES), NULL);
		assert_true(got >= 0);
		buf_add(&watcher->text, room, (size_t)got);
		if (rand() % 100 == 0) {
			check_watcher(watcher);
			*watcher = (struct watcher){0};
		}
	}
	for (int i = 0; i < RANDOM_WATCHERS; i++)
		if (watchers[i].stream)
			check_watcher(&watchers[i]);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(from_now_on),
		TEST(an_event_is_as_in_the_list),
		TEST(any_room_gives_the_same_bytes),
		TEST(a_thousand_watchers_read_the_store_once),
		TEST(who_is_behind_the_ring_gets_all),
		TEST(a_gap_that_is_too_large),
		TEST(who_falls_behind_meanwhile_starts_anew_after_a_whole_event),
		TEST(a_comment_comes_when_nothing_else_does),
		TEST(a_store_that_cannot_be_read_ends_it),
		TEST(an_event_that_is_missing_holds_nobody_up),
		TEST(watchers_that_come_and_go_at_random_miss_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
