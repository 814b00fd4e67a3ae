/*
 * How long the drain that is under way will take: a forecast that is made anew no
 * more often than it is worth, and as the API shows it.
 *
 * Used by the supervisor thread only.
 */
#ifndef POOLD_ETA_H
#define POOLD_ETA_H

#include "forecast/forecast.h"

#include "clock.h"

#include <jansson.h>

/* Zeroed: nothing is being drained. */
struct eta {
	bool is_made;
	struct mono made_at;
	int64_t sessions; /* at that time; -1: unknown */
	struct forecast_result result;
};

/* True if a new forecast is worth its time: every few seconds, or every second
 * while the number of sessions changes; -1: unknown. */
bool eta_is_due(const struct eta *eta, int64_t sessions, struct mono now);

/* Keeps the result of this forecast of the services that are being drained. */
void eta_set(struct eta *eta, const struct forecast *forecast, int64_t sessions,
	     struct mono now);

/* Adds eta_s, eta_90_s, eta_basis and eta_unknown to `progress`.  Seconds have two
 * digits that count, and are no more precise than a second. */
void eta_add(const struct eta *eta, json_t *progress);

/* The `forecast` of a preflight, a new reference; `deadline_s` 0: none was asked
 * for. */
json_t *eta_forecast(const struct forecast *forecast, int64_t deadline_s);

#endif
