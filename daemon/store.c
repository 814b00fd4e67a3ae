#include "store.h"

#include "mem.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUSY_MS = 5000,
	ENDED_DRAINS_LIMIT = 1000,
	LIFETIMES_LIMIT = 64,
	LOG_PAGES_LIMIT = 500,
	LOG_PAGES_MOST = 20000
};

/* The distance between the indexes of two starts: 2^32 changes. */
static const int64_t index_step = INT64_C(1) << 32;

struct store {
	sqlite3 *db;
	bool is_writing; /* a transaction is open */
	bool is_broken; /* and one of its writes failed, so that it cannot be committed */
	int log_pages;  /* in the write-ahead log */
	struct err failure;
};

/* What makes a store of version N one of version N + 1. */
static const char *const steps[] = {
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;"
	"INSERT INTO meta VALUES('index', 0);CREATE TABLE saved(service TEXT PRIMARY "
	"KEY, state TEXT NOT NULL, start_type TEXT NOT NULL, delayed_auto_start INTEGER) "
	"STRICT;CREATE TABLE drains(id TEXT PRIMARY KEY, owner TEXT NOT NULL, reason "
	"TEXT NOT NULL, services TEXT NOT NULL, created_at INTEGER NOT NULL, ended_at "
	"INTEGER) STRICT;CREATE TABLE events(id INTEGER PRIMARY KEY AUTOINCREMENT, time "
	"INTEGER NOT NULL, kind TEXT NOT NULL, service TEXT, who TEXT, peer TEXT, why "
	"TEXT, text TEXT) STRICT;",

	/* Drains get ends; the record becomes a chain, from its first event on. */
	"ALTER TABLE saved ADD COLUMN held TEXT;"
	"ALTER TABLE saved ADD COLUMN cut INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE saved ADD COLUMN cutting INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE drains ADD COLUMN ended_by TEXT;"
	"ALTER TABLE drains ADD COLUMN end_reason TEXT;"
	"ALTER TABLE drains ADD COLUMN deadline_s INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE drains ADD COLUMN deadline_at INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE drains ADD COLUMN not_before INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE drains ADD COLUMN boot_id TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE drains ADD COLUMN on_deadline TEXT NOT NULL DEFAULT 'hold';"
	"ALTER TABLE drains ADD COLUMN until TEXT NOT NULL DEFAULT 'resume';"
	"ALTER TABLE drains ADD COLUMN drained_at INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE drains ADD COLUMN is_over INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE events RENAME TO old_events;"
	"CREATE TABLE events(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT "
	"NOT NULL, service TEXT, who TEXT, peer TEXT, why TEXT, text TEXT, before TEXT, "
	"after TEXT, hash TEXT NOT NULL) STRICT;",

	/* How long sessions last, and how many there were. */
	("ALTER TABLE saved ADD COLUMN peak INTEGER NOT NULL DEFAULT 0;"
	 "CREATE TABLE lifetimes(service TEXT PRIMARY KEY, text TEXT NOT NULL, saved_at "
	 "INTEGER NOT NULL) STRICT;"),
};

enum { SCHEMA_VERSION = sizeof(steps) / sizeof(steps[0]), CHAINED_VERSION = 2 };

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
	struct err failure = {0};
	int ret = statement ? 0 : err_set(&failure, ERR_STORE, "a write failed");

	/* SQLite may have ended the transaction when a write in it failed. */
	if (store->is_broken)
		ret = err_set(&failure, ERR_STORE, "%s", store->failure.text);
	if (!ret && !store->is_writing)
		ret = run(store, "BEGIN IMMEDIATE", &failure);
	store->is_writing = true;
	if (!ret && sqlite3_step(statement) != SQLITE_DONE)
		ret = fail(store, &failure, "write");
	(void)sqlite3_finalize(statement);
	if (!ret)
		return 0;
	if (!store->is_broken)
		store->failure = failure;
	store->is_broken = true;
	return err_set(err, ERR_STORE, "%s", failure.text);
}

