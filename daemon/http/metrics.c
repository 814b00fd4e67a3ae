#include "http/metrics.h"

#include "buf.h"

#include <stdlib.h>

/* The metrics, and the moment at which they are read. */
struct scrape {
	const struct metrics *all;
	const int64_t *refused;
	struct mono now;
	struct wall now_wall;
};

/* ---- labels ---- */

static void add_label(struct buf *to, char before, const char *name,
		      const char *value)
{
	buf_printf(to, "%c%s=\"", before, name);
	for (const char *c = value; *c; c++)
		if (*c == '\\' || *c == '"')
			buf_printf(to, "\\%c", *c);
		else if (*c == '\n')
			buf_puts(to, "\\n");
		else
			buf_add(to, c, 1);
	buf_puts(to, "\"");
}

static void label_build(const struct metrics *all, size_t i, struct buf *to)
{
	(void)i;
	add_label(to, '{', "version", all->version);
	add_label(to, ',', "server", all->server);
	add_label(to, ',', "pool", all->pool);
}

static void label_phase(const struct metrics *all, size_t i, struct buf *to)
{
	(void)all;
	add_label(to, '{', "phase", api_phases[i]);
}

static void label_service(const struct metrics *all, size_t i, struct buf *to)
{
	add_label(to, '{', "service", all->services[i].name);
}

static void label_source(const struct metrics *all, size_t i, struct buf *to)
{
	const struct source_metrics *source = &all->sources[i];

	add_label(to, '{', "service", source->service);
	add_label(to, ',', "source", source->kind);
	if (source->name)
		add_label(to, ',', "name", source->name);
}

static void label_service_phase(const struct metrics *all, size_t i, struct buf *to)
{
	label_service(all, i / PHASE__COUNT, to);
	add_label(to, ',', "phase", api_phases[(enum phase)(i % PHASE__COUNT)]);
}

static void label_drain(const struct metrics *all, size_t i, struct buf *to)
{
	add_label(to, '{', "drain", all->drains[i].id);
}

static void label_owner(const struct metrics *all, size_t i, struct buf *to)
{
	label_drain(all, i, to);
	add_label(to, ',', "owner", all->drains[i].owner);
}

static void label_refusal(const struct metrics *all, size_t i, struct buf *to)
{
	(void)all;
	add_label(to, '{', "reason", access_refusals[i]);
}

/* ---- how many series a metric has ---- */

static size_t one(const struct metrics *all)
{
	(void)all;
	return 1;
}

static size_t per_phase(const struct metrics *all)
{
	(void)all;
	return PHASE__COUNT;
}

static size_t per_service(const struct metrics *all)
{
	return all->service_count;
}

static size_t per_source(const struct metrics *all)
{
	return all->source_count;
}

static size_t per_service_phase(const struct metrics *all)
{
	return all->service_count * PHASE__COUNT;
}

static size_t per_drain(const struct metrics *all)
{
	return all->drain_count;
}

static size_t per_refusal(const struct metrics *all)
{
	(void)all;
	return REFUSAL__COUNT;
}

/* ---- values: false if there is none ---- */

/* Never negative, also after the clock was set back. */
static double seconds(int64_t ms)
{
	return ms > 0 ? (double)ms / 1000 : 0;
}

static bool read_build(const struct scrape *scrape, size_t i, double *value)
{
	(void)scrape;
	(void)i;
	*value = 1;
	return true;
}

static bool read_start(const struct scrape *scrape, size_t i, double *value)
{
	(void)i;
	*value = seconds(scrape->all->started_at.ms);
	return true;
}

static bool read_store(const struct scrape *scrape, size_t i, double *value)
{
	(void)i;
	*value = scrape->all->is_store_failing;
	return true;
}

static bool read_certificate(const struct scrape *scrape, size_t i, double *value)
{
	(void)i;
	*value = seconds(scrape->all->certificate_expires_at.ms);
	return scrape->all->certificate_expires_at.ms != 0;
}

static bool read_reserved(const struct scrape *scrape, size_t i, double *value)
{
	(void)i;
	*value = scrape->all->is_reserved;
	return true;
}

static bool read_phase(const struct scrape *scrape, size_t i, double *value)
{
	*value = scrape->all->phase == (enum phase)i;
	return true;
}

static bool read_service_phase(const struct scrape *scrape, size_t i, double *value)
{
	*value = scrape->all->services[i / PHASE__COUNT].phase ==
		 (enum phase)(i % PHASE__COUNT);
	return true;
}

static bool read_sessions(const struct scrape *scrape, size_t i, double *value)
{
	*value = (double)scrape->all->services[i].sessions;
	return scrape->all->services[i].is_count_known;
}

static bool read_unknown(const struct scrape *scrape, size_t i, double *value)
{
	const struct service_metrics *service = &scrape->all->services[i];

	*value = service->is_count_known
			 ? 0
			 : seconds(clock_since(service->known_at, scrape->now));
	return !service->is_absent;
}

static bool read_source(const struct scrape *scrape, size_t i, double *value)
{
	*value = (double)scrape->all->sources[i].count;
	return scrape->all->sources[i].is_known;
}

static bool read_source_unknown(const struct scrape *scrape, size_t i,
				double *value)
{
	const struct source_metrics *source = &scrape->all->sources[i];

	*value = source->is_known
			 ? 0
			 : seconds(clock_since(source->known_at, scrape->now));
	return true;
}

