/*
 * The body of PUT /v1/drains/{id}: what is taken, and that what is not is refused
 * by name.
 */
#include "buf.h"
#include "drains/drain.h"
#include "mem.h"
#include "utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* With " in place of '; to be freed. */
static char *quoted(const char *text)
{
	char *copy = xstrdup(text);

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	return copy;
}

/* ' stands for ". */
static struct drain parsed(const char *text)
{
	char *body = quoted(text);
	struct drain drain = {0};
	struct err err = {0};

	assert_int_equal(drain_parse(body, strlen(body), &drain, &err), 0);
	assert_string_equal(err.text, "");
	free(body);
	return drain;
}

/* The body is refused with this code, and the text has `words`. */
static void is_refused(const char *body, size_t length, enum err_code code,
		       const char *words)
{
	struct drain drain = {0};
	struct err err = {0};

	assert_int_equal(drain_parse(body, length, &drain, &err), -1);
	assert_null(drain.services);
	if (err.code != code || !strstr(err.text, words))
		fail_msg("%.100s: got %s '%s', not %s '%s'", body,
			 err_info(err.code)->name, err.text, err_info(code)->name,
			 words);
}

static void a_reason_is_enough_and_means_all_services(void **state)
{
	struct drain drain = parsed("{'reason':'KB5031364 für alle'}");

	(void)state;
	assert_string_equal(drain.reason, "KB5031364 für alle");
	assert_string_equal(drain.owner, "");
	assert_true(drain_covers(&drain, "RTCSRV"));
	assert_false(drain.is_ended);
	assert_int_equal(drain.deadline_s, 0);
	assert_int_equal(drain.on_deadline, ON_DEADLINE_HOLD);
	assert_int_equal(drain.until, UNTIL_RESUME);
	drain_done(&drain);
}

static void every_field_is_read(void **state)
{
	struct drain drain = parsed(
		" {'services':['RTCSRV','RTCIMMCU'],'reason':'r','owner':'ci@runner7',"
		"'phase':'active','on_deadline':'stop','deadline_s':31622400,"
		"'until':'reboot'}\n");

	(void)state;
	assert_string_equal(drain.owner, "ci@runner7");
	assert_true(drain_covers(&drain, "RTCSRV"));
	assert_true(drain_covers(&drain, "RTCIMMCU"));
	assert_false(drain_covers(&drain, "RTC"));
	assert_int_equal(drain.on_deadline, ON_DEADLINE_STOP);
	assert_int_equal(drain.deadline_s, API_DEADLINE_LIMIT_S);
	assert_int_equal(drain.until, UNTIL_REBOOT);
	drain_done(&drain);
}

static void a_reservation_is_told_from_a_drain(void **state)
{
	struct drain drain = parsed("{'reason':'r','reservation':'9f0e-1'}"),
		     reserved =
			     parsed("{'reason':'r','phase':'reserved','ttl_s':60}");

	(void)state;
	assert_false(drain.is_reserved);
	assert_int_equal(drain.forced_count, 0);
	assert_string_equal(drain.reservation, "9f0e-1");
	assert_true(reserved.is_reserved);
	assert_int_equal(reserved.ttl_s, 60);
	drain_done(&drain);
	drain_done(&reserved);
}

static void what_was_forced_is_for_the_record_alone(void **state)
{
	struct drain
		drain = parsed(
			"{'reason':'r','forced':['floor','dns_members'],'phase':'active'}"),
		bare = parsed("{'reason':'r'}");
	json_t *terms = drain_terms_to_json(&drain), *wanted, *shown;

	(void)state;
	assert_null(json_object_get(terms, "forced"));
	drain_add_claim(&bare, terms);
	assert_null(json_object_get(terms, "forced"));
	drain_add_claim(&drain, terms);
	wanted = json_pack("[ss]", "floor", "dns_members");
	assert_true(json_equal(json_object_get(terms, "forced"), wanted));
	shown = drain_to_json(&drain, drain.services, false);
	assert_null(json_object_get(shown, "forced"));
	assert_true(drain_asks_the_same(&drain, &bare));
	json_decref(shown);
	json_decref(wanted);
	json_decref(terms);
	drain_done(&drain);
	drain_done(&bare);
}

