/*
 * Replies with a body, and problems (RFC 9457).
 */
#ifndef POOLD_REPLY_H
#define POOLD_REPLY_H

#include "http/http.h"

#include <jansson.h>

/* All fill the reply and return true, as a handler does that has replied. */

/* Takes the body over. */
bool reply_text(struct reply *reply, int status, char *body);

/* Takes the reference over. */
bool reply_json(struct reply *reply, int status, json_t *json);

bool reply_error(struct reply *reply, const struct err *err);
bool reply_problem(struct reply *reply, enum err_code code, const char *text);
bool reply_busy(struct reply *reply);

/* For a caller who may not ask this. */
bool reply_refusal(struct reply *reply, const struct err *err);

#endif
