/*
 * A Service Control Manager, as narrow as poold needs it.
 *
 * There are two: that of Windows, and a simulated one that keeps its services in a file.
 * A call blocks as long as the SCM does (on Windows up to 30 s, when another service's
 * handler hangs), so only the supervisor calls.  Names and texts are UTF-8.
 *
 * Failures carry ERR_SCM_MISSING (not installed), ERR_SCM_DENIED (rights),
 * ERR_SCM_REFUSED (the service does not take this control), ERR_SCM_NOT_NOW (try again,
 * the state is in motion) or ERR_SCM_FAILED, with the system's number kept.
 */
#ifndef POOLD_SCM_H
#define POOLD_SCM_H

#include "api.h"
#include "err.h"

#include <stdint.h>

enum { SCM_DISPLAY_BYTES = 256 };

/* The delayed-auto-start flag; some systems cannot say, which is not the same as "no". */
enum scm_flag { SCM_FLAG_NO, SCM_FLAG_YES, SCM_FLAG_UNSUPPORTED };

enum scm_control { SCM_PAUSE, SCM_CONTINUE };

struct scm_status {
	enum service_state
		state; /* as last reported by the service; never missing or unknown */
	enum start_type start_type;
	enum scm_flag delayed_auto_start;
	bool accepts_pause;
	uint32_t pid;          /* 0 while stopped */
	uint32_t checkpoint;   /* rises while a pending state makes progress */
	uint32_t wait_hint_ms; /* how long the next step may take, as the service
				  estimates */
	char display_name[SCM_DISPLAY_BYTES];
};

struct scm;

struct scm_ops {
	int (*observe)(struct scm *scm, const char *service, struct scm_status *status,
		       struct err *err);
	/* Changes the startup type and nothing else.  The flag is set only where it is
	 * known. */
	int (*set_startup)(struct scm *scm, const char *service, enum start_type type,
			   enum scm_flag delayed_auto_start, struct err *err);
	/* Returns once the service's handler took the control; the state may come later
	 * or never. */
	int (*control)(struct scm *scm, const char *service, enum scm_control control,
		       struct err *err);
	/* Starting what runs already is success. */
	int (*start)(struct scm *scm, const char *service, struct err *err);
	void (*free)(struct scm *scm);
};

/* Implementations put this first in their own struct. */
struct scm {
	const struct scm_ops *ops;
};

/* The machine's own SCM; NULL with ERR_CONFIG where there is none. */
struct scm *scm_windows_new(struct err *err);

/* Keeps its services in this JSON file, which others may change meanwhile as an
 * administrator would.  docs/configuration.md shows the file. */
struct scm *scm_simulated_new(const char *path, struct err *err);

#endif
