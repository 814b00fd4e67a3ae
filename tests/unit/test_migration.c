/*
 * A store of version 1 becomes one of this version whole, or stays what it was; and what
 * is damaged is not opened.
 */
#include "failing_disk.h"
#include "store.h"
#include "survive_counts.h"
#include "temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <sqlite3.h>

enum { OLD_EVENTS = 40, CHILD_CRASHED = 70 };

static struct temp_folder folder;

/* What a child leaves open when it ends is no leak. */
static struct store *volatile left_open;

/* As poold 0.1.0 made it, after failed writes, which left gaps in the ids. */
static const char version_1[] =
	"PRAGMA journal_mode=WAL;"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;"
	"INSERT INTO meta VALUES('index', 12884901888);"
	"CREATE TABLE saved(service TEXT PRIMARY KEY, state TEXT NOT NULL, start_type TEXT "
	"NOT NULL, delayed_auto_start INTEGER) STRICT;"
	"INSERT INTO saved VALUES('RTCSRV', 'running', 'automatic', 1);"
	"INSERT INTO saved VALUES('RTCIM', 'stopped', 'disabled', NULL);"
	"CREATE TABLE drains(id TEXT PRIMARY KEY, owner TEXT NOT NULL, reason TEXT NOT NULL, "
	"services TEXT NOT NULL, created_at INTEGER NOT NULL, ended_at INTEGER) STRICT;"
	"INSERT INTO drains VALUES('kb1', 'ci', 'patch', '[\"RTCSRV\"]', 1000, NULL);"
	"INSERT INTO drains VALUES('kb0', 'me', 'old', '[]', 500, 700);"
	"CREATE TABLE events(id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, "
	"kind TEXT NOT NULL, service TEXT, who TEXT, peer TEXT, why TEXT, text TEXT) STRICT;"
	"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) "
	"INSERT INTO events(id, time, kind, service, who, peer, why, text) SELECT 3 * i + "
	"(i > 20) * 100, i * 1000, 'action', 'RTCSRV', 'poold', NULL, 'kb1: \"ü\"', "
	"'event ' || i FROM n;"
	"PRAGMA user_version=1;";

static int begin(void **state)
{
	(void)state;
	failing_disk_install();
	failing_disk_set(0, 0);
	return temp_folder_make(&folder);
}

static int end(void **state)
{
	(void)state;
	failing_disk_set(0, 0);
	temp_folder_remove(&folder);
	return 0;
}

static sqlite3 *open_file(void)
{
	char *path = temp_folder_file(&folder, "poold.sqlite");
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	free(path);
	return db;
}

