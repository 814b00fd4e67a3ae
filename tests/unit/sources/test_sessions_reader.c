#include "sources/sessions_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void whole_numbers_from_0_are_counts(void **state)
{
	static const struct {
		const char *text, *pointer;
		int64_t count;
	} cases[] = {
		{"0", NULL, 0},
		{" 7\r\n", NULL, 7},
		{"-0", NULL, 0},
		{"-0.0", NULL, 0},
		{"3.0", NULL, 3},
		{"1000000000", NULL, SESSIONS_COUNT_LIMIT},
		{"1e9", NULL, SESSIONS_COUNT_LIMIT},
		{"\xEF\xBB\xBF"
		 "5",
		 NULL, 5},
		{"{\"a\": [1, {\"b/c\": 2}]}", "/a/1/b~1c", 2},
		{"4", "", 4},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		int64_t count = -1;

		assert_int_equal(sessions_read_json(cases[i].text,
						    strlen(cases[i].text),
						    cases[i].pointer, &count, &err),
				 0);
		assert_int_equal(count, cases[i].count);
	}
}

static void anything_else_is_unknown_and_leaves_the_count_alone(void **state)
{
	static const struct {
		const char *text, *pointer, *why;
	} cases[] = {
		{"", NULL, "it is empty"},
		{" \t\r\n", NULL, "it is empty"},
		{"\xEF\xBB\xBF", NULL, "it is not JSON"},
		{"-1", NULL, "it is no whole number from 0 to 1000000000: -1"},
		{"0.3", NULL, "it is no whole number"},
		{"1000000001", NULL, "it is no whole number"},
		{"9223372036854775808", NULL, "it is not JSON"},
		{"1e400", NULL, "it is not JSON"},
		{"NaN", NULL, "it is not JSON"},
		{"Infinity", NULL, "it is not JSON"},
		{"7 0", NULL, "it is not JSON"},
		{"\"0\"", NULL, "it is no whole number"},
		{"null", NULL, "it is no whole number"},
		{"false", NULL, "it is no whole number"},
		{"{}", NULL, "it is no whole number"},
		{"{\"a\": 1}", "/b", "it has nothing at '/b': {\"a\": 1}"},
		{"{\"a\": null}", "/a", "what it has at '/a' is no whole number"},
		{"{\"a\": 1, \"a\": 0}", "/a", "it is not JSON"},
		{"0\x01", NULL, "it is not JSON (line 1, column 2): 0?"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		int64_t count = -1;

		assert_int_equal(sessions_read_json(cases[i].text,
						    strlen(cases[i].text),
						    cases[i].pointer, &count, &err),
				 -1);
		assert_int_equal(err.code, ERR_SESSIONS);
		if (!strstr(err.text, cases[i].why))
			fail_msg("'%s' is '%s'", cases[i].text, err.text);
		assert_int_equal(count, -1);
	}
}

static void zero_bytes_do_not_end_the_text(void **state)
{
	struct err err = {0};
	int64_t count = -1;

	(void)state;
	/* UTF-16, as some programs on Windows print: "0" and a line's end. */
	assert_int_equal(sessions_read_json("0\0\r\0\n\0", 6, NULL, &count, &err),
			 -1);
	assert_int_equal(count, -1);
	assert_non_null(strstr(err.text, "it is not JSON"));
}

static void only_the_first_line_is_shown_cut_and_printable(void **state)
{
	char shown[SESSIONS_SHOWN_BYTES], text[1000];

	(void)state;
	assert_string_equal(sessions_show("\n  one\r\ntwo", 11, shown), "one");
	assert_string_equal(sessions_show("a\tb\x1b[2J\xc3\xa9", 9, shown),
			    "a?b?[2J??");
	assert_string_equal(sessions_show(NULL, 0, shown), "");
	assert_string_equal(sessions_show("abc", 2, shown), "ab");
	memset(text, 'x', sizeof(text));
	assert_int_equal(strlen(sessions_show(text, sizeof(text), shown)),
			 SESSIONS_SHOWN_BYTES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers_from_0_are_counts),
		cmocka_unit_test(
			anything_else_is_unknown_and_leaves_the_count_alone),
		cmocka_unit_test(zero_bytes_do_not_end_the_text),
		cmocka_unit_test(only_the_first_line_is_shown_cut_and_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
