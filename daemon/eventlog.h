/*
 * The Windows Event Log, where an administrator's monitoring looks: a copy of the
 * record's lines.  The record itself is in the store.
 */
#ifndef POOLD_EVENTLOG_H
#define POOLD_EVENTLOG_H

#include "event_kinds.h"

/*
 * Writes one event under the source "poold" of the log "Application".  `id` is one of
 * event_kind_id(), `text` is UTF-8 and what Event Viewer shows.  Called by the
 * supervisor's thread alone; blocks for a call to the Event Log service.  Never fails:
 * the first of several failures in a row is logged.  Does nothing but on Windows.
 */
void eventlog_write(int id, enum event_level level, const char *text);

#endif