static void run_sql(const char *sql)
{
	sqlite3 *db = open_file();

	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int64_t number_from(const char *sql)
{
	sqlite3 *db = open_file();
	sqlite3_stmt *statement;
	int64_t number;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	number = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return number;
}

static struct store *open_store(void)
{
	struct err err = {0};
	struct store *store = store_open(folder.path, &err);

	assert_string_equal(err.text, "");
	return store;
}

/* ---- what there was must be there ---- */

static void saved_are_there(struct store *store)
{
	struct saved saved;

	assert_int_equal(store_count_saved(store, NULL), 2);
	assert_int_equal(store_get_saved(store, "RTCSRV", &saved, NULL), 1);
	assert_int_equal(saved.state, STATE_RUNNING);
	assert_int_equal(saved.start_type, START_AUTOMATIC);
	assert_int_equal(saved.delayed_auto_start, SCM_FLAG_YES);
	assert_false(saved.is_held);
	assert_int_equal(saved.cut + saved.cutting, 0);
	assert_int_equal(store_get_saved(store, "RTCIM", &saved, NULL), 1);
	assert_int_equal(saved.start_type, START_DISABLED);
	assert_int_equal(saved.delayed_auto_start, SCM_FLAG_UNSUPPORTED);
}

static void drains_are_there(struct store *store)
{
	struct drain drain;

	assert_int_equal(store_get_active_drains(store, &drain, 1, NULL), 1);
	assert_string_equal(drain.id, "kb1");
	assert_string_equal(drain.owner, "ci");
	assert_true(drain_covers(&drain, "RTCSRV") && !drain_covers(&drain, "RTCIM"));
	assert_int_equal(drain.deadline_s, 0);
	assert_int_equal(drain.on_deadline, ON_DEADLINE_HOLD);
	assert_int_equal(drain.until, UNTIL_RESUME);
	drain_done(&drain);
	assert_int_equal(store_get_drain(store, "kb0", &drain, NULL), 1);
	assert_true(drain.is_ended);
	assert_int_equal(drain.ended_at.ms, 700);
	drain_done(&drain);
}

struct chain {
	int64_t count;
	char head[CHAIN_HASH_BYTES];
};

static void follow(void *arg, const struct event *event)
{
	struct chain *chain = arg;
	char *text = xasprintf("event %lld", (long long)++chain->count);

	assert_int_equal(event->id, chain->count);
	assert_int_equal(event->time.ms, chain->count * 1000);
	assert_string_equal(event->kind, "action");
	assert_string_equal(event->service, "RTCSRV");
	assert_string_equal(event->why, "kb1: \"ü\"");
	assert_null(event->from);
	assert_string_equal(event->text, text);
	event_hash(event, chain->head, chain->head);
	assert_string_equal(event->hash, chain->head);
	free(text);
}

static void events_are_chained(struct store *store)
{
	struct chain chain = {0};
	char head[CHAIN_HASH_BYTES];
	int64_t id;

	copy_text(chain.head, sizeof(chain.head), chain_start);
	assert_int_equal(store_each_event(store, 0, 1000, follow, &chain, NULL), 0);
	assert_int_equal(chain.count, OLD_EVENTS);
	assert_int_equal(store_get_head(store, &id, head, NULL), 0);
	assert_int_equal(id, OLD_EVENTS);
	assert_string_equal(head, chain.head);
}

static void all_is_there(void)
{
	struct store *store = open_store();
	int64_t index;

	saved_are_there(store);
	drains_are_there(store);
	events_are_chained(store);
	assert_int_equal(store_next_index(store, &index, NULL), 0);
	assert_int_equal(index, INT64_C(4) << 32);
	store_close(store);
}

/* Before it is opened again, which goes on with what was begun. */
static void is_of_a_whole_version(void)
{
	int64_t version = number_from("PRAGMA user_version");

	assert_true(version == 1 || version == 3);
	assert_int_equal(number_from("SELECT count(*) FROM events"), OLD_EVENTS);
	assert_int_equal(number_from("SELECT count(*) FROM saved"), 2);
	assert_int_equal(number_from("SELECT count(*) FROM drains"), 2);
	assert_int_equal(number_from("SELECT count(*) FROM sqlite_master WHERE name = "
				     "'old_events'"),
			 0);
	assert_int_equal(number_from("SELECT count(*) FROM pragma_table_info('events') "
				     "WHERE name = 'hash'"),
			 version == 3);
	assert_int_equal(number_from("SELECT count(*) FROM sqlite_master WHERE name = "
				     "'lifetimes'"),
			 version == 3);
}

/* ---- tests ---- */

static void an_old_store_keeps_all_it_had(void **state)
{
	(void)state;
	run_sql(version_1);
	all_is_there();
	all_is_there();
	assert_int_equal(number_from("PRAGMA user_version"), 3);
}

/* The record of version 2 is chained already. */
static void a_store_of_version_2_keeps_all_it_had(void **state)
{
	(void)state;
	run_sql(version_1);
	store_close(open_store());
	run_sql("DROP TABLE lifetimes; ALTER TABLE saved DROP COLUMN peak; "
		"PRAGMA user_version=2;");
	all_is_there();
	assert_int_equal(number_from("PRAGMA user_version"), 3);
	assert_int_equal(number_from("SELECT count(*) FROM lifetimes"), 0);
}

/* A child opens it, with a write that fails or at which it dies; true if it was met. */
static bool open_with(int at, int fail_count, bool is_crash)
{
	enum { MET = 1 };
	int status;
	pid_t child;

	temp_folder_empty(&folder);
	run_sql(version_1);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (is_crash)
			failing_disk_crash(at, CHILD_CRASHED);
		else
			failing_disk_set(at, fail_count);
		left_open = store_open(folder.path, NULL);
		_exit(failing_disk.calls >= at ? MET : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) &&
		    (WEXITSTATUS(status) <= MET || WEXITSTATUS(status) == CHILD_CRASHED));
	is_of_a_whole_version();
	all_is_there();
	return WEXITSTATUS(status) != 0;
}

