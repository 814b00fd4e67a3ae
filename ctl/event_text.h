/*
 * Events of a server's record: read from its replies, and shown as rows of a table.
 */
#ifndef POOLCTL_EVENT_TEXT_H
#define POOLCTL_EVENT_TEXT_H

#include "client.h"
#include "output_text.h"

struct json_t;

enum { EVENT_TEXT_COLUMNS = 6 };

/* The events that GET /v1/events lists, a new reference, and the id of the last one of
 * the whole record; NULL with ERR_BAD_REPLY if it is no such list. */
struct json_t *event_text_read(const struct reply *reply, int64_t *last, struct err *err);

/* True if it has what poolctl shows of an event. */
bool event_text_is_event(const struct json_t *event);

/* Add a row of EVENT_TEXT_COLUMNS cells. */
void event_text_headings(struct table *table);
void event_text_row(struct table *table, const struct json_t *event);

#endif