/* As many as there may be, each as long as it may be. */
static void the_most_that_may_be_forced_is_taken_and_no_more(void **state)
{
	static const char tail[] = "_abcdefghijklmnopqrstuvwxyz_abc";

	(void)state;
	assert_int_equal(strlen(tail) + 1, API_GATE_BYTES - 1);
	for (int more = 0; more < 2; more++) {
		struct buf body = {0};

		buf_puts(&body, "{\"reason\":\"r\",\"forced\":[");
		for (int i = 0; i < API_FORCED_LIMIT + more; i++)
			buf_printf(&body, "%s\"%c%s\"", i ? "," : "", 'a' + i,
				   tail);
		buf_puts(&body, "]}");
		if (more) {
			is_refused(body.text, body.length, ERR_INVALID_REQUEST,
				   "'forced' must be a list of 1 to 16");
		} else {
			struct drain drain = parsed(body.text);

			assert_int_equal(drain.forced_count, API_FORCED_LIMIT);
			assert_int_equal(strlen(drain.forced[API_FORCED_LIMIT - 1]),
					 API_GATE_BYTES - 1);
			drain_done(&drain);
		}
		buf_done(&body);
	}
}

static void a_service_named_twice_counts_once(void **state)
{
	struct drain drain = parsed("{'reason':'r','services':['A','B','A','A']}");

	(void)state;
	assert_int_equal(json_array_size(drain.services), 2);
	drain_done(&drain);
}

static void a_body_that_is_no_json_object_is_refused(void **state)
{
	static const struct {
		const char *body, *words;
	} cases[] = {
		{"", "line 1"},
		{"{'reason':'r'", "line 1"},
		{"{\n'reason':\n}", "line 3"},
		{"{'reason':'r'} x", "end of file"},
		{"{'reason':'r','reason':'s'}", "duplicate"},
		{"{'reason':'\xff'}", "decode byte"},
		{"{'reason':'a\\u0000b'}", "\\u0000"},
		{"['reason']", "object"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *body = quoted(cases[i].body);

		is_refused(body, strlen(body), ERR_INVALID_JSON, cases[i].words);
		free(body);
	}
}

static void wrong_fields_are_refused_by_name(void **state)
{
	/* Beside a reason, unless the field is that. */
	static const struct {
		const char *fields, *words;
	} cases[] = {
		{"'owner':null", "'owner'"},
		{"'owner':''", "'owner'"},
		{"'owner':'\\u001b[0m'", "'owner' must not contain control"},
		{"'owner':'\\u007f'", "control"},
		{"'services':'A'", "'services'"},
		{"'services':null", "'services'"},
		{"'services':[]", "'services'"},
		{"'services':['A',2]", "'services[1]'"},
		{"'services':[['A']]", "'services[0]'"},
		{"'phase':1", "'phase'"},
		{"'phase':'ended'", "'phase' must be 'active' or 'reserved'"},
		{"'phase':'reserved','ttl_s':0",
		 "'ttl_s' must be a whole number of seconds from 1 to 60"},
		{"'phase':'reserved','ttl_s':61", "'ttl_s'"},
		{"'phase':'reserved','ttl_s':1.5", "'ttl_s'"},
		{"'ttl_s':15", "it needs 'phase': 'reserved'"},
		{"'phase':'reserved','reservation':'9-1'",
		 "it needs 'phase': 'active'"},
		{"'reservation':''",
		 "'reservation' must be the token of a reservation"},
		{"'reservation':7", "'reservation'"},
		{"'forced':[]", "'forced' must be a list of 1 to 16"},
		{"'forced':'floor'", "'forced'"},
		{"'forced':null", "'forced'"},
		{"'forced':['floor',7]", "'forced[1]' must have 1 to 32 letters"},
		{"'forced':['']", "'forced[0]'"},
		{"'forced':['Floor']", "'forced[0]'"},
		{"'forced':['a-b']", "'forced[0]'"},
		{"'forced':['a1']", "'forced[0]'"},
		{"'forced':['abcdefghijklmnopqrstuvwxyz_______']", "'forced[0]'"},
		{"'forced':['dns','floor','dns']", "'forced' has 'dns' twice"},
		{"'phase':'reserved','forced':['dns']",
		 "it needs 'phase': 'active'"},
		{"'on_deadline':'stop'", "'on_deadline' needs 'deadline_s'"},
		{"'on_deadline':'end','deadline_s':1",
		 "'on_deadline' must be 'hold', "
		 "'resume' or 'stop'"},
		{"'on_deadline':0", "'on_deadline'"},
		{"'until':'friday'", "'until' must be 'resume' or 'reboot'"},
		{"'until':null", "'until'"},
		{"'deadline_s':0", "'deadline_s'"},
		{"'deadline_s':-1", "'deadline_s'"},
		{"'deadline_s':31622401",
		 "must be a whole number of seconds from 1 to 31622400"},
		{"'deadline_s':1.5", "'deadline_s'"},
		{"'deadline_s':'60'", "'deadline_s'"},
		{"'Reason':'s'", "unknown field 'Reason'"},
		{"'id':'x'", "unknown field 'id'"},
		{"'':1", "unknown field ''"},
		{"'reason':null", "'reason'"},
		{"'reason':['r']", "'reason'"},
		{"'reason':''", "'reason'"},
		{"'reason':'a\\nb'", "control"},
	};

	(void)state;
	is_refused("{}", 2, ERR_INVALID_REQUEST, "'reason' is required");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool has_reason = !strncmp(cases[i].fields, "'reason'", 8);
		char *text = xasprintf("{%s%s}", has_reason ? "" : "'reason':'r',",
				       cases[i].fields),
		     *body = quoted(text);

		is_refused(body, strlen(body),
			   strstr(cases[i].words, "unknown") ? ERR_UNKNOWN_FIELD
							     : ERR_INVALID_REQUEST,
			   cases[i].words);
		free(text);
		free(body);
	}
}

