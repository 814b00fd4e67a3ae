#include "outlook.h"

#include <math.h>

enum { RENEW_MS = 5000, LEAST_MS = 1000 };

/* Of those that are being drained; -1: not known. */
static int64_t count_sessions(struct controller *const *controllers, size_t count)
{
	int64_t sessions = 0;

	for (size_t i = 0; i < count; i++) {
		const struct progress *progress = controller_progress(controllers[i]);

		if (!controller_is_draining(controllers[i]))
			continue;
		if (!progress->has_sample || !progress->last.is_known)
			return -1;
		sessions += progress->last.count;
	}
	return sessions;
}

static bool is_good_enough(const struct outlook *outlook, int64_t sessions,
			   struct mono now)
{
	int64_t age_ms = clock_since(outlook->made_at, now);

	return outlook->is_made && (age_ms < LEAST_MS ||
				    (age_ms < RENEW_MS && sessions == outlook->sessions));
}

void outlook_update(struct outlook *outlook, struct controller *const *controllers,
		    size_t count, struct mono now)
{
	int64_t sessions = count_sessions(controllers, count);
	struct forecast *forecast = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!controller_is_draining(controllers[i]))
			continue;
		if (is_good_enough(outlook, sessions, now))
			return;
		forecast = forecast ? forecast : forecast_new();
		controller_forecast(controllers[i], forecast);
	}
	*outlook = (struct outlook){
		.is_made = forecast != NULL, .made_at = now, .sessions = sessions};
	if (forecast)
		forecast_answer(forecast, &outlook->answer);
	forecast_free(forecast);
}

json_t *outlook_seconds(double seconds)
{
	double step = 1;

	if (seconds < 0)
		return json_null();
	while (seconds / step >= 100)
		step *= 10;
	return json_integer((json_int_t)(floor(seconds / step + 0.5) * step));
}

static json_t *basis_to_json(enum forecast_basis basis)
{
	const char *name = forecast_basis_name(basis);

	return name ? json_string(name) : json_null();
}

static json_t *reason_to_json(const char *reason)
{
	return *reason ? json_string(reason) : json_null();
}

void outlook_add(const struct outlook *outlook, json_t *progress)
{
	static const struct forecast_answer none = {.half_s = -1, .nine_tenths_s = -1};
	const struct forecast_answer *answer =
		outlook->is_made ? &outlook->answer : &none;

	(void)json_object_set_new(progress, "eta_s", outlook_seconds(answer->half_s));
	(void)json_object_set_new(progress, "eta_90_s",
				  outlook_seconds(answer->nine_tenths_s));
	(void)json_object_set_new(progress, "eta_basis", basis_to_json(answer->basis));
	(void)json_object_set_new(progress, "eta_unknown",
				  reason_to_json(answer->reason));
}

json_t *outlook_forecast(const struct forecast *forecast, int64_t deadline_s)
{
	struct forecast_answer answer;
	double chance = -1;

	forecast_answer(forecast, &answer);
	if (deadline_s)
		chance = forecast_chance(forecast, (double)deadline_s);
	/* Rounded down: it is 1 only if there is nothing to wait for. */
	return json_pack("{sb so so so so so so}", "known",
			 answer.basis != FORECAST_NOT_KNOWN, "half_s",
			 outlook_seconds(answer.half_s), "nine_tenths_s",
			 outlook_seconds(answer.nine_tenths_s), "basis",
			 basis_to_json(answer.basis), "deadline_s",
			 deadline_s ? json_integer(deadline_s) : json_null(), "chance",
			 chance < 0 ? json_null() : json_real(floor(chance * 100) / 100),
			 "reason", reason_to_json(answer.reason));
}
