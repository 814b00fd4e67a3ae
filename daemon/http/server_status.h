/*
 * The status of the server: the document of GET /v1/server, and the numbers of
 * GET /metrics.
 */
#ifndef POOLD_SERVER_STATUS_H
#define POOLD_SERVER_STATUS_H

#include "services/controller.h"
#include "drains/drains.h"
#include "http/metrics.h"
#include "forecast/eta.h"
#include "drains/reservation.h"
#include "tls/tls.h"

/* The sources of the status; it owns none of them. */
struct server_status {
	const struct pool *pool;
	const struct pool_server *server;
	json_t *config; /* the digest of the pool; see pool_digest.h */
	const char *version, *boot_id;
	const char *config_problem; /* why changed files are not in use; or NULL */
	struct tls *tls;            /* NULL: plain HTTP */
	struct wall started_at;
	struct controller **controllers;
	size_t controller_count;
	const struct drains *drains;
	const struct reservation *reservation;
	struct mono now; /* at which the rest of its time is told */
	struct eta eta;
};

/* The worst phase of its services.  With one service out and another serving, the
 * server is draining: whoever reads "drained" may reboot it. */
enum phase server_status_phase(const struct server_status *server_status);

/* Everything but `index`, `epoch` and `time`; a new reference. */
json_t *server_status_to_json(const struct server_status *server_status);

/* Removes the fields that change with each round although nothing happened. */
void server_status_drop_times(json_t *json);

/* The numbers of it, for GET /metrics; to be freed with metrics_free. */
struct metrics *server_status_metrics(const struct server_status *server_status);

/* One drain, active or ended; a new reference. */
json_t *server_status_drain_to_json(const struct server_status *server_status,
				    const struct drain *drain);

/* The drain that is only reserved, with its reservation, whose token is for its
 * owner alone; a new reference, or NULL if there is none. */
json_t *server_status_reserved_to_json(const struct server_status *server_status,
				       bool with_token);

/* True if the drain covers something, and all of it is drained. */
bool server_status_is_drained(const struct server_status *server_status,
			      const struct drain *drain);

#endif
