/*
 * Tells systemd how poold is, as sd_notify(3) does.  Unix only.
 */
#ifndef POOLD_SERVICE_NOTIFY_H
#define POOLD_SERVICE_NOTIFY_H

/* Call it before there are threads.  Takes what systemd asks for out of the
 * environment, so that no child of poold speaks for it.  If nothing is asked for,
 * the others do nothing. */
void service_notify_begin(void);

/* Sends "READY=1", "STOPPING=1".  It does not block: if systemd does not read, the
 * message is lost. */
void service_notify(const char *state);

/* Sends "WATCHDOG=1", if systemd expects it of this process.  Call it at least once
 * in half of the unit's WatchdogSec. */
void service_notify_alive(void);

#endif
