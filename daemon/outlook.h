/*
 * How long the drain that is under way will take: a forecast that is made anew no more
 * often than it is worth, and as the API shows it.
 *
 * Used by the supervisor thread only.
 */
#ifndef POOLD_OUTLOOK_H
#define POOLD_OUTLOOK_H

#include "controller.h"
#include "forecast.h"

#include <jansson.h>

/* Zeroed, there is nothing to say. */
struct outlook {
	bool is_made;
	struct mono made_at;
	int64_t sessions; /* at that time; -1: not known */
	struct forecast_answer answer;
};

/* Brings it up to date: for the services that are being drained, every few seconds, or
 * every second while their number changes. */
void outlook_update(struct outlook *outlook, struct controller *const *controllers,
		    size_t count, struct mono now);

/* Seconds as they are shown: two digits that count, and no more precise than a second;
 * null for less than 0.  A new reference, as the next ones. */
json_t *outlook_seconds(double seconds);

/* Adds eta_s, eta_90_s, eta_basis and eta_unknown to `progress`. */
void outlook_add(const struct outlook *outlook, json_t *progress);

/* The `forecast` of a preflight; `deadline_s` 0: none was asked for. */
json_t *outlook_forecast(const struct forecast *forecast, int64_t deadline_s);

#endif
