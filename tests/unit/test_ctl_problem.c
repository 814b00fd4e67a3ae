/*
 * What a refusal or a silence is worth: its text, its exit status, and whether the server
 * may have acted all the same.
 */
#include "problem.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct problem read_reply(int status, const char *body)
{
	struct reply reply = {.status = status, .body = body, .length = strlen(body)};
	struct problem problem;

	assert_int_equal(problem_from_reply(&reply, "http://a", &problem), -1);
	return problem;
}

static void a_success_is_no_problem(void **state)
{
	struct reply reply = {.status = 201, .body = ""};
	struct problem problem;

	(void)state;
	assert_int_equal(problem_from_reply(&reply, "http://a", &problem), 0);
}

static void a_refusal_says_why_and_changes_nothing(void **state)
{
	struct problem problem = read_reply(
		409, "{\"detail\":\"held by b\",\"code\":\"held\",\"exit_code\":5}");

	(void)state;
	assert_string_equal(problem.text, "held by b");
	assert_int_equal(problem.exit_status, 5);
	assert_false(problem.may_be_received);
	assert_false(problem.is_silence || problem.is_retryable);
}

static void a_code_of_a_later_version_still_has_its_exit_status(void **state)
{
	struct problem problem =
		read_reply(409, "{\"detail\":\"no\",\"code\":\"new\",\"exit_code\":4}");

	(void)state;
	assert_int_equal(problem.exit_status, 4);
}

/* Neither success nor an interruption can come from a peer. */
static void an_exit_status_out_of_range_is_a_failure(void **state)
{
	static const char *const bodies[] = {
		"{\"detail\":\"no\",\"code\":\"none\",\"exit_code\":0}",
		"{\"detail\":\"no\",\"code\":\"interrupted\",\"exit_code\":130}",
		"{\"detail\":\"no\",\"exit_code\":-1}",
		"{\"detail\":\"no\",\"exit_code\":4294967296}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_int_equal(read_reply(400, bodies[i]).exit_status, 1);
}

static void a_failed_server_may_have_acted(void **state)
{
	(void)state;
	assert_true(read_reply(500, "{\"detail\":\"no\"}").may_be_received);
	assert_true(read_reply(502, "<html>").may_be_received);
	assert_true(read_reply(302, "").may_be_received);
	assert_false(read_reply(404, "<html>").may_be_received);
}

static void only_a_503_is_worth_another_try(void **state)
{
	const char *body = "{\"detail\":\"busy\",\"code\":\"busy\",\"retryable\":true}";

	(void)state;
	assert_true(read_reply(503, body).is_retryable);
	assert_false(read_reply(500, body).is_retryable);
	assert_false(read_reply(503, "{\"detail\":\"x\"}").is_retryable);
}

static void what_is_no_problem_document_is_a_bad_reply(void **state)
{
	static const char *const bodies[] = {"", "<html>", "[]", "{}", "{\"detail\":7}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_int_equal(read_reply(409, bodies[i]).code, ERR_BAD_REPLY);
}

/* A text that is cut within a character would be no JSON string any more. */
static void a_long_text_stays_utf8(void **state)
{
	for (int shift = 0; shift < 3; shift++) {
		char detail[4096], body[8192];
		struct problem problem;
		json_t *string;

		(void)snprintf(detail, sizeof(detail), "%.*s", shift, "abc");
		for (int i = 0; i < 1000; i++)
			memcpy(detail + shift + 3 * i, "\xe2\x82\xac", 4);
		(void)snprintf(body, sizeof(body), "{\"detail\":\"%s\"}", detail);
		problem = read_reply(400, body);
		string = json_string(problem.text);
		assert_non_null(string);
		json_decref(string);
	}
	(void)state;
}

static void silence_is_told_from_a_bad_reply(void **state)
{
	struct reply reply = {.may_be_received = true, .body = ""};
	struct problem problem;

	(void)state;
	(void)err_set(&reply.err, ERR_UNREACHABLE, "refused");
	(void)problem_from_reply(&reply, "http://a", &problem);
	assert_true(problem.is_silence && problem.may_be_received);
	assert_int_equal(problem.exit_status, 3);
	assert_non_null(strstr(problem.text, "http://a"));
}

static struct problem read_err(enum err_code code, const char *text)
{
	struct reply reply = {.body = ""};
	struct problem problem;

	(void)err_set(&reply.err, code, "%s", text);
	(void)problem_from_reply(&reply, "http://a", &problem);
	return problem;
}

static void what_is_not_of_poold_may_pass(void **state)
{
	(void)state;
	assert_true(read_reply(502, "<html>").may_pass);
	assert_true(read_reply(503, "").may_pass);
	assert_true(read_reply(503, "{\"detail\":\"x\",\"retryable\":true}").may_pass);
	assert_true(read_err(ERR_UNREACHABLE, "refused").may_pass);
	assert_true(read_err(ERR_BAD_REPLY, "not HTTP").may_pass);
	assert_false(read_reply(500, "{\"detail\":\"x\"}").may_pass);
	assert_false(read_reply(404, "<html>").may_pass);
	assert_false(read_reply(502, "<html>").is_retryable);
}

/* A silence is the same one, however long it took to find out. */
static void how_long_a_try_took_is_not_told(void **state)
{
	static const char *const texts[][2] = {
		{"Failed to connect to 10.0.0.1 port 7 after 0 ms: Couldn't connect",
		 "Failed to connect to 10.0.0.1 port 7: Couldn't connect"},
		{"Connection timed out after 5001 milliseconds", "Connection timed out"},
		{"Operation timed out after 15002 milliseconds with 0 bytes received",
		 "Operation timed out with 0 bytes received"},
		{"after ms, after 5 minutes, after  ms, after 7",
		 "after ms, after 5 minutes, after  ms, after 7"},
	};
	char expected[ERR_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		(void)snprintf(expected, sizeof(expected),
			       "does not answer at http://a: %s", texts[i][1]);
		assert_string_equal(read_err(ERR_UNREACHABLE, texts[i][0]).text,
				    expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_success_is_no_problem),
		cmocka_unit_test(a_refusal_says_why_and_changes_nothing),
		cmocka_unit_test(a_code_of_a_later_version_still_has_its_exit_status),
		cmocka_unit_test(an_exit_status_out_of_range_is_a_failure),
		cmocka_unit_test(a_failed_server_may_have_acted),
		cmocka_unit_test(only_a_503_is_worth_another_try),
		cmocka_unit_test(what_is_no_problem_document_is_a_bad_reply),
		cmocka_unit_test(a_long_text_stays_utf8),
		cmocka_unit_test(silence_is_told_from_a_bad_reply),
		cmocka_unit_test(what_is_not_of_poold_may_pass),
		cmocka_unit_test(how_long_a_try_took_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
