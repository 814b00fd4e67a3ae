#include "store.h"

#include "mem.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEMA_VERSION = 1, BUSY_MS = 5000 };

/* The distance between the indexes of two starts: 2^32 changes. */
static const int64_t index_step = INT64_C(1) << 32;

struct store {
	sqlite3 *db;
	bool is_writing; /* a transaction is open */
};

static const char *const schema =
	"BEGIN;CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;"
	"INSERT INTO meta VALUES('index', 0);CREATE TABLE saved(service TEXT PRIMARY "
	"KEY, state TEXT NOT NULL, start_type TEXT NOT NULL, delayed_auto_start INTEGER) "
	"STRICT;CREATE TABLE drains(id TEXT PRIMARY KEY, owner TEXT NOT NULL, reason "
	"TEXT NOT NULL, services TEXT NOT NULL, created_at INTEGER NOT NULL, ended_at "
	"INTEGER) STRICT;CREATE TABLE events(id INTEGER PRIMARY KEY AUTOINCREMENT, time "
	"INTEGER NOT NULL, kind TEXT NOT NULL, service TEXT, who TEXT, peer TEXT, why "
	"TEXT, text TEXT) STRICT;PRAGMA user_version = 1;COMMIT;";

static int fail(const struct store *store, struct err *err, const char *what)
{
	return err_set_os(err, ERR_STORE,
			  (unsigned long)sqlite3_extended_errcode(store->db),
			  "cannot %s the store: %s", what, sqlite3_errmsg(store->db));
}

static int run(const struct store *store, const char *sql, struct err *err)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) ? fail(store, err, "write")
							      : 0;
}

/* One character of `types` a value: t text (NULL allowed), i int64_t. */
static sqlite3_stmt *prepare(const struct store *store, struct err *err, const char *sql,
			     const char *types, ...)
{
	sqlite3_stmt *statement = NULL;
	va_list args;

	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL)) {
		(void)fail(store, err, "read");
		return NULL;
	}
	va_start(args, types);
	for (int i = 0; types[i]; i++)
		if (types[i] == 't')
			(void)sqlite3_bind_text(statement, i + 1,
						va_arg(args, const char *), -1,
						SQLITE_TRANSIENT);
		else
			(void)sqlite3_bind_int64(statement, i + 1, va_arg(args, int64_t));
	va_end(args);
	return statement;
}

/* Runs a statement that changes something, inside the open transaction, and frees it. */
static int write_row(struct store *store, sqlite3_stmt *statement, struct err *err)
{
	int ret = statement ? 0 : -1;

	if (!ret && !store->is_writing)
		ret = run(store, "BEGIN IMMEDIATE", err);
	if (!ret) {
		store->is_writing = true;
		if (sqlite3_step(statement) != SQLITE_DONE)
			ret = fail(store, err, "write");
	}
	(void)sqlite3_finalize(statement);
	return ret;
}

