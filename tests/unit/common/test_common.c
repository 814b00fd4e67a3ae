/*
 * The small things that all else stands on: times, addresses, errors, texts, names.
 */
#include "api.h"
#include "buf.h"
#include "clock.h"
#include "err.h"
#include "event_kind.h"
#include "net_address.h"
#include "text/duration.h"
#include "text/nearest.h"
#include "utf8.h"
#include "system/waker.h"
#include "text/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- clock ---- */

static const struct {
	const char *text;
	int64_t ms;
} times[] = {
	{"1970-01-01T00:00:00.000Z", 0},
	{"1969-12-31T23:59:59.999Z", -1},
	{"1969-12-31T00:00:00.000Z", -86400000},
	{"1600-02-29T12:00:00.500Z", INT64_C(-11670955199500)},
	{"1900-02-28T23:59:59.000Z", INT64_C(-2203891201000)},
	{"1900-03-01T00:00:00.000Z", INT64_C(-2203891200000)},
	{"2000-02-29T00:00:00.000Z", INT64_C(951782400000)},
	{"2024-02-29T23:59:59.999Z", INT64_C(1709251199999)},
	{"2024-12-31T00:00:00.001Z", INT64_C(1735603200001)},
	{"2026-05-01T08:30:00.250Z", INT64_C(1777624200250)},
	{"2038-01-19T03:14:08.000Z", INT64_C(2147483648000)},
	{"2100-03-01T00:00:00.000Z", INT64_C(4107542400000)},
	{"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
	{"0000-03-01T00:00:00.000Z", INT64_C(-62162035200000)},
};

static void times_are_written_and_read_alike(void **state)
{
	char text[CLOCK_TEXT_BYTES];
	struct wall wall;

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		assert_string_equal(clock_format((struct wall){times[i].ms}, text),
				    times[i].text);
		assert_int_equal(clock_parse(times[i].text, &wall), 0);
		assert_int_equal(wall.ms, times[i].ms);
	}
}

static void every_day_of_eight_hundred_years_is_read_back(void **state)
{
	const int64_t day_ms = 86400000, from = INT64_C(-11676096000000);
	char text[CLOCK_TEXT_BYTES], last[CLOCK_TEXT_BYTES] = "";
	struct wall wall;

	(void)state;
	for (int64_t day = 0; day < 292194; day++) {
		int64_t ms = from + day * day_ms + 1;

		clock_format((struct wall){ms}, text);
		assert_true(strcmp(text, last) > 0);
		assert_int_equal(clock_parse(text, &wall), 0);
		assert_int_equal(wall.ms, ms);
		memcpy(last, text, sizeof(last));
	}
}

static void a_time_may_lack_the_fraction(void **state)
{
	struct wall wall;

	(void)state;
	assert_int_equal(clock_parse("1970-01-01T00:01:00Z", &wall), 0);
	assert_int_equal(wall.ms, 60000);
	assert_int_equal(clock_parse("1972-06-30T23:59:60Z", &wall), 0);
	assert_int_equal(wall.ms, INT64_C(78796800000));
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"now",
		"2026-05-01",
		"2026-05-01T08:30:00",
		"2026-05-01T08:30:00.250",
		"2026-05-01T08:30:00.25Z",
		"2026-05-01T08:30:00.2500Z",
		"2026-05-01T08:30:00.Z",
		"2026-05-01T08:30:00.+12Z",
		"2026-05-01T08:30:00.250z",
		"2026-05-01T08:30:00+00:00",
		"2026-05-01 08:30:00Z",
		"2026-05-01T08:30Z",
		"2026-5-1T08:30:00Z",
		"2026-05-01T8:30:00Z",
		" 2026-05-01T08:30:00Z",
		"2026-05-01T08:30:00Z ",
		"+026-05-01T08:30:00Z",
		"-026-05-01T08:30:00Z",
		"12026-05-01T08:30:00Z",
		"2026-00-01T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-05-00T00:00:00Z",
		"2026-05-32T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-05-01T24:00:00Z",
		"2026-05-01T00:60:00Z",
		"2026-05-01T00:00:61Z",
	};
	struct wall wall;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!clock_parse(bad[i], &wall))
			fail_msg("'%s' was taken", bad[i]);
}

