/*
 * How long a drain will take: until the last session of every service has ended,
 * and the settle time after that.
 *
 * From the ages of the sessions that are still there and how long sessions of that
 * service last (hazard_model.h); where that is not known, from the rate at which
 * they ended of late, which gives a middle and nothing to rely on; else it says
 * that it does not know, and why.
 *
 * A server is through when all of its services are: forecast_add each of them to
 * one forecast.  Pure: no clock.
 */
#ifndef POOLD_FORECAST_H
#define POOLD_FORECAST_H

#include "forecast/lifetimes.h"

#include <stddef.h>
#include <stdint.h>

/* Fewer ends than this tell nothing of how long sessions last.  What takes longer
 * than the longest time is said to be not known. */
enum { FORECAST_LEAST_ENDS = 10, FORECAST_LONGEST_S = 30 * 24 * 60 * 60 };
enum { FORECAST_REASON_BYTES = 256 };

struct forecast_session {
	double age_s;  /* since it was first seen */
	bool is_least; /* it was there before that, nobody knows how long */
};

/* One service.  Nothing of it is kept. */
struct forecast_service {
	const char *name;
	const char *unknown; /* why its sessions are not known; NULL if they are */
	int64_t count;       /* its sessions */

	/* All of them one by one, or NULL if only their number is known. */
	const struct forecast_session *sessions;
	/* With the risk of the sessions that are alive up to their age; or NULL. */
	const struct lifetimes *lifetimes;

	double per_minute; /* sessions that end, of late; 0 or less: not known */
	double settle_s;   /* from the last end until it counts as drained */
};

enum forecast_basis {
	FORECAST_NOT_KNOWN,
	FORECAST_RATE,
	FORECAST_LIFETIMES,
	FORECAST__COUNT
};

struct forecast_result {
	enum forecast_basis basis;
	double half_s;        /* through by then: as likely as not; -1: not known */
	double nine_tenths_s; /* through by then: nine in ten; -1: not known */
	char reason[FORECAST_REASON_BYTES]; /* why something is not known; empty if
					     * all is
					     */
};

/* A forecast for nothing, which is through at once.  The caller frees it. */
struct forecast *forecast_new(void);
void forecast_free(struct forecast *forecast);

/* One more service, which the others do not depend on.  A few milliseconds at most.
 */
void forecast_add(struct forecast *forecast,
		  const struct forecast_service *service);

/* When all of them will be through.  A millisecond or so for each service. */
void forecast_result(const struct forecast *forecast,
		     struct forecast_result *result);

/* The chance (0 to 1) that all of them are through within that time; -1 if not
 * known, which the result's reason tells about. */
double forecast_chance(const struct forecast *forecast, double within_s);

/* "lifetimes", "rate", or NULL if nothing is known. */
const char *forecast_basis_name(enum forecast_basis basis);

#endif
