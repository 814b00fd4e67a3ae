#include "forecast/forecast.h"

#include "forecast/hazard_model.h"
#include "mem.h"
#include "utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Halvings of the scale of times, which make the quantiles good to a part in 100.
 */
enum { HALVINGS = 11 };

/* Sessions of about the same age (half a bin) are reckoned with as one. */
struct group {
	bool is_least;
	double sessions;
	double age_s;                      /* their mean; first, their sum */
	double before[HAZARD_MODEL_DRAWS]; /* hazard_model_share there */
};

struct member {
	struct hazard_model model;
	struct group groups[2 * LIFETIMES_BINS]; /* some may have no sessions */
	double settle_s;
};

struct forecast {
	struct member **members; /* those whose lifetimes are known */
	size_t count;
	bool is_known;     /* of every service that was added, at least the half */
	bool is_by_rate;   /* one of them only by its rate */
	double at_least_s; /* what those without lifetimes need, and settling alone
			    */
	char reason[FORECAST_REASON_BYTES];
};

struct forecast *forecast_new(void)
{
	struct forecast *forecast = xcalloc(1, sizeof(*forecast));

	forecast->is_known = true;
	return forecast;
}

void forecast_free(struct forecast *forecast)
{
	if (!forecast)
		return;
	for (size_t i = 0; i < forecast->count; i++)
		free(forecast->members[i]);
	free(forecast->members);
	free(forecast);
}

/* The first reason stays. */
static void give_reason(struct forecast *forecast, const char *name,
			const char *why)
{
	char *text;

	if (*forecast->reason)
		return;
	text = xasprintf("%s: %s", name, why);
	utf8_copy(forecast->reason, sizeof(forecast->reason), text);
	free(text);
}

static void wait_for(struct forecast *forecast, double time_s)
{
	if (time_s > forecast->at_least_s)
		forecast->at_least_s = time_s;
}

static void group_sessions(struct member *member,
			   const struct forecast_service *service)
{
	for (int64_t i = 0; i < service->count; i++) {
		const struct forecast_session *session = &service->sessions[i];
		int at = (int)(lifetimes_scale(session->age_s) *
			       LIFETIMES_BINS_PER_UNIT);
		struct group *group =
			&member->groups[2 * (at < LIFETIMES_BINS
						     ? at
						     : LIFETIMES_BINS - 1) +
					session->is_least];

		group->is_least = session->is_least;
		group->sessions++;
		group->age_s += session->age_s;
	}
	for (int i = 0; i < 2 * LIFETIMES_BINS; i++) {
		struct group *group = &member->groups[i];

		if (group->sessions < 1)
			continue;
		group->age_s /= group->sessions;
		hazard_model_share(&member->model, group->age_s, group->is_least,
				   group->before);
	}
}

static void add_member(struct forecast *forecast,
		       const struct forecast_service *service)
{
	struct member *member = xcalloc(1, sizeof(*member));

	hazard_model_init(&member->model, service->lifetimes);
	group_sessions(member, service);
	member->settle_s = service->settle_s;
	forecast->members = xrealloc(
		forecast->members, (forecast->count + 1) * sizeof(struct member *));
	forecast->members[forecast->count++] = member;
}

/* How many may be older than anyone whose age was ever known: they were there
 * before, and were watched for half as long as anyone was. */
static int64_t count_strangers(const struct forecast_service *service)
{
	double oldest_s = lifetimes_oldest(service->lifetimes);
	int64_t count = 0;

	for (int64_t i = 0; i < service->count; i++)
		count += service->sessions[i].is_least &&
			 service->sessions[i].age_s > oldest_s / 2;
	return count;
}

/* Why it cannot be told from lifetimes; NULL if it can. */
static const char *find_lack(const struct forecast_service *service, char *text,
			     size_t size)
{
	double ends = service->lifetimes ? lifetimes_ends(service->lifetimes) : 0;
	int64_t strangers;

	if (!service->sessions)
		return "its source gives only a number, not each session";
	if (ends < FORECAST_LEAST_ENDS) {
		snprintf(text, size,
			 "poold has seen %.0f of the %d session ends that it needs",
			 ends, FORECAST_LEAST_ENDS);
		return text;
	}
	strangers = count_strangers(service);
	if (!strangers)
		return NULL;
	snprintf(text, size,
		 "%" PRId64
		 " of its sessions may be older than any that poold has watched",
		 strangers);
	return text;
}

