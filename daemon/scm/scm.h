/*
 * A Service Control Manager, as narrow as poold needs it.
 *
 * There are two: that of Windows, and a simulated one that keeps its services in a
 * file. A call blocks as long as the SCM does; on Windows a control does up to 30
 * s, when a service's handler hangs, so that it has a thread of its own
 * (scm_call.h). Any thread may call.  Names and texts are UTF-8.
 *
 * Failures carry ERR_SCM_MISSING (not installed), ERR_SCM_DENIED (rights),
 * ERR_SCM_REFUSED (the service does not take this control), ERR_SCM_NOT_NOW (try
 * again, the state is in motion) or ERR_SCM_FAILED, with the system's number kept.
 */
#ifndef POOLD_SCM_H
#define POOLD_SCM_H

#include "api.h"
#include "err.h"
#include "scm/scm_watch.h"

#include <stdint.h>

enum {
	SCM_NAME_BYTES = 257, /* 256 characters, says CreateService */
	SCM_DISPLAY_BYTES = 256,
	SCM_REASON_BYTES = 192,
	SCM_POLICY_BYTES = 64,
};

/* The delayed-auto-start flag; some systems cannot say, which is not the same as
 * "no". */
enum scm_flag { SCM_FLAG_NO, SCM_FLAG_YES, SCM_FLAG_UNSUPPORTED };

enum scm_control { SCM_PAUSE, SCM_CONTINUE, SCM_STOP, SCM_CONTROL__COUNT };

struct scm_status {
	enum service_state state; /* as last reported by the service; never missing
				     or unknown */
	enum start_type start_type;
	enum scm_flag delayed_auto_start;
	bool accepts_pause;
	bool is_start_due; /* starts automatically, and this boot has not started it
			    * yet
			    */
	bool is_deleted;   /* marked for deletion: gone once nobody uses it */
	uint32_t pid;      /* 0 while stopped */
	uint32_t checkpoint;   /* rises while a pending state makes progress */
	uint32_t wait_hint_ms; /* how long the next step may take, as the service
				  estimates */
	char display_name[SCM_DISPLAY_BYTES];
};

/* What a service needs to be drained and put back, each a right of its own. */
enum scm_right {
	SCM_RIGHT_PAUSE,
	SCM_RIGHT_CONFIGURE,
	SCM_RIGHT_START,
	SCM_RIGHT_STOP,
	SCM_RIGHT__COUNT,
};

/* What the SCM does after a failure of the service; bits of
 * scm_inspection.recovery. */
enum scm_recovery {
	SCM_RECOVERY_RESTART = 1,
	SCM_RECOVERY_REBOOT = 2,
	SCM_RECOVERY_RUN = 4,
	SCM_RECOVERY_ON_ERROR = 8, /* also after it stopped with an error */
};

/* What is asked one by one, because each may fail for a reason of its own. */
enum scm_fact {
	SCM_FACT_DEPENDANTS,
	SCM_FACT_TRIGGERS,
	SCM_FACT_RECOVERY,
	SCM_FACT_POLICY,
	SCM_FACT_RIGHTS,
	SCM_FACT_PROTECTION,
	SCM_FACT__COUNT,
};

/* A service that needs the inspected one, be it over others. */
struct scm_dependant {
	char name[SCM_NAME_BYTES];
	int start_type; /* enum start_type; -1: the SCM does not tell */
	enum service_state state;
};

/* What could start a service that was set to Manual, and what poold may do to it. A
 * fact without a reason in `unknown` is known. */
struct scm_inspection {
	char unknown[SCM_FACT__COUNT][SCM_REASON_BYTES];
	struct scm_dependant *dependants; /* whoever asked frees it */
	size_t dependant_count;
	unsigned trigger_count;        /* triggers that start the service */
	unsigned recovery;             /* enum scm_recovery */
	char policy[SCM_POLICY_BYTES]; /* the group policy's file; "": none sets it
					*/
	enum start_type policy_start_type;
	unsigned denied;   /* 1 << enum scm_right: what poold may not do */
	bool is_protected; /* against changes, by Windows (launch protected) */
};

struct scm;

struct scm_ops {
	int (*observe)(struct scm *scm, const char *service,
		       struct scm_status *status, struct err *err);
	/* Changes the startup type and nothing else.  The flag is set only where it
	 * is known. */
	int (*set_startup)(struct scm *scm, const char *service,
			   enum start_type type, enum scm_flag delayed_auto_start,
			   struct err *err);
	/* Returns once the service's handler took the control; the state may come
	 * later or never.  Stopping what is stopped is success. */
	int (*control)(struct scm *scm, const char *service,
		       enum scm_control control, struct err *err);
	/* Starting what runs already is success. */
	int (*start)(struct scm *scm, const char *service, struct err *err);
	/* Changes nothing.  What cannot be found out is unknown in the inspection;
	 * fails only if the service is not installed or the SCM cannot be asked. */
	int (*inspect)(struct scm *scm, const char *service,
		       struct scm_inspection *inspection, struct err *err);
	void (*free)(struct scm *scm);
	/* Watches these services; the caller frees the watch.  NULL if it cannot.
	 */
	struct scm_watch *(*watch)(struct scm *scm, const char *const *services,
				   size_t count, scm_watch_changed *changed,
				   void *arg);
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