static void roll_back(struct store *store)
{
	if (!sqlite3_get_autocommit(store->db))
		(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	store->is_writing = store->is_broken = false;
}

static int note_log_pages(void *arg, sqlite3 *db, const char *name, int pages)
{
	(void)db;
	(void)name;
	((struct store *)arg)->log_pages = pages;
	return SQLITE_OK;
}

/* A failure costs nothing: the log only grows until it works.  The first write after it
 * begins the log anew, which takes a flush of its own, so that is done here too. */
void store_tidy(struct store *store, bool is_busy)
{
	int limit = is_busy ? LOG_PAGES_MOST : LOG_PAGES_LIMIT;

	if (store->log_pages < limit)
		return;
	(void)sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
					NULL);
	(void)sqlite3_exec(store->db, "UPDATE meta SET value = value", NULL, NULL, NULL);
}

bool store_has_writes(const struct store *store)
{
	return store->is_writing;
}

int store_commit(struct store *store, struct err *err)
{
	int ret = 0;

	if (!store->is_writing)
		return 0;
	if (store->is_broken)
		ret = err_set(err, ERR_STORE, "%s", store->failure.text);
	else
		ret = run(store, "COMMIT", err);
	/* A failed COMMIT may leave the transaction open. */
	roll_back(store);
	return ret;
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

int store_add_event(struct store *store, const struct event *event, struct err *err)
{
	return write_row(
		store,
		prepare(store, err,
			"INSERT INTO events(id, time, kind, service, who, peer, why, "
			"text, before, after, hash) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
			"?)",
			"iittttttttt", event->id, event->time.ms, event->kind,
			event->service, event->who, event->from, event->why, event->text,
			event->before, event->after, event->hash),
		err);
}

/* The statement takes an id and a limit. */
static int each_event(const struct store *store, const char *sql, int64_t after,
		      int64_t limit, void (*each)(void *arg, const struct event *event),
		      void *arg, struct err *err)
{
	sqlite3_stmt *statement = prepare(store, err, sql, "ii", after, limit);
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
					     .text = column_text(statement, 7),
					     .before = column_text(statement, 8),
					     .after = column_text(statement, 9),
					     .hash = column_text(statement, 10)});
	}
	(void)sqlite3_finalize(statement);
	return ret;
}

struct old_events {
	struct store *store;
	int64_t count;
	char head[CHAIN_HASH_BYTES];
	bool is_failed;
	struct err *err;
};

/* Damage to what is needed to put services back is found before anything is done.  The
 * record is not read through: it may be long, and `poolctl events --verify` does it. */
static int check_integrity(const struct store *store, struct err *err)
{
	static const char *const tables[] = {"meta", "saved", "drains"};
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(tables) / sizeof(tables[0]); i++) {
		char *sql = xasprintf("PRAGMA integrity_check(%s)", tables[i]);
		sqlite3_stmt *statement = prepare(store, err, sql, "");

		ret = statement ? 0 : -1;
		if (statement && (sqlite3_step(statement) != SQLITE_ROW ||
				  strcmp(column_text(statement, 0), "ok")))
			ret = err_set(err, ERR_STATE_DIR,
				      "its table '%s' is damaged; see 'A damaged store' "
				      "in the runbooks",
				      tables[i]);
		(void)sqlite3_finalize(statement);
		free(sql);
	}
	return ret;
}

static void chain_old_event(void *arg, const struct event *event)
{
	struct old_events *old = arg;
	struct event chained = *event;
	char hash[CHAIN_HASH_BYTES];

	chained.id = ++old->count;
	event_hash(&chained, old->head, hash);
	copy_text(old->head, sizeof(old->head), hash);
	chained.hash = hash;
	if (!old->is_failed)
		old->is_failed = store_add_event(old->store, &chained, old->err) != 0;
}

