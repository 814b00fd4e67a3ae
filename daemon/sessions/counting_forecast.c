#include "sessions/counting.h"

#include "mem.h"

#include <stdlib.h>

/* The connections are all of the sessions; other sources see no others. */
static bool are_seen_one_by_one(const struct counting *c)
{
	return c->tracker.is_whole &&
	       (int64_t)c->tracker.live.count == c->progress.last.count;
}

static struct forecast_session *list_sessions(const struct counting *c)
{
	struct forecast_session *sessions =
		xcalloc(c->tracker.live.count, sizeof(struct forecast_session));
	struct mono now = c->deps.clock();

	for (size_t i = 0; i < c->tracker.live.count; i++) {
		const struct tracked *session = &c->tracker.live.items[i];

		sessions[i] = (struct forecast_session){
			.age_s = (double)clock_since(session->since, now) / 1000,
			.is_least = session->is_least};
	}
	return sessions;
}

void counting_forecast(struct counting *c, bool is_draining, int64_t settle_ms,
		       struct forecast *forecast)
{
	struct forecast_service service = {.name = c->service->named.name,
					   .settle_s = (double)settle_ms / 1000};
	struct forecast_session *sessions = NULL;
	char *why = counting_explain(c);
	double rate;

	if (!counting_is_known(c)) {
		service.unknown = why;
	} else {
		service.count = c->progress.last.count;
		if (are_seen_one_by_one(c))
			sessions = list_sessions(c);
		if (is_draining && progress_rate(&c->progress, &rate))
			service.per_minute = rate;
	}
	service.sessions = sessions;
	service.lifetimes = lifetimes_store_now(&c->lifetimes_store, &c->tracker,
						c->deps.clock());
	forecast_add(forecast, &service);
	free(sessions);
	free(why);
}
