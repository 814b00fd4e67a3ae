#include "http/request_check.h"

#include "text/words.h"

#include <ctype.h>

int request_check_sender(const struct request *request,
			 const struct host_names *names, struct err *err)
{
	const char *host = request_header(request, "Host");

	if (request_twice(request))
		return err_set(err, ERR_INVALID_REQUEST,
			       "the header '%s' is there twice, or contradicts "
			       "another header",
			       request_twice(request));
	if (request_header(request, "Origin"))
		return err_set(
			err, ERR_ORIGIN,
			"a request with the header 'Origin' comes from a web "
			"page, and poold takes none from there");
	if (host && *host && !host_names_has(names, host))
		return err_set(
			err, ERR_HOST,
			"this server has no name '%.255s'; ask by an IP address "
			"or localhost, or by the name '%s', that of its 'url' "
			"in pool.yaml, or the pool's 'fqdn'",
			host, names->names[0]);
	return 0;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			return true;
	return false;
}

int request_check_path(const struct request *request, struct err *err)
{
	if (request_has_nul(request))
		return err_set(err, ERR_INVALID_REQUEST,
			       "the path or the query has a NUL byte");
	if (has_control(request_path(request)))
		return err_set(err, ERR_INVALID_REQUEST,
			       "the path has a control character");
	return 0;
}

struct check {
	const char *const *queries;
	bool has[REQUEST_QUERIES_LIMIT];
	const char *method, *path;
	struct err err;
};

static void check_name(void *arg, const char *name, const char *value)
{
	struct check *check = arg;
	int at = words_find(check->queries, name);

	if (has_control(name) || (value && has_control(value)))
		(void)err_set(&check->err, ERR_INVALID_REQUEST,
			      "the query has a control character");
	else if (at < 0)
		(void)err_set(&check->err, ERR_UNKNOWN_FIELD,
			      "%s %s does not know '%.64s' in its query",
			      check->method, check->path, name);
	else if (!value || !*value)
		(void)err_set(&check->err, ERR_INVALID_REQUEST,
			      "'%s' in the query has no value", name);
	else if (check->has[at])
		(void)err_set(&check->err, ERR_INVALID_REQUEST,
			      "'%s' is in the query twice", name);
	else
		check->has[at] = true;
}

int request_check_query(const struct request *request, const char *const *queries,
			struct err *err)
{
	struct check check = {.queries = queries,
			      .method = request_method(request),
			      .path = request_path(request)};

	request_each_query(request, check_name, &check);
	return check.err.code ? err_set(err, check.err.code, "%s", check.err.text)
			      : 0;
}
