/*
 * One run of poold: its parts are brought up, serve until the stop, and are put
 * down; changed files begin it anew.
 */
#ifndef POOLD_SERVE_H
#define POOLD_SERVE_H

#include <stdbool.h>

/* Runs until service_await() says to stop; the exit status.  `is_service`: as the
 * Windows service, which keeps services out also while it cannot listen. */
int serve_run(const char *config_path, bool is_service);

#endif
