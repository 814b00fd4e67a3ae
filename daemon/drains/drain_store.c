#include "drains/drain_store.h"

#include "mem.h"
#include "text/words.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

int drain_store_put(struct store *store, const struct drain *drain, struct err *err)
{
	char *services = json_dumps(drain->services, JSON_COMPACT);
	char *owner = *drain->acts_for
			      ? xasprintf("%s\n%s", drain->owner, drain->acts_for)
			      : xstrdup(drain->owner);
	struct drain_row row = {
		.id = drain->id,
		.owner = owner,
		.reason = drain->reason,
		.services = services,
		.boot_id = drain->boot_id,
		.on_deadline = api_on_deadlines[drain->on_deadline],
		.until = api_untils[drain->until],
		.created_at = drain->created_at.ms,
		.drained_at = drain->drained_at.ms,
		.deadline_s = drain->deadline_s,
		.deadline_at = drain->deadline_at.ms,
		.not_before = drain->not_before.ms,
		.is_over = drain->is_over,
	};
	int ret;

	if (drain->is_ended) {
		row.ended_at = drain->ended_at.ms;
		row.ended_by = drain->ended_by;
		row.end_reason = api_end_reasons[drain->end_reason];
	}
	ret = store_put_drain(store, &row, err);
	free(services);
	free(owner);
	return ret;
}

/* Drains that are being read. */
struct reading {
	struct drain *drains;
	int count;
};

/* A name that is in no table makes the drain unreadable. */
static int read_name(const char *name, const char *const *words, bool *is_good)
{
	int value = name ? words_find(words, name) : -1;

	*is_good = *is_good && value >= 0;
	return value < 0 ? 0 : value;
}

/* A damaged store may have no text where there must be one. */
static void take(char *to, size_t size_bytes, const char *from)
{
	utf8_copy(to, size_bytes, from ? from : "");
}

/* One text has both, as neither may contain a line feed: so the tables are those of
 * earlier versions. */
static void take_owner(struct drain *drain, const char *text)
{
	const char *end = text ? strchr(text, '\n') : NULL;

	take(drain->owner, sizeof(drain->owner), text);
	if (!end)
		return;
	drain->owner[strcspn(drain->owner, "\n")] = '\0';
	take(drain->acts_for, sizeof(drain->acts_for), end + 1);
}

static int read_row(void *arg, const struct drain_row *row, struct err *err)
{
	struct reading *reading = arg;
	struct drain *drain = &reading->drains[reading->count];
	bool is_good = true;

	*drain = (struct drain){
		.services = json_loads(row->services, 0, NULL),
		.created_at = {row->created_at},
		.drained_at = {row->drained_at},
		.deadline_s = row->deadline_s,
		.deadline_at = {row->deadline_at},
		.not_before = {row->not_before},
		.on_deadline = (enum on_deadline)read_name(
			row->on_deadline, api_on_deadlines, &is_good),
		.until = (enum until)read_name(row->until, api_untils, &is_good),
		.is_over = row->is_over,
		.is_ended = row->ended_at != 0,
		.ended_at = {row->ended_at},
	};
	take(drain->id, sizeof(drain->id), row->id);
	take_owner(drain, row->owner);
	take(drain->reason, sizeof(drain->reason), row->reason);
	take(drain->boot_id, sizeof(drain->boot_id), row->boot_id);
	if (drain->is_ended) {
		take(drain->ended_by, sizeof(drain->ended_by), row->ended_by);
		drain->end_reason = (enum end_reason)read_name(
			row->end_reason, api_end_reasons, &is_good);
	}
	reading->count++;
	if (is_good && json_is_array(drain->services))
		return 0;
	return err_set(err, ERR_STORE,
		       "the store holds a drain '%s' that cannot be read", row->id);
}

static int read_drains(struct store *store, const char *id, struct drain *drains,
		       int limit, struct err *err)
{
	struct reading reading = {.drains = drains};

	if (!store_each_drain(store, id, limit, read_row, &reading, err))
		return reading.count;
	while (reading.count > 0)
		drain_done(&drains[--reading.count]);
	return -1;
}

int drain_store_get_active(struct store *store, struct drain *drains, int limit,
			   struct err *err)
{
	return read_drains(store, NULL, drains, limit, err);
}

int drain_store_get(struct store *store, const char *id, struct drain *drain,
		    struct err *err)
{
	return read_drains(store, id, drain, 1, err);
}