/* Every prefix of a good body is no body. */
static void a_truncated_body_is_refused(void **state)
{
	const char *body =
		"{\"services\":[\"RTCSRV\"],\"reason\":\"ü\",\"owner\":\"me\"}";

	(void)state;
	for (size_t length = 0; length < strlen(body); length++) {
		/* A copy of just this size, so that a sanitizer sees a read beyond
		 * it. */
		char *part = memcpy(xmalloc(length), body, length);
		struct drain drain = {0};
		struct err err = {0};

		assert_int_equal(drain_parse(part, length, &drain, &err), -1);
		assert_int_equal(err.code, ERR_INVALID_JSON);
		free(part);
	}
}

static void a_body_that_is_nested_without_end_is_refused(void **state)
{
	struct buf body = {0};

	(void)state;
	buf_puts(&body, "{\"reason\":");
	while (body.length < API_BODY_LIMIT_BYTES)
		buf_puts(&body, "[{\"a\":");
	is_refused(body.text, body.length, ERR_INVALID_JSON, "line 1");
	buf_done(&body);
}

static void a_text_may_have_512_bytes_and_no_more(void **state)
{
	static const struct {
		const char *character;
		int count;
		bool is_good;
	} cases[] = {{"x", 512, true},
		     {"ü", 256, true},
		     {"x", 513, false},
		     {"ü", 257, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf body = {0};

		buf_puts(&body, "{\"reason\":\"r\",\"owner\":\"");
		for (int n = 0; n < cases[i].count; n++)
			buf_puts(&body, cases[i].character);
		buf_puts(&body, "\"}");
		if (cases[i].is_good) {
			struct drain drain = parsed(body.text);

			assert_int_equal(strlen(drain.owner), API_TEXT_BYTES - 1);
			drain_done(&drain);
		} else {
			is_refused(body.text, body.length, ERR_INVALID_REQUEST,
				   "'owner'");
		}
		buf_done(&body);
	}
}

static void more_services_than_a_server_has_are_refused(void **state)
{
	struct buf body = {0};

	(void)state;
	buf_puts(&body, "{\"reason\":\"r\",\"services\":[\"s0\"");
	for (int i = 1; i < API_SERVICES_LIMIT; i++)
		buf_printf(&body, ",\"s%d\"", i);
	{
		char *good = xasprintf("%s]}", body.text);
		struct drain drain = parsed(good);

		assert_int_equal(json_array_size(drain.services),
				 API_SERVICES_LIMIT);
		drain_done(&drain);
		free(good);
	}
	buf_puts(&body, ",\"one more\"]}");
	is_refused(body.text, body.length, ERR_INVALID_REQUEST, "'services'");
	buf_done(&body);
}

static void the_same_is_asked_if_all_that_was_asked_is_the_same(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} cases[] = {
		{"{'reason':'r'}", "{'reason':'r'}", true},
		{"{'reason':'r'}", "{'reason':'s'}", false},
		{"{'reason':'r','services':['A','B']}",
		 "{'services':['B','A','B'],'reason':'r'}", true},
		{"{'reason':'r','services':['A','B']}",
		 "{'reason':'r','services':['A','C']}", false},
		{"{'reason':'r','services':['A']}",
		 "{'reason':'r','services':['A','B']}", false},
		{"{'reason':'r','services':['A']}", "{'reason':'r'}", false},
		{"{'reason':'r','deadline_s':60}", "{'deadline_s':60,'reason':'r'}",
		 true},
		{"{'reason':'r','deadline_s':60}", "{'reason':'r','deadline_s':61}",
		 false},
		{"{'reason':'r','deadline_s':60}", "{'reason':'r'}", false},
		{"{'reason':'r','deadline_s':60,'on_deadline':'stop'}",
		 "{'reason':'r','deadline_s':60}", false},
		{"{'reason':'r','until':'reboot'}", "{'reason':'r'}", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct drain a = parsed(cases[i].a), b = parsed(cases[i].b);

		assert_int_equal(drain_asks_the_same(&a, &b), cases[i].is_same);
		assert_int_equal(drain_asks_the_same(&b, &a), cases[i].is_same);
		drain_done(&a);
		drain_done(&b);
	}
}

static void a_copy_shares_nothing_with_its_original(void **state)
{
	struct drain drain = parsed("{'reason':'r','services':['A']}"), copy;

	(void)state;
	drain_copy(&copy, &drain);
	(void)json_array_clear(drain.services);
	drain_done(&drain);
	assert_true(drain_covers(&copy, "A"));
	assert_false(drain_covers(&copy, "B"));
	drain_done(&copy);
}

static void it_is_shown_as_the_api_says(void **state)
{
	struct drain drain = parsed("{'reason':'r','owner':'me'}");
	json_t *services = json_pack("[s]", "RTCSRV"), *active, *ended;
	char *text;

	(void)state;
	utf8_copy(drain.id, sizeof(drain.id), "kb1");
	drain.created_at.ms = 1000;
	active = drain_to_json(&drain, services, true);
	text = json_dumps(active, JSON_COMPACT);
	assert_string_equal(
		text,
		"{\"id\":\"kb1\",\"phase\":\"active\",\"services\":[\"RTCSRV\"],"
		"\"owner\":\"me\",\"reason\":\"r\","
		"\"created_at\":\"1970-01-01T00:00:01.000Z\",\"ended_at\":null,"
		"\"ended_by\":null,\"end_reason\":null,"
		"\"deadline_at\":null,\"deadline_s\":null,\"on_deadline\":\"hold\","
		"\"until\":\"resume\",\"drained_at\":null,"
		"\"overdue\":false,\"out\":true}");
	drain.is_ended = true;
	drain.ended_at.ms = 2000;
	drain.end_reason = END_DEADLINE;
	utf8_copy(drain.ended_by, sizeof(drain.ended_by), "poold");
	ended = drain_to_json(&drain, services, false);
	assert_string_equal(json_string_value(json_object_get(ended, "phase")),
			    "ended");
	assert_string_equal(json_string_value(json_object_get(ended, "ended_at")),
			    "1970-01-01T00:00:02.000Z");
	assert_string_equal(json_string_value(json_object_get(ended, "ended_by")),
			    "poold");
	assert_string_equal(json_string_value(json_object_get(ended, "end_reason")),
			    "deadline");
	free(text);
	json_decref(active);
	json_decref(ended);
	json_decref(services);
	drain_done(&drain);
}

static void it_is_overdue_while_it_is_active_and_was_not_met(void **state)
{
	struct drain drain = parsed("{'reason':'r','deadline_s':1}");

	(void)state;
	for (int i = 0; i < 8; i++) {
		json_t *json;

		drain.is_over = i & 1;
		drain.is_ended = i & 2;
		drain.drained_at.ms = i & 4 ? 3000 : 0;
		json = drain_to_json(&drain, drain.services, false);
		assert_int_equal(json_is_true(json_object_get(json, "overdue")),
				 i == 1);
		assert_int_equal(json_is_null(json_object_get(json, "drained_at")),
				 !(i & 4));
		json_decref(json);
	}
	drain_done(&drain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reason_is_enough_and_means_all_services),
		cmocka_unit_test(every_field_is_read),
		cmocka_unit_test(a_reservation_is_told_from_a_drain),
		cmocka_unit_test(what_was_forced_is_for_the_record_alone),
		cmocka_unit_test(the_most_that_may_be_forced_is_taken_and_no_more),
		cmocka_unit_test(a_service_named_twice_counts_once),
		cmocka_unit_test(a_body_that_is_no_json_object_is_refused),
		cmocka_unit_test(wrong_fields_are_refused_by_name),
		cmocka_unit_test(a_truncated_body_is_refused),
		cmocka_unit_test(a_body_that_is_nested_without_end_is_refused),
		cmocka_unit_test(a_text_may_have_512_bytes_and_no_more),
		cmocka_unit_test(more_services_than_a_server_has_are_refused),
		cmocka_unit_test(
			the_same_is_asked_if_all_that_was_asked_is_the_same),
		cmocka_unit_test(a_copy_shares_nothing_with_its_original),
		cmocka_unit_test(it_is_shown_as_the_api_says),
		cmocka_unit_test(it_is_overdue_while_it_is_active_and_was_not_met),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