void forecast_add(struct forecast *forecast, const struct forecast_service *service)
{
	char text[FORECAST_REASON_BYTES];
	const char *lack;

	if (service->unknown) {
		forecast->is_known = false;
		give_reason(forecast, service->name, service->unknown);
		return;
	}
	wait_for(forecast, service->settle_s);
	if (service->count == 0)
		return;
	lack = find_lack(service, text, sizeof(text));
	if (!lack) {
		add_member(forecast, service);
		return;
	}
	give_reason(forecast, service->name, lack);
	if (service->per_minute <= 0) {
		forecast->is_known = false;
		return;
	}
	forecast->is_by_rate = true;
	wait_for(forecast, (double)service->count * 60 / service->per_minute +
				   service->settle_s);
}

/* The logarithm of the chance that a group is through by then, added to each
 * draw's. */
static void add_logs(const struct member *member, const struct group *group,
		     double within_s, double logs[HAZARD_MODEL_DRAWS])
{
	double after[HAZARD_MODEL_DRAWS];

	hazard_model_share(&member->model, group->age_s + within_s, group->is_least,
			   after);
	for (int i = 0; i < HAZARD_MODEL_DRAWS; i++) {
		bool is_number = group->before[i] > -HUGE_VAL;
		double stays = is_number ? exp(after[i] - group->before[i]) : 0;

		logs[i] += stays < 1 ? group->sessions * log1p(-stays) : -HUGE_VAL;
	}
}

/* What is not known of the hazards is the same for all sessions of a service: hence
 * the mean of the draws' chances, each for all sessions together. */
static double member_chance(const struct member *member, double within_s)
{
	double logs[HAZARD_MODEL_DRAWS] = {0}, sum = 0;

	if (within_s < member->settle_s)
		return 0;
	for (int i = 0; i < 2 * LIFETIMES_BINS; i++)
		if (member->groups[i].sessions > 0)
			add_logs(member, &member->groups[i],
				 within_s - member->settle_s, logs);
	for (int i = 0; i < HAZARD_MODEL_DRAWS; i++)
		sum += exp(logs[i]);
	return sum / HAZARD_MODEL_DRAWS;
}

/* Of those whose lifetimes are known. */
static double members_chance(const struct forecast *forecast, double within_s)
{
	double chance = within_s < forecast->at_least_s ? 0 : 1;

	for (size_t i = 0; i < forecast->count && chance > 0; i++)
		chance *= member_chance(forecast->members[i], within_s);
	return chance;
}

double forecast_chance(const struct forecast *forecast, double within_s)
{
	if (!forecast->is_known || forecast->is_by_rate)
		return -1;
	return members_chance(forecast, within_s);
}

/* The first time at which the chance is that high; -1 if it never is. */
static double find_time(const struct forecast *forecast, double chance)
{
	double low = log1p(forecast->at_least_s), high = log1p(FORECAST_LONGEST_S);

	if (members_chance(forecast, forecast->at_least_s) >= chance)
		return forecast->at_least_s;
	if (members_chance(forecast, FORECAST_LONGEST_S) < chance)
		return -1;
	for (int i = 0; i < HALVINGS; i++) {
		double middle = (low + high) / 2;

		if (members_chance(forecast, expm1(middle)) >= chance)
			high = middle;
		else
			low = middle;
	}
	return expm1(high);
}

void forecast_result(const struct forecast *forecast,
		     struct forecast_result *result)
{
	*result = (struct forecast_result){.half_s = -1, .nine_tenths_s = -1};
	utf8_copy(result->reason, sizeof(result->reason), forecast->reason);
	if (!forecast->is_known)
		return;
	result->half_s = find_time(forecast, 0.5);
	if (result->half_s >= 0)
		result->basis =
			forecast->is_by_rate ? FORECAST_RATE : FORECAST_LIFETIMES;
	if (forecast->is_by_rate)
		return;
	result->nine_tenths_s = find_time(forecast, 0.9);
	if (result->nine_tenths_s < 0)
		utf8_copy(result->reason, sizeof(result->reason),
			  "sessions this old may last more than 30 days");
}

const char *forecast_basis_name(enum forecast_basis basis)
{
	static const char *const names[FORECAST__COUNT] = {
		[FORECAST_RATE] = "rate", [FORECAST_LIFETIMES] = "lifetimes"};

	return names[basis];
}
