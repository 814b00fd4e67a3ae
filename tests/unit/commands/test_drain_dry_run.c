/*
 * The report of a dry run: in the order in which it should be read, and of nothing
 * that the server did not say.
 */
#include "commands/drain_dry_run.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char good[] =
	"{\"server\":\"frontend01\",\"possible\":false,\"reboot_pending\":true,\"findings\":["
	"{\"code\":\"reboot_pending\",\"level\":\"note\",\"text\":\"a reboot is pending\",\"remedy\":null},"
	"{\"code\":\"agent\",\"level\":\"warning\",\"text\":\"a tool is there\",\"remedy\":\"look at it\"}],"
	"\"services\":[{\"name\":\"RTCSRV\",\"display_name\":\"Front-End\",\"possible\":false,"
	"\"observed\":{\"state\":\"running\",\"start_type\":\"automatic\",\"delayed_auto_start\":true,"
	"\"accepts_pause\":false},\"sessions\":{\"known\":true,\"count\":12},"
	"\"dependants\":[{\"name\":\"RTCCAA\",\"start_type\":null,\"state\":\"running\"}],"
	"\"changes\":[\"save: running, automatic (delayed)\",\"pause\"],"
	"\"findings\":[{\"code\":\"no_pause\",\"level\":\"refusal\",\"text\":\"it does not accept pause\","
	"\"remedy\":\"stop it yourself\"}]}]}";

static const char report[] =
	"  refusal: RTCSRV: it does not accept pause\n"
	"    remedy: stop it yourself\n"
	"  warning: a tool is there\n"
	"    remedy: look at it\n"
	"  note: a reboot is pending\n"
	"  RTCSRV (Front-End): running, automatic (delayed), 12 sessions\n"
	"    step: save: running, automatic (delayed)\n"
	"    step: pause\n"
	"    needed by RTCCAA: running\n";

/* Where a value is, and another one that must not be there. */
static const struct value {
	const char *path[6];
	const char *wrong;
} values[] = {
	{{"server"}, "1"},
	{{"possible"}, "\"yes\""},
	{{"findings"}, "{}"},
	{{"findings", "0"}, "1"},
	{{"findings", "0", "code"}, "null"},
	{{"findings", "0", "level"}, "\"fine\""},
	{{"findings", "0", "text"}, "null"},
	{{"findings", "0", "remedy"}, "1"},
	{{"services"}, "null"},
	{{"services", "0"}, "null"},
	{{"services", "0", "name"}, "null"},
	{{"services", "0", "display_name"}, "null"},
	{{"services", "0", "possible"}, "null"},
	{{"services", "0", "observed"}, "null"},
	{{"services", "0", "observed", "state"}, "null"},
	{{"services", "0", "observed", "start_type"}, "1"},
	{{"services", "0", "sessions"}, "null"},
	{{"services", "0", "sessions", "known"}, "null"},
	{{"services", "0", "sessions", "count"}, "null"},
	{{"services", "0", "dependants", "0", "name"}, "null"},
	{{"services", "0", "dependants", "0", "state"}, "1"},
	{{"services", "0", "changes"}, "null"},
	{{"services", "0", "changes", "0"}, "1"},
	{{"services", "0", "findings"}, "null"},
	{{"services", "0", "findings", "0", "level"}, "1"},
};

static json_t *parse(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(value);
	return value;
}

static json_t *step_into(json_t *at, const char *name)
{
	return json_is_array(at) ? json_array_get(at, 0)
				 : json_object_get(at, name);
}

static json_t *good_with(const struct value *value)
{
	json_t *document = parse(good), *parent = document;
	int last = 0;

	for (; value->path[last + 1]; last++)
		parent = step_into(parent, value->path[last]);
	assert_non_null(step_into(parent, value->path[last]));
	if (json_is_array(parent))
		(void)json_array_set_new(parent, 0, parse(value->wrong));
	else
		(void)json_object_set_new(parent, value->path[last],
					  parse(value->wrong));
	return document;
}

/* Takes the document. */
static struct preflight_reply *read_as(const char *server, json_t *document,
				       struct err *err)
{
	struct pool_server asked = {.named.name = (char *)server};
	char *body = json_dumps(document, 0);
	struct preflight_reply *preflight =
		preflight_reply_parse(&asked, 0, body, strlen(body), err);

	free(body);
	json_decref(document);
	return preflight;
}

/* Takes the document; the report is to be freed. */
static char *explain(json_t *document)
{
	struct err err = {0};
	struct preflight_reply *preflight = read_as("frontend01", document, &err);
	struct buf text = {0};

	assert_non_null(preflight);
	drain_dry_run_explain(preflight, &text);
	preflight_reply_free(preflight);
	return text.text;
}

static void a_report_can_be_read_from_the_top(void **state)
{
	char *text = explain(parse(good));

	(void)state;
	assert_string_equal(text, report);
	free(text);
}

static void what_is_not_known_is_not_zero(void **state)
{
	static const struct value unknown = {{"services", "0", "sessions"},
					     "{\"known\":false,\"count\":null}"};
	char *text = explain(good_with(&unknown));

	(void)state;
	assert_non_null(strstr(text, "? sessions"));
	free(text);
}

/* The error names the field, or that of the list that it is in. */
static void a_document_that_lacks_something_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		const char *name = NULL, *const *path = values[i].path;
		struct err err = {0};

		for (size_t k = 0; path[k]; k++)
			name = *path[k] == '0' ? name : path[k];
		assert_null(read_as("frontend01", good_with(&values[i]), &err));
		assert_int_equal(err.code, ERR_BAD_REPLY);
		if (!strstr(err.text, name) && !strstr(err.text, "is missing"))
			fail_msg("%s: %s", name, err.text);
	}
}

static void another_server_is_not_believed(void **state)
{
	struct err err = {0};

	(void)state;
	assert_null(read_as("frontend02", parse(good), &err));
	assert_int_equal(err.code, ERR_WRONG_SERVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_can_be_read_from_the_top),
		cmocka_unit_test(what_is_not_known_is_not_zero),
		cmocka_unit_test(a_document_that_lacks_something_is_refused),
		cmocka_unit_test(another_server_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
