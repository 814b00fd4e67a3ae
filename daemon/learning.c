#include "learning.h"

#include "log.h"

#include <stdlib.h>

enum { TELL_MS = 60 * 1000, KEEP_MS = 10 * 60 * 1000 };

void learning_open(struct learning *learning, struct store *store, const char *service,
		   struct mono now)
{
	struct err err = {0};
	char *text = NULL;

	*learning = (struct learning){.told_at = now, .kept_at = now};
	if (store_get_lifetimes(store, service, &text, &err) < 0 ||
	    (text && lifetimes_parse(&learning->lifetimes, text, &err)))
		log_warning("%s: how long sessions last is learned anew: %s", service,
			    err.text);
	free(text);
}

static void watched(void *arg, double from_age_s, double to_age_s, bool has_ended)
{
	struct learning *learning = arg;

	lifetimes_add(&learning->lifetimes, from_age_s, to_age_s, 1, has_ended);
	learning->is_changed = true;
}

static void tell(struct learning *learning, struct tracker *tracker, bool with_living)
{
	tracker_tell(tracker, with_living,
		     &(struct tracker_listener){.watched = watched, .arg = learning});
}

void learning_see(struct learning *learning, struct tracker *tracker, struct mono now)
{
	bool is_time = clock_since(learning->told_at, now) >= TELL_MS;

	tell(learning, tracker, is_time);
	if (is_time)
		learning->told_at = now;
}

const struct lifetimes *learning_now(struct learning *learning, struct tracker *tracker,
				     struct mono now)
{
	tell(learning, tracker, true);
	learning->told_at = now;
	return &learning->lifetimes;
}

bool learning_is_due(const struct learning *learning, struct mono now)
{
	return learning->is_changed && clock_since(learning->kept_at, now) >= KEEP_MS;
}

int learning_keep(struct learning *learning, struct store *store, const char *service,
		  struct mono now, struct wall wall, struct err *err)
{
	struct buf text = {0};
	int ret;

	learning->kept_at = now;
	lifetimes_print(&learning->lifetimes, &text);
	ret = store_put_lifetimes(store, service, text.text, wall, err);
	buf_done(&text);
	if (!ret)
		learning->is_changed = false;
	return ret;
}
