/*
 * Reading what a server says of itself: a good document is understood, and whatever
 * else may come is an error and nothing worse.
 */
#include "api/view_text.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char good[] =
	"{\"server\":\"frontend01\",\"epoch\":\"e1\",\"index\":412,\"time\":\"2026-05-01T08:30:00Z\","
	"\"phase\":\"draining\",\"from_the_future\":{\"a\":[1]},\"drains\":[{\"id\":\"kb1\","
	"\"phase\":\"active\",\"services\":[\"RTCSRV\"],\"owner\":\"ci@runner7\",\"reason\":\"patch\","
	"\"created_at\":\"2026-05-01T08:00:00Z\",\"out\":true,\"deadline_at\":\"2026-05-01T08:42:05Z\","
	"\"on_deadline\":\"stop\",\"until\":\"reboot\",\"drained_at\":null,\"overdue\":false,"
	"\"ended_by\":null,\"end_reason\":null}],\"reservation\":{\"id\":\"kb2\","
	"\"owner\":\"bob@desk\",\"reason\":\"disk\",\"created_at\":\"2026-05-01T08:29:50Z\","
	"\"expires_in_s\":5},\"progress\":{\"known\":true,"
	"\"sessions\":37,\"peak\":52,\"ended\":15,\"cut\":0,\"rate_per_min\":3.2,\"eta_s\":null},"
	"\"services\":[{\"name\":\"RTCSRV\",\"phase\":\"draining\",\"wanted\":\"drained\","
	"\"message\":\"37 sessions left\",\"saved\":{\"state\":\"running\"}}]}";

static struct server_view *parse(const char *text, struct err *err)
{
	*err = (struct err){0};
	return server_view_parse(text, strlen(text), err);
}

static void assert_bad(const char *text)
{
	struct err err;

	assert_null(parse(text, &err));
	assert_int_equal(err.code, ERR_BAD_REPLY);
	assert_true(strlen(err.text) > 0);
}

static json_t *good_document(void)
{
	json_t *document = json_loads(good, 0, NULL);

	assert_non_null(document);
	return document;
}

static void assert_bad_document(json_t *document)
{
	char *text = json_dumps(document, 0);

	assert_bad(text);
	free(text);
	json_decref(document);
}

/* Where the fields are that poolctl cannot do without. */
static const struct needed {
	const char *path[3]; /* "0" is the first of a list */
	const char *name;
} needed[] = {
	{{NULL}, "server"},
	{{NULL}, "epoch"},
	{{NULL}, "index"},
	{{NULL}, "time"},
	{{NULL}, "phase"},
	{{NULL}, "drains"},
	{{NULL}, "progress"},
	{{NULL}, "services"},
	{{"progress"}, "known"},
	{{"progress"}, "sessions"},
	{{"progress"}, "cut"},
	{{"reservation"}, "id"},
	{{"reservation"}, "owner"},
	{{"reservation"}, "reason"},
	{{"reservation"}, "created_at"},
	{{"reservation"}, "expires_in_s"},
	{{"drains", "0"}, "id"},
	{{"drains", "0"}, "phase"},
	{{"drains", "0"}, "services"},
	{{"drains", "0"}, "owner"},
	{{"drains", "0"}, "reason"},
	{{"drains", "0"}, "created_at"},
	{{"drains", "0"}, "out"},
	{{"services", "0"}, "name"},
	{{"services", "0"}, "phase"},
	{{"services", "0"}, "wanted"},
	{{"services", "0"}, "message"},
};

static json_t *find_parent(json_t *document, const struct needed *field)
{
	json_t *at = document;

	for (int i = 0; field->path[i]; i++)
		at = json_is_array(at) ? json_array_get(at, 0)
				       : json_object_get(at, field->path[i]);
	assert_true(json_is_object(at));
	return at;
}

static void a_good_document_is_understood(void **state)
{
	struct err err;
	struct server_view *view = parse(good, &err);

	(void)state;
	assert_non_null(view);
	assert_string_equal(view->server, "frontend01");
	assert_int_equal(view->index, 412);
	assert_int_equal(view->phase, PHASE_DRAINING);
	assert_int_equal(view->progress.sessions, 37);
	assert_int_equal(view->progress.ended, 15);
	assert_int_equal(view->drain_count, 1);
	assert_true(view->drains[0].is_active && view->drains[0].is_out);
	assert_int_equal(view->time.ms - view->drains[0].created_at.ms, 30 * 60000);
	assert_int_equal(view->services[0].wanted, WANT_DRAINED);
	assert_true(view->services[0].is_saved);
	assert_true(view->reservation.is_held);
	assert_string_equal(view->reservation.id, "kb2");
	assert_string_equal(view->reservation.owner, "bob@desk");
	assert_string_equal(view->reservation.reason, "disk");
	assert_int_equal(view->time.ms - view->reservation.created_at.ms,
			 10 * 1000);
	assert_int_equal(view->reservation.expires_in_s, 5);
	server_view_free(view);
}