/* The events of version 1 had no hashes, and gaps in their ids after failed writes. */
static int chain_old_events(struct store *store, struct err *err)
{
	struct old_events old = {.store = store, .err = err};

	copy_text(old.head, sizeof(old.head), chain_start);
	if (each_event(store,
		       "SELECT id, time, kind, service, who, peer, why, text, NULL, "
		       "NULL, NULL FROM old_events WHERE id > ? ORDER BY id LIMIT ?",
		       0, INT64_MAX, chain_old_event, &old, err) ||
	    old.is_failed)
		return -1;
	return run(store, "DROP TABLE old_events", err);
}

/* All steps are one transaction: a crash in between leaves the old version. */
static int migrate(struct store *store, int64_t version, struct err *err)
{
	char *set_version = xasprintf("PRAGMA user_version = %d", SCHEMA_VERSION);
	int ret = run(store, "BEGIN IMMEDIATE", err);

	store->is_writing = true;
	for (int64_t i = version; !ret && i < SCHEMA_VERSION; i++)
		ret = run(store, steps[i], err);
	if (!ret && version < CHAINED_VERSION)
		ret = chain_old_events(store, err);
	if (!ret)
		ret = run(store, set_version, err);
	store->is_broken = ret != 0;
	if (store_commit(store, ret ? NULL : err))
		ret = -1;
	free(set_version);
	return ret;
}

static int check_version(struct store *store, struct err *err)
{
	int64_t version = get_number(store, "PRAGMA user_version", err);

	if (version < 0)
		return -1;
	if (version > SCHEMA_VERSION)
		return err_set(err, ERR_STATE_DIR,
			       "it is of schema version %lld and this poold knows %d; "
			       "run the poold that wrote it",
			       (long long)version, SCHEMA_VERSION);
	if (version < SCHEMA_VERSION && migrate(store, version, err))
		return -1;
	return check_integrity(store, err);
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
	/* Instead of a checkpoint in the middle of a request. */
	(void)sqlite3_wal_hook(store->db, note_log_pages, store);
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
	/* The flag is NULL where the system cannot say.  What the service was is written
	 * once. */
	const char *sql =
		"INSERT INTO saved(service, state, start_type, delayed_auto_start, held, "
		"cut, cutting, peak) VALUES(?, ?, ?, nullif(?, 2), ?, ?, ?, ?) ON "
		"CONFLICT(service) DO UPDATE SET held = excluded.held, cut = "
		"excluded.cut, cutting = excluded.cutting, peak = excluded.peak";

	return write_row(
		store,
		prepare(store, err, sql, "tttitiii", service,
			service_state_name(saved->state),
			start_type_name(saved->start_type),
			(int64_t)saved->delayed_auto_start,
			saved->is_held ? start_type_name(saved->held_type) : NULL,
			saved->cut, saved->cutting, saved->peak),
		err);
}

int store_delete_saved(struct store *store, const char *service, struct err *err)
{
	return write_row(
		store,
		prepare(store, err, "DELETE FROM saved WHERE service = ?", "t", service),
		err);
}

static int read_saved(sqlite3_stmt *statement, struct saved *saved, struct err *err)
{
	int state = service_state_from_name(column_text(statement, 0));
	int start_type = start_type_from_name(column_text(statement, 1));
	const char *held = column_text(statement, 3);
	int held_type = held ? start_type_from_name(held) : -1;

	if (state < 0 || start_type < 0)
		return err_set(err, ERR_STORE,
			       "the store holds an unknown state or startup type");
	saved->state = (enum service_state)state;
	saved->start_type = (enum start_type)start_type;
	saved->delayed_auto_start = (enum scm_flag)sqlite3_column_int(statement, 2);
	saved->is_held = held_type >= 0;
	saved->held_type = (enum start_type)held_type;
	saved->cut = sqlite3_column_int64(statement, 4);
	saved->cutting = sqlite3_column_int64(statement, 5);
	saved->peak = sqlite3_column_int64(statement, 6);
	return 1;
}

