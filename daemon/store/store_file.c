#include "store/store_private.h"

#include "buf.h"
#include "mem.h"
#include "system/file.h"
#include "system/host.h"
#include "utf8.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { BUSY_MS = 5000, LOG_PAGES_LIMIT = 500, LOG_PAGES_MOST = 20000 };

/* A resume writes some forty pages, and each event that waits one at most. */
enum { RESERVE_BYTES = 1 << 20 };

enum { SCHEMA_VERSION = 3 };

/* All or nothing: a crash in between leaves an empty file. */
static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;"
	"INSERT INTO meta VALUES('index', 0);"
	"CREATE TABLE saved(service TEXT PRIMARY KEY, state TEXT NOT NULL, start_type "
	"TEXT NOT NULL, delayed_auto_start INTEGER, held TEXT, cut INTEGER NOT NULL "
	"DEFAULT 0, cutting INTEGER NOT NULL DEFAULT 0, peak INTEGER NOT NULL DEFAULT 0) "
	"STRICT;"
	"CREATE TABLE drains(id TEXT PRIMARY KEY, owner TEXT NOT NULL, reason TEXT NOT "
	"NULL, services TEXT NOT NULL, created_at INTEGER NOT NULL, ended_at INTEGER, "
	"ended_by TEXT, end_reason TEXT, deadline_s INTEGER NOT NULL DEFAULT 0, "
	"deadline_at INTEGER NOT NULL DEFAULT 0, not_before INTEGER NOT NULL DEFAULT 0, "
	"boot_id TEXT NOT NULL DEFAULT '', on_deadline TEXT NOT NULL DEFAULT 'hold', "
	"until TEXT NOT NULL DEFAULT 'resume', drained_at INTEGER NOT NULL DEFAULT 0, "
	"is_over INTEGER NOT NULL DEFAULT 0) STRICT;"
	"CREATE TABLE events(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind TEXT "
	"NOT NULL, service TEXT, who TEXT, peer TEXT, why TEXT, text TEXT, before TEXT, "
	"after TEXT, hash TEXT NOT NULL) STRICT;"
	"CREATE TABLE lifetimes(service TEXT PRIMARY KEY, text TEXT NOT NULL, saved_at "
	"INTEGER NOT NULL) STRICT;"
	"PRAGMA user_version = 3;"
	"COMMIT";

int store_fail(const struct store *store, struct err *err, const char *what)
{
	return err_set_os(
		err, ERR_STORE, (unsigned long)sqlite3_extended_errcode(store->db),
		"cannot %s the store: %s", what, sqlite3_errmsg(store->db));
}

int store_run(const struct store *store, const char *sql, struct err *err)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL)
		       ? store_fail(store, err, "write")
		       : 0;
}

sqlite3_stmt *store_prepare(const struct store *store, struct err *err,
			    const char *sql, const char *types, ...)
{
	sqlite3_stmt *statement = NULL;
	va_list args;

	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL)) {
		(void)store_fail(store, err, "read");
		return NULL;
	}
	va_start(args, types);
	for (int i = 0; types[i]; i++)
		if (types[i] == 't')
			(void)sqlite3_bind_text(statement, i + 1,
						va_arg(args, const char *), -1,
						SQLITE_TRANSIENT);
		else
			(void)sqlite3_bind_int64(statement, i + 1,
						 va_arg(args, int64_t));
	va_end(args);
	return statement;
}

/* A disk says that it is full in many ways. */
static void note_space(struct store *store)
{
	int code = store->is_held ? (int)(store->held.os_code & 0xff)
				  : sqlite3_errcode(store->db);

	store->is_full = code == SQLITE_FULL || code == SQLITE_IOERR ||
			 code == SQLITE_CANTOPEN;
}

int store_write_row(struct store *store, sqlite3_stmt *statement, struct err *err)
{
	struct err failure = {0};
	int ret = statement
			  ? 0
			  : err_set(&failure, ERR_STORE, "an earlier write failed");

	if (store->damage.code)
		ret = err_set(&failure, ERR_STORE, "%s", store->damage.text);
	if (store->is_held)
		ret = err_set(&failure, ERR_STORE, "%s", store->held.text);
	/* SQLite may have ended the transaction when a write in it failed. */
	if (store->is_broken)
		ret = err_set(&failure, ERR_STORE, "%s", store->failure.text);
	if (!ret && !store->is_writing)
		ret = store_run(store, "BEGIN IMMEDIATE", &failure);
	store->is_writing = true;
	if (!ret && sqlite3_step(statement) != SQLITE_DONE)
		ret = store_fail(store, &failure, "write");
	if (ret && !store->is_broken)
		note_space(store);
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

/* A failure costs nothing: the log only grows until it works.  The first write
 * after it begins the log anew, which takes a flush of its own, so that is done
 * here too. */
void store_tidy(struct store *store, bool is_busy)
{
	int limit = is_busy ? LOG_PAGES_MOST : LOG_PAGES_LIMIT;

	if (store->log_pages < limit || store->damage.code)
		return;
	(void)sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
					NULL, NULL);
	(void)sqlite3_exec(store->db, "UPDATE meta SET value = value", NULL, NULL,
			   NULL);
}

