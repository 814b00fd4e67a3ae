#include "api/problem.h"

#include "exit_status.h"
#include "text/json_parse.h"
#include "text/text.h"

#include <jansson.h>
#include <string.h>

/* A problem is a failure.  That something was reached, cut or waited for long
 * enough, only poolctl itself can know; poold's own statuses start from 10. */
static bool may_be_of_problem(json_int_t exit_status)
{
	return (exit_status >= EXIT_FAILED && exit_status <= EXIT_HELD) ||
	       exit_status == EXIT_NOT_VERIFIED;
}

/* A code is believed if it comes with its HTTP status, and if a server can know it.
 */
static enum err_code read_code(const json_t *document, int status)
{
	const char *name = json_string_value(json_object_get(document, "code"));
	enum err_code code = err_from_name(name ? name : "");
	bool is_of_poold = code > ERR_INTERRUPTED && code < ERR_UNREACHABLE;

	return is_of_poold && err_info(code)->http_status == status ? code
								    : ERR_INTERNAL;
}

/* The HTTP library says how long it tried, which differs each time while the
 * problem is the same: "Failed to connect to 10.1.0.11 port 7410 after 3 ms: ..."
 */
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

void problem_from_err(const struct err *err, const char *url,
		      struct problem *problem)
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
	text_hide_credentials(problem->text);
	text_clean(problem->text, true);
}

/* Reads application/problem+json (RFC 9457); only `detail` or `title` must be
 * there. */
static int read_document(const struct reply *reply, struct problem *problem)
{
	json_t *document = json_parse(reply->body, reply->length, 0, NULL);
	const char *detail = json_string_value(json_object_get(document, "detail"));
	json_int_t exit_code =
		json_integer_value(json_object_get(document, "exit_code"));
	int ret = -1;

	if (!detail)
		detail = json_string_value(json_object_get(document, "title"));
	if (!detail)
		goto out;
	problem->code = read_code(document, reply->status);
	problem->exit_status = err_info(problem->code)->exit_status;
	/* Of a later version's code, only the exit status is understood. */
	if (problem->code == ERR_INTERNAL && may_be_of_problem(exit_code))
		problem->exit_status = (int)exit_code;
	problem->is_retryable =
		reply->status == 503 &&
		json_is_true(json_object_get(document, "retryable"));
	problem->may_pass = problem->is_retryable;
	(void)snprintf(problem->text, sizeof(problem->text), "%.700s", detail);
	text_hide_credentials(problem->text);
	text_clean(problem->text, true);
	ret = 0;
out:
	json_decref(document);
	return ret;
}

/* Says what a program that is not poold may mean by its reply. */
static void explain_stranger(const struct reply *reply, bool is_page,
			     struct err *err)
{
	int status = reply->status;

	if (status >= 502 && status <= 504)
		(void)err_set(
			err, ERR_UNREACHABLE,
			"a proxy replied with HTTP status %d; check whether it "
			"reaches poold, and whether poold runs",
			status);
	else if (status == 401 || status == 403 || status == 407)
		(void)err_set(
			err, ERR_NOT_AUTHORISED,
			"not authorised: a program in front of poold replied with "
			"HTTP status %d; check 'url' in pool.yaml",
			status);
	else if (is_page || (status >= 300 && status < 400))
		(void)err_set(
			err, ERR_NOT_AUTHORISED,
			"not authorised: HTTP status %d with a page for people, as "
			"for a login; check 'url' in pool.yaml",
			status);
	else
		(void)err_set(
			err, ERR_BAD_REPLY,
			"another program than poold replied with HTTP status %d; "
			"check 'url' in pool.yaml, the tunnel, and poold",
			status);
}

int problem_from_reply(const struct reply *reply, const char *url,
		       struct problem *problem)
{
	struct err err = reply->err;
	bool is_refusal = reply->status >= 400 && reply->status < 500;
	bool may_be_received = reply->status ? !is_refusal : reply->may_be_received;
	bool is_success = reply->status >= 200 && reply->status < 300;
	/* A page of HTML, which begins with a tag. */
	bool is_page =
		is_success && reply->body[strspn(reply->body, " \t\r\n")] == '<';

	if (err.code == ERR_NONE && is_success && !is_page)
		return 0;
	*problem = (struct problem){.may_be_received = may_be_received};
	if (err.code == ERR_NONE && read_document(reply, problem) == 0)
		return -1;
	explain_stranger(reply, is_page, &err);
	problem_from_err(&err, url, problem);
	problem->is_gateway = reply->status >= 502 && reply->status <= 504;
	/* Something else than poold replied; it may stand in for poold only for a
	 * while.  But a wrong certificate does not become right by itself.  A
	 * token's file that cannot be read is perhaps being written.
	 */
	problem->may_pass = problem->may_pass || reply->status >= 500 ||
			    (!reply->status && (err.code == ERR_BAD_REPLY ||
						err.code == ERR_NOT_AUTHORISED));
	/* It may have passed the request on first: only poold's own word is a
	 * refusal. */
	problem->may_be_received = reply->status ? true : may_be_received;
	return -1;
}
