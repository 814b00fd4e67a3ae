/*
 * How events of a server's record are shown.
 */
#ifndef POOLCTL_EVENT_TEXT_H
#define POOLCTL_EVENT_TEXT_H

#include "api/events_reply.h"
#include "show/output.h"

/* Entries and rows are events (struct event). */
extern const struct output_kind event_text_kind;

#endif
