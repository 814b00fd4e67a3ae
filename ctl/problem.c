#include "problem.h"

#include "text.h"

#include <jansson.h>
#include <string.h>

/* The exit statuses that design and API allow; poold's own start from 10. */
static bool is_exit_status(json_int_t value)
{
	return value >= 1 && value <= 9;
}

/* The HTTP library says how long it tried, which differs each time while the problem is
 * the same: "Failed to connect to 10.1.0.11 port 7410 after 3 ms: ..." */
static void drop_times(char *text)
{
	static const char before[] = " after ";
	static const char *const units[] = {" milliseconds", " ms"};
	char *at = text;

	while ((at = strstr(at, before))) {
		char *digits = at + strlen(before);
		char *end = digits + strspn(digits, "0123456789");
		size_t unit = 0;

		for (size_t i = 0; end > digits && !unit && i < 2; i++)
			if (!strncmp(end, units[i], strlen(units[i])))
				unit = strlen(units[i]);
		if (unit)
			memmove(at, end + unit, strlen(end + unit) + 1);
		else
			at = digits;
	}
}

void problem_from_err(const struct err *err, const char *url, struct problem *problem)
{
	bool is_silence = err->code == ERR_UNREACHABLE;

	*problem = (struct problem){
		.code = err->code,
		.exit_status = err_info(err->code)->exit_status,
		.is_silence = is_silence,
		.may_pass = is_silence,
	};
	(void)snprintf(problem->text, sizeof(problem->text),
		       is_silence ? "does not answer at %.200s: %.500s"
				  : "%.200s: %.500s",
		       url, err->text);
	if (is_silence)
		drop_times(problem->text);
	text_clean(problem->text, true);
}

/* Reads application/problem+json (RFC 9457); only `detail` or `title` must be there. */
static int read_document(const struct reply *reply, struct problem *problem)
{
	json_t *document = json_loadb(reply->body, reply->length, 0, NULL);
	const char *detail = json_string_value(json_object_get(document, "detail"));
	const char *code = json_string_value(json_object_get(document, "code"));
	json_int_t exit_code = json_integer_value(json_object_get(document, "exit_code"));
	int ret = -1;

	if (!detail)
		detail = json_string_value(json_object_get(document, "title"));
	if (!detail)
		goto out;
	problem->code = err_from_name(code ? code : "");
	problem->exit_status = err_info(problem->code)->exit_status;
	if (is_exit_status(exit_code))
		problem->exit_status = (int)exit_code;
	else if (!is_exit_status(problem->exit_status))
		problem->exit_status = err_info(ERR_INTERNAL)->exit_status;
	problem->is_retryable = reply->status == 503 &&
				json_is_true(json_object_get(document, "retryable"));
	problem->may_pass = problem->is_retryable;
	(void)snprintf(problem->text, sizeof(problem->text), "%.700s", detail);
	text_clean(problem->text, true);
	ret = 0;
out:
	json_decref(document);
	return ret;
}

int problem_from_reply(const struct reply *reply, const char *url,
		       struct problem *problem)
{
	struct err err = reply->err;
	bool is_refusal = reply->status >= 400 && reply->status < 500;
	bool may_be_received = reply->status ? !is_refusal : reply->may_be_received;

	if (err.code == ERR_NONE && reply->status >= 200 && reply->status < 300)
		return 0;
	*problem = (struct problem){.may_be_received = may_be_received};
	if (err.code == ERR_NONE && read_document(reply, problem) == 0)
		return -1;
	(void)err_set(&err, ERR_BAD_REPLY, "HTTP status %d without a problem document",
		      reply->status);
	problem_from_err(&err, url, problem);
	/* Something else than poold has answered, which may stand in for it a while. */
	problem->may_pass = problem->may_pass || !reply->status || reply->status >= 500;
	problem->may_be_received = may_be_received;
	return -1;
}
