/*
 * The whole picture of the server, as GET /v1/server shows it.
 */
#ifndef POOLD_PICTURE_H
#define POOLD_PICTURE_H

#include "controller.h"
#include "drains.h"
#include "metrics.h"
#include "outlook.h"
#include "reservation.h"

/* What it is made from; it owns none of it. */
struct picture {
	const struct pool *pool;
	const struct pool_server *server;
	const char *version, *boot_id;
	struct wall started_at;
	struct controller **controllers;
	size_t controller_count;
	const struct drains *drains;
	const struct reservation *reservation;
	struct mono now; /* at which the rest of its time is told */
	struct outlook outlook;
};

/* The worst of its services.  With one out and another serving, the server is not
 * drained: whoever reads that word may reboot it. */
enum phase picture_phase(const struct picture *picture);

/* Everything but `index`, `epoch` and `time`; a new reference.  What changes with each
 * look although nothing happened is left out, unless it is asked for. */
json_t *picture_to_json(const struct picture *picture, bool with_times);

/* The numbers of it, for GET /metrics; to be freed with metrics_free. */
struct metrics *picture_metrics(const struct picture *picture);

/* One drain, active or ended; a new reference. */
json_t *picture_drain_to_json(const struct picture *picture, const struct drain *drain);

/* The drain that is only reserved, with its reservation, whose token is for its owner
 * alone; a new reference, or NULL if there is none. */
json_t *picture_reserved_to_json(const struct picture *picture, bool with_token);

/* True if the drain covers something, and all of it is drained. */
bool picture_is_drained(const struct picture *picture, const struct drain *drain);

#endif
