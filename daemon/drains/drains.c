#include "drains/drains.h"

#include "drains/drain_store.h"
#include "system/log.h"
#include "mem.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

enum {
	/* After a boot the time of day may be wrong until the time service has set
	   it. */
	CLOCK_TRUST_MS = 60000,
	CLOCK_JUMP_MS = 5000, /* more than a check can come late by */
	PATIENCE_MS = 200,    /* a request may wait for another program that long */
};

static const char *const end_texts[END__COUNT] = {
	[END_REQUEST] = "ended on request",
	[END_DEADLINE] = "ended, as its deadline has passed",
	[END_REBOOT] = "ended by a reboot",
};

/* ---- writing ---- */

static int write_drain(struct drains *drains, const struct drain *drain,
		       struct line line, const char *what, struct err *err)
{
	char *text = xasprintf("drain %s: %s", drain->id, what);
	int ret;

	store_set_patience(drains->store, PATIENCE_MS);
	ret = drain_store_put(drains->store, drain, err);
	store_set_patience(drains->store, 0);
	line.text = text;
	line.why = drain->reason;
	line.is_tied = true;
	record_add(drains->record, &line);
	/* After a failed write the commit only ends the transaction. */
	if (record_commit(drains->record, ret ? NULL : err))
		ret = -1;
	if (!ret)
		log_request("%s by %s%s%s: %s (%s)", event_kind_name(line.kind),
			    line.who, line.from ? " from " : "",
			    line.from ? line.from : "", text, drain->reason);
	free(text);
	return ret;
}

static struct drain *find(struct drains *drains, const char *id)
{
	for (int i = 0; i < drains->count; i++)
		if (!strcmp(drains->items[i].id, id))
			return &drains->items[i];
	return NULL;
}

const struct drain *drains_find(const struct drains *drains, const char *id)
{
	return find((struct drains *)drains, id);
}

static void set_deadline(const struct drains *drains, struct drain *drain)
{
	int64_t ms = drain->deadline_s * 1000;

	if (!ms)
		return;
	drain->deadline_at.ms = drains->wall_clock().ms + ms;
	drain->not_before = clock_add(drains->clock(), ms);
}

static bool covers_more(const struct drains *drains, const struct drain *known,
			const struct drain *drain)
{
	bool is_all = !json_array_size(drain->services);
	json_t *name;
	size_t i;

	json_array_foreach (is_all ? drains->all : drain->services, i, name)
		if (!drain_covers(known, json_string_value(name)))
			return true;
	return false;
}

/* Takes over the times of the drain that is there already, unless the new one
 * covers more services or has another deadline: then the time begins anew. */
static void keep(const struct drains *drains, const struct drain *known,
		 struct drain *drain)
{
	drain->created_at = known->created_at;
	if (covers_more(drains, known, drain))
		return;
	drain->drained_at = known->drained_at;
	/* The same number again is the same request again, which must not move it.
	 */
	if (known->deadline_s != drain->deadline_s ||
	    (known->is_over && known->on_deadline != drain->on_deadline))
		return;
	drain->deadline_at = known->deadline_at;
	drain->not_before = known->not_before;
	drain->is_over = known->is_over;
}

int drains_put(struct drains *drains, const struct drain *asked, const char *from,
	       struct err *err)
{
	struct drain *known = find(drains, asked->id), fresh;
	struct line line = {.kind = known ? EVENT_DRAIN_CHANGED
					  : EVENT_DRAIN_CREATED,
			    .who = asked->owner,
			    .from = from};

	if (!known && drains->count == API_DRAINS_LIMIT)
		return err_set(
			err, ERR_HELD,
			"%d drains are active, and there can be no more; end some "
			"first",
			API_DRAINS_LIMIT);
	drain_copy(&fresh, asked);
	utf8_copy(fresh.boot_id, sizeof(fresh.boot_id), drains->boot_id);
	fresh.created_at = drains->wall_clock();
	set_deadline(drains, &fresh);
	if (known)
		keep(drains, known, &fresh);
	line.before = known ? drain_terms_to_json(known) : NULL;
	line.after = drain_terms_to_json(&fresh);
	drain_add_claim(asked, line.after);
	if (write_drain(drains, &fresh, line, known ? "changed" : "requested",
			err)) {
		drain_done(&fresh);
		return -1;
	}
	if (known)
		drain_done(known);
	else
		known = &drains->items[drains->count++];
	*known = fresh;
	return 0;
}