static void every_needed_field_is_there_and_has_its_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		json_t *missing = good_document(), *wrong = good_document();

		assert_int_equal(json_object_del(find_parent(missing, &needed[i]),
						 needed[i].name),
				 0);
		assert_bad_document(missing);
		(void)json_object_set_new(find_parent(wrong, &needed[i]),
					  needed[i].name, json_real(1.5));
		assert_bad_document(wrong);
	}
}

/* An older poold does not say them. */
static void what_is_new_of_a_drain_may_be_missing(void **state)
{
	static const char *const names[] = {
		"deadline_at", "on_deadline", "until",     "drained_at",
		"overdue",     "ended_by",    "end_reason"};
	json_t *document = good_document();
	json_t *drain = json_array_get(json_object_get(document, "drains"), 0);
	struct server_view *view;
	struct err err;
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(json_object_del(drain, names[i]), 0);
		text = json_dumps(document, 0);
		view = parse(text, &err);
		assert_non_null(view);
		server_view_free(view);
		free(text);
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)json_object_set_new(drain, names[i], json_integer(7));
		assert_bad_document(json_incref(document));
		(void)json_object_del(drain, names[i]);
	}
	json_decref(document);
}

/* The terms of the good document's drain at this time of the first of May. */
static void assert_terms(const struct drain_view *drain, const char *time,
			 bool has_countdown, const char *expected)
{
	struct buf text = {0};
	struct wall now;

	assert_int_equal(clock_parse(time, &now), 0);
	view_text_drain_options(drain, now, has_countdown, &text);
	assert_string_equal(text.text ? text.text : "", expected);
	buf_done(&text);
}

static void how_a_drain_is_to_end_is_told(void **state)
{
	static const char now[] = "2026-05-01T08:30:00Z";
	struct err err;
	struct server_view *view = parse(good, &err);
	struct drain_view *drain = &view->drains[0];

	(void)state;
	assert_terms(drain, now, true,
		     "deadline 08:42Z in 12m05s, then stop, until reboot");
	assert_terms(drain, now, false, "deadline 08:42Z, then stop, until reboot");
	assert_terms(drain, "2026-05-01T08:50:00Z", true,
		     "deadline 08:42Z, then stop, until reboot");
	drain->until = UNTIL_RESUME;
	drain->on_deadline = ON_DEADLINE_HOLD;
	assert_terms(drain, "2026-04-30T20:42:05Z", true,
		     "deadline 2026-05-01 08:42Z in 12h00m");
	drain->is_overdue = true;
	assert_terms(drain, "2026-05-01T08:50:00Z", true, "overdue since 08:42Z");
	drain->drained_at.is_given = true;
	assert_terms(drain, now, true, "");
	server_view_free(view);
}

