/*
 * Server-sent events, in whatever pieces they come.
 */
#include "api/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void write_down(void *arg, const struct sse_message *message)
{
	buf_printf(arg, "<%s|%s|%s>", message->id ? message->id : "-",
		   message->event ? message->event : "-",
		   message->data ? message->data : "-");
}

/* What is read of the bytes, which come in pieces of this size. */
static void expect(const char *bytes, size_t piece, const char *expected)
{
	struct sse sse = {0};
	struct buf text = {0};
	size_t length = strlen(bytes);

	for (size_t at = 0; at < length; at += piece)
		assert_int_equal(sse_read(&sse, bytes + at,
					  length - at < piece ? length - at : piece,
					  write_down, &text, NULL),
				 0);
	assert_string_equal(text.text ? text.text : "", expected);
	sse_reset(&sse);
	buf_done(&text);
}

static void messages_in_pieces_of_any_size(void **state)
{
	static const struct {
		const char *bytes, *expected;
	} cases[] = {
		{"id: 7\nevent: drift\ndata: {\"id\":7}\n\n",
		 "<7|drift|{\"id\":7}>"},
		{"id: 7\r\nevent: drift\r\ndata: x\r\n\r\n", "<7|drift|x>"},
		{"id: 7\n\n", "<7|-|->"},
		{": nothing new\n\nid:8\n\n", "<8|-|->"},
		{"data: a\ndata:  b\n\n", "<-|-|a\n b>"},
		{"\n\n\n", ""},
		{"retry: 5\nother\n\n", ""},
		{"id: 1\n\nid: 2\nevent: x\n\n", "<1|-|-><2|x|->"},
		{"id: 1\nevent: cut\ndata: of", ""},
		{"idle: 1\n\n", ""},
		{"id: 1\nid: 2\nevent: a\nevent: b\n\n", "<2|b|->"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t piece = 1; piece <= strlen(cases[i].bytes); piece++)
			expect(cases[i].bytes, piece, cases[i].expected);
}

static void what_was_incomplete_is_forgotten(void **state)
{
	static const char first[] = "id: 1\nevent: a\ndata: b",
			  second[] = "id: 2\n\n";
	struct sse sse = {0};
	struct buf text = {0};

	(void)state;
	assert_int_equal(
		sse_read(&sse, first, strlen(first), write_down, &text, NULL), 0);
	sse_reset(&sse);
	assert_int_equal(
		sse_read(&sse, second, strlen(second), write_down, &text, NULL), 0);
	assert_string_equal(text.text, "<2|-|->");
	sse_reset(&sse);
	buf_done(&text);
}

/* How much of such pieces is taken; `bytes` gets what is kept of it at most. */
static size_t feed(const char *piece, struct err *err, size_t *bytes)
{
	size_t length = strlen(piece), sent = 0;
	struct sse sse = {0};

	*bytes = 0;
	while (sent <= SSE_LIMIT_BYTES * 2 &&
	       !sse_read(&sse, piece, length, write_down, NULL, err)) {
		size_t now = sse.line.size_bytes + sse.id.size_bytes +
			     sse.event.size_bytes + sse.data.size_bytes;

		*bytes = now > *bytes ? now : *bytes;
		sent += length;
	}
	sse_reset(&sse);
	return sent;
}

/* A line without an end, and data without an end, are refused; fields that come
 * again and again take no more room. */
static void a_message_has_a_limit(void **state)
{
	static const struct {
		const char *piece;
		bool is_bad;
	} cases[] = {
		{"xxxxxxxxxxxxxxxx", true}, {"data: xxxxxxxxxx\n", true},
		{"id: 12345678\n", false},  {"event: 12345678\n", false},
		{": a comment\n", false},   {"what: 12345678\n", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		size_t bytes, sent = feed(cases[i].piece, &err, &bytes);

		assert_int_equal(err.code,
				 cases[i].is_bad ? ERR_BAD_REPLY : ERR_NONE);
		assert_true(sent > SSE_LIMIT_BYTES / 2);
		if (cases[i].is_bad)
			assert_true(sent < SSE_LIMIT_BYTES * 2);
		else
			assert_true(sent > SSE_LIMIT_BYTES && bytes < 10000);
	}
}

/* An id and an event type count as well as the data. */
static void all_of_a_message_counts_together(void **state)
{
	static const char *const names[] = {"id: ", "event: ", "data: "};
	size_t part = SSE_LIMIT_BYTES / 5 * 2;
	char *text = malloc(part);
	struct sse sse = {0};
	struct err err = {0};
	int status = 0;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', part);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(status, 0);
		(void)sse_read(&sse, names[i], strlen(names[i]), write_down, NULL,
			       &err);
		status = sse_read(&sse, text, part, write_down, NULL, &err);
		if (!status)
			(void)sse_read(&sse, "\n", 1, write_down, NULL, &err);
	}
	assert_int_equal(status, -1);
	assert_int_equal(err.code, ERR_BAD_REPLY);
	sse_reset(&sse);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_in_pieces_of_any_size),
		cmocka_unit_test(what_was_incomplete_is_forgotten),
		cmocka_unit_test(a_message_has_a_limit),
		cmocka_unit_test(all_of_a_message_counts_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