static int write_end(struct drains *drains, const struct drain *drain,
		     const struct drain *ended, struct line line, struct err *err)
{
	line.before = drain_terms_to_json(drain);
	return write_drain(drains, ended, line, end_texts[ended->end_reason], err);
}

static int end(struct drains *drains, struct drain *drain, enum end_reason reason,
	       struct line line, struct drain *ended, struct err *err)
{
	struct err failure = {0};
	json_t *asked = line.after;
	int ret;

	line.kind = EVENT_DRAIN_ENDED;
	*ended = *drain;
	/* "All" may mean others tomorrow; the past stays as it was. */
	ended->services = json_incref(
		json_array_size(drain->services) || !drains->all ? drain->services
								 : drains->all);
	ended->is_ended = true;
	ended->ended_at = drains->wall_clock();
	ended->end_reason = reason;
	utf8_copy(ended->ended_by, sizeof(ended->ended_by), line.who);
	line.after = json_incref(asked);
	ret = write_end(drains, drain, ended, line, &failure);
	/* A full disk must not keep a server out. */
	if (ret && store_use_reserve(drains->store)) {
		line.after = json_incref(asked);
		ret = write_end(drains, drain, ended, line, err);
	} else if (ret)
		(void)err_set_os(err, failure.code, failure.os_code, "%s",
				 failure.text);
	json_decref(asked);
	if (ret) {
		drain_done(ended);
		return -1;
	}
	drain_done(drain);
	drains->count--;
	memmove(drain, drain + 1,
		(size_t)(drains->items + drains->count - drain) * sizeof(*drain));
	return 0;
}

int drains_end(struct drains *drains, const char *id, const char *who,
	       const char *from, json_t *asked, struct drain *ended,
	       struct err *err)
{
	return end(drains, find(drains, id), END_REQUEST,
		   (struct line){.who = who, .from = from, .after = asked}, ended,
		   err);
}

/* ---- time ---- */

static bool is_of_earlier_boot(const struct drains *drains,
			       const struct drain *drain)
{
	return strcmp(drain->boot_id, drains->boot_id) != 0;
}

bool drains_is_in_force(const struct drains *drains, const struct drain *drain)
{
	return drain->until != UNTIL_REBOOT || !is_of_earlier_boot(drains, drain);
}

static bool is_deadline_over(const struct drains *drains, const struct drain *drain)
{
	return drain->deadline_s && !drain->is_over && !drain->drained_at.ms &&
	       drains->wall_clock().ms >= drain->deadline_at.ms &&
	       clock_since(drain->not_before, drains->clock()) >= 0;
}

int64_t drains_deadline_in_s(const struct drains *drains, const struct drain *drain)
{
	int64_t left_ms = drain->deadline_at.ms - drains->wall_clock().ms;
	int64_t least_ms = clock_since(drains->clock(), drain->not_before);

	if (!drain->deadline_s || drain->drained_at.ms)
		return -1;
	left_ms = least_ms > left_ms ? least_ms : left_ms;
	return drain->is_over || left_ms <= 0 ? 0 : (left_ms + 999) / 1000;
}

static int note_overdue(struct drains *drains, struct drain *drain, struct err *err)
{
	bool is_stopping = drain->on_deadline == ON_DEADLINE_STOP;
	struct drain over = *drain;

	over.is_over = true;
	if (write_drain(
		    drains, &over,
		    (struct line){.kind = EVENT_DEADLINE, .who = "poold"},
		    is_stopping
			    ? "its deadline has passed; its services are being stopped"
			    : "its deadline has passed; it is overdue",
		    err))
		return -1;
	drain->is_over = true;
	return 0;
}

static int write_drained(struct drains *drains, struct drain *drain,
			 struct err *err)
{
	int ret = write_drain(drains, drain,
			      (struct line){.kind = EVENT_DRAINED, .who = "poold"},
			      "all its services are drained", err);