static void waits_are_differences(void **state)
{
	struct mono from = {1000};

	(void)state;
	assert_int_equal(clock_since(from, clock_add(from, 250)), 250);
	assert_int_equal(clock_since(clock_add(from, 250), from), -250);
	from = clock_mono();
	assert_true(clock_since(from, clock_mono()) >= 0);
}

/* ---- addresses ---- */

static struct net_address address(const char *text)
{
	struct net_address parsed;

	assert_int_equal(net_address_parse(text, &parsed), 0);
	return parsed;
}

static void addresses_are_written_in_their_shortest_form(void **state)
{
	static const struct {
		const char *in, *out;
		bool is_ipv4, is_loopback;
	} cases[] = {
		{"192.0.2.1", "192.0.2.1", true, false},
		{"127.0.0.1", "127.0.0.1", true, true},
		{"127.255.255.254", "127.255.255.254", true, true},
		{"128.0.0.1", "128.0.0.1", true, false},
		{"0.0.0.0", "0.0.0.0", true, false},
		{"::", "::", false, false},
		{"::1", "::1", false, true},
		{"::2", "::2", false, false},
		{"2001:DB8:0:0:0:0:0:1", "2001:db8::1", false, false},
		{"::ffff:192.0.2.1", "192.0.2.1", true, false},
		{"::ffff:7f00:1", "127.0.0.1", true, true},
		{"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false, false},
	};
	char text[NET_ADDRESS_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct net_address one = address(cases[i].in);

		assert_string_equal(net_address_format(&one, text), cases[i].out);
		assert_int_equal(net_address_is_ipv4(&one), cases[i].is_ipv4);
		assert_int_equal(net_address_is_loopback(&one),
				 cases[i].is_loopback);
	}
}

static void an_address_and_a_port_name_a_file(void **state)
{
	struct net_address v4 = address("127.0.0.1"), v6 = address("2001:db8::1");
	char text[NET_ADDRESS_FILE_BYTES];

	(void)state;
	assert_string_equal(net_address_file_name(&v4, 8650, text),
			    "127.0.0.1-8650");
	assert_string_equal(net_address_file_name(&v6, 65535, text),
			    "2001_db8__1-65535");
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"localhost",
		"192.0.2",
		"192.0.2.256",
		"192.0.2.1.1",
		"192.0.2.1/32",
		"192.0.2.1 ",
		" 192.0.2.1",
		"::g",
		"1::2::3",
		"[::1]",
		"fe80::1%lo",
		"192.0.2.1:1",
		"0x7f.0.0.1",
		"2001:db8",
	};
	struct net_address parsed;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!net_address_parse(bad[i], &parsed))
			fail_msg("'%s' was taken", bad[i]);
}

static void ipv4_and_its_mapped_form_are_the_same(void **state)
{
	struct net_address a = address("192.0.2.1"), b = address("::ffff:c000:201"),
			   c = address("::192.0.2.1");

	(void)state;
	assert_true(net_address_equal(&a, &b));
	assert_false(net_address_equal(&a, &c));
	b = net_address_from_ipv4("\xc0\x00\x02\x01");
	assert_true(net_address_equal(&a, &b));
	b = net_address_from_ipv6(a.bytes);
	assert_true(net_address_equal(&a, &b));
}