int store_get_saved(struct store *store, const char *service, struct saved *saved,
		    struct err *err)
{
	sqlite3_stmt *statement =
		prepare(store, err,
			"SELECT state, start_type, ifnull(delayed_auto_start, 2), held, "
			"cut, cutting, peak FROM saved WHERE service = ?",
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

#define DRAIN_COLUMNS                                                                    \
	"id, owner, reason, services, created_at, ended_at, ended_by, end_reason, "      \
	"deadline_s, deadline_at, not_before, boot_id, on_deadline, until, drained_at, " \
	"is_over"

int store_put_drain(struct store *store, const struct drain *drain, struct err *err)
{
	char *services = json_dumps(drain->services, JSON_COMPACT);
	int ret = write_row(
		store,
		prepare(store, err,
			"INSERT OR REPLACE INTO drains(" DRAIN_COLUMNS
			") VALUES(?, ?, ?, ?, ?, nullif(?, 0), ?, ?, ?, ?, ?, ?, ?, ?, "
			"?, ?)",
			"ttttiittiiitttii", drain->id, drain->owner, drain->reason,
			services, drain->created_at.ms,
			drain->is_ended ? drain->ended_at.ms : INT64_C(0),
			drain->is_ended ? drain->ended_by : NULL,
			drain->is_ended ? end_reason_name(drain->end_reason) : NULL,
			drain->deadline_s, drain->deadline_at.ms, drain->not_before.ms,
			drain->boot_id, on_deadline_name(drain->on_deadline),
			until_name(drain->until), drain->drained_at.ms,
			(int64_t)drain->is_over),
		err);

	free(services);
	if (ret || !drain->is_ended)
		return ret;
	/* The record keeps what these were about. */
	return write_row(store,
			 prepare(store, err,
				 "DELETE FROM drains WHERE id IN (SELECT id FROM drains "
				 "WHERE ended_at IS NOT NULL ORDER BY ended_at DESC, id "
				 "LIMIT -1 OFFSET ?)",
				 "i", (int64_t)ENDED_DRAINS_LIMIT),
			 err);
}

static void read_column(sqlite3_stmt *statement, int column, char *text, size_t size)
{
	const char *value = column_text(statement, column);

	copy_text(text, size, value ? value : "");
}

/* A value of a table of names; a name that is not in it makes the drain unreadable. */
static int read_name(sqlite3_stmt *statement, int column, int (*from_name)(const char *),
		     bool *is_good)
{
	int value = from_name(column_text(statement, column));

	*is_good = *is_good && value >= 0;
	return value < 0 ? 0 : value;
}

static int read_drain(sqlite3_stmt *statement, struct drain *drain, struct err *err)
{
	bool is_good = true;

	*drain = (struct drain){0};
	read_column(statement, 0, drain->id, sizeof(drain->id));
	read_column(statement, 1, drain->owner, sizeof(drain->owner));
	read_column(statement, 2, drain->reason, sizeof(drain->reason));
	drain->services = json_loads(column_text(statement, 3), 0, NULL);
	drain->created_at.ms = sqlite3_column_int64(statement, 4);
	drain->ended_at.ms = sqlite3_column_int64(statement, 5);
	drain->is_ended = sqlite3_column_type(statement, 5) != SQLITE_NULL;
	read_column(statement, 6, drain->ended_by, sizeof(drain->ended_by));
	/* Drains that version 1 ended have none. */
	if (sqlite3_column_type(statement, 7) != SQLITE_NULL)
		drain->end_reason = (enum end_reason)read_name(
			statement, 7, end_reason_from_name, &is_good);
	drain->deadline_s = sqlite3_column_int64(statement, 8);
	drain->deadline_at.ms = sqlite3_column_int64(statement, 9);
	drain->not_before.ms = sqlite3_column_int64(statement, 10);
	read_column(statement, 11, drain->boot_id, sizeof(drain->boot_id));
	drain->on_deadline = (enum on_deadline)read_name(statement, 12,
							 on_deadline_from_name, &is_good);
	drain->until = (enum until)read_name(statement, 13, until_from_name, &is_good);
	drain->drained_at.ms = sqlite3_column_int64(statement, 14);
	drain->is_over = sqlite3_column_int(statement, 15);
	if (is_good && json_is_array(drain->services))
		return 1;
	drain_done(drain);
	return err_set(err, ERR_STORE, "the store holds a drain '%s' that cannot be read",
		       drain->id);
}

int store_get_active_drains(struct store *store, struct drain *drains, int limit,
			    struct err *err)
{
	sqlite3_stmt *statement =
		prepare(store, err,
			"SELECT " DRAIN_COLUMNS " FROM drains WHERE ended_at IS NULL "
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
	sqlite3_stmt *statement = prepare(
		store, err, "SELECT " DRAIN_COLUMNS " FROM drains WHERE id = ?", "t", id);
	int ret = statement ? next_row(store, statement, err) : -1;

	if (ret == 1)
		ret = read_drain(statement, drain, err);
	(void)sqlite3_finalize(statement);
	return ret;
}

int store_each_event(struct store *store, int64_t after, int limit,
		     void (*each)(void *arg, const struct event *event), void *arg,
		     struct err *err)
{
	return each_event(store,
			  "SELECT id, time, kind, service, who, peer, why, text, before, "
			  "after, hash FROM events WHERE id > ? ORDER BY id LIMIT ?",
			  after, limit, each, arg, err);
}

int64_t store_last_event(struct store *store, struct err *err)
{
	return get_number(store, "SELECT ifnull(max(id), 0) FROM events", err);
}

int store_get_head(struct store *store, int64_t *id, char hash[CHAIN_HASH_BYTES],
		   struct err *err)
{
	sqlite3_stmt *statement = prepare(
		store, err, "SELECT id, hash FROM events ORDER BY id DESC LIMIT 1", "");
	int ret = statement ? next_row(store, statement, err) : -1;

	*id = ret == 1 ? sqlite3_column_int64(statement, 0) : 0;
	copy_text(hash, CHAIN_HASH_BYTES,
		  ret == 1 ? column_text(statement, 1) : chain_start);
	(void)sqlite3_finalize(statement);
	return ret < 0 ? -1 : 0;
}

int store_put_lifetimes(struct store *store, const char *service, const char *text,
			struct wall now, struct err *err)
{
	const char *put = "INSERT OR REPLACE INTO lifetimes(service, text, saved_at) "
			  "VALUES(?, ?, ?)";
	/* Services come and go in pool.yaml. */
	const char *limit =
		"DELETE FROM lifetimes WHERE service IN (SELECT service FROM "
		"lifetimes ORDER BY saved_at DESC, service LIMIT -1 OFFSET ?)";

	return write_row(store, prepare(store, err, put, "tti", service, text, now.ms),
			 err) ||
			       write_row(store,
					 prepare(store, err, limit, "i",
						 (int64_t)LIFETIMES_LIMIT),
					 err)
		       ? -1
		       : 0;
}

int store_get_lifetimes(struct store *store, const char *service, char **text,
			struct err *err)
{
	sqlite3_stmt *statement = prepare(
		store, err, "SELECT text FROM lifetimes WHERE service = ?", "t", service);
	int ret = statement ? next_row(store, statement, err) : -1;

	if (ret == 1)
		*text = xstrdup(column_text(statement, 0));
	(void)sqlite3_finalize(statement);
	return ret;
}

int store_next_index(struct store *store, int64_t *index, struct err *err)
{
	sqlite3_stmt *statement = prepare(
		store, err, "UPDATE meta SET value = value + ? WHERE key = 'index'", "i",
		index_step);

	if (write_row(store, statement, err))
		return -1;
	*index = get_number(store, "SELECT value FROM meta WHERE key = 'index'", err);
	return *index < 0 ? -1 : 0;
}
