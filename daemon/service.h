/*
 * How poold is started and told to stop: from a shell, or by Windows as a service.
 */
#ifndef POOLD_SERVICE_H
#define POOLD_SERVICE_H

#include "err.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The body of the daemon: sets up, calls service_is_ready() when it serves, waits
 * with service_wait_for_stop(), and puts down.  Returns an exit status.
 */
typedef int service_body(const char *config_path, bool is_service);

/* Runs the body in the foreground; Ctrl-C, SIGINT and SIGTERM stop it. */
int service_run_foreground(service_body *body, const char *config_path);

/* Runs it as a Windows service: to be started by the SCM only. */
int service_run_dispatched(service_body *body, const char *config_path,
			   struct err *err);

void service_is_ready(void);

/* Tells the init system that poold is alive, once a second; systemd starts it again
 * when it has not heard that for the unit's WatchdogSec. */
void service_is_alive(void);

void service_wait_for_stop(void);

enum service_word {
	SERVICE_WORD_NONE,
	SERVICE_WORD_STOP,
	SERVICE_WORD_RELOAD, /* the files were changed: SIGHUP,
			   SERVICE_CONTROL_PARAMCHANGE */
};

/* Waits at most so long for a word.  The stop stays, for service_wait_for_stop. */
enum service_word service_await(int64_t ms);

/* True once Windows shuts down: its services are about to be stopped. */
bool service_is_machine_ending(void);

/* Registers poold with the SCM, to start at boot with this configuration. */
int service_install(const char *config_path, struct err *err);

/* Returns once it has stopped, or was stopped already; fails if it does not stop.
 */
int service_stop(struct err *err);
int service_start(struct err *err);

/* Takes it out of the SCM's list; it is stopped. */
int service_uninstall(struct err *err);

#endif
