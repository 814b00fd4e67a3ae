#include "store/store_private.h"

#include "mem.h"
#include "utf8.h"
#include "text/words.h"

#include <stdlib.h>
#include <string.h>

enum {
	ENDED_DRAINS_LIMIT = 1000,
	LIFETIMES_LIMIT = 64,
	/* A thousand at a time, as each time is a flush. */
	TRIM_LEAST = 1000,
	TRIM_MOST = 10000
};

/* The distance between the indexes of two starts: 2^32 changes. */
static const int64_t index_step = INT64_C(1) << 32;

int store_add_event(struct store *store, const struct event *event, struct err *err)
{
	return store_write_row(
		store,
		store_prepare(
			store, err,
			"INSERT INTO events(id, time, kind, service, who, peer, why, "
			"text, before, after, hash) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
			"?)",
			"iittttttttt", event->id, event->time.ms, event->kind,
			event->service, event->who, event->from, event->why,
			event->text, event->before, event->after, event->hash),
		err);
}

static int respell(struct store *store, const char *service, struct err *err)
{
	return store_write_row(
		store,
		store_prepare(
			store, err,
			"UPDATE saved SET service = ?1 WHERE service <> ?1 AND "
			"same_name(service, ?1)",
			"t", service),
		err);
}

int store_put_saved(struct store *store, const char *service,
		    const struct saved *saved, struct err *err)
{
	/* The flag is NULL where the system cannot say.  The first four columns are
	 * written once. */
	const char *sql =
		"INSERT INTO saved(service, state, start_type, delayed_auto_start, held, "
		"cut, cutting, peak) VALUES(?, ?, ?, nullif(?, 2), ?, ?, ?, ?) ON "
		"CONFLICT(service) DO UPDATE SET held = excluded.held, cut = "
		"excluded.cut, cutting = excluded.cutting, peak = excluded.peak";

	return respell(store, service, err) ||
			       store_write_row(
				       store,
				       store_prepare(
					       store, err, sql, "tttitiii", service,
					       api_service_states[saved->state],
					       api_start_types[saved->start_type],
					       (int64_t)saved->delayed_auto_start,
					       saved->was_out
						       ? api_start_types
								 [saved->out_type]
						       : NULL,
					       saved->cut, saved->cutting,
					       saved->peak),
				       err)
		       ? -1
		       : 0;
}

int store_delete_saved(struct store *store, const char *service, struct err *err)
{
	return store_write_row(
		store,
		store_prepare(store, err,
			      "DELETE FROM saved WHERE same_name(service, ?)", "t",
			      service),
		err);
}

#define SAVED_COLUMNS                                                            \
	"service, state, start_type, ifnull(delayed_auto_start, 2), held, cut, " \
	"cutting, peak"

static int read_saved(sqlite3_stmt *statement, struct saved *saved, struct err *err)
{
	int state = words_find(api_service_states, store_text(statement, 1));
	int start_type = words_find(api_start_types, store_text(statement, 2));
	const char *held = store_text(statement, 4);
	int held_type = held ? words_find(api_start_types, held) : -1;

	if (state < 0 || start_type < 0)
		return err_set(err, ERR_STORE,
			       "the store holds an unknown state or startup type");
	saved->state = (enum service_state)state;
	saved->start_type = (enum start_type)start_type;
	saved->delayed_auto_start = (unsigned)sqlite3_column_int(statement, 3);
	saved->was_out = held_type >= 0;
	saved->out_type = (enum start_type)held_type;
	saved->cut = sqlite3_column_int64(statement, 5);
	saved->cutting = sqlite3_column_int64(statement, 6);
	saved->peak = sqlite3_column_int64(statement, 7);
	return 1;
}

int store_get_saved(struct store *store, const char *service, struct saved *saved,
		    struct err *err)
{
	sqlite3_stmt *statement = store_prepare(
		store, err,
		"SELECT " SAVED_COLUMNS " FROM saved WHERE same_name(service, ?)",
		"t", service);
	int ret = statement ? store_next_row(store, statement, err) : -1;

	if (ret == 1)
		ret = read_saved(statement, saved, err);
	(void)sqlite3_finalize(statement);
	return ret;
}

int store_each_saved(struct store *store,
		     int (*each)(void *arg, const char *service,
				 const struct saved *saved),
		     void *arg, struct err *err)
{
	sqlite3_stmt *statement = store_prepare(
		store, err, "SELECT " SAVED_COLUMNS " FROM saved ORDER BY service",
		"");
	int ret = statement ? 1 : -1, count = 0;
	struct saved saved;

	while (ret == 1) {
		ret = store_next_row(store, statement, err);
		if (ret == 1)
			ret = read_saved(statement, &saved, err);
		if (ret == 1 && each(arg, store_text(statement, 0), &saved))
			ret = -1;
		count += ret == 1;
	}
	(void)sqlite3_finalize(statement);
	return ret < 0 ? -1 : count;
}

