#include "backoff.h"

int64_t backoff_next(struct backoff *backoff, int64_t least_ms, int64_t most_ms)
{
	backoff->ms = backoff->ms ? backoff->ms * 2 : least_ms;
	if (backoff->ms > most_ms)
		backoff->ms = most_ms;
	return backoff->ms;
}

void backoff_reset(struct backoff *backoff)
{
	*backoff = (struct backoff){0};
}
