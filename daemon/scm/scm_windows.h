/*
 * What the two files of the Windows SCM share.
 */
#ifndef POOLD_SCM_WINDOWS_H
#define POOLD_SCM_WINDOWS_H

#include "scm/scm.h"

#include <windows.h>

/* Turns GetLastError() into ours: "cannot WHAT SERVICE: ...".  Always returns -1.
 */
int scm_windows_fail(struct err *err, const char *service, const char *what);

/* A handle with these rights for the caller to close, or NULL. */
SC_HANDLE scm_windows_open(const char *service, DWORD rights, const char *what,
			   struct err *err);

enum service_state scm_windows_state(DWORD state);

/* Adds the triggers that start the service. */
int scm_windows_count_triggers(const char *service, unsigned *count,
			       struct err *err);

/* See scm_ops.inspect. */
int scm_windows_inspect(struct scm *scm, const char *service,
			struct scm_inspection *inspection, struct err *err);

#endif
