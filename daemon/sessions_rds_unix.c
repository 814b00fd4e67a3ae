#include "sessions_reader.h"

#include "mem.h"

#include <stdlib.h>

static int read_nothing(struct sessions_reader *reader, struct sessions_reading *reading,
			struct err *err)
{
	(void)reader;
	(void)reading;
	return err_set(err, ERR_SESSIONS,
		       "sessions of Remote Desktop are read on Windows only");
}

static void free_nothing(struct sessions_reader *reader)
{
	free(reader);
}

struct sessions_reader *sessions_rds_new(const struct pool_rds *rds)
{
	static const struct sessions_reader_ops ops = {read_nothing, free_nothing};
	struct sessions_reader *reader = xcalloc(1, sizeof(*reader));

	(void)rds;
	reader->ops = &ops;
	return reader;
}
