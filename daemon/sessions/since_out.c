#include "sessions/since_out.h"

enum {
	/* A service needs a moment to close its port, after it said that it is
	 * out. */
	CLOSE_MS = 1000,
	/* A service that has accepted no session for so long takes none. */
	CALM_MS = 2 * 60 * 1000,
	/* What ends within this time of the pause ends because of it, if it is
	 * more than a few. */
	AT_ONCE_MS = 2000,
	MANY = 2,
	MANY_OF = 4, /* one of so many */
};

bool since_out_is_accepting(const struct since_out *s, struct mono now)
{
	return s->accepted && clock_since(s->accepted_at, now) < CALM_MS;
}

static void find_accepted(struct since_out *s, struct tracker *tracker,
			  int64_t refused_within_ms)
{
	const struct tracked *fresh;
	size_t fresh_count;

	if (!tracker_find_lasting(tracker, clock_add(s->out_since, CLOSE_MS),
				  refused_within_ms, &fresh_count, &fresh))
		return;
	if (fresh && !since_out_is_accepting(s, tracker->seen_at)) {
		s->news |= SINCE_OUT_ACCEPTED;
		s->connection = fresh->connection;
		s->after_ms = clock_since(s->out_since, fresh->since);
	}
	s->accepted += (int64_t)fresh_count;
	s->accepted_at = tracker->seen_at;
}

bool since_out_has_ended_many(const struct since_out *s)
{
	return s->is_ended_known && s->ended >= MANY &&
	       s->ended * MANY_OF >= s->before;
}

/* Every source has counted again after so long. */
static bool is_over(const struct progress *progress)
{
	struct mono from = clock_add(progress->out_since, AT_ONCE_MS);

	for (size_t i = 0; i < progress->source_count; i++)
		if (progress->sources[i].last.is_known &&
		    clock_since(from, progress->sources[i].last.at) < 0)
			return false;
	return true;
}

static void find_ended(struct since_out *s, const struct progress *progress)
{
	int64_t left = progress->last.count,
		took_ms = clock_since(s->out_since, progress->last.at);

	if (s->is_ended_known || !s->has_before || !progress->last.is_known ||
	    (left && !is_over(progress)))
		return;
	s->is_ended_known = true;
	s->ended = left < s->before ? s->before - left : 0;
	s->ended_within_s =
		(took_ms < AT_ONCE_MS ? AT_ONCE_MS : took_ms + 500) / 1000;
	if (since_out_has_ended_many(s))
		s->news |= SINCE_OUT_ENDED;
}

/* What was counted long before it went out says nothing of that moment. */
static void begin(struct since_out *s, const struct progress *progress)
{
	int64_t age_ms = clock_since(s->before_at, progress->out_since);
	bool is_fresh = s->has_before && progress->source_count &&
			age_ms <= progress->sources[0].gap_limit_ms;

	*s = (struct since_out){.has_before = is_fresh,
				.before = is_fresh ? s->before : 0,
				.is_out = true,
				.out_since = progress->out_since};
}

void since_out_see(struct since_out *s, const struct progress *progress,
		   struct tracker *tracker, int64_t refused_within_ms)
{
	if (!progress->is_out) {
		*s = (struct since_out){.has_before = progress->last.is_known,
					.before = progress->last.count,
					.before_at = progress->last.at};
		return;
	}
	if (!s->is_out || clock_since(s->out_since, progress->out_since))
		begin(s, progress);
	find_accepted(s, tracker, refused_within_ms);
	find_ended(s, progress);
}

unsigned since_out_take_news(struct since_out *s)
{
	unsigned news = s->news;

	s->news = SINCE_OUT_NOTHING;
	return news;
}
