#include "forecast/eta.h"

#include "text/json_write.h"

#include <math.h>

enum { RENEW_MS = 5000, LEAST_MS = 1000, MOST_S = 320000000 /* ten years */ };

bool eta_is_due(const struct eta *eta, int64_t sessions, struct mono now)
{
	int64_t age_ms = clock_since(eta->made_at, now);

	return !eta->is_made || age_ms >= RENEW_MS ||
	       (age_ms >= LEAST_MS && sessions != eta->sessions);
}

void eta_set(struct eta *eta, const struct forecast *forecast, int64_t sessions,
	     struct mono now)
{
	*eta = (struct eta){.is_made = true, .made_at = now, .sessions = sessions};
	forecast_result(forecast, &eta->result);
}

/* Two digits that count. */
static json_t *seconds_to_json(double seconds)
{
	double step = 1;

	if (seconds < 0)
		return json_null();
	if (seconds > MOST_S)
		seconds = MOST_S;
	while (seconds / step >= 100)
		step *= 10;
	return json_integer((json_int_t)(floor(seconds / step + 0.5) * step));
}

void eta_add(const struct eta *eta, json_t *progress)
{
	static const struct forecast_result none = {.half_s = -1,
						    .nine_tenths_s = -1};
	const struct forecast_result *result = eta->is_made ? &eta->result : &none;

	json_write_value(progress, "eta_s", seconds_to_json(result->half_s));
	json_write_value(progress, "eta_90_s",
			 seconds_to_json(result->nine_tenths_s));
	json_write_text(progress, "eta_basis", forecast_basis_name(result->basis));
	json_write_text(progress, "eta_unknown",
			*result->reason ? result->reason : NULL);
}

/* Rounded down: it is 1 only if there is nothing to wait for. */
static json_t *chance_to_json(const struct forecast *forecast, int64_t deadline_s)
{
	double chance =
		deadline_s ? forecast_chance(forecast, (double)deadline_s) : -1;

	return chance < 0 ? json_null() : json_real(floor(chance * 100) / 100);
}

json_t *eta_forecast(const struct forecast *forecast, int64_t deadline_s)
{
	struct forecast_result result;
	json_t *json = json_object();

	forecast_result(forecast, &result);
	json_write_flag(json, "known", result.basis != FORECAST_NOT_KNOWN);
	json_write_value(json, "half_s", seconds_to_json(result.half_s));
	json_write_value(json, "nine_tenths_s",
			 seconds_to_json(result.nine_tenths_s));
	json_write_text(json, "basis", forecast_basis_name(result.basis));
	json_write_count(json, "deadline_s", deadline_s ? deadline_s : -1);
	json_write_value(json, "chance", chance_to_json(forecast, deadline_s));
	json_write_text(json, "reason", *result.reason ? result.reason : NULL);
	return json;
}
