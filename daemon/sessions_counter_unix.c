#include "sessions_reader.h"

#include "mem.h"

#include <stdlib.h>

static int read_nothing(struct sessions_reader *reader, struct sessions_reading *reading,
			struct err *err)
{
	(void)reader;
	(void)reading;
	return err_set(err, ERR_SESSIONS,
		       "performance counters are read on Windows only");
}

static void free_nothing(struct sessions_reader *reader)
{
	free(reader);
}

struct sessions_reader *sessions_counter_new(const struct pool_counter *counter)
{
	static const struct sessions_reader_ops ops = {read_nothing, free_nothing};
	struct sessions_reader *reader = xcalloc(1, sizeof(*reader));

	reader->ops = &ops;
	reader->name = counter->path;
	return reader;
}