bool store_has_writes(const struct store *store)
{
	return store->is_writing;
}

/* ---- what others may do to the files ---- */

static void identify(const char *path, struct file_identity found[STORE_FILES])
{
	static const char *const endings[STORE_FILES] = {"", "-wal", "-shm"};

	for (int i = 0; i < STORE_FILES; i++) {
		char *file = xasprintf("%s%s", path, endings[i]);

		file_identify(file, &found[i]);
		free(file);
	}
}

/* Finds damage to the tables that are needed to put services back, before anything
 * is done.  The record is not read through: it may be long, and `poolctl events
 * --verify` does it. */
static int check_integrity(const struct store *store, struct err *err)
{
	static const char *const tables[] = {"meta", "saved", "drains"};
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(tables) / sizeof(tables[0]); i++) {
		char *sql = xasprintf("PRAGMA integrity_check(%s)", tables[i]);
		sqlite3_stmt *statement = store_prepare(store, err, sql, "");

		ret = statement ? 0 : -1;
		if (statement && (sqlite3_step(statement) != SQLITE_ROW ||
				  strcmp(store_text(statement, 0), "ok")))
			ret = err_set(
				err, ERR_STATE_DIR,
				"its table '%s' is damaged; see 'A damaged store' "
				"in the runbooks",
				tables[i]);
		(void)sqlite3_finalize(statement);
		free(sql);
	}
	return ret;
}

/* SQLite would go on with files that no path leads to any more. */
static int check_files(const struct store *store, struct err *err)
{
	struct file_identity found[STORE_FILES];

	identify(store->path, found);
	for (int i = 0; i < STORE_FILES; i++)
		if (found[i].volume != store->opened[i].volume ||
		    found[i].number != store->opened[i].number)
			return err_set(
				err, ERR_STORE,
				"%s was removed or replaced; put it back, with its "
				"-wal and -shm, as it was",
				store->path);
	return 0;
}

static int find_damage(struct store *store, int64_t last_id,
		       const char head[CHAIN_HASH_BYTES], struct err *err)
{
	char hash[CHAIN_HASH_BYTES];
	int64_t id;

	if (store->is_held)
		return 0;
	if (check_files(store, err))
		return -1;
	/* What SQLite has in memory says nothing of the disk. */
	(void)sqlite3_db_release_memory(store->db);
	if (check_integrity(store, err) || store_get_head(store, &id, hash, err))
		return -1;
	if (id == last_id && !strcmp(hash, head))
		return 0;
	return err_set(
		err, ERR_STORE,
		"its last event is number %lld, and not number %lld as poold "
		"wrote it; put back the file as it was",
		(long long)id, (long long)last_id);
}

int store_verify(struct store *store, int64_t last_id,
		 const char head[CHAIN_HASH_BYTES], struct err *err)
{
	struct err damage = {0};

	if (find_damage(store, last_id, head, &damage))
		(void)err_prefix(&damage, "cannot use the store");
	store->damage = damage;
	return damage.code ? err_set(err, ERR_STORE, "%s", damage.text) : 0;
}

int store_commit(struct store *store, struct err *err)
{
	int ret = 0;

	if (!store->is_writing)
		return 0;
	if (store->is_broken)
		ret = err_set(err, ERR_STORE, "%s", store->failure.text);
	else if (check_files(store, err))
		ret = err_prefix(err, "cannot write the store");
	else if (store_run(store, "COMMIT", err)) {
		ret = -1;
		note_space(store);
	}
	/* A failed COMMIT may leave the transaction open. */
	roll_back(store);
	return ret;
}

const char *store_text(sqlite3_stmt *statement, int column)
{
	return (const char *)sqlite3_column_text(statement, column);
}

int store_next_row(const struct store *store, sqlite3_stmt *statement,
		   struct err *err)
{
	int status = sqlite3_step(statement);

	if (status == SQLITE_ROW)
		return 1;
	return status == SQLITE_DONE ? 0 : store_fail(store, err, "read");
}