static void endpoints_are_split(void **state)
{
	static const struct {
		const char *in, *host;
		int port; /* -1: refused */
	} cases[] = {
		{"127.0.0.1:8650", "127.0.0.1", 8650},
		{"127.0.0.1:0", "127.0.0.1", 0},
		{"127.0.0.1:65535", "127.0.0.1", 65535},
		{"[::1]:8650", "::1", 8650},
		{"[2001:db8::1]:1", "2001:db8::1", 1},
		{"127.0.0.1:65536", NULL, -1},
		{"127.0.0.1:99999999999999999999", NULL, -1},
		{"127.0.0.1:-1", NULL, -1},
		{"127.0.0.1:+1", NULL, -1},
		{"127.0.0.1: 1", NULL, -1},
		{"127.0.0.1:1x", NULL, -1},
		{"127.0.0.1:", NULL, -1},
		{"127.0.0.1", NULL, -1},
		{":8650", NULL, -1},
		{"", NULL, -1},
		{"localhost:8650", NULL, -1},
		{"::1:8650", NULL, -1},
		{"[::1]", NULL, -1},
		{"[::1]8650", NULL, -1},
		{"[::1:8650", NULL, -1},
		{"[]:8650", NULL, -1},
		{"[:8650", NULL, -1},
		{"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:1", NULL, -1},
	};
	struct net_address got, expected;
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int ret = net_address_split(cases[i].in, &got, &port);

		if (ret != (cases[i].port < 0 ? -1 : 0))
			fail_msg("'%s' gives %d", cases[i].in, ret);
		if (ret)
			continue;
		expected = address(cases[i].host);
		assert_true(net_address_equal(&got, &expected));
		assert_int_equal(port, cases[i].port);
	}
}

static void socket_addresses_have_their_family(void **state)
{
	struct net_address ipv4 = address("192.0.2.1"),
			   ipv6 = address("2001:db8::1");
	struct sockaddr_storage to;

	(void)state;
	assert_int_equal(net_address_to_socket(&ipv4, 258, &to),
			 sizeof(struct sockaddr_in));
	assert_int_equal(to.ss_family, AF_INET);
	assert_int_equal(ntohs(((struct sockaddr_in *)&to)->sin_port), 258);
	assert_int_equal(net_address_to_socket(&ipv6, 258, &to),
			 sizeof(struct sockaddr_in6));
	assert_int_equal(to.ss_family, AF_INET6);
	assert_int_equal(ntohs(((struct sockaddr_in6 *)&to)->sin6_port), 258);
}

/* ---- errors ---- */

static void the_first_error_wins(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(err_set(&err, ERR_HELD, "held by %s", "me"), -1);
	assert_int_equal(err_set(&err, ERR_STORE, "later"), -1);
	assert_int_equal(err_set_os(&err, ERR_STORE, 5, "later still"), -1);
	assert_int_equal(err.code, ERR_HELD);
	assert_int_equal(err.os_code, 0);
	assert_string_equal(err.text, "held by me");
}

static void an_error_keeps_the_systems_number(void **state)
{
	struct err err = {0};

	(void)state;
	(void)err_set_os(&err, ERR_SCM_DENIED, 5, "cannot open %s", "RTCSRV");
	assert_int_equal(err.os_code, 5);
	assert_string_equal(err.text, "cannot open RTCSRV (error 5)");
}

static void a_prefix_goes_before_an_error_that_is_set(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(err_prefix(&err, "nothing"), -1);
	assert_int_equal(err.code, ERR_NONE);
	assert_string_equal(err.text, "");
	(void)err_set(&err, ERR_STORE, "locked");
	(void)err_prefix(&err, "poold.sqlite");
	(void)err_prefix(&err, "%s", "frontend01");
	assert_string_equal(err.text, "frontend01: poold.sqlite: locked");
}

static void nobody_needs_to_want_an_error(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_STORE, "x"), -1);
	assert_int_equal(err_set_os(NULL, ERR_STORE, 5, "x"), -1);
	assert_int_equal(err_prefix(NULL, "x"), -1);
}

/* True if the text has no broken UTF-8, where it has no characters but "x" and "ü".
 */
static bool is_whole(const char *text)
{
	while (*text == 'x' || !strncmp(text, "ü", 2))
		text += *text == 'x' ? 1 : 2;
	return !*text;
}

