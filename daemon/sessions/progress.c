#include "sessions/progress.h"

enum { POINT_MS = 500 };

static void stir(struct progress_source *source)
{
	source->is_quiet = source->is_zero = false;
}

void progress_restart(struct progress *progress)
{
	for (size_t i = 0; i < progress->source_count; i++)
		stir(&progress->sources[i]);
	progress->has_sample = progress->has_peak = progress->is_out = false;
	progress->last = (struct sample){0};
	progress->peak = 0;
	progress->first = progress->count = 0;
}

void progress_remember(struct progress *progress, int64_t peak)
{
	progress->has_peak = progress->has_peak || peak > 0;
	if (peak > progress->peak)
		progress->peak = peak;
}

static bool lets_pass(const struct progress_source *source,
		      const struct sample *sample)
{
	return sample->is_known ? sample->count == 0 : source->ignores_unknown;
}

static struct mono later(struct mono a, struct mono b)
{
	return a.ms > b.ms ? a : b;
}

static struct mono earlier(struct mono a, struct mono b)
{
	return a.ms < b.ms ? a : b;
}

void progress_add(struct progress *progress, size_t i, struct sample sample)
{
	struct progress_source *source = &progress->sources[i];
	struct mono answered_at = later(sample.at, sample.answered_at);
	int64_t gap_ms = clock_since(source->last.at, sample.at);
	bool is_gap =
		!source->has_sample || gap_ms > source->gap_limit_ms || gap_ms < 0;
	bool is_early = !progress->is_out ||
			clock_since(progress->out_since, sample.at) < 0;

	if (is_gap || is_early || !lets_pass(source, &sample))
		stir(source);
	if (!is_early && lets_pass(source, &sample) && !source->is_quiet) {
		source->is_quiet = true;
		source->quiet_since = answered_at;
	}
	if (!sample.is_known) {
		source->is_zero = false;
	} else if (source->is_quiet && !source->is_zero) {
		source->is_zero = true;
		source->zero_since = answered_at;
	}
	source->last = sample;
	source->has_sample = true;
}

static struct sample *point(struct progress *progress, int i)
{
	return &progress->points[(progress->first + i) % PROGRESS_POINTS];
}

/* Those that come fast, as somebody asks, must not displace the older ones. */
static void add_point(struct progress *progress, struct sample sample)
{
	bool is_near = progress->count >= 2 &&
		       clock_since(point(progress, progress->count - 2)->at,
				   sample.at) < POINT_MS;

	if (is_near) {
		progress->count--;
	} else if (progress->count == PROGRESS_POINTS) {
		progress->first = (progress->first + 1) % PROGRESS_POINTS;
		progress->count--;
	}
	*point(progress, progress->count++) = sample;
}

void progress_combine(struct progress *progress, struct mono now)
{
	struct sample all = {.at = now};
	bool is_unknown = false;

	for (size_t i = 0; i < progress->source_count; i++) {
		const struct progress_source *source = &progress->sources[i];

		if (!source->has_sample || !source->last.is_known) {
			is_unknown = is_unknown || !source->ignores_unknown;
			continue;
		}
		all.is_known = true;
		if (progress->is_sum)
			all.count += source->last.count;
		else if (source->last.count > all.count)
			all.count = source->last.count;
	}
	if (is_unknown)
		all = (struct sample){.at = now};
	progress->last = all;
	progress->has_sample = true;
	if (!all.is_known)
		return;
	progress->has_peak = true;
	if (all.count > progress->peak)
		progress->peak = all.count;
	add_point(progress, all);
}

void progress_see(struct progress *progress, bool is_out, struct mono now)
{
	if (is_out && !progress->is_out)
		progress->out_since = now;
	progress->is_out = is_out;
	for (size_t i = 0; !is_out && i < progress->source_count; i++)
		stir(&progress->sources[i]);
}

bool progress_settles_at(const struct progress *progress, int64_t settle_ms,
			 struct mono *at)
{
	struct mono since = progress->out_since, zero_since = {INT64_MAX};

	for (size_t i = 0; i < progress->source_count; i++) {
		const struct progress_source *source = &progress->sources[i];

		if (!source->is_quiet)
			return false;
		/* One sample alone is good for its own moment. */
		since = later(since, earlier(source->quiet_since, source->last.at));
	}
	for (size_t i = 0; i < progress->source_count; i++) {
		const struct progress_source *source = &progress->sources[i];

		if (source->is_zero)
			zero_since = earlier(zero_since, earlier(source->zero_since,
								 source->last.at));
	}
	if (!progress->is_out || zero_since.ms == INT64_MAX)
		return false;
	*at = clock_add(later(since, zero_since), settle_ms);
	return true;
}

bool progress_is_settled(const struct progress *progress, int64_t settle_ms)
{
	struct mono until = {INT64_MAX}, at;

	if (!progress_settles_at(progress, settle_ms, &at))
		return false;
	for (size_t i = 0; i < progress->source_count; i++)
		until = earlier(until, progress->sources[i].last.at);
	return clock_since(at, until) >= 0;
}

struct mono progress_due(struct mono began, struct mono ended, int64_t every_ms)
{
	bool is_slow = clock_since(began, ended) > every_ms / 2;

	return clock_add(is_slow ? began : ended, every_ms);
}

bool progress_rate(const struct progress *progress, double *per_minute)
{
	const int64_t least_ms = 3000;
	struct sample oldest, newest;
	int64_t span_ms;

	if (progress->count < 2)
		return false;
	oldest = progress->points[progress->first];
	newest = progress->points[(progress->first + progress->count - 1) %
				  PROGRESS_POINTS];
	span_ms = clock_since(oldest.at, newest.at);
	if (span_ms < least_ms)
		return false;
	*per_minute =
		(double)(oldest.count - newest.count) * 60000.0 / (double)span_ms;
	if (*per_minute < 0)
		*per_minute = 0;
	return true;
}
