/*
 * The metrics of poold, as Prometheus reads them: text exposition format, version
 * 0.0.4.
 *
 * The supervisor publishes what it knows as numbers and moments; they become a text
 * when somebody asks, so that ages are right then.  Pure.
 */
#ifndef POOLD_METRICS_H
#define POOLD_METRICS_H

#include "access/access.h"
#include "api.h"
#include "clock.h"
#include "services/controller.h"

#include <stddef.h>
#include <stdint.h>

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_drain {
	char id[API_ID_BYTES];
	char owner[API_TEXT_BYTES];
	struct wall created_at;
	bool is_overdue;
};

/* All of it at one moment.  The names outlive it; it owns the arrays. */
struct metrics {
	const char *version, *server, *pool;
	enum phase phase;
	bool is_store_failing, is_reserved;
	struct wall started_at;
	struct wall certificate_expires_at; /* 0: plain HTTP */
	struct service_metrics *services;
	size_t service_count;
	struct source_metrics *sources;
	size_t source_count;
	struct metrics_drain *drains;
	size_t drain_count;
};

/* The whole page, as it is to be read at this moment of both clocks; `refused` as
 * of access_counts().  The caller frees it. */
char *metrics_render(const struct metrics *metrics,
		     const int64_t refused[REFUSAL__COUNT], struct mono now,
		     struct wall now_wall);

/* Frees the metrics, too; NULL is fine. */
void metrics_free(struct metrics *metrics);

#endif