/* What does not fit is cut between two characters, or JSON could not carry it. */
static void long_texts_are_cut_between_characters(void **state)
{
	char text[3 * ERR_TEXT_BYTES] = "", small[8];
	struct err err = {0};

	(void)state;
	for (int i = 0; i < ERR_TEXT_BYTES; i++)
		memcpy(text + 2 * i, "ü", 3);
	for (int shift = 0; shift < 2; shift++) {
		const char *x = shift ? "x" : "";

		err = (struct err){0};
		(void)err_set(&err, ERR_STORE, "%s%s", x, text);
		assert_true(strlen(err.text) >= ERR_TEXT_BYTES - 2);
		assert_true(is_whole(err.text));

		err = (struct err){0};
		(void)err_set(&err, ERR_STORE, "%.*s", ERR_TEXT_BYTES / 2 * 2 - 2,
			      text);
		(void)err_prefix(&err, "%s", shift ? "x" : "xx");
		assert_memory_equal(err.text + (shift ? 1 : 2), ": ", 2);
		assert_true(is_whole(err.text + (shift ? 3 : 4)));
	}
	utf8_copy(small, sizeof(small), "xxüüü");
	assert_string_equal(small, "xxüü");
	utf8_copy(small, sizeof(small), "xxüü€");
	assert_string_equal(small, "xxüü");
	utf8_copy(small, sizeof(small), "xxxx😀x");
	assert_string_equal(small, "xxxx");
	utf8_copy(small, sizeof(small), "xxx😀");
	assert_string_equal(small, "xxx😀");
	utf8_copy(small, sizeof(small), "xxxx€");
	assert_string_equal(small, "xxxx€");
}

static void every_error_code_has_its_own_name(void **state)
{
	(void)state;
	for (int code = 0; code < ERR__COUNT; code++) {
		const struct err_info *info = err_info((enum err_code)code);

		assert_non_null(info->name);
		assert_true(info->title && *info->title);
		assert_int_equal(err_from_name(info->name), code);
		for (const char *c = info->name; *c; c++)
			assert_true((*c >= 'a' && *c <= 'z') || *c == '_');
	}
	assert_int_equal(err_from_name("of a later version"), ERR_INTERNAL);
	assert_ptr_equal(err_info(ERR__COUNT), err_info(ERR_INTERNAL));
}

/* The table of exit statuses is that of docs/api.md; from 10 up they are poold's
 * own. */
static void every_error_code_has_a_published_exit_status(void **state)
{
	static const int published[] = {0, 1, 2, 3,  4,  5,  6,
					7, 8, 9, 10, 11, 12, 130};

	(void)state;
	for (int code = 0; code < ERR__COUNT; code++) {
		const struct err_info *info = err_info((enum err_code)code);
		bool is_published = false,
		     is_poolds = code >= ERR_LISTEN && code <= ERR_STATE_LOCKED;

		for (size_t i = 0; i < sizeof(published) / sizeof(published[0]);
		     i++)
			is_published =
				is_published || info->exit_status == published[i];
		assert_true(is_published);
		assert_int_equal(info->exit_status == 0, code == ERR_NONE);
		assert_int_equal(info->exit_status >= 10 && info->exit_status < 130,
				 is_poolds);
		assert_true(code == ERR_NONE || info->http_status >= 400);
		assert_true(info->http_status < 600);
	}
}

/* An expected refusal is never a 500. */
static void every_refusal_has_a_status_of_the_client_or_of_now(void **state)
{
	(void)state;
	for (int code = ERR_INVALID_JSON; code <= ERR_SCM_FAILED; code++)
		assert_int_not_equal(err_info((enum err_code)code)->http_status,
				     500);
}

/* ---- texts ---- */

