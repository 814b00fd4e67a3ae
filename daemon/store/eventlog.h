/*
 * The Windows Event Log, which monitoring reads: a copy of the record's lines.  The
 * record itself is in the store.
 *
 * A call of the Event Log service may hang, so a thread of its own makes it; the
 * supervisor never waits.  What finds no room, or is not taken, is counted, and the
 * log and the Event Log itself say so once that is over.
 */
#ifndef POOLD_EVENTLOG_H
#define POOLD_EVENTLOG_H

#include "err.h"
#include "event_kind.h"

enum { EVENTLOG_WAITING = 256 };

struct eventlog;

/* Writes one event there; -1 if it is not taken.  May block for as long as it
 * likes. */
typedef int eventlog_report(int id, enum event_level level, const char *text,
			    struct err *err);

/* That of this system; NULL if it has none. */
struct eventlog *eventlog_open(void);

/* NULL if there is no thread for it. */
struct eventlog *eventlog_new(eventlog_report *report);

/* Waits some seconds for what still waits.  A call that hangs is left behind with
 * it. NULL is fine. */
void eventlog_close(struct eventlog *eventlog);

/*
 * Adds one event under the source "poold" of the log "Application".  `id` is one of
 * event_kind_id(), `text` is UTF-8 and what Event Viewer shows.  Never blocks and
 * never fails.  Does nothing if `eventlog` is NULL.
 */
void eventlog_write(struct eventlog *eventlog, int id, enum event_level level,
		    const char *text);

#endif