#define DRAIN_COLUMNS                                                                    \
	"id, owner, reason, services, created_at, ended_at, ended_by, end_reason, "      \
	"deadline_s, deadline_at, not_before, boot_id, on_deadline, until, drained_at, " \
	"is_over"

int store_put_drain(struct store *store, const struct drain_row *row,
		    struct err *err)
{
	const char *put =
		"INSERT OR REPLACE INTO drains(" DRAIN_COLUMNS ") VALUES(?, ?, "
		"?, ?, ?, nullif(?, 0), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
	/* The record still has them.  What is written last has the highest row id,
	 * whatever the clock says. */
	const char *limit =
		"DELETE FROM drains WHERE id IN (SELECT id FROM drains WHERE ended_at IS "
		"NOT NULL ORDER BY rowid DESC LIMIT -1 OFFSET ?)";
	int ret = store_write_row(
		store,
		store_prepare(store, err, put, "ttttiittiiitttii", row->id,
			      row->owner, row->reason, row->services,
			      row->created_at, row->ended_at, row->ended_by,
			      row->end_reason, row->deadline_s, row->deadline_at,
			      row->not_before, row->boot_id, row->on_deadline,
			      row->until, row->drained_at, (int64_t)row->is_over),
		err);

	if (ret || !row->ended_at)
		return ret;
	return store_write_row(
		store,
		store_prepare(store, err, limit, "i", (int64_t)ENDED_DRAINS_LIMIT),
		err);
}

static struct drain_row read_drain(sqlite3_stmt *statement)
{
	return (struct drain_row){
		.id = store_text(statement, 0),
		.owner = store_text(statement, 1),
		.reason = store_text(statement, 2),
		.services = store_text(statement, 3),
		.created_at = sqlite3_column_int64(statement, 4),
		.ended_at = sqlite3_column_int64(statement, 5),
		.ended_by = store_text(statement, 6),
		.end_reason = store_text(statement, 7),
		.deadline_s = sqlite3_column_int64(statement, 8),
		.deadline_at = sqlite3_column_int64(statement, 9),
		.not_before = sqlite3_column_int64(statement, 10),
		.boot_id = store_text(statement, 11),
		.on_deadline = store_text(statement, 12),
		.until = store_text(statement, 13),
		.drained_at = sqlite3_column_int64(statement, 14),
		.is_over = sqlite3_column_int(statement, 15),
	};
}

int store_each_drain(struct store *store, const char *id, int limit,
		     int (*each)(void *arg, const struct drain_row *row,
				 struct err *err),
		     void *arg, struct err *err)
{
	const char *one =
		"SELECT " DRAIN_COLUMNS " FROM drains WHERE id = ?1 LIMIT ?2";
	const char *active =
		"SELECT " DRAIN_COLUMNS " FROM drains WHERE ended_at IS NULL "
		"ORDER BY created_at, id LIMIT ?2";
	sqlite3_stmt *statement = store_prepare(store, err, id ? one : active, "ti",
						id, (int64_t)limit);
	int ret = statement ? 1 : -1;

	while (ret == 1) {
		ret = store_next_row(store, statement, err);
		if (ret == 1) {
			struct drain_row row = read_drain(statement);

			ret = each(arg, &row, err) ? -1 : 1;
		}
	}
	(void)sqlite3_finalize(statement);
	return ret;
}

static struct event read_event(sqlite3_stmt *statement)
{
	return (struct event){
		.id = sqlite3_column_int64(statement, 0),
		.time = {sqlite3_column_int64(statement, 1)},
		.kind = store_text(statement, 2),
		.service = store_text(statement, 3),
		.who = store_text(statement, 4),
		.from = store_text(statement, 5),
		.why = store_text(statement, 6),
		.text = store_text(statement, 7),
		.before = store_text(statement, 8),
		.after = store_text(statement, 9),
		.hash = store_text(statement, 10),
	};
}

int store_each_event(struct store *store, int64_t after, int limit,
		     void (*each)(void *arg, const struct event *event), void *arg,
		     struct err *err)
{
	store_refresh(store);
	sqlite3_stmt *statement = store_prepare(
		store, err,
		"SELECT id, time, kind, service, who, peer, why, text, before, after, "
		"hash FROM events WHERE id > ? ORDER BY id LIMIT ?",
		"ii", after, (int64_t)limit);
	int ret = statement ? 1 : -1;

