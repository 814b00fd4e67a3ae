#include "picture.h"

#include "mem.h"

#include <string.h>

enum phase picture_phase(const struct picture *p)
{
	enum phase highest = PHASE_SERVING;
	bool has_serving = false;

	for (size_t i = 0; i < p->controller_count; i++) {
		enum phase phase = controller_phase(p->controllers[i]);

		has_serving = has_serving || (phase == PHASE_SERVING &&
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
static bool all_are(const struct picture *p, const struct drain *drain,
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

bool picture_is_drained(const struct picture *p, const struct drain *drain)
{
	return all_are(p, drain, is_drained);
}

json_t *picture_drain_to_json(const struct picture *p, const struct drain *drain)
{
	bool is_in_force = !drain->is_ended && !drain->is_reserved;
	json_t *services = json_array(), *json;

	for (size_t i = 0; i < p->controller_count; i++)
		if (drain_covers(drain, controller_name(p->controllers[i])))
			(void)json_array_append_new(
				services,
				json_string(controller_name(p->controllers[i])));
	json = drain_to_json(drain, services, is_in_force && all_are(p, drain, is_out));
	json_decref(services);
	return json;
}

json_t *picture_reserved_to_json(const struct picture *p, bool with_token)
{
	json_t *json;

	if (!p->reservation->is_held)
		return NULL;
	json = picture_drain_to_json(p, &p->reservation->drain);
	(void)json_object_set_new(
		json, "reservation",
		reservation_to_json(p->reservation, with_token, true, p->now));
	return json;
}

static json_t *drains_to_json(const struct picture *p)
{
	json_t *drains = json_array();

	for (int i = 0; i < p->drains->count; i++)
		(void)json_array_append_new(
			drains, picture_drain_to_json(p, &p->drains->items[i]));
	return drains;
}

/* Of the services that are being taken out, or of all while none is. */
static json_t *progress_to_json(const struct picture *p, bool is_wanted_out)
{
	int64_t sessions = 0, peak = 0, cut = 0;
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
		is_known = is_known && progress->has_sample && progress->last.is_known;
		sessions += progress->last.count;
		has_peak = has_peak && progress->has_peak;
		peak += progress->peak;
		cut += controller_cut(c);
		has_rate = has_rate && progress_rate(progress, &one);
		rate += has_rate ? one : 0;
	}
	/* Rounded, so that a steady rate is no change to those who wait for one. */
	rate = (double)(int64_t)(rate * 10 + 0.5) / 10;
	json = json_pack("{sb so so so sI so}", "known", is_known, "sessions",
			 is_known ? json_integer(sessions) : json_null(), "peak",
			 has_peak ? json_integer(peak) : json_null(), "ended",
			 is_known ? json_integer(peak - sessions) : json_null(), "cut",
			 (json_int_t)cut, "rate_per_min",
			 has_rate && is_known ? json_real(rate) : json_null());
	outlook_add(&p->outlook, json);
	return json;
}

static bool is_wanted_out(const struct picture *p)
{
	for (size_t i = 0; i < p->controller_count; i++)
		if (drains_want(p->drains, controller_name(p->controllers[i])).want ==
		    WANT_DRAINED)
			return true;
	return false;
}

json_t *picture_to_json(const struct picture *p, bool with_times)
{
	json_t *services = json_array();
	bool is_out_wanted = is_wanted_out(p);

	for (size_t i = 0; i < p->controller_count; i++)
		(void)json_array_append_new(
			services, controller_to_json(p->controllers[i], with_times));
	return json_pack(
		"{ss ss ss ss ss ss so so so so}", "server", p->server->named.name,
		"pool", p->pool->named.name, "version", p->version, "boot_id", p->boot_id,
		"phase", phase_name(picture_phase(p)), "wanted",
		want_name(is_out_wanted ? WANT_DRAINED : WANT_SERVING), "reservation",
		reservation_to_json(p->reservation, false, with_times, p->now), "drains",
		drains_to_json(p), "progress", progress_to_json(p, is_out_wanted),
		"services", services);
}

static void add_sources(struct metrics *metrics, const struct controller *controller)
{
	struct metrics_source sources[PROGRESS_SOURCES];
	size_t count = controller_source_metrics(controller, sources);

	metrics->sources = xrealloc(metrics->sources,
				    (metrics->source_count + count) * sizeof(*sources));
	memcpy(metrics->sources + metrics->source_count, sources,
	       count * sizeof(*sources));
	metrics->source_count += count;
}

struct metrics *picture_metrics(const struct picture *p)
{
	struct metrics *metrics = xcalloc(1, sizeof(*metrics));

	*metrics = (struct metrics){
		.version = p->version,
		.server = p->server->named.name,
		.pool = p->pool->named.name,
		.phase = picture_phase(p),
		.is_store_failing = record_is_failing(p->drains->record),
		.is_reserved = p->reservation->is_held,
		.started_at = p->started_at,
		.services = xcalloc(p->controller_count, sizeof(*metrics->services)),
		.service_count = p->controller_count,
		.drains = xcalloc((size_t)p->drains->count, sizeof(*metrics->drains)),
		.drain_count = (size_t)p->drains->count,
	};
	for (size_t i = 0; i < metrics->service_count; i++) {
		metrics->services[i] = controller_metrics(p->controllers[i]);
		add_sources(metrics, p->controllers[i]);
	}
	for (size_t i = 0; i < metrics->drain_count; i++) {
		const struct drain *drain = &p->drains->items[i];
		struct metrics_drain *to = &metrics->drains[i];

		copy_text(to->id, sizeof(to->id), drain->id);
		copy_text(to->owner, sizeof(to->owner), drain->owner);
		to->created_at = drain->created_at;
		to->is_overdue = drain_is_overdue(drain);
	}
	return metrics;
}
