#include "progress.h"

void progress_restart(struct progress *progress)
{
	*progress = (struct progress){0};
}

static void add_point(struct progress *progress, struct sample sample)
{
	if (progress->count == PROGRESS_POINTS) {
		progress->first = (progress->first + 1) % PROGRESS_POINTS;
		progress->count--;
	}
	progress->points[(progress->first + progress->count++) % PROGRESS_POINTS] =
		sample;
}

void progress_add(struct progress *progress, struct sample sample, int64_t gap_limit_ms)
{
	bool is_gap = progress->has_sample &&
		      clock_since(progress->last.at, sample.at) > gap_limit_ms;

	if (!sample.is_known || sample.count > 0)
		progress->is_zero_running = false;
	else if (!progress->is_zero_running || is_gap)
		progress->zero_since = sample.at;
	if (sample.is_known) {
		progress->is_zero_running = sample.count == 0;
		if (sample.count > progress->peak)
			progress->peak = sample.count;
		add_point(progress, sample);
	}
	progress->last = sample;
	progress->has_sample = true;
}

void progress_not_out(struct progress *progress)
{
	progress->is_zero_running = false;
}

bool progress_is_settled(const struct progress *progress, int64_t settle_ms)
{
	return progress->has_sample && progress->is_zero_running &&
	       clock_since(progress->zero_since, progress->last.at) >= settle_ms;
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
	*per_minute = (double)(oldest.count - newest.count) * 60000.0 / (double)span_ms;
	if (*per_minute < 0)
		*per_minute = 0;
	return true;
}
