/*
 * What poold takes hold of when it starts, before its supervisor: its state
 * directory, the locks, the SCM.  And all that a start checks, without a start.
 */
#ifndef POOLD_START_H
#define POOLD_START_H

#include "buf.h"
#include "configuration.h"
#include "scm/scm.h"

/* Fails if others may change what poold trusts: the files (`path`: poold.yaml), the
 * programs in them, the state directory, the log.  Says how to mend it. */
int start_check_private(const struct configuration *configuration, const char *path,
			struct err *err);

/* Fails if there is TLS, and its files cannot be used. */
int start_check_certificate(const struct configuration *configuration,
			    struct err *err);

/* Makes the state directory and locks it, until this process ends. */
int start_open_state(const struct poold_config *config, struct err *err);

/* See scm_lock.  Fails also if the store of an earlier state directory holds one of
 * the services, and that of this one does not. */
int start_lock_services(const struct configuration *configuration, struct err *err);

struct scm *start_open_scm(const struct poold_config *config, struct err *err);

/* Fails as a start would, writes nothing, and keeps no lock.  Adds lines to
 * `notes`, to be printed: if poold is running, what it has locked is not asked for.
 */
int start_check(const struct configuration *configuration, struct buf *notes,
		struct err *err);

/* Logs the error; the exit status that it means. */
int start_report(const struct err *err);

/* Loads both files into `configuration` and checks who may change them; with
 * `needs_address`, also where poold listens.  Logs what is wrong, each mistake as a
 * line of its own, and returns the exit status; the caller frees `configuration`
 * after a failure too. */
int start_load(struct configuration *configuration, const char *path,
	       bool needs_address);

/* The same of poold.yaml alone, for the state directory in it, to be freed. */
int start_load_state_dir(const char *path, char **state_dir);

#endif