static bool read_sample_age(const struct scrape *scrape, size_t i, double *value)
{
	const struct source_metrics *source = &scrape->all->sources[i];

	*value = seconds(clock_since(source->sampled_at, scrape->now));
	return source->has_sample;
}

static bool read_drift(const struct scrape *scrape, size_t i, double *value)
{
	*value = (double)scrape->all->services[i].drifts;
	return true;
}

static bool read_cut(const struct scrape *scrape, size_t i, double *value)
{
	*value = (double)scrape->all->services[i].cut;
	return true;
}

static bool read_accepted(const struct scrape *scrape, size_t i, double *value)
{
	*value = (double)scrape->all->services[i].accepted;
	return true;
}

static bool read_drain_age(const struct scrape *scrape, size_t i, double *value)
{
	*value =
		seconds(scrape->now_wall.ms - scrape->all->drains[i].created_at.ms);
	return true;
}

static bool read_overdue(const struct scrape *scrape, size_t i, double *value)
{
	*value = scrape->all->drains[i].is_overdue;
	return true;
}

static bool read_refused(const struct scrape *scrape, size_t i, double *value)
{
	*value = (double)scrape->refused[i];
	return true;
}

/* ---- the table ---- */

static const struct metric {
	const char *name, *type;
	size_t (*count)(const struct metrics *all);
	void (*label)(const struct metrics *all, size_t i,
		      struct buf *to); /* or NULL */
	bool (*read)(const struct scrape *scrape, size_t i, double *value);
	const char *help;
} metrics[] = {
	{"poold_build_info", "gauge", one, label_build, read_build,
	 "The version of poold, its server and its pool; always 1."},
	{"poold_start_time_seconds", "gauge", one, NULL, read_start,
	 "Start time of poold, in seconds since 1970."},
	{"poold_store_failing", "gauge", one, NULL, read_store,
	 "1 while poold cannot write to its store."},
	{"poold_certificate_expiry_time_seconds", "gauge", one, NULL,
	 read_certificate,
	 "End of the server's certificate, in seconds since 1970; absent without TLS."},
	{"poold_phase", "gauge", per_phase, label_phase, read_phase,
	 "1 for the phase that the server is in, 0 for the others."},
	{"poold_service_phase", "gauge", per_service_phase, label_service_phase,
	 read_service_phase,
	 "1 for the phase that the service is in, 0 for the others."},
	{"poold_sessions", "gauge", per_service, label_service, read_sessions,
	 "Live sessions; absent while unknown."},
	{"poold_sessions_unknown_seconds", "gauge", per_service, label_service,
	 read_unknown,
	 "Seconds for which the session count has been unknown; 0 while it is known."},
	{"poold_source_sessions", "gauge", per_source, label_source, read_source,
	 "Live sessions that one session source counts; absent while unknown."},
	{"poold_source_unknown_seconds", "gauge", per_source, label_source,
	 read_source_unknown,
	 "Seconds for which the count of this source has been unknown; 0 while it is known."},
	{"poold_sample_age_seconds", "gauge", per_source, label_source,
	 read_sample_age, "Age of the last sample of this source, in seconds."},
	{"poold_sessions_cut", "gauge", per_service, label_service, read_cut,
	 "Sessions that poold cut at a deadline since the service was taken out."},
	{"poold_accepted_while_out", "gauge", per_service, label_service,
	 read_accepted,
	 "Sessions that the service accepted while it was out, since it was taken out."},
	{"poold_drift_total", "counter", per_service, label_service, read_drift,
	 "Times that somebody else changed a service that poold holds, since poold started."},
	{"poold_reserved", "gauge", one, NULL, read_reserved,
	 "1 while a client has reserved the server for a drain."},
	{"poold_drain_age_seconds", "gauge", per_drain, label_owner, read_drain_age,
	 "Age of the drain, in seconds."},
	{"poold_drain_overdue", "gauge", per_drain, label_drain, read_overdue,
	 "1 if the drain missed its deadline."},
	{"poold_refused_requests_total", "counter", per_refusal, label_refusal,
	 read_refused,
	 "Requests that were refused for their credential, since poold started."},
};

static void add_series(const struct scrape *scrape, const struct metric *metric,
		       size_t i, struct buf *to)
{
	double value;

	if (!metric->read(scrape, i, &value))
		return;
	buf_puts(to, metric->name);
	if (metric->label) {
		metric->label(scrape->all, i, to);
		buf_puts(to, "}");
	}
	buf_printf(to, " %.15g\n", value);
}

char *metrics_render(const struct metrics *all,
		     const int64_t refused[REFUSAL__COUNT], struct mono now,
		     struct wall now_wall)
{
	const struct scrape scrape = {all, refused, now, now_wall};
	struct buf page = {0};

	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		const struct metric *metric = &metrics[i];

		buf_printf(&page, "# HELP %s %s\n# TYPE %s %s\n", metric->name,
			   metric->help, metric->name, metric->type);
		for (size_t j = 0; j < metric->count(all); j++)
			add_series(&scrape, metric, j, &page);
	}
	return page.text;
}

void metrics_free(struct metrics *all)
{
	if (!all)
		return;
	free(all->services);
	free(all->sources);
	free(all->drains);
	free(all);
}