static void how_long_it_takes_is_told_without_false_precision(void **state)
{
	static const struct {
		int64_t eta_s, eta_90_s;
		const char *text;
		int64_t sessions;
		const char *basis;
		bool is_short;
	} cases[] = {
		{-1, -1, "", 0, NULL, false},
		{-1, 60, "", 0, NULL, false},
		{-1, -1, "time left unknown (why)", 3, NULL, false},
		{-1, -1, "time left unknown", 3, NULL, true},
		{59, 60, "about 59s left", 3, "lifetimes", true},
		{59, -1, "about 59s left at this rate", 3, "rate", false},
		{0, 0, "about 0s left, 90% likely within 0s", 0, NULL, false},
		{59, -1, "about 59s left", 0, NULL, false},
		{60, 89, "about 1m left, 90% likely within 1m", 0, NULL, false},
		{90, 5999, "about 2m left, 90% likely within 100m", 0, NULL, false},
		{6000, 170000, "about 2h left, 90% likely within 47h", 0, NULL,
		 false},
		{172800, 2592000, "about 2d left, 90% likely within 30d", 0, NULL,
		 false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct progress_view progress = {.sessions = cases[i].sessions,
						 .eta_s = cases[i].eta_s,
						 .eta_90_s = cases[i].eta_90_s,
						 .eta_basis = cases[i].basis,
						 .eta_unknown = "why"};
		struct buf text = {0};

		view_text_eta(&progress, !cases[i].is_short, &text);
		assert_string_equal(text.text ? text.text : "", cases[i].text);
		buf_done(&text);
	}
}

static void who_holds_a_server_is_told_with_its_reason_and_time(void **state)
{
	struct buf text = {0};
	struct err err;
	struct server_view *view = parse(good, &err);

	(void)state;
	view_text_holders(view, &text);
	assert_string_equal(text.text, "kb1 of ci@runner7 (patch) since 08:00Z");
	buf_done(&text);
	server_view_free(view);
}

static void assert_reservation(json_t *document, const char *wanted)
{
	char *body = json_dumps(document, 0);
	struct buf text = {0};
	struct err err;
	struct server_view *view = parse(body, &err);

	assert_non_null(view);
	assert_int_equal(view->reservation.is_held, *wanted != '\0');
	view_text_reservation(view, &text);
	assert_string_equal(text.text ? text.text : "", wanted);
	buf_done(&text);
	server_view_free(view);
	free(body);
	json_decref(document);
}

/* An older poold does not have it. */
static void who_reserves_a_server_is_told_and_nobody_may(void **state)
{
	json_t *document = good_document();

	(void)state;
	assert_reservation(json_incref(document),
			   "reserved by bob@desk for kb2 since 08:29Z");
	(void)json_object_set_new(json_object_get(document, "reservation"), "id",
				  json_string("bob@desk"));
	assert_reservation(json_incref(document),
			   "reserved by bob@desk since 08:29Z");
	(void)json_object_set_new(document, "reservation", json_null());
	assert_reservation(json_incref(document), "");
	(void)json_object_del(document, "reservation");
	assert_reservation(document, "");
}

static void what_became_of_a_drain_is_read(void **state)
{
	static const char ended[] =
		"{\"id\":\"kb1\",\"phase\":\"ended\",\"services\":[\"RTCSRV\"],"
		"\"owner\":\"ci\",\"reason\":\"patch\",\"created_at\":\"2026-05-01T08:00:00Z\","
		"\"out\":false,\"ended_by\":\"alice\",\"end_reason\":\"request\"}";
	struct err err = {0};
	struct drain_view *drain =
		server_view_parse_drain(ended, strlen(ended), &err);

	(void)state;
	assert_non_null(drain);
	assert_false(drain->is_active);
	assert_string_equal(drain->end_reason, "request");
	assert_string_equal(drain->ended_by, "alice");
	server_view_free_drain(drain);
	for (size_t length = 0; length < strlen(ended); length++) {
		err = (struct err){0};
		assert_null(server_view_parse_drain(ended, length, &err));
		assert_int_equal(err.code, ERR_BAD_REPLY);
	}
}

/* A count that nobody knows must never be taken for zero. */
static void unknown_sessions_are_not_zero(void **state)
{
	json_t *document = good_document();
	json_t *progress = json_object_get(document, "progress");
	struct server_view *view;
	struct err err;
	char *text;

	(void)state;
	(void)json_object_set_new(progress, "known", json_false());
	(void)json_object_set_new(progress, "sessions", json_null());
	(void)json_object_set_new(progress, "peak", json_null());
	text = json_dumps(document, 0);
	view = parse(text, &err);
	assert_non_null(view);
	assert_int_equal(view->progress.sessions, COUNT_UNKNOWN);
	assert_int_equal(view->progress.peak, COUNT_UNKNOWN);
	server_view_free(view);
	free(text);
	(void)json_object_set_new(progress, "known", json_true());
	assert_bad_document(document);
}

static void what_is_no_such_document_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"null",
		"[]",
		"{}",
		"\"text\"",
		"<html>",
		"{\"server\":",
		"{\"server\":\"a\",\"server\":\"b\"}",
		"\xff\xfe",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_bad(texts[i]);
}

