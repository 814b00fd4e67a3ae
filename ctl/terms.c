#include "terms.h"

#include "mem.h"

#include <stdlib.h>

/* Of a server's drain; each option goes over what pool.yaml says. */
static int find_one(const struct pool_config *config, const struct pool_server *server,
		    const struct options *options, struct terms *terms, struct err *err)
{
	int64_t deadline_ms = options->deadline_ms;
	int on_deadline = options->on_deadline;
	const struct pool *pool;

	(void)pool_find_server(config, server->named.name, &pool);
	if (deadline_ms < 0)
		deadline_ms = server->deadline_ms >= 0 ? server->deadline_ms
						       : pool->deadline_ms;
	if (on_deadline < 0)
		on_deadline = server->on_deadline >= 0 ? server->on_deadline
						       : pool->on_deadline;
	if (deadline_ms <= 0 && options->on_deadline > ON_DEADLINE_HOLD)
		return err_set(err, ERR_USAGE,
			       "--on-deadline %s, but %s has no deadline: give "
			       "--deadline TIME, or set 'deadline' in pool.yaml",
			       on_deadline_name((enum on_deadline)on_deadline),
			       server->named.name);
	*terms = (struct terms){.deadline_ms = deadline_ms > 0 ? deadline_ms : 0,
				.on_deadline = (enum on_deadline)on_deadline,
				.until = (enum until)options->until};
	return 0;
}

struct terms *terms_find(const struct pool_config *config, const struct targets *targets,
			 const struct options *options, struct err *err)
{
	struct terms *terms = xcalloc(targets->count, sizeof(*terms));

	for (size_t i = 0; i < targets->count; i++)
		if (find_one(config, targets->servers[i], options, &terms[i], err)) {
			free(terms);
			return NULL;
		}
	return terms;
}
