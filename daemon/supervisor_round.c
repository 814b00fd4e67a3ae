#include "supervisor_private.h"

#include "mem.h"
#include "system/file.h"
#include "system/log.h"

#include <stdlib.h>
#include <string.h>

/* Puts the snapshot's own fields before those of the body, an object in text form.
 */
static struct buf join(const struct supervisor *s, struct mono at, const char *body)
{
	struct wall wall = {clock_wall().ms - clock_since(at, s->deps.clock())};
	char time[CLOCK_TEXT_BYTES];
	struct buf text = {0};

	buf_printf(&text, "{\"index\":%lld,\"epoch\":\"%s\",\"time\":\"%s\",",
		   (long long)s->index, s->epoch, clock_format(wall, time));
	buf_puts(&text, body + 1);
	buf_puts(&text, "\n");
	return text;
}

/* The drain that is only reserved; NULL if there is none. */
static char *reserved_text(const struct supervisor *s)
{
	json_t *json = server_status_reserved_to_json(&s->all, false);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	return text;
}

/* Sets the texts, and counts the index up if anything but a time has changed. */
static void describe(struct supervisor *s, struct snapshot *fresh)
{
	json_t *json = server_status_to_json(&s->all);
	char *body = json_dumps(json, JSON_COMPACT), *facts;
	char *list = json_dumps(json_object_get(json, "drains"), JSON_COMPACT);
	struct buf text;

	/* It never changes, and has names of its own. */
	(void)json_object_del(json, "config");
	server_status_drop_times(json);
	facts = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (!s->last_facts || strcmp(facts, s->last_facts))
		s->index++;
	free(s->last_facts);
	s->last_facts = facts;
	text = join(s, fresh->at, body);
	fresh->server = text.text;
	fresh->server_length = text.length;
	fresh->drains = xasprintf("{\"drains\":%s}\n", list);
	fresh->reserved = reserved_text(s);
	free(body);
	free(list);
}

/* A snapshot is as old as the oldest that it says of a service. */
static struct mono oldest_look(const struct supervisor *s)
{
	struct mono oldest = s->all.now;

	for (size_t i = 0; i < s->all.controller_count; i++) {
		struct mono at = controller_looked_at(s->controllers[i]);

		if (clock_since(at, oldest) > 0)
			oldest = at;
	}
	return oldest;
}

void supervisor_publish(struct supervisor *s)
{
	struct snapshot *fresh = xcalloc(1, sizeof(*fresh));

	s->all.now = s->deps.clock();
	fresh->at = oldest_look(s);
	describe(s, fresh);
	fresh->index = s->index;
	fresh->last_event = record_last(s->deps.record);
	/* Weak: `time` may differ between two bodies that say the same. */
	(void)snprintf(fresh->etag, sizeof(fresh->etag), "W/\"%.20s-%lld\"",
		       s->epoch, (long long)s->index);
	fresh->metrics = server_status_metrics(&s->all);
	fresh->is_serving = server_status_phase(&s->all) == PHASE_SERVING;
	snapshot_publish(s->snapshots, fresh);
	s->published(s->published_arg);
}

/* ---- a round ---- */

/* Tells each controller what is wanted of its service now. */
void supervisor_apply_wants(struct supervisor *s)
{
	for (size_t i = 0; i < s->all.controller_count; i++) {
		struct controller *controller = s->controllers[i];
		struct wanted wanted =
			drains_want(&s->drains, controller_name(controller));

		controller_want(controller, &wanted);
	}
}

/* A drain that reached drained has met its deadline. */
static void note_drained(struct supervisor *s)
{
	bool is_changed = false;

	for (int i = 0; i < s->drains.count; i++) {
		const struct drain *drain = &s->drains.items[i];

		if (drain->drained_at.ms ||
		    !server_status_is_drained(&s->all, drain))
			continue;
		drains_note_drained(&s->drains, drain->id);
		is_changed = true;
	}
	if (is_changed)
		supervisor_apply_wants(s);
}

/* A full disk or a file that is gone shall be known before somebody needs the
 * store. Returns after how many milliseconds the next check is due. */
static int64_t check_store(struct supervisor *s)
{
	enum { CHECK_TICKS = 60, CHECK_MOST_MS = 60000, RETRY_MS = 1000 };
	int64_t check_ms = s->deps.tick_ms * CHECK_TICKS < CHECK_MOST_MS
				   ? s->deps.tick_ms * CHECK_TICKS
				   : CHECK_MOST_MS;
	int64_t every_ms = record_failure(s->deps.record) ? RETRY_MS : check_ms;
	int64_t since_ms = clock_since(s->store_checked_at, s->deps.clock());

	if (since_ms >= 0 && since_ms < every_ms)
		return every_ms - since_ms;
	s->store_checked_at = s->deps.clock();
	s->is_lock_lost = false;
	record_check(s->deps.record);
	if (record_failure(s->deps.record))
		return RETRY_MS;
	saved_text_check(&s->saved_text, s->deps.store, s->deps.wall_clock());
	store_keep_reserve(s->deps.store);
	store_trim_events(s->deps.store);
	return every_ms;
}

/* Said once until the next check of the store: whoever has the lock instead is
 * asked for it with some patience. */
static void keep_locks(struct supervisor *s)
{
	struct err err = {0};
	int taken;

	if (s->is_lock_lost)
		return;
	s->is_lock_lost = file_keep_locks(&taken, &err) != 0;
	if (taken)
		log_warning(
			"somebody removed or replaced %d lock(s) of poold; it has "
			"locked them anew",
			taken);
	if (s->is_lock_lost)
		log_error(
			"a lock of poold was removed, and cannot be made anew: %s",
			err.text);
}

int64_t supervisor_step(struct supervisor *s)
{
	int64_t next_ms, rest_ms;

	keep_locks(s);
	if (drains_check_clock(&s->drains))
		supervisor_apply_wants(s);
	next_ms = controllers_step(s->controllers, s->all.controller_count);
	if (reservation_expire(&s->reservation, s->deps.clock()))
		log_request("reservation %lld has expired",
			    (long long)s->reservation.number);
	rest_ms = reservation_rest_ms(&s->reservation, s->deps.clock());
	if (rest_ms >= 0 && rest_ms < next_ms)
		next_ms = rest_ms;
	rest_ms = check_store(s);
	if (rest_ms < next_ms)
		next_ms = rest_ms;
	note_drained(s);
	controllers_update_eta(s->controllers, s->all.controller_count, &s->all.eta,
			       s->deps.clock());
	supervisor_publish(s);
	return next_ms;
}

void supervisor_step_after_change(struct supervisor *s)
{
	supervisor_apply_wants(s);
	supervisor_publish(s);
	(void)supervisor_step(s);
}