static void a_buf_grows_as_needed(void **state)
{
	struct buf buf = {0};
	char expected[5001];

	(void)state;
	buf_add(&buf, "", 0);
	assert_string_equal(buf.text, "");
	for (unsigned i = 0; i < 1000; i++) {
		buf_add(&buf, "ab", 2);
		buf_puts(&buf, "c");
		buf_printf(&buf, "%u%s", i % 10, "e");
		(void)snprintf(expected + i * 5, 6, "abc%ue", i % 10);
	}
	assert_int_equal(buf.length, 5000);
	assert_true(buf.size_bytes > buf.length);
	assert_string_equal(buf.text, expected);
	buf_done(&buf);
	assert_null(buf.text);
	buf_done(&buf);
}

static void a_buf_prints_more_than_it_has(void **state)
{
	struct buf buf = {0};

	(void)state;
	buf_printf(&buf, "%0*d", 100000, 7);
	assert_int_equal(buf.length, 100000);
	assert_string_equal(buf.text + 99998, "07");
	buf_done(&buf);
}

static void durations_are_read_and_printed_in_one_grammar(void **state)
{
	static const struct {
		const char *in;
		int64_t ms; /* -1: refused */
		const char *exact, *rounded;
	} cases[] = {
		{"0s", 0, "0s", "0s"},
		{"499ms", 499, "499ms", "0s"},
		{"1500ms", 1500, "1500ms", "2s"},
		{"60s", 60000, "1m", "1m00s"},
		{"4m10s", 250000, "250s", "4m10s"},
		{"2h05m", 7500000, "125m", "2h05m"},
		{"1d2h3m4s5ms", 93784005, "93784005ms", "26h03m"},
		{"106751991167d", INT64_C(9223372036828800000), "106751991167d",
		 "2562047788008h00m"},
		{"106751991168d", -1, NULL, NULL},
		{"106751991167d25975808ms", -1, NULL, NULL},
		{"9999999999999999999ms", -1, NULL, NULL},
		{"", -1, NULL, NULL},
		{"10", -1, NULL, NULL},
		{"s", -1, NULL, NULL},
		{"1h30", -1, NULL, NULL},
		{"1s1h", -1, NULL, NULL},
		{"1s1s", -1, NULL, NULL},
		{"1h 5m", -1, NULL, NULL},
		{"-1s", -1, NULL, NULL},
		{"1.5s", -1, NULL, NULL},
		{"1min", -1, NULL, NULL},
	};
	char text[DURATION_BYTES];
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int ret = duration_parse(cases[i].in, &ms);

		if (ret != (cases[i].ms < 0 ? -1 : 0) ||
		    (!ret && ms != cases[i].ms))
			fail_msg("'%s' gives %d", cases[i].in, ret);
		if (ret)
			continue;
		assert_string_equal(duration_print_exact(ms, text), cases[i].exact);
		assert_int_equal(duration_parse(text, &ms), 0);
		assert_int_equal(ms, cases[i].ms);
		assert_string_equal(duration_print(ms, text), cases[i].rounded);
		assert_int_equal(duration_parse(text, &ms), 0);
	}
	assert_string_equal(duration_print(-1, text), "0s");
}

static void the_nearest_word_is_at_most_two_edits_away(void **state)
{
	static const struct {
		const char *word, *hint;
	} cases[] = {
		{"settel", " (did you mean 'settle'?)"},
		{"settles", " (did you mean 'settle'?)"},
		{"servr", " (did you mean 'server'?)"},
		{"setup", ""},
		{"xy", ""},
		{"", ""},
	};
	static const char *const known[] = {"settle", "servers", "server", "at"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nearest nearest = {.word = cases[i].word};

		for (size_t j = 0; j < sizeof(known) / sizeof(known[0]); j++)
			nearest_try(&nearest, known[j]);
		assert_string_equal(nearest_hint(&nearest), cases[i].hint);
	}
}

/* ---- names ---- */

