#include "http/server_status.h"

#include "mem.h"
#include "text/json_write.h"
#include "utf8.h"

#include <string.h>

enum phase server_status_phase(const struct server_status *p)
{
	enum phase highest = PHASE_SERVING;
	bool has_serving = false;

	for (size_t i = 0; i < p->controller_count; i++) {
		enum phase phase = controller_phase(p->controllers[i]);

		has_serving =
			has_serving || (phase == PHASE_SERVING &&
					!controller_is_absent(p->controllers[i]));
		if (phase > highest)
			highest = phase;
	}
	return highest == PHASE_DRAINED && has_serving ? PHASE_DRAINING : highest;
}

static bool is_out(const struct controller *controller)
{
	return controller_is_out(controller);
}

static bool is_drained(const struct controller *controller)
{
	return controller_phase(controller) == PHASE_DRAINED;
}

/* True if the drain covers some service and all that it covers are so. */
static bool all_are(const struct server_status *p, const struct drain *drain,
		    bool (*is_so)(const struct controller *))
{
	bool covers_some = false;

	for (size_t i = 0; i < p->controller_count; i++) {
		if (!drain_covers(drain, controller_name(p->controllers[i])))
			continue;
		if (!is_so(p->controllers[i]))
			return false;
		covers_some = true;
	}
	return covers_some;
}

bool server_status_is_drained(const struct server_status *p,
			      const struct drain *drain)
{
	return all_are(p, drain, is_drained);
}

json_t *server_status_drain_to_json(const struct server_status *p,
				    const struct drain *drain)
{
	bool is_in_force = !drain->is_ended && !drain->is_reserved;
	json_t *services = json_array(), *json;

	for (size_t i = 0; i < p->controller_count; i++)
		if (drain_covers(drain, controller_name(p->controllers[i])))
			json_write_text_item(services,
					     controller_name(p->controllers[i]));
	json = drain_to_json(drain, services,
			     is_in_force && all_are(p, drain, is_out));
	json_write_count(json, "deadline_in_s",
			 is_in_force ? drains_deadline_in_s(p->drains, drain) : -1);
	json_decref(services);
	return json;
}

json_t *server_status_reserved_to_json(const struct server_status *p,
				       bool with_token)
{
	json_t *json;

	if (!p->reservation->is_active)
		return NULL;
	json = server_status_drain_to_json(p, &p->reservation->drain);
	json_write_value(json, "reservation",
			 reservation_to_json(p->reservation, with_token, p->now));
	return json;
}

static json_t *drains_to_json(const struct server_status *p)
{
	json_t *drains = json_array();

	for (int i = 0; i < p->drains->count; i++)
		json_write_item(drains, server_status_drain_to_json(
						p, &p->drains->items[i]));
	return drains;
}

/* The progress of the services that are being taken out, or of all while none is.
 */
static json_t *progress_to_json(const struct server_status *p, bool is_wanted_out)
{
	int64_t sessions = 0, peak = 0, cut = 0, accepted = 0;
	double rate = 0, one;
	bool is_known = true, has_peak = true, has_rate = true;
	json_t *json;

	for (size_t i = 0; i < p->controller_count; i++) {
		const struct controller *c = p->controllers[i];
		const struct progress *progress = controller_progress(c);

		if (is_wanted_out &&
		    drains_want(p->drains, controller_name(c)).want != WANT_DRAINED)
			continue;
		if (controller_is_absent(c))
			continue;
		is_known =
			is_known && progress->has_sample && progress->last.is_known;
		sessions += progress->last.count;
		has_peak = has_peak && progress->has_peak;
		peak += progress->peak;
		cut += controller_cut(c);
		accepted += controller_accepted(c);
		has_rate = has_rate && progress_rate(progress, &one);
		rate += has_rate ? one : 0;
	}
	/* Rounded, so that a steady rate ends no long poll. */
	rate = (double)(int64_t)(rate * 10 + 0.5) / 10;
	json = json_object();
	json_write_flag(json, "known", is_known);
	json_write_count(json, "sessions", is_known ? sessions : -1);
	json_write_count(json, "peak", has_peak ? peak : -1);
	json_write_value(json, "ended",
			 is_known ? json_integer(peak - sessions) : NULL);
	json_write_number(json, "cut", cut);
	json_write_number(json, "accepted_while_out", accepted);
	json_write_value(json, "rate_per_min",
			 has_rate && is_known ? json_real(rate) : NULL);
	eta_add(&p->eta, json);
	return json;
}

static bool is_wanted_out(const struct server_status *p)
{
	for (size_t i = 0; i < p->controller_count; i++)
		if (drains_want(p->drains, controller_name(p->controllers[i]))
			    .want == WANT_DRAINED)
			return true;
	return false;
}