	drain->is_drained_unwritten = ret != 0;
	return ret;
}

static int act_on_clock(struct drains *drains, struct drain *drain,
			bool *is_changed, struct err *err)
{
	struct drain ended;
	enum end_reason reason;
	int ret;

	if (!drains_is_in_force(drains, drain))
		reason = END_REBOOT;
	else if (!is_deadline_over(drains, drain))
		return 0;
	else if (drain->on_deadline == ON_DEADLINE_RESUME)
		reason = END_DEADLINE;
	else {
		ret = note_overdue(drains, drain, err);
		*is_changed = *is_changed || !ret;
		return ret;
	}
	ret = end(drains, drain, reason, (struct line){.who = "poold"}, &ended,
		  err);
	if (ret)
		return ret;
	drain_done(&ended);
	*is_changed = true;
	return 0;
}

static void note_jump(struct drains *drains)
{
	struct mono now = drains->clock();
	struct wall wall = drains->wall_clock();
	int64_t jump_ms = wall.ms - drains->checked_at_wall.ms -
			  clock_since(drains->checked_at, now);
	char *text;

	drains->checked_at = now;
	drains->checked_at_wall = wall;
	if (llabs(jump_ms) < CLOCK_JUMP_MS)
		return;
	text = xasprintf("the system clock jumped by %lld s",
			 (long long)jump_ms / 1000);
	log_warning("%s", text);
	record_add(
		drains->record,
		&(struct line){.kind = EVENT_CLOCK, .who = "poold", .text = text});
	free(text);
}

bool drains_check_clock(struct drains *drains)
{
	bool is_changed = false;
	struct err err = {0};

	note_jump(drains);
	/* From the last to the first, as one may go. */
	for (int i = drains->count - 1; i >= 0 && !err.code; i--) {
		struct drain *drain = &drains->items[i];

		if (!drain->is_drained_unwritten ||
		    !write_drained(drains, drain, &err))
			(void)act_on_clock(drains, drain, &is_changed, &err);
	}
	return is_changed;
}

void drains_note_asked(struct drains *drains, const char *id, int64_t index)
{
	find(drains, id)->asked_index = index;
}

void drains_note_drained(struct drains *drains, const char *id)
{
	struct drain *drain = find(drains, id);

	drain->drained_at = drains->wall_clock();
	(void)write_drained(drains, drain, NULL);
}

/* ---- all together ---- */

struct wanted drains_want(const struct drains *drains, const char *service)
{
	struct wanted wanted = {.want = WANT_SERVING, .leaves_startup = true};

	for (int i = 0; i < drains->count; i++) {
		const struct drain *drain = &drains->items[i];

		/* One that a boot has ended holds nothing, even while that cannot
		 * be written. */
		if (!drain_covers(drain, service) ||
		    !drains_is_in_force(drains, drain))
			continue;
		if (!wanted.cover)
			wanted.cover = drain;
		wanted.want = WANT_DRAINED;
		if (drain->until != UNTIL_REBOOT)
			wanted.leaves_startup = false;
		if (drain->is_over && drain->on_deadline == ON_DEADLINE_STOP &&
		    !drain->drained_at.ms)
			wanted.may_cut = true;
	}
	return wanted;
}

int drains_open(struct drains *drains, struct err *err)
{
	drains->checked_at = drains->clock();
	drains->checked_at_wall = drains->wall_clock();
	drains->count = drain_store_get_active(drains->store, drains->items,
					       API_DRAINS_LIMIT, err);
	if (drains->count < 0) {
		drains->count = 0;
		return -1;
	}
	for (int i = 0; i < drains->count; i++)
		if (is_of_earlier_boot(drains, &drains->items[i]))
			drains->items[i].not_before =
				clock_add(drains->clock(), CLOCK_TRUST_MS);
	return 0;
}

void drains_close(struct drains *drains)
{
	for (int i = 0; i < drains->count; i++)
		drain_done(&drains->items[i]);
	drains->count = 0;
	json_decref(drains->all);
}