static void every_name_is_found_again(void **state)
{
	static const struct {
		const char *const *words;
		int count;
	} lists[] = {
		{api_phases, PHASE__COUNT},
		{api_wants, WANT__COUNT},
		{api_service_states, STATE__COUNT},
		{api_start_types, START__COUNT},
		{api_drain_phases, DRAIN__COUNT},
		{api_on_deadlines, ON_DEADLINE__COUNT},
		{api_untils, UNTIL__COUNT},
		{api_end_reasons, END__COUNT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (int j = 0; j < lists[i].count; j++)
			assert_int_equal(
				words_find(lists[i].words, lists[i].words[j]), j);
		assert_int_equal(words_find(lists[i].words, "Serving"), -1);
		assert_int_equal(words_find(lists[i].words, "stop_"), -1);
		assert_int_equal(words_find(lists[i].words, ""), -1);
	}
	for (int i = 0; i < EVENT__COUNT; i++)
		assert_int_equal(
			event_kind_from_name(event_kind_name((enum event_kind)i)),
			i);
	assert_int_equal(event_kind_from_name("drain"), -1);
}

/* The order of the table is that of the ids, so equal ones would stand side by
 * side. */
static void every_event_kind_has_its_own_id(void **state)
{
	int last = 0;

	(void)state;
	for (int i = 0; i < EVENT__COUNT; i++) {
		assert_true(event_kind_id((enum event_kind)i) > last);
		last = event_kind_id((enum event_kind)i);
	}
	assert_true(last <= 65535);
}

static void ids_are_short_and_plain(void **state)
{
	static const char *const good[] = {"a", "7", "kb5031364", "A.b_c@d-e",
					   "2026-05-01.night"};
	static const char *const bad[] = {"",    ".a",    "-a",  "@a",
					  "_a",  "a b",   "a/b", "a%b",
					  "a\n", "a\x7f", "ä",   "a\xff"};
	char longest[API_ID_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(api_id_is_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(api_id_is_valid(bad[i]));
	memset(longest, 'x', sizeof(longest));
	longest[API_ID_BYTES] = '\0';
	assert_false(api_id_is_valid(longest));
	longest[API_ID_BYTES - 1] = '\0';
	assert_true(api_id_is_valid(longest));
}

/* The test ends at all. */
static void a_time_that_is_over_is_not_waited_for(void **state)
{
	struct waker *waker = waker_new();

	(void)state;
	assert_false(waker_wait(waker, 0));
	assert_false(waker_wait(waker, -1));
	assert_false(waker_wait(waker, INT64_MIN));
	waker_wake(waker);
	assert_true(waker_wait(waker, INT64_MAX));
	assert_false(waker_wait(waker, 1));
	waker_free(waker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_written_and_read_alike),
		cmocka_unit_test(every_day_of_eight_hundred_years_is_read_back),
		cmocka_unit_test(a_time_may_lack_the_fraction),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(waits_are_differences),
		cmocka_unit_test(addresses_are_written_in_their_shortest_form),
		cmocka_unit_test(an_address_and_a_port_name_a_file),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(ipv4_and_its_mapped_form_are_the_same),
		cmocka_unit_test(endpoints_are_split),
		cmocka_unit_test(socket_addresses_have_their_family),
		cmocka_unit_test(the_first_error_wins),
		cmocka_unit_test(an_error_keeps_the_systems_number),
		cmocka_unit_test(a_prefix_goes_before_an_error_that_is_set),
		cmocka_unit_test(nobody_needs_to_want_an_error),
		cmocka_unit_test(long_texts_are_cut_between_characters),
		cmocka_unit_test(every_error_code_has_its_own_name),
		cmocka_unit_test(every_error_code_has_a_published_exit_status),
		cmocka_unit_test(
			every_refusal_has_a_status_of_the_client_or_of_now),
		cmocka_unit_test(a_buf_grows_as_needed),
		cmocka_unit_test(a_buf_prints_more_than_it_has),
		cmocka_unit_test(durations_are_read_and_printed_in_one_grammar),
		cmocka_unit_test(the_nearest_word_is_at_most_two_edits_away),
		cmocka_unit_test(every_name_is_found_again),
		cmocka_unit_test(every_event_kind_has_its_own_id),
		cmocka_unit_test(ids_are_short_and_plain),
		cmocka_unit_test(a_time_that_is_over_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
