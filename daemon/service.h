/*
 * How poold is started and told to stop: from a shell, or by Windows as a service.
 */
#ifndef POOLD_SERVICE_H
#define POOLD_SERVICE_H

#include "err.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The body of the daemon: sets up, calls service_is_ready() when it serves, waits with
 * service_wait_for_stop(), and puts down.  Returns an exit status.
 */
typedef int service_body(const char *config_path, bool is_service);

/* Runs the body in the foreground; Ctrl-C, SIGINT and SIGTERM stop it. */
int service_run_foreground(service_body *body, const char *config_path);

/* Runs it as a Windows service: to be started by the SCM only. */
int service_run_dispatched(service_body *body, const char *config_path, struct err *err);

void service_is_ready(void);
void service_wait_for_stop(void);

/* Waits at most so long; true if the stop has come. */
bool service_is_stopped_within(int64_t ms);

/* Registers poold with the SCM, to start at boot with this configuration. */
int service_install(const char *config_path, struct err *err);

/* Stops it if it runs, and takes it out of the SCM's list. */
int service_uninstall(struct err *err);

#endif