int64_t store_number(const struct store *store, const char *sql, struct err *err)
{
	sqlite3_stmt *statement = store_prepare(store, err, sql, "");
	int64_t number = -1;

	if (!statement)
		return -1;
	if (sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	else
		(void)store_fail(store, err, "read");
	(void)sqlite3_finalize(statement);
	return number;
}

/* SQLite writes nothing for a value that stays the same. */
int store_touch(struct store *store, struct err *err)
{
	return store_write_row(
		store,
		store_prepare(
			store, err,
			"INSERT INTO meta VALUES('touched', 1) ON CONFLICT(key) "
			"DO UPDATE SET value = value + 1",
			""),
		err);
}

/* The same for whoever reads; 0 for a store that is yet to be made. */
static int read_version(const struct store *store, struct err *err)
{
	int64_t version = store_number(store, "PRAGMA user_version", err);

	if (version < 0)
		return -1;
	if (version > SCHEMA_VERSION)
		return err_set(
			err, ERR_STATE_DIR,
			"its schema version is %lld, but this poold knows only %d; "
			"run the poold that wrote it, or a newer one",
			(long long)version, SCHEMA_VERSION);
	if (version && version < SCHEMA_VERSION)
		return err_set(
			err, ERR_STATE_DIR,
			"its schema version is %lld, and this poold needs %d; end "
			"all drains with the poold that wrote it, then move the "
			"file away",
			(long long)version, SCHEMA_VERSION);
	return (int)version;
}

static int check_version(struct store *store, struct err *err)
{
	int version = read_version(store, err);

	if (version < 0)
		return -1;
	if (!version && store_run(store, schema, err)) {
		roll_back(store);
		return -1;
	}
	return check_integrity(store, err);
}

int store_check(struct store *store, struct err *err)
{
	struct err failure = {0};
	int version = read_version(store, &failure);

	if (version > 0 && check_integrity(store, &failure))
		version = -1;
	if (version < 0)
		return err_set_os(err, ERR_STATE_DIR, failure.os_code, "%s: %s",
				  store->path, failure.text);
	return version > 0;
}

void store_set_patience(struct store *store, int ms)
{
	(void)sqlite3_busy_timeout(store->db, ms);
}

/* ---- opening ---- */

/* For SQL: names of services compare without regard to case, and not as SQLite does
 * it. */
static void same_name(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *a = (const char *)sqlite3_value_text(values[0]);
	const char *b = (const char *)sqlite3_value_text(values[1]);

	(void)count;
	sqlite3_result_int(context, a && b && !utf8_compare_names(a, b));
}

static int add_functions(const struct store *store)
{
	return sqlite3_create_function(store->db, "same_name", 2, SQLITE_UTF8, NULL,
				       same_name, NULL, NULL);
}

/* A path as part of a URI. */
static void add_path(struct buf *uri, const char *path)
{
	for (const unsigned char *at = (const unsigned char *)path; *at; at++)
		if (isalnum(*at) || strchr("/._-:", *at))
			buf_add(uri, (const char *)at, 1);
		else if (*at == '\\')
			buf_puts(uri, "/");
		else
			buf_printf(uri, "%%%02x", *at);
}

/* A file without a log of writes needs no other file beside it. */
static int connect_immutable(struct store *store)
{
	bool is_drive = store->path[0] && store->path[1] == ':';
	bool is_relative = !is_drive && !strchr("/\\", store->path[0]);
	struct buf uri = {0};
	int ret;

	buf_puts(&uri, is_drive ? "file:///" : is_relative ? "file:" : "file://");
	add_path(&uri, store->path);
	buf_puts(&uri, "?immutable=1");
	ret = sqlite3_open_v2(
		uri.text, &store->db,
		SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
	buf_done(&uri);
	return ret;
}

/* With its index in memory, so that nothing has to be written; without locks, as
 * nobody else writes. */
static int connect_with_log(struct store *store)
{
	const char *vfs =
		sqlite3_vfs_find("unix-none") ? "unix-none" : "win32-none";
	int ret = sqlite3_open_v2(store->path, &store->db,
				  SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READONLY, vfs);

	return ret ? ret
		   : sqlite3_exec(store->db, "PRAGMA locking_mode=EXCLUSIVE", NULL,
				  NULL, NULL);
}

/* For reading alone, on a disk that takes no writes. */
static int connect_held(struct store *store)
{
	char *log = xasprintf("%s-wal", store->path);
	bool has_log = file_size(log) > 0;

	free(log);
	return has_log ? connect_with_log(store) : connect_immutable(store);
}

static int connect_as_usual(struct store *store, struct err *err)
{
	int flags = store->is_reader ? SQLITE_OPEN_READONLY
				     : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

	if (sqlite3_open_v2(store->path, &store->db, SQLITE_OPEN_NOMUTEX | flags,
			    NULL) ||
	    add_functions(store))
		return store_fail(store, err, "open");
	(void)sqlite3_busy_timeout(store->db, BUSY_MS);
	if (store->is_reader)
		return store_number(store, "PRAGMA schema_version", err) < 0 ? -1
									     : 0;
	/* The log shrinks to about the pages of LOG_PAGES_LIMIT when it begins
	 * anew. */
	if (store_run(store,
		      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA "
		      "cache_size=-256; PRAGMA journal_size_limit=2097152",
		      err) ||
	    check_version(store, err))
		return -1;
	store_set_patience(store, 0);
	identify(store->path, store->opened);
	/* Instead of a checkpoint in the middle of a request. */
	(void)sqlite3_wal_hook(store->db, note_log_pages, store);
	return 0;
}

/* What a disk says that is full, read-only or failing. */
static bool is_of_the_disk(const struct store *store)
{
	switch (sqlite3_errcode(store->db)) {
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return true;
	default:
		return false;
	}
}

/* For reading alone, for the reason `why`. */
static int hold_file(struct store *store, const struct err *why, struct err *err)
{
	(void)sqlite3_close(store->db);
	store->held = *why;
	store->is_held = true;
	if (connect_held(store) || add_functions(store))
		return store_fail(store, err, "open");
	/* An empty one is nothing to hold. */
	if (store_number(store, "PRAGMA user_version", NULL) <= 0)
		return err_set_os(err, why->code, why->os_code, "%s", why->text);
	return store->is_reader ? 0 : check_version(store, err);
}

/* As usual, or for reading alone if the disk is why it cannot be.  With one
 * connection that has the index for reading alone, no other one of the process
 * could write. */
static int open_file(struct store *store, struct err *err)
{
	struct err why = {0};

	if (store->writer && store->writer->is_held)
		return hold_file(store, &store->writer->held, err);
	if (connect_as_usual(store, &why)) {
		if (!is_of_the_disk(store) || file_size(store->path) <= 0)
			return err_set_os(err, why.code, why.os_code, "%s",
					  why.text);
		(void)err_prefix(&why, "the disk is full, read-only or failing");
	} else if (store->is_reader || !sqlite3_db_readonly(store->db, "main")) {
		store->is_held = false;
		return 0;
	} else {
		(void)err_set(&why, ERR_STORE,
			      "cannot write the store: the disk is read-only");
	}
	return hold_file(store, &why, err);
}

void store_mend(struct store *store)
{
	struct err err = {0};

	if (!store->is_held)
		return;
	(void)sqlite3_close(store->db);
	store->db = NULL;
	/* Else it is read as before, or not at all. */
	if (open_file(store, &err))
		store->held = err;
}

/* Of random bytes: a file system may keep others in no space at all. */
void store_keep_reserve(struct store *store)
{
	char *bytes;

	if (store->is_held || file_size(store->reserve) == RESERVE_BYTES)
		return;
	bytes = xmalloc(RESERVE_BYTES);
	if (!host_random(bytes, RESERVE_BYTES, NULL))
		(void)file_fill(store->reserve, bytes, RESERVE_BYTES, NULL);
	free(bytes);
}

bool store_use_reserve(struct store *store)
{
	if (!store->is_full || file_remove(store->reserve, NULL))
		return false;
	store_mend(store);
	return true;
}

void store_refresh(struct store *store)
{
	sqlite3 *held = store->db;

	if (!store->is_held || !store->writer || store->writer->is_held ||
	    !sqlite3_get_autocommit(held))
		return;
	if (connect_as_usual(store, NULL)) {
		(void)sqlite3_close(store->db);
		store->db = held;
		return;
	}
	store->is_held = false;
	store->retired = held;
}

static struct store *open_store(const char *state_dir, bool is_reader,
				const struct store *writer, struct err *err)
{
	struct store *store = xcalloc(1, sizeof(*store));
	struct err failure = {0};

	store->path = xasprintf("%s/poold.sqlite", state_dir);
	store->reserve = xasprintf("%s/poold.reserve", state_dir);
	store->is_reader = is_reader;
	store->writer = writer;
	if (!open_file(store, &failure))
		return store;
	(void)err_set_os(err, ERR_STATE_DIR, failure.os_code, "%s: %s", store->path,
			 failure.text);
	store_close(store);
	return NULL;
}

struct store *store_open(const char *state_dir, struct err *err)
{
	return open_store(state_dir, false, NULL, err);
}

struct store *store_open_reader(const char *state_dir, const struct store *writer,
				struct err *err)
{
	return open_store(state_dir, true, writer, err);
}

void store_close(struct store *store)
{
	if (!store)
		return;
	(void)sqlite3_close(store->db);
	(void)sqlite3_close(store->retired);
	free(store->path);
	free(store->reserve);
	free(store);
}