static int each_write(int fail_count, bool is_crash)
{
	int at = 1;

	while (open_with(at, fail_count, is_crash))
		at++;
	assert_true(at > 5);
	return at - 1;
}

static void every_write_that_fails_or_is_the_last_loses_nothing(void **state)
{
	int faults = each_write(1, false) + each_write(INT_MAX, false);
	int crashes = each_write(0, true);

	(void)state;
	survive_counts_add("test_migration", crashes, faults);
}

static void a_damaged_table_that_is_needed_is_refused(void **state)
{
	static const char *const tables[] = {"meta", "saved", "drains"};

	(void)state;
	for (int i = 0; i < 3; i++) {
		char *path = temp_folder_file(&folder, "poold.sqlite");
		char *sql =
			xasprintf("SELECT rootpage FROM sqlite_master WHERE name = '%s'",
				  tables[i]);
		struct err err = {0};
		int64_t page, size;
		FILE *file;

		temp_folder_empty(&folder);
		run_sql(version_1);
		store_close(open_store());
		page = number_from(sql);
		size = number_from("PRAGMA page_size");
		file = fopen(path, "r+b");
		assert_non_null(file);
		/* The pointers to the rows, beyond the page's own header. */
		assert_int_equal(fseek(file, (long)((page - 1) * size + 8), SEEK_SET), 0);
		assert_int_equal(fputs("\x77\x77\x77\x77", file) < 0, 0);
		assert_int_equal(fclose(file), 0);
		assert_null(store_open(folder.path, &err));
		assert_int_equal(err.code, ERR_STATE_DIR);
		assert_non_null(strstr(err.text, path));
		free(path);
		free(sql);
	}
}

static void of_the_ended_drains_the_newest_1000_are_kept(void **state)
{
	enum { KEPT = 1000, MORE = 5 };
	struct store *store = open_store();
	struct drain drain = {.services = json_array()};

	(void)state;
	for (int i = 0; i < KEPT + MORE; i++) {
		drain.is_ended = false;
		(void)snprintf(drain.id, sizeof(drain.id), "active%d", i);
		if (i < MORE)
			assert_int_equal(store_put_drain(store, &drain, NULL), 0);
		drain.is_ended = true;
		drain.ended_at.ms = 1000 + i;
		(void)snprintf(drain.id, sizeof(drain.id), "ended%d", i);
		assert_int_equal(store_put_drain(store, &drain, NULL), 0);
	}
	assert_int_equal(store_commit(store, NULL), 0);
	store_close(store);
	drain_done(&drain);
	assert_int_equal(
		number_from("SELECT count(*) FROM drains WHERE ended_at IS NULL"), MORE);
	assert_int_equal(number_from("SELECT count(*) FROM drains WHERE ended_at > 0"),
			 KEPT);
	assert_int_equal(number_from("SELECT min(ended_at) FROM drains"), 1000 + MORE);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_old_store_keeps_all_it_had),
		TEST(a_store_of_version_2_keeps_all_it_had),
		TEST(every_write_that_fails_or_is_the_last_loses_nothing),
		TEST(a_damaged_table_that_is_needed_is_refused),
		TEST(of_the_ended_drains_the_newest_1000_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
