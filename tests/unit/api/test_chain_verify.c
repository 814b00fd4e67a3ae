/*
 * Whatever is done to a record of events, checking it finds out.
 */
#include "api/chain_verify.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { EVENTS = 5 };

static void add_hash(json_t *event, char hash[CHAIN_HASH_BYTES])
{
	char *text = json_dumps(event, JSON_COMPACT | JSON_SORT_KEYS);

	chain_next(hash, text, hash);
	free(text);
	(void)json_object_set_new(event, "hash", json_string(hash));
}

/* As poold writes it. */
static json_t *make_record(void)
{
	json_t *record = json_array();
	char hash[CHAIN_HASH_BYTES];

	memcpy(hash, chain_start, sizeof(hash));
	for (int id = 1; id <= EVENTS; id++) {
		json_t *event =
			json_pack("{s:i, s:s, s:s, s:{s:s}, s:n}", "id", id, "text",
				  "T\xc3\xbcr / \"auf\"\n", "kind", "action",
				  "after", "state", "paused", "before");

		add_hash(event, hash);
		(void)json_array_append_new(record, event);
	}
	return record;
}

static json_t *event_of(json_t *record, size_t i)
{
	return json_array_get(record, i);
}

static const char *hash_of(json_t *record, size_t i)
{
	return json_string_value(json_object_get(event_of(record, i), "hash"));
}

/* Checks all of it; `last_id` is what the server says. */
static int verify_record(json_t *record, const char *head, int64_t last_id,
			 struct err *err)
{
	struct chain_verify verify;

	*err = (struct err){0};
	chain_verify_init(&verify, head);
	for (size_t i = 0; i < json_array_size(record); i++)
		if (chain_verify_event(&verify, event_of(record, i), err))
			return -1;
	return chain_verify_end(&verify, last_id, err);
}

static void assert_broken(json_t *record, const char *part)
{
	struct err err;

	assert_int_equal(verify_record(record, NULL, EVENTS, &err), -1);
	assert_int_equal(err.code, ERR_NOT_VERIFIED);
	assert_non_null(strstr(err.text, part));
	json_decref(record);
}

static void an_untouched_record_is_good(void **state)
{
	json_t *record = make_record(), *none = json_array();
	struct err err;

	(void)state;
	assert_int_equal(verify_record(record, NULL, EVENTS, &err), 0);
	assert_int_equal(verify_record(none, NULL, 0, &err), 0);
	for (size_t i = 0; i < EVENTS; i++)
		assert_int_equal(
			verify_record(record, hash_of(record, i), EVENTS, &err), 0);
	assert_int_equal(verify_record(record, chain_start, EVENTS, &err), 0);
	json_decref(none);
	json_decref(record);
}

static void every_changed_event_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < EVENTS; i++) {
		json_t *record = make_record();
		char part[64];

		(void)json_object_set_new(event_of(record, i), "text",
					  json_string("T"));
		(void)snprintf(part, sizeof(part), "event %zu does not match",
			       i + 1);
		assert_broken(record, part);
	}
}

static void every_event_that_is_missing_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < EVENTS; i++) {
		json_t *record = make_record();
		char part[64];

		(void)json_array_remove(record, i);
		(void)snprintf(part, sizeof(part), " %zu ", i + 1);
		assert_broken(record, part);
	}
}

static void an_event_that_was_put_in_is_found(void **state)
{
	json_t *record = make_record();

	(void)state;
	(void)json_array_insert_new(record, 2, json_deep_copy(event_of(record, 1)));
	assert_broken(record, "3 is missing");
}

/* Whoever writes all of it anew has a good chain, but not the head of before. */
static void an_earlier_head_finds_what_was_written_anew(void **state)
{
	json_t *record = make_record(), *cut = make_record();
	struct err err;

	(void)state;
	(void)json_array_remove(cut, EVENTS - 1);
	assert_int_equal(verify_record(cut, NULL, EVENTS - 1, &err), 0);
	assert_int_equal(
		verify_record(cut, hash_of(record, EVENTS - 1), EVENTS - 1, &err),
		-1);
	assert_int_equal(err.code, ERR_NOT_VERIFIED);
	json_decref(cut);
	json_decref(record);
}

static void what_has_no_hash_is_not_good(void **state)
{
	static const char *const names[] = {"id", "hash"};
	struct err err;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		json_t *record = make_record();

		(void)json_object_del(event_of(record, 3), names[i]);
		assert_int_equal(verify_record(record, NULL, EVENTS, &err), -1);
		assert_int_equal(err.code, ERR_BAD_REPLY);
		json_decref(record);
	}
}

static void an_event_follows_on_the_one_before_alone(void **state)
{
	json_t *record = make_record();

	(void)state;
	for (size_t i = 0; i < EVENTS; i++)
		for (size_t before = 0; before <= EVENTS; before++)
			assert_int_equal(
				chain_verify_follows(
					before ? hash_of(record, before - 1)
					       : chain_start,
					event_of(record, i)),
				before == i);
	(void)json_object_del(event_of(record, 0), "hash");
	assert_false(chain_verify_follows(chain_start, event_of(record, 0)));
	json_decref(record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_untouched_record_is_good),
		cmocka_unit_test(every_changed_event_is_named),
		cmocka_unit_test(every_event_that_is_missing_is_named),
		cmocka_unit_test(an_event_that_was_put_in_is_found),
		cmocka_unit_test(an_earlier_head_finds_what_was_written_anew),
		cmocka_unit_test(what_has_no_hash_is_not_good),
		cmocka_unit_test(an_event_follows_on_the_one_before_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
