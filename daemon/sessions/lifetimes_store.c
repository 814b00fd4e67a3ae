#include "sessions/lifetimes_store.h"

#include "system/log.h"

#include <stdlib.h>

enum { TELL_MS = 60 * 1000, KEEP_MS = 10 * 60 * 1000 };

void lifetimes_store_open(struct lifetimes_store *lifetimes_store,
			  struct store *store, const char *service, struct mono now)
{
	struct err err = {0};
	char *text = NULL;

	*lifetimes_store = (struct lifetimes_store){.told_at = now, .kept_at = now};
	if (store_get_lifetimes(store, service, &text, &err) < 0 ||
	    (text && lifetimes_parse(&lifetimes_store->lifetimes, text, &err)))
		log_warning("%s: how long sessions last is learned anew: %s",
			    service, err.text);
	free(text);
}

static void watched(void *arg, double from_age_s, double to_age_s, bool has_ended)
{
	struct lifetimes_store *lifetimes_store = arg;

	lifetimes_add(&lifetimes_store->lifetimes, from_age_s, to_age_s, 1,
		      has_ended);
	lifetimes_store->is_changed = true;
}

static void tell(struct lifetimes_store *lifetimes_store, struct tracker *tracker,
		 bool with_living)
{
	tracker_tell(tracker, with_living,
		     &(struct tracker_listener){.watched = watched,
						.arg = lifetimes_store});
}

void lifetimes_store_see(struct lifetimes_store *lifetimes_store,
			 struct tracker *tracker, struct mono now)
{
	bool is_time = clock_since(lifetimes_store->told_at, now) >= TELL_MS;

	tell(lifetimes_store, tracker, is_time);
	if (is_time)
		lifetimes_store->told_at = now;
}

const struct lifetimes *lifetimes_store_now(struct lifetimes_store *lifetimes_store,
					    struct tracker *tracker,
					    struct mono now)
{
	tell(lifetimes_store, tracker, true);
	lifetimes_store->told_at = now;
	return &lifetimes_store->lifetimes;
}

bool lifetimes_store_is_due(const struct lifetimes_store *lifetimes_store,
			    struct mono now)
{
	return lifetimes_store->is_changed &&
	       clock_since(lifetimes_store->kept_at, now) >= KEEP_MS;
}

int lifetimes_store_keep(struct lifetimes_store *lifetimes_store,
			 struct store *store, const char *service, struct mono now,
			 struct wall wall, struct err *err)
{
	struct buf text = {0};
	int ret;

	lifetimes_store->kept_at = now;
	lifetimes_print(&lifetimes_store->lifetimes, &text);
	ret = store_put_lifetimes(store, service, text.text, wall, err);
	buf_done(&text);
	if (!ret)
		lifetimes_store->is_changed = false;
	return ret;
}