	while (ret == 1) {
		ret = store_next_row(store, statement, err);
		if (ret == 1) {
			struct event event = read_event(statement);

			each(arg, &event);
		}
	}
	(void)sqlite3_finalize(statement);
	return ret;
}

int64_t store_last_event(struct store *store, struct err *err)
{
	store_refresh(store);
	return store_number(store, "SELECT ifnull(max(id), 0) FROM events", err);
}

int store_get_written_at(struct store *store, struct wall *time)
{
	time->ms = store_number(
		store, "SELECT time FROM events ORDER BY id DESC LIMIT 1", NULL);
	return time->ms < 0 ? -1 : 0;
}

/* A failure costs nothing: it is tried again. */
void store_trim_events(struct store *store)
{
	int64_t first =
		store_number(store, "SELECT ifnull(min(id), 0) FROM events", NULL);
	int64_t more = store_last_event(store, NULL) - first + 1 - API_EVENTS_KEPT;
	sqlite3_stmt *statement;

	if (more < TRIM_LEAST || store_has_writes(store))
		return;
	more = more < TRIM_MOST ? more : TRIM_MOST;
	statement = store_prepare(store, NULL, "DELETE FROM events WHERE id < ?",
				  "i", first + more);
	(void)store_write_row(store, statement, NULL);
	(void)store_commit(store, NULL);
}

int store_begin_reading(struct store *store, struct err *err)
{
	store_refresh(store);
	return sqlite3_exec(store->db, "BEGIN", NULL, NULL, NULL)
		       ? store_fail(store, err, "read")
		       : 0;
}

void store_end_reading(struct store *store)
{
	(void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
}

int store_get_head(struct store *store, int64_t *id, char hash[CHAIN_HASH_BYTES],
		   struct err *err)
{
	sqlite3_stmt *statement = store_prepare(
		store, err, "SELECT id, hash FROM events ORDER BY id DESC LIMIT 1",
		"");
	int ret = statement ? store_next_row(store, statement, err) : -1;

	*id = ret == 1 ? sqlite3_column_int64(statement, 0) : 0;
	utf8_copy(hash, CHAIN_HASH_BYTES,
		  ret == 1 ? store_text(statement, 1) : chain_start);
	(void)sqlite3_finalize(statement);
	return ret < 0 ? -1 : 0;
}

int store_put_lifetimes(struct store *store, const char *service, const char *text,
			struct wall now, struct err *err)
{
	const char *put =
		"INSERT OR REPLACE INTO lifetimes(service, text, saved_at) "
		"VALUES(?, ?, ?)";
	/* Services come and go in pool.yaml.  As of drains above. */
	const char *limit =
		"DELETE FROM lifetimes WHERE service IN (SELECT service FROM "
		"lifetimes ORDER BY rowid DESC LIMIT -1 OFFSET ?)";

	return store_write_row(
		       store,
		       store_prepare(store, err, put, "tti", service, text, now.ms),
		       err) || store_write_row(store,
					       store_prepare(
						       store, err, limit, "i",
						       (int64_t)LIFETIMES_LIMIT),
					       err)
		       ? -1
		       : 0;
}

int store_get_lifetimes(struct store *store, const char *service, char **text,
			struct err *err)
{
	sqlite3_stmt *statement = store_prepare(
		store, err,
		"SELECT text FROM lifetimes WHERE service = ? COLLATE NOCASE ORDER BY "
		"rowid DESC LIMIT 1",
		"t", service);
	int ret = statement ? store_next_row(store, statement, err) : -1;

	if (ret == 1)
		*text = xstrdup(store_text(statement, 0));
	(void)sqlite3_finalize(statement);
	return ret;
}

int store_next_index(struct store *store, int64_t *index, struct err *err)
{
	sqlite3_stmt *statement = store_prepare(
		store, err, "UPDATE meta SET value = value + ? WHERE key = 'index'",
		"i", index_step);

	if (store_write_row(store, statement, err))
		return -1;
	*index = store_number(store, "SELECT value FROM meta WHERE key = 'index'",
			      err);
	return *index < 0 ? -1 : 0;
}

int store_index_between(struct store *store, struct wall now, int64_t *index,
			struct err *err)
{
	int64_t value = store_number(
		store, "SELECT value FROM meta WHERE key = 'index'", err);

	*index = value + index_step / 2 + now.ms % (index_step / 4);
	return value < 0 ? -1 : 0;
}
