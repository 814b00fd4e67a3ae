#include "http/reply.h"

#include "api.h"
#include "mem.h"
#include "text/json_write.h"

#include <stdlib.h>
#include <string.h>

bool reply_text(struct reply *reply, int status, char *body)
{
	reply->status = status;
	reply->body = body;
	reply->length = strlen(body);
	return true;
}

bool reply_json(struct reply *reply, int status, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	char *line = xasprintf("%s\n", text);

	json_decref(json);
	free(text);
	return reply_text(reply, status, line);
}

bool reply_error(struct reply *reply, const struct err *err)
{
	const struct err_info *info = err_info(err->code);
	char *type = xasprintf("urn:poolctl:problem:%s", info->name);
	json_t *problem = json_object(), *detail = json_string(err->text);

	json_write_text(problem, "type", type);
	json_write_text(problem, "title", info->title);
	json_write_number(problem, "status", info->http_status);
	/* Bytes of the request may stand in the text, and need not be UTF-8. */
	if (detail)
		json_write_value(problem, "detail", detail);
	json_write_text(problem, "code", info->name);
	json_write_flag(problem, "retryable", info->is_retryable);
	json_write_number(problem, "exit_code", info->exit_status);
	free(type);
	reply->type = API_PROBLEM_JSON;
	reply->is_retryable = info->is_retryable;
	return reply_json(reply, info->http_status, problem);
}

bool reply_problem(struct reply *reply, enum err_code code, const char *text)
{
	struct err err = {0};

	(void)err_set(&err, code, "%s", text);
	return reply_error(reply, &err);
}

bool reply_busy(struct reply *reply)
{
	return reply_problem(
		reply, ERR_BUSY,
		"too many clients ask or watch at once; try again later");
}

/* Nothing more is expected on its connection, which makes room for others. */
bool reply_refusal(struct reply *reply, const struct err *err)
{
	reply->is_last = true;
	if (err->code == ERR_UNAUTHENTICATED)
		reply->challenge = "Bearer realm=\"poold\"";
	return reply_error(reply, err);
}
