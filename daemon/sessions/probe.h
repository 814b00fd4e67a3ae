/*
 * The proof that a service refuses: poold tries a new session now and then while it
 * is out.
 */
#ifndef POOLD_PROBE_H
#define POOLD_PROBE_H

#include "pool.h"
#include "sessions/sampler.h"
#include "sources/sessions.h"

struct probe {
	const struct pool_probe *config;
	struct sampler *sampler; /* NULL: none is configured */
	struct prober *prober;   /* what the sampler reads */
	int64_t number;          /* of the try that was looked at last */
	/* Of the try that was under way at probe_mark, or 0. */
	unsigned marked_port;
	struct mono marked_at;
	struct mono since; /* tries that began earlier do not count */
	bool has_tried, is_known;
	bool is_taken;  /* by the last try whose outcome is known */
	struct wall at; /* of the last try */
	struct err why; /* its outcome is not known */
};

/* At the address the sessions of the service come to.  What it is given must
 * outlive it; fails if no thread can be started. */
int probe_init(struct probe *probe, const struct pool_server *server,
	       const struct pool_service *service, bool has_no_threads,
	       struct err *err);
void probe_done(struct probe *probe);

/* Tries go on while the service is out, the first at once, and rest while it is
 * not. Looks at the newest one, if it began at `since` or later; true if with it
 * the service turns out to take sessions.  Never blocks. */
bool probe_look(struct probe *probe, bool is_out, struct mono since,
		struct wall now);

/* True while no try is known of that began since then and has ended, whatever its
 * outcome; false if none is configured. */
bool probe_is_awaited(const struct probe *probe, struct mono since);

/* To be called now, before connections are listed of which probe_is_own is asked.
 */
void probe_mark(struct probe *probe, struct mono now);

/* True if the connection is a try that was under way since probe_mark, or a second
 * before; no longer, as a client may be given its port. */
bool probe_is_own(const struct probe *probe,
		  const struct sessions_connection *connection);

/* Null if none is configured; a new reference. */
json_t *probe_to_json(const struct probe *probe);

#endif
