#include "line/drain_options.h"

#include "mem.h"

#include <stdlib.h>

int64_t drain_options_deadline_s(const struct drain_options *drain_options)
{
	return (drain_options->deadline_ms + 999) / 1000;
}

/* The options of one server's drain; the command line goes over pool.yaml. */
static int find_one(const struct pool_config *config,
		    const struct pool_server *server, const struct options *options,
		    struct drain_options *drain_options, struct err *err)
{
	int64_t deadline_ms = options->deadline_ms;
	int on_deadline = options->on_deadline;
	const struct pool *pool;

	(void)pool_find_server(config, server->named.name, &pool);
	if (deadline_ms < 0)
		deadline_ms = pool_deadline_ms(pool, server);
	if (on_deadline < 0)
		on_deadline = (int)pool_on_deadline(pool, server);
	if (deadline_ms <= 0 && options->on_deadline > ON_DEADLINE_HOLD)
		return err_set(
			err, ERR_USAGE,
			"--on-deadline %s needs a deadline, and %s has none: "
			"add --deadline TIME, or set 'deadline' in pool.yaml",
			api_on_deadlines[on_deadline], server->named.name);
	*drain_options = (struct drain_options){
		.deadline_ms = deadline_ms > 0 ? deadline_ms : 0,
		.on_deadline = (enum on_deadline)on_deadline,
		.until = options->until < 0 ? UNTIL_RESUME
					    : (enum until)options->until};
	return 0;
}

struct drain_options *drain_options_find(const struct pool_config *config,
					 const struct targets *targets,
					 const struct options *options,
					 struct err *err)
{
	struct drain_options *drain_options =
		xcalloc(targets->count, sizeof(*drain_options));

	for (size_t i = 0; i < targets->count; i++)
		if (find_one(config, targets->servers[i], options,
			     &drain_options[i], err)) {
			free(drain_options);
			return NULL;
		}
	return drain_options;
}