int store_commit(struct store *store, struct err *err)
{
	if (!store->is_writing)
		return 0;
	store->is_writing = false;
	if (!run(store, "COMMIT", err))
		return 0;
	/* The error to report is that of the commit; a failed COMMIT may have rolled
	 * back. */
	(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

static int64_t get_number(const struct store *store, const char *sql, struct err *err)
{
	sqlite3_stmt *statement = prepare(store, err, sql, "");
	int64_t number = -1;

	if (!statement)
		return -1;
	if (sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	else
		(void)fail(store, err, "read");
	(void)sqlite3_finalize(statement);
	return number;
}

static int check_version(const struct store *store, struct err *err)
{
	int64_t version = get_number(store, "PRAGMA user_version", err);

	if (version < 0)
		return -1;
	if (version == 0)
		return run(store, schema, err);
	if (version == SCHEMA_VERSION)
		return 0;
	return err_set(err, ERR_STATE_DIR,
		       "it is of schema version %lld and this poold knows %d; run the "
		       "poold that wrote it",
		       (long long)version, SCHEMA_VERSION);
}

static struct store *open_store(const char *state_dir, bool is_reader, struct err *err)
{
	char *path = xasprintf("%s/poold.sqlite", state_dir);
	struct store *store = xcalloc(1, sizeof(*store));
	int flags = SQLITE_OPEN_NOMUTEX |
		    (is_reader ? SQLITE_OPEN_READONLY
			       : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

	if (sqlite3_open_v2(path, &store->db, flags, NULL)) {
		(void)err_set(err, ERR_STATE_DIR, "cannot open %s: %s", path,
			      sqlite3_errmsg(store->db));
		goto fail;
	}
	(void)sqlite3_busy_timeout(store->db, BUSY_MS);
	if (!is_reader && (run(store,
			       "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA "
			       "cache_size=-256",
			       err) ||
			   check_version(store, err))) {
		(void)err_prefix(err, "%s", path);
		if (err)
			err->code = ERR_STATE_DIR;
		goto fail;
	}
	free(path);
	return store;
fail:
	store_close(store);
	free(path);
	return NULL;
}

struct store *store_open(const char *state_dir, struct err *err)
{
	return open_store(state_dir, false, err);
}

struct store *store_open_reader(const char *state_dir, struct err *err)
{
	return open_store(state_dir, true, err);
}

void store_close(struct store *store)
{
	if (!store)
		return;
	(void)sqlite3_close(store->db);
	free(store);
}

int store_put_saved(struct store *store, const char *service, const struct saved *saved,
		    struct err *err)
{
	/* The flag is NULL where the system cannot say. */
	const char *sql = "INSERT INTO saved VALUES(?, ?, ?, nullif(?, 2))";

	return write_row(store,
			 prepare(store, err, sql, "ttti", service,
				 service_state_name(saved->state),
				 start_type_name(saved->start_type),
				 (int64_t)saved->delayed_auto_start),
			 err);
}

int store_delete_saved(struct store *store, const char *service, struct err *err)
{
	return write_row(
		store,
		prepare(store, err, "DELETE FROM saved WHERE service = ?", "t", service),
		err);
}

static const char *column_text(sqlite3_stmt *statement, int column)
{
	return (const char *)sqlite3_column_text(statement, column);
}

/* Steps once: 1 if there is a row, 0 if there is none, -1 on failure. */
static int next_row(const struct store *store, sqlite3_stmt *statement, struct err *err)
{
	int status = sqlite3_step(statement);

	if (status == SQLITE_ROW)
		return 1;
	return status == SQLITE_DONE ? 0 : fail(store, err, "read");
}

static int read_saved(sqlite3_stmt *statement, struct saved *saved, struct err *err)
{
	int state = service_state_from_name(column_text(statement, 0));
	int start_type = start_type_from_name(column_text(statement, 1));

	if (state < 0 || start_type < 0)
		return err_set(err, ERR_STORE,
			       "the store holds an unknown state or startup type");
	saved->state = (enum service_state)state;
	saved->start_type = (enum start_type)start_type;
	saved->delayed_auto_start = (enum scm_flag)sqlite3_column_int(statement, 2);
	return 1;
}

int store_get_saved(struct store *store, const char *service, struct saved *saved,
		    struct err *err)
{
	sqlite3_stmt *statement =
		prepare(store, err,
			"SELECT state, start_type, ifnull(delayed_auto_start, 2) FROM "
			"saved WHERE service = ?",
			"t", service);
	int ret = statement ? next_row(store, statement, err) : -1;

	if (ret == 1)
		ret = read_saved(statement, saved, err);
	(void)sqlite3_finalize(statement);
	return ret;
}

int store_count_saved(struct store *store, struct err *err)
{
	return (int)get_number(store, "SELECT count(*) FROM saved", err);
}

int store_put_drain(struct store *store, const struct drain *drain, struct err *err)
{
	char *services = json_dumps(drain->services, JSON_COMPACT);
	int ret = write_row(store,
			    prepare(store, err,
				    "INSERT OR REPLACE INTO drains VALUES(?, ?, ?, ?, ?, "
				    "nullif(?, 0))",
				    "ttttii", drain->id, drain->owner, drain->reason,
				    services, drain->created_at.ms,
				    drain->is_ended ? drain->ended_at.ms : INT64_C(0)),
			    err);

	free(services);
	return ret;
}

static int read_drain(sqlite3_stmt *statement, struct drain *drain, struct err *err)
{
	*drain = (struct drain){0};
	copy_text(drain->id, sizeof(drain->id), column_text(statement, 0));
	copy_text(drain->owner, sizeof(drain->owner), column_text(statement, 1));
	copy_text(drain->reason, sizeof(drain->reason), column_text(statement, 2));
	drain->services = json_loads(column_text(statement, 3), 0, NULL);
	drain->created_at.ms = sqlite3_column_int64(statement, 4);
	drain->ended_at.ms = sqlite3_column_int64(statement, 5);
	drain->is_ended = sqlite3_column_type(statement, 5) != SQLITE_NULL;
	if (json_is_array(drain->services))
		return 1;
	drain_done(drain);
	return err_set(err, ERR_STORE, "the store holds a drain '%s' that cannot be read",
		       drain->id);
}

int store_get_active_drains(struct store *store, struct drain *drains, int limit,
			    struct err *err)
{
	sqlite3_stmt *statement = prepare(store, err,
					  "SELECT * FROM drains WHERE ended_at IS NULL "
					  "ORDER BY created_at, id LIMIT ?",
					  "i", (int64_t)limit);
	int count = 0, ret = statement ? next_row(store, statement, err) : -1;

	while (ret == 1) {
		ret = read_drain(statement, &drains[count], err);
		if (ret == 1) {
			count++;
			ret = next_row(store, statement, err);
		}
	}
	(void)sqlite3_finalize(statement);
	while (ret < 0 && count > 0)
		drain_done(&drains[--count]);
	return ret < 0 ? -1 : count;
}

int store_get_drain(struct store *store, const char *id, struct drain *drain,
		    struct err *err)
{
	sqlite3_stmt *statement =
		prepare(store, err, "SELECT * FROM drains WHERE id = ?", "t", id);
	int ret = statement ? next_row(store, statement, err) : -1;

	if (ret == 1)
		ret = read_drain(statement, drain, err);
	(void)sqlite3_finalize(statement);
	return ret;
}

int store_add_event(struct store *store, const struct event *event, struct err *err)
{
	return write_row(
		store,
		prepare(store, err,
			"INSERT INTO events(time, kind, service, who, peer, why, text) "
			"VALUES(?, ?, ?, ?, ?, ?, ?)",
			"itttttt", event->time.ms, event->kind, event->service,
			event->who, event->from, event->why, event->text),
		err);
}

int store_each_event(struct store *store, int64_t after, int limit,
		     void (*each)(void *arg, const struct event *event), void *arg,
		     struct err *err)
{
	sqlite3_stmt *statement = prepare(
		store, err, "SELECT * FROM events WHERE id > ? ORDER BY id LIMIT ?", "ii",
		after, (int64_t)limit);
	int ret = statement ? 1 : -1;

	while (ret == 1) {
		ret = next_row(store, statement, err);
		if (ret == 1)
			each(arg,
			     &(struct event){.id = sqlite3_column_int64(statement, 0),
					     .time = {sqlite3_column_int64(statement, 1)},
					     .kind = column_text(statement, 2),
					     .service = column_text(statement, 3),
					     .who = column_text(statement, 4),
					     .from = column_text(statement, 5),
					     .why = column_text(statement, 6),
					     .text = column_text(statement, 7)});
	}
	(void)sqlite3_finalize(statement);
	return ret;
}

int64_t store_last_event(struct store *store, struct err *err)
{
	return get_number(store, "SELECT ifnull(max(id), 0) FROM events", err);
}

int store_next_index(struct store *store, int64_t *index, struct err *err)
{
	sqlite3_stmt *statement = prepare(
		store, err, "UPDATE meta SET value = value + ? WHERE key = 'index'", "i",
		index_step);

	if (write_row(store, statement, err) || store_commit(store, err))
		return -1;
	*index = get_number(store, "SELECT value FROM meta WHERE key = 'index'", err);
	return *index < 0 ? -1 : 0;
}
