#include "text/json_pointer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The document and the pointers of RFC 6901, section 5. */
static void finds_what_the_rfc_says(void **state)
{
	static const struct {
		const char *pointer, *value;
	} cases[] = {
		{"/foo", "[\"bar\",\"baz\"]"},
		{"/foo/0", "\"bar\""},
		{"/", "0"},
		{"/a~1b", "1"},
		{"/c%d", "2"},
		{"/e^f", "3"},
		{"/g|h", "4"},
		{"/i\\j", "5"},
		{"/k\"l", "6"},
		{"/ ", "7"},
		{"/m~0n", "8"},
	};
	json_t *document = json_loads(
		"{\"foo\": [\"bar\", \"baz\"], \"\": 0, \"a/b\": 1, \"c%d\": 2, "
		"\"e^f\": 3, \"g|h\": 4, \"i\\\\j\": 5, \"k\\\"l\": 6, "
		"\" \": 7, \"m~n\": 8}",
		0, NULL);

	(void)state;
	assert_ptr_equal(json_pointer_get(document, ""), document);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *value = json_loads(cases[i].value, JSON_DECODE_ANY, NULL);

		assert_true(json_equal(json_pointer_get(document, cases[i].pointer),
				       value));
		json_decref(value);
	}
	json_decref(document);
}

static void what_is_not_there_is_null(void **state)
{
	static const char *const pointers[] = {
		"/b",
		"/a/2",
		"/a/-",
		"/a/00",
		"/a/",
		"/a/0/x",
		"/a/+1",
		"/n/x",
		"/a/99999999999999999999999",
		"/a/18446744073709551616",
		"//a",
	};
	json_t *document = json_loads("{\"a\": [1, 2], \"n\": 3}", 0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++)
		assert_null(json_pointer_get(document, pointers[i]));
	json_decref(document);
}

static void only_pointers_are_valid(void **state)
{
	(void)state;
	assert_true(json_pointer_is_valid(""));
	assert_true(json_pointer_is_valid("/"));
	assert_true(json_pointer_is_valid("/a/0/~0~1"));
	assert_false(json_pointer_is_valid("a"));
	assert_false(json_pointer_is_valid("/a~"));
	assert_false(json_pointer_is_valid("/~2"));
	assert_false(json_pointer_is_valid("/~~0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_the_rfc_says),
		cmocka_unit_test(what_is_not_there_is_null),
		cmocka_unit_test(only_pointers_are_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