static void hostile_values_are_refused(void **state)
{
	static const struct {
		const char *path[3], *name, *value;
	} values[] = {
		{{"drains", "0"}, "id", "\"../../etc\""},
		{{"drains", "0"}, "id", "\"\""},
		{{"drains", "0"}, "created_at", "\"yesterday\""},
		{{"drains", "0"}, "deadline_at", "\"soon\""},
		{{"drains", "0"}, "on_deadline", "\"explode\""},
		{{"drains", "0"}, "until", "\"\""},
		{{"drains", "0"}, "services", "[]"},
		{{"drains", "0"}, "services", "[1]"},
		{{"drains", "0"}, "services", "{}"},
		{{"progress"}, "sessions", "-1"},
		{{"progress"}, "sessions", "1e3"},
		{{"progress"}, "cut", "null"},
		{{NULL}, "reservation", "7"},
		{{NULL}, "reservation", "true"},
		{{NULL}, "reservation", "[]"},
		{{NULL}, "reservation", "{}"},
		{{"reservation"}, "id", "\"../../etc\""},
		{{"reservation"}, "owner", "null"},
		{{"reservation"}, "created_at", "\"yesterday\""},
		{{"reservation"}, "expires_in_s", "-1"},
		{{"reservation"}, "expires_in_s", "1.5"},
		{{"reservation"}, "expires_in_s", "4294967296"},
		{{NULL}, "services", "[]"},
		{{NULL}, "services", "[null]"},
		{{NULL}, "drains", "{}"},
		{{NULL}, "phase", "\"fine\""},
		{{"services", "0"}, "wanted", "\"\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct needed field = {{values[i].path[0], values[i].path[1]},
				       NULL};
		json_t *document = good_document();
		json_t *value = json_loads(values[i].value, JSON_DECODE_ANY, NULL);

		assert_non_null(value);
		(void)json_object_set_new(find_parent(document, &field),
					  values[i].name, value);
		assert_bad_document(document);
	}
}

static void a_list_without_end_is_refused(void **state)
{
	json_t *document = good_document();
	json_t *drains = json_object_get(document, "drains");

	(void)state;
	while (json_array_size(drains) <= API_DRAINS_LIMIT)
		(void)json_array_append(drains, json_array_get(drains, 0));
	assert_bad_document(document);
}

/* Whatever a byte is changed to, there is a view or an error. */
static void a_changed_byte_does_no_harm(void **state)
{
	static const char bytes[] = "\"{}[]:,0-\\\x01\x80n";
	char text[sizeof(good)];

	(void)state;
	for (size_t i = 0; i < sizeof(good) - 1; i++)
		for (size_t b = 0; b < sizeof(bytes) - 1; b++) {
			struct err err = {0};
			struct server_view *view;

			memcpy(text, good, sizeof(good));
			text[i] = bytes[b];
			view = server_view_parse(text, sizeof(good) - 1, &err);
			assert_true((view != NULL) == (err.code == ERR_NONE));
			server_view_free(view);
		}
}

static void a_cut_document_does_no_harm(void **state)
{
	(void)state;
	for (size_t length = 0; length < sizeof(good) - 1; length++) {
		struct err err = {0};

		assert_null(server_view_parse(good, length, &err));
		assert_int_equal(err.code, ERR_BAD_REPLY);
	}
}

static void services_are_found_in_any_case(void **state)
{
	struct err err;
	struct server_view *view = parse(good, &err);

	(void)state;
	assert_non_null(server_view_service(view, "rtcsrv"));
	assert_true(server_view_covers(&view->drains[0], "RtcSrv"));
	assert_null(server_view_service(view, "RTCSRV2"));
	assert_null(server_view_drain(view, "KB1"));
	server_view_free(view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_document_is_understood),
		cmocka_unit_test(every_needed_field_is_there_and_has_its_type),
		cmocka_unit_test(what_is_new_of_a_drain_may_be_missing),
		cmocka_unit_test(how_a_drain_is_to_end_is_told),
		cmocka_unit_test(how_long_it_takes_is_told_without_false_precision),
		cmocka_unit_test(
			who_holds_a_server_is_told_with_its_reason_and_time),
		cmocka_unit_test(who_reserves_a_server_is_told_and_nobody_may),
		cmocka_unit_test(what_became_of_a_drain_is_read),
		cmocka_unit_test(unknown_sessions_are_not_zero),
		cmocka_unit_test(what_is_no_such_document_is_refused),
		cmocka_unit_test(hostile_values_are_refused),
		cmocka_unit_test(a_list_without_end_is_refused),
		cmocka_unit_test(a_changed_byte_does_no_harm),
		cmocka_unit_test(a_cut_document_does_no_harm),
		cmocka_unit_test(services_are_found_in_any_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
