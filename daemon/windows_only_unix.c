/*
 * What only Windows has, as it is everywhere else: its Service Control Manager, its
 * performance counters, its Remote Desktop, its Event Log.
 */
#include "mem.h"
#include "scm/scm.h"
#include "sources/counter_list.h"
#include "sources/sessions_reader.h"
#include "store/eventlog.h"

#include <stdlib.h>

struct scm *scm_windows_new(struct err *err)
{
	(void)err_set(
		err, ERR_CONFIG,
		"'scm: windows' needs Windows; on this system use 'scm: simulated'");
	return NULL;
}

static int read_counter(struct sessions_reader *reader,
			struct sessions_reading *reading, struct err *err)
{
	(void)reader;
	(void)reading;
	return err_set(err, ERR_SESSIONS,
		       "performance counters exist only on Windows");
}

int counter_list(const char *pattern, void (*each)(const char *path, double value),
		 struct err *err)
{
	(void)pattern;
	(void)each;
	return err_set(
		err, ERR_SESSIONS,
		"performance counters exist only on Windows; run this on the server");
}

static int read_rds(struct sessions_reader *reader,
		    struct sessions_reading *reading, struct err *err)
{
	(void)reader;
	(void)reading;
	return err_set(err, ERR_SESSIONS,
		       "Remote Desktop sessions exist only on Windows");
}

static void free_reader(struct sessions_reader *reader)
{
	free(reader);
}

struct sessions_reader *sessions_counter_new(const struct pool_counter *counter)
{
	static const struct sessions_reader_ops ops = {read_counter, free_reader};
	struct sessions_reader *reader = xcalloc(1, sizeof(*reader));

	*reader = (struct sessions_reader){.ops = &ops, .name = counter->path};
	return reader;
}

struct sessions_reader *sessions_rds_new(const struct pool_rds *rds)
{
	static const struct sessions_reader_ops ops = {read_rds, free_reader};
	struct sessions_reader *reader = xcalloc(1, sizeof(*reader));

	(void)rds;
	reader->ops = &ops;
	return reader;
}

/* Every event is in the record and in the log already; a third copy would tell
 * nobody more. */
struct eventlog *eventlog_open(void)
{
	return NULL;
}
