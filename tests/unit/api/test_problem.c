/*
 * What a refusal or a silence is worth: its text, its exit status, and whether the
 * server may have acted all the same.
 */
#include "api/problem.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct problem read_reply(int status, const char *body)
{
	struct reply reply = {
		.status = status, .body = body, .length = strlen(body)};
	struct problem problem;

	assert_int_equal(problem_from_reply(&reply, "http://a", &problem), -1);
	return problem;
}

static struct problem read_err(enum err_code code, const char *text)
{
	struct reply reply = {.may_be_received = true, .body = ""};
	struct problem problem;

	(void)err_set(&reply.err, code, "%s", text);
	(void)problem_from_reply(&reply, "http://a", &problem);
	return problem;
}

static void a_success_is_no_problem(void **state)
{
	struct reply reply = {.status = 201, .body = ""};
	struct problem problem;

	(void)state;
	assert_int_equal(problem_from_reply(&reply, "http://a", &problem), 0);
}

enum { RECEIVED = 1, RETRYABLE = 2, PASSES = 4, ANY = -1 };

static const struct reply_case {
	int status;
	const char *body;
	enum err_code code;
	int exit_status;
	unsigned flags;
} reply_cases[] = {
	{409, "{\"detail\":\"no\",\"code\":\"held\",\"exit_code\":5}", ERR_HELD, 5,
	 0},
	/* A code of a later version still has its exit status. */
	{409, "{\"detail\":\"no\",\"code\":\"new\",\"exit_code\":4}", ERR_INTERNAL,
	 4, 0},
	/* Neither success nor an interruption can come from a peer. */
	{400, "{\"detail\":\"no\",\"code\":\"none\",\"exit_code\":0}", ERR_INTERNAL,
	 1, 0},
	{400, "{\"detail\":\"no\",\"code\":\"interrupted\",\"exit_code\":130}",
	 ERR_INTERNAL, 1, 0},
	/* Nor can what only poolctl finds out. */
	{409, "{\"detail\":\"no\",\"exit_code\":6}", ERR_INTERNAL, 1, 0},
	{409, "{\"detail\":\"no\",\"exit_code\":7}", ERR_INTERNAL, 1, 0},
	{409, "{\"detail\":\"no\",\"code\":\"held\",\"exit_code\":7}", ERR_HELD, 5,
	 0},
	{409, "{\"detail\":\"no\",\"exit_code\":8}", ERR_INTERNAL, 1, 0},
	{504, "{\"detail\":\"no\",\"code\":\"timeout\",\"exit_code\":6}",
	 ERR_INTERNAL, 1, RECEIVED},
	/* A code means nothing with another code's HTTP status. */
	{409, "{\"detail\":\"no\",\"code\":\"unknown_drain\"}", ERR_INTERNAL, 1, 0},
	{400, "{\"detail\":\"no\",\"exit_code\":-1}", ERR_INTERNAL, 1, 0},
	{400, "{\"detail\":\"no\",\"exit_code\":4294967296}", ERR_INTERNAL, 1, 0},
	/* A server that failed may have acted; a 503 may be worth another try. */
	{500, "{\"detail\":\"no\"}", ERR_INTERNAL, 1, RECEIVED},
	{503, "{\"detail\":\"no\"}", ERR_INTERNAL, 1, RECEIVED},
	{503, "{\"detail\":\"no\",\"code\":\"busy\",\"retryable\":true}", ERR_BUSY,
	 ANY, RECEIVED | RETRYABLE | PASSES},
	{500, "{\"detail\":\"no\",\"code\":\"busy\",\"retryable\":true}",
	 ERR_INTERNAL, ANY, RECEIVED},
	/* Without a problem document it is not poold's reply. */
	{500, "<html>", ERR_BAD_REPLY, 1, RECEIVED | PASSES},
	{502, "<html>", ERR_UNREACHABLE, 3, RECEIVED | PASSES},
	{503, "", ERR_UNREACHABLE, 3, RECEIVED | PASSES},
	{504, "{}", ERR_UNREACHABLE, 3, RECEIVED | PASSES},
	{401, "", ERR_NOT_AUTHORISED, 3, RECEIVED},
	{403, "<html>", ERR_NOT_AUTHORISED, 3, RECEIVED},
	{302, "", ERR_NOT_AUTHORISED, 3, RECEIVED},
	{200, "\n <!doctype html>", ERR_NOT_AUTHORISED, 3, RECEIVED},
	{404, "<html>", ERR_BAD_REPLY, 1, RECEIVED},
	{409, "", ERR_BAD_REPLY, 1, RECEIVED},
	{409, "[]", ERR_BAD_REPLY, 1, RECEIVED},
	{409, "{}", ERR_BAD_REPLY, 1, RECEIVED},
	{409, "{\"detail\":7}", ERR_BAD_REPLY, 1, RECEIVED},
};

static void a_reply_says_what_it_is_worth(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(reply_cases) / sizeof(reply_cases[0]); i++) {
		const struct reply_case *row = &reply_cases[i];
		struct problem problem = read_reply(row->status, row->body);
		unsigned flags = (problem.may_be_received ? RECEIVED : 0) |
				 (problem.is_retryable ? RETRYABLE : 0) |
				 (problem.may_pass ? PASSES : 0);

		if (problem.code != row->code || flags != row->flags ||
		    (row->exit_status != ANY &&
		     problem.exit_status != row->exit_status))
			fail_msg("%d %s: code %d, exit %d, flags %u", row->status,
				 row->body, problem.code, problem.exit_status,
				 flags);
		assert_true(problem.is_silence == problem.is_gateway);
		if (*row->body == '{' && problem.code != ERR_BAD_REPLY &&
		    !problem.is_gateway)
			assert_string_equal(problem.text, "no");
	}
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
	struct problem problem = read_err(ERR_UNREACHABLE, "refused");

	(void)state;
	assert_true(problem.is_silence && problem.may_be_received &&
		    problem.may_pass);
	assert_int_equal(problem.exit_status, 3);
	assert_non_null(strstr(problem.text, "http://a"));
	problem = read_err(ERR_BAD_REPLY, "not HTTP");
	assert_true(!problem.is_silence && problem.may_pass);
}

/* A silence is the same one, however long it took to find out. */
static void how_long_a_try_took_is_not_told(void **state)
{
	static const char *const texts[][2] = {
		{"Failed to connect to 10.0.0.1 port 7 after 0 ms: Couldn't connect",
		 "Failed to connect to 10.0.0.1 port 7: Couldn't connect"},
		{"Connection timed out after 5001 milliseconds",
		 "Connection timed out"},
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
		cmocka_unit_test(a_reply_says_what_it_is_worth),
		cmocka_unit_test(a_long_text_stays_utf8),
		cmocka_unit_test(silence_is_told_from_a_bad_reply),
		cmocka_unit_test(how_long_a_try_took_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