static json_t *store_to_json(const struct record *record)
{
	const char *failure = record_failure(record);
	json_t *json = json_object();

	json_write_flag(json, "failing", failure != NULL);
	json_write_text(json, "problem", failure);
	json_write_number(json, "unwritten",
			  failure ? record_unwritten(record) : 0);
	return json;
}

/* Of poold.yaml and pool.yaml, and of the certificate's files. */
static void write_config_problem(const struct server_status *p, json_t *json)
{
	char *tls = tls_problem(p->tls);
	char *both = tls && p->config_problem
			     ? xasprintf("%s; %s", p->config_problem, tls)
			     : NULL;

	json_write_text(json, "config_problem",
			both  ? both
			: tls ? tls
			      : p->config_problem);
	free(both);
	free(tls);
}

static void write_certificate(const struct server_status *p, json_t *json)
{
	struct wall end = tls_expires_at(p->tls);
	char text[CLOCK_TEXT_BYTES];

	json_write_text(json, "certificate_expires_at",
			end.ms ? clock_format(end, text) : NULL);
}

json_t *server_status_to_json(const struct server_status *p)
{
	json_t *services = json_array(), *json = json_object();
	bool is_out_wanted = is_wanted_out(p);

	for (size_t i = 0; i < p->controller_count; i++)
		json_write_item(services, controller_to_json(p->controllers[i]));
	json_write_text(json, "server", p->server->named.name);
	json_write_text(json, "pool", p->pool->named.name);
	json_write_text(json, "version", p->version);
	json_write_value(json, "config", json_incref(p->config));
	write_config_problem(p, json);
	write_certificate(p, json);
	json_write_text(json, "boot_id", p->boot_id);
	json_write_text(json, "phase", api_phases[server_status_phase(p)]);
	json_write_text(json, "wanted",
			api_wants[is_out_wanted ? WANT_DRAINED : WANT_SERVING]);
	json_write_value(json, "reservation",
			 reservation_to_json(p->reservation, false, p->now));
	json_write_value(json, "drains", drains_to_json(p));
	json_write_value(json, "progress", progress_to_json(p, is_out_wanted));
	json_write_value(json, "services", services);
	json_write_value(json, "store", store_to_json(p->drains->record));
	return json;
}

void server_status_drop_times(json_t *json)
{
	/* In the reservation, in a drain, in a session source, in the probe. */
	static const char *const times[] = {"expires_in_s", "deadline_in_s",
					    "sampled_at", "at"};
	const char *name;
	json_t *value;
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		(void)json_object_del(json, times[i]);
	json_object_foreach (json, name, value) {
		server_status_drop_times(value);
	}
	json_array_foreach (json, i, value) {
		server_status_drop_times(value);
	}
}

static void add_sources(struct metrics *metrics,
			const struct controller *controller)
{
	struct source_metrics sources[PROGRESS_SOURCES];
	size_t count = controller_source_metrics(controller, sources);

	metrics->sources =
		xrealloc(metrics->sources,
			 (metrics->source_count + count) * sizeof(*sources));
	memcpy(metrics->sources + metrics->source_count, sources,
	       count * sizeof(*sources));
	metrics->source_count += count;
}

struct metrics *server_status_metrics(const struct server_status *p)
{
	struct metrics *metrics = xcalloc(1, sizeof(*metrics));

	*metrics = (struct metrics){
		.version = p->version,
		.server = p->server->named.name,
		.pool = p->pool->named.name,
		.phase = server_status_phase(p),
		.is_store_failing = record_failure(p->drains->record) != NULL,
		.is_reserved = p->reservation->is_active,
		.started_at = p->started_at,
		.certificate_expires_at = tls_expires_at(p->tls),
		.services =
			xcalloc(p->controller_count, sizeof(*metrics->services)),
		.service_count = p->controller_count,
		.drains =
			xcalloc((size_t)p->drains->count, sizeof(*metrics->drains)),
		.drain_count = (size_t)p->drains->count,
	};
	for (size_t i = 0; i < metrics->service_count; i++) {
		metrics->services[i] = controller_metrics(p->controllers[i]);
		add_sources(metrics, p->controllers[i]);
	}
	for (size_t i = 0; i < metrics->drain_count; i++) {
		const struct drain *drain = &p->drains->items[i];
		struct metrics_drain *to = &metrics->drains[i];

		utf8_copy(to->id, sizeof(to->id), drain->id);
		utf8_copy(to->owner, sizeof(to->owner), drain->owner);
		to->created_at = drain->created_at;
		to->is_overdue = drain_is_overdue(drain);
	}
	return metrics;
}
