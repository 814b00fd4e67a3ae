/*
 * The store: what was committed is there, what was not is not, and a file that is
 * not ours is refused.
 */
#include "buf.h"
#include "failing_disk.h"
#include "store/store.h"
#include "survive_counts.h"
#include "system/file.h"
#include "temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <sqlite3.h>

/* Of the process: what a child leaves open when it ends is no leak. */
static struct temp_folder folder;
static struct store *volatile store;

static const struct saved was = {.state = STATE_RUNNING,
				 .start_type = START_AUTOMATIC,
				 .delayed_auto_start = 1};

static void come_up(void)
{
	struct err err = {0};

	store = store_open(folder.path, &err);
	assert_string_equal(err.text, "");
}

static void commit(void)
{
	struct err err = {0};

	assert_int_equal(store_commit(store, &err), 0);
	assert_string_equal(err.text, "");
}

static int pass(void *arg, const char *service, const struct saved *saved)
{
	(void)arg;
	(void)service;
	(void)saved;
	return 0;
}

static int count_saved(void)
{
	return store_each_saved(store, pass, NULL, NULL);
}

static void reopen(void)
{
	store_close(store);
	come_up();
}

static int begin(void **state)
{
	(void)state;
	failing_disk_set(0, 0);
	if (temp_folder_make(&folder))
		return -1;
	come_up();
	return 0;
}

static int end(void **state)
{
	(void)state;
	failing_disk_set(0, 0);
	store_close(store);
	temp_folder_remove(&folder);
	return 0;
}

static void put(const char *service)
{
	assert_int_equal(store_put_saved(store, service, &was, NULL), 0);
}

static bool is_saved(struct store *from, const char *service)
{
	struct saved out;

	return store_get_saved(from, service, &out, NULL) == 1;
}

/* Runs SQL on the file behind the store's back; the first number of the last row.
 */
static int64_t run_sql(const char *sql)
{
	char *path = temp_folder_file(&folder, "poold.sqlite");
	sqlite3_stmt *statement;
	int64_t number = 0;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (const char *rest = sql; *rest;) {
		assert_int_equal(
			sqlite3_prepare_v2(db, rest, -1, &statement, &rest),
			SQLITE_OK);
		while (sqlite3_step(statement) == SQLITE_ROW)
			number = sqlite3_column_int64(statement, 0);
		assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
	}
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	free(path);
	return number;
}

/* ---- saved ---- */

static void saved_is_read_back_as_written(void **state)
{
	int count = 0;

	(void)state;
	for (unsigned run_state = 0; run_state < STATE_MISSING; run_state++)
		for (unsigned type = 0; type < START__COUNT; type++)
			for (unsigned flag = 0; flag <= 2; flag++) {
				const struct saved in = {
					.state = (enum service_state)run_state,
					.start_type = (enum start_type)type,
					.delayed_auto_start = flag,
					.was_out = flag == 1,
					.cut = count,
					.cutting = 2 * count,
				};
				struct saved out = {0};
				char name[16];

				(void)snprintf(name, sizeof(name), "S%d", count++);
				assert_int_equal(
					store_put_saved(store, name, &in, NULL), 0);
				assert_int_equal(
					store_get_saved(store, name, &out, NULL),
					1);
				assert_memory_equal(
					&out, &in, offsetof(struct saved, was_out));
				assert_int_equal(out.was_out, in.was_out);
				assert_int_equal(out.cut, in.cut);
				assert_int_equal(out.cutting, in.cutting);
			}
	commit();
	assert_int_equal(count_saved(), count);
}

static void saved_survives_a_reopen_and_is_deleted_for_good(void **state)
{
	(void)state;
	put("RTCSRV");
	commit();
	reopen();
	assert_true(is_saved(store, "RTCSRV"));
	assert_true(is_saved(store, "rtcsrv"));
	put("Rtcsrv");
	assert_int_equal(count_saved(), 1);
	assert_int_equal(store_delete_saved(store, "RTCSRV", NULL), 0);
	assert_int_equal(store_delete_saved(store, "OTHER", NULL), 0);
	commit();
	reopen();
	assert_int_equal(count_saved(), 0);
}

static void only_what_became_of_a_saved_one_is_overwritten(void **state)
{
	const struct saved later = {.state = STATE_PAUSED,
				    .start_type = START_MANUAL,
				    .was_out = true,
				    .out_type = START_MANUAL,
				    .cut = 3,
				    .cutting = 4};
	struct saved out;

	(void)state;
	put("RTCSRV");
	assert_int_equal(store_put_saved(store, "RTCSRV", &later, NULL), 0);
	assert_int_equal(store_get_saved(store, "RTCSRV", &out, NULL), 1);
	assert_memory_equal(&out, &was, offsetof(struct saved, was_out));
	assert_true(out.was_out);
	assert_int_equal(out.out_type, START_MANUAL);
	assert_int_equal(out.cut, 3);
	assert_int_equal(out.cutting, 4);
}

static void a_reader_sees_what_is_committed_and_cannot_write(void **state)
{
	struct store *reader = store_open_reader(folder.path, NULL, NULL);
	struct err err = {0};

	(void)state;
	assert_non_null(reader);
	assert_false(is_saved(reader, "A"));
	put("A");
	commit();
	put("B");
	assert_true(is_saved(reader, "A"));
	assert_false(is_saved(reader, "B"));
	assert_int_equal(store_put_saved(reader, "C", &was, &err), -1);
	assert_int_equal(err.code, ERR_STORE);
	store_close(reader);
	/* As after a crash. */
	reopen();
	assert_true(is_saved(store, "A"));
	assert_false(is_saved(store, "B"));
	commit();
}

/* A full disk makes SQLite give up the whole transaction. */
static void a_failed_commit_undoes_all_and_says_so(void **state)
{
	struct err err = {0};

	(void)state;
	run_sql("CREATE TRIGGER full BEFORE INSERT ON saved WHEN new.service = 'B' BEGIN "
		"SELECT raise(ROLLBACK, 'the disk is full'); END");
	put("A");
	assert_int_equal(store_put_saved(store, "B", &was, &err), -1);
	assert_non_null(strstr(err.text, "the disk is full"));
	err = (struct err){0};
	assert_int_equal(store_commit(store, &err), -1);
	assert_int_equal(err.code, ERR_STORE);
	assert_false(is_saved(store, "A"));

	/* The store goes on. */
	put("C");
	commit();
	assert_true(is_saved(store, "C"));
}

static void the_log_of_writes_shrinks_when_it_begins_anew(void **state)
{
	char *path = temp_folder_file(&folder, "poold.sqlite-wal");

	(void)state;
	for (int i = 0; i < 2000; i++) {
		put(i % 2 ? "A" : "B");
		assert_int_equal(store_touch(store, NULL), 0);
		commit();
	}
	assert_true(file_size(path) > 6 << 20);
	store_tidy(store, false);
	put("C");
	commit();
	assert_true(file_size(path) <= 3 << 20);
	free(path);
}

/* ---- failing disks and crashes ---- */

enum { HIT = 2, FLUSH_FAILED = 4, CRASHED = 70 };

/*
 * A child opens the store, writes and dies: at the given call that changes a file,
 * or at the end, with calls failing from that one on so many times.  Returns its
 * exit status: 1 if it failed, with HIT and FLUSH_FAILED.
 */
static int write_in_child(int at, int fail_count)
{
	struct event event = {.id = 1, .kind = "saved", .hash = chain_start};
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (fail_count)
			failing_disk_set(at, fail_count);
		else
			failing_disk_crash(at, CRASHED);
		store = store_open(folder.path, NULL);
		status = !store || store_put_saved(store, "B", &was, NULL) ||
			 store_add_event(store, &event, NULL) ||
			 store_commit(store, NULL);
		_exit(status + (failing_disk.calls >= at ? HIT : 0) +
		      (failing_disk.is_flush_failed ? FLUSH_FAILED : 0));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Everything or nothing of what the child wrote is there; everything if it said so,
 * and nothing if it said that.  After a flush that failed nobody knows. */
static void the_disk_keeps_what_was_said(int status)
{
	bool is_there = is_saved(store, "B");

	assert_int_equal(store_last_event(store, NULL), is_there);
	if (status == CRASHED)
		return;
	assert_true(status < 8);
	if (!(status & 1) || !(status & FLUSH_FAILED))
		assert_int_equal(is_there, !(status & 1));
}

/* Into a new file, or one that has "A". */
static int fail_each_write(int fail_count, bool is_new)
{
	int at = 0, status = HIT;

	while (status & HIT || status == CRASHED) {
		store_close(store);
		temp_folder_empty(&folder);
		if (!is_new) {
			come_up();
			put("A");
			commit();
			store_close(store);
		}
		store = NULL;
		status = write_in_child(++at, fail_count);
		come_up();
		assert_int_equal(is_saved(store, "A"), !is_new);
		the_disk_keeps_what_was_said(status);
	}
	assert_true(at > 3);
	return at - 1;
}

static void every_write_that_fails_or_is_the_last_loses_nothing(void **state)
{
	int crashes = 0, faults = 0;

	(void)state;
	for (int is_new = 0; is_new < 2; is_new++) {
		crashes += fail_each_write(0, is_new);
		faults += fail_each_write(1, is_new) +
			  fail_each_write(INT_MAX, is_new);
	}
	survive_counts_add("test_store", crashes, faults);
}

static void a_saved_state_that_is_not_known_is_an_error(void **state)
{
	struct err err = {0};
	struct saved out;

	(void)state;
	run_sql("INSERT INTO saved(service, state, start_type) VALUES('A', 'dancing', "
		"'manual')");
	assert_int_equal(store_get_saved(store, "A", &out, &err), -1);
	assert_int_equal(err.code, ERR_STORE);
}

/* ---- drains ---- */

static void put_drain(const char *id, int64_t created_at, int64_t ended_at)
{
	const struct drain_row row = {.id = id,
				      .owner = "ci@runner7",
				      .reason = "r",
				      .services = "[]",
				      .boot_id = "",
				      .on_deadline = "hold",
				      .until = "resume",
				      .created_at = created_at,
				      .ended_at = ended_at,
				      .ended_by = ended_at ? "me" : NULL};

	assert_int_equal(store_put_drain(store, &row, NULL), 0);
}

static int add_id(void *arg, const struct drain_row *row, struct err *err)
{
	(void)err;
	buf_printf(arg, "%s:%lld:%s ", row->id, (long long)row->ended_at,
		   row->ended_by ? row->ended_by : "");
	return 0;
}

/* "id:ended_at:ended_by " of each. */
static void drains_are(const char *id, int limit, const char *expected)
{
	struct buf found = {0};

	buf_puts(&found, "");
	assert_int_equal(store_each_drain(store, id, limit, add_id, &found, NULL),
			 0);
	assert_string_equal(found.text, expected);
	buf_done(&found);
}

static int refuse(void *arg, const struct drain_row *row, struct err *err)
{
	++*(int *)arg;
	return err_set(err, ERR_STORE, "'%s' is bad", row->id);
}

static void active_drains_come_oldest_first_and_ended_ones_by_id(void **state)
{
	struct err err = {0};
	int calls = 0;

	(void)state;
	put_drain("0later", 3000, 0);
	put_drain("over", 1000, 2000);
	put_drain("b", 2000, 0);
	put_drain("a", 2000, 0);
	drains_are(NULL, 4, "a:0: b:0: 0later:0: ");
	drains_are(NULL, 1, "a:0: ");
	drains_are("over", 1, "over:2000:me ");
	drains_are("other", 1, "");
	/* An id that is used again. */
	put_drain("over", 4000, 0);
	drains_are("over", 1, "over:0: ");
	commit();
	assert_int_equal(store_each_drain(store, NULL, 4, refuse, &calls, &err),
			 -1);
	assert_int_equal(calls, 1);
	assert_string_equal(err.text, "'a' is bad");
}

static void of_the_ended_drains_the_newest_1000_are_kept(void **state)
{
	enum { KEPT = 1000, MORE = 5 };

	(void)state;
	for (int i = 0; i < KEPT + MORE; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "active%d", i);
		if (i < MORE)
			put_drain(id, 1, 0);
		(void)snprintf(id, sizeof(id), "ended%d", i);
		put_drain(id, 1, 1000 + i);
	}
	commit();
	assert_int_equal(
		run_sql("SELECT count(*) FROM drains WHERE ended_at IS NULL"),
		MORE);
	assert_int_equal(run_sql("SELECT count(*) FROM drains WHERE ended_at > 0"),
			 KEPT);
	assert_int_equal(run_sql("SELECT min(ended_at) FROM drains"), 1000 + MORE);
}

/* The clock was set back: the one that ended last is not the oldest. */
static void the_last_one_to_end_is_kept_whatever_the_clock_says(void **state)
{
	enum { KEPT = 1000 };

	(void)state;
	put_drain("first", 1, 0);
	put_drain("last", 1, 0);
	for (int i = 0; i < KEPT; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "ended%d", i);
		put_drain(id, 1, 1000000 - i);
	}
	put_drain("first", 1, 7);
	put_drain("last", 1, 5);
	commit();
	drains_are("first", 1, "first:7:me ");
	drains_are("last", 1, "last:5:me ");
	drains_are("ended0", 1, "");
	drains_are("ended1", 1, "");
	drains_are("ended2", 1, "ended2:999998:me ");
}

static void lifetimes_written_last_are_kept_whatever_the_clock_says(void **state)
{
	enum { KEPT = 64 };
	char *text = NULL;

	(void)state;
	for (int i = 0; i < KEPT; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "S%d", i);
		assert_int_equal(store_put_lifetimes(store, name, "x",
						     (struct wall){1000000}, NULL),
				 0);
	}
	assert_int_equal(
		store_put_lifetimes(store, "rtcsrv", "old", (struct wall){9}, NULL),
		0);
	assert_int_equal(
		store_put_lifetimes(store, "RTCSRV", "new", (struct wall){5}, NULL),
		0);
	commit();
	assert_int_equal(store_get_lifetimes(store, "RtcSrv", &text, NULL), 1);
	assert_string_equal(text, "new");
	free(text);
}

/* ---- events ---- */

struct seen {
	int count;
	int64_t first, last;
	char *text; /* of the last one, all fields */
};

static void see(void *arg, const struct event *event)
{
	struct seen *seen = arg;

	if (!seen->count++)
		seen->first = event->id;
	seen->last = event->id;
	free(seen->text);
	seen->text = xasprintf(
		"%lld %s %s %s %s %s %s %s %s %s", (long long)event->time.ms,
		event->kind, event->service ? event->service : "-",
		event->who ? event->who : "-", event->from ? event->from : "-",
		event->why ? event->why : "-", event->text ? event->text : "-",
		event->before ? event->before : "-",
		event->after ? event->after : "-", event->hash);
}

static void events_are_read_back_as_written(void **state)
{
	const struct event full = {.id = 1,
				   .time = {1777624200250},
				   .kind = "drift",
				   .service = "RTCSRV",
				   .who = "poold",
				   .from = "::1",
				   .why = "kb1",
				   .text = "text",
				   .before = "{}",
				   .after = "{\"a\":1}",
				   .hash = "h1"},
			   sparse = {.id = 2,
				     .time = {5},
				     .kind = "start",
				     .hash = "h2"};
	char head[CHAIN_HASH_BYTES];
	struct seen seen = {0};
	int64_t id;

	(void)state;
	assert_int_equal(store_last_event(store, NULL), 0);
	assert_int_equal(store_get_head(store, &id, head, NULL), 0);
	assert_int_equal(id, 0);
	assert_string_equal(head, chain_start);
	assert_int_equal(store_add_event(store, &full, NULL), 0);
	commit();
	assert_int_equal(store_each_event(store, 0, 10, see, &seen, NULL), 0);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.text,
			    "1777624200250 drift RTCSRV poold ::1 kb1 text "
			    "{} {\"a\":1} h1");

	assert_int_equal(store_add_event(store, &sparse, NULL), 0);
	commit();
	assert_int_equal(store_each_event(store, seen.last, 10, see, &seen, NULL),
			 0);
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.text, "5 start - - - - - - - h2");
	assert_int_equal(store_get_head(store, &id, head, NULL), 0);
	assert_int_equal(id, 2);
	assert_string_equal(head, "h2");
	assert_int_equal(store_last_event(store, NULL), seen.last);
	free(seen.text);
}

/* Else the last one would not be on a page that has them all. */
static void a_page_of_events_is_of_one_moment(void **state)
{
	struct store *reader = store_open_reader(folder.path, NULL, NULL);
	struct event event = {.id = 1, .kind = "test", .hash = chain_start};
	struct seen seen = {0};

	(void)state;
	assert_int_equal(store_add_event(store, &event, NULL), 0);
	commit();
	assert_int_equal(store_begin_reading(reader, NULL), 0);
	assert_int_equal(store_each_event(reader, 0, 10, see, &seen, NULL), 0);
	event.id++;
	assert_int_equal(store_add_event(store, &event, NULL), 0);
	commit();
	assert_int_equal(store_last_event(reader, NULL), seen.last);
	store_end_reading(reader);
	assert_int_equal(store_last_event(reader, NULL), 2);
	free(seen.text);
	store_close(reader);
}

static void events_come_after_an_id_and_up_to_a_limit(void **state)
{
	struct seen seen = {0}, rest = {0}, none = {0};
	struct event event = {.kind = "test", .hash = chain_start};

	(void)state;
	while (event.id++ < 25)
		assert_int_equal(store_add_event(store, &event, NULL), 0);
	commit();
	assert_int_equal(store_each_event(store, 5, 10, see, &seen, NULL), 0);
	assert_int_equal(seen.count, 10);
	assert_int_equal(seen.first, 6);
	assert_int_equal(seen.last, 15);
	assert_int_equal(store_each_event(store, 20, 10, see, &rest, NULL), 0);
	assert_int_equal(rest.count, 5);
	assert_int_equal(store_each_event(store, 25, 10, see, &none, NULL), 0);
	assert_int_equal(none.count, 0);
	free(seen.text);
	free(rest.text);
}

/* ---- the log of writes ---- */

static off_t size_of_store(void)
{
	char *path = temp_folder_file(&folder, "poold.sqlite");
	struct stat info;

	assert_int_equal(stat(path, &info), 0);
	free(path);
	return info.st_size;
}

static void a_long_log_is_folded_in_when_nobody_waits(void **state)
{
	enum { EVENTS = 600 }; /* a page at least each */
	struct event event = {.kind = "test", .hash = chain_start};
	off_t before = size_of_store();

	(void)state;
	for (event.id = 1; event.id <= EVENTS; event.id++) {
		assert_int_equal(store_add_event(store, &event, NULL), 0);
		commit();
		store_tidy(store, true);
	}
	assert_int_equal(size_of_store(), before);
	store_tidy(store, false);
	assert_true(size_of_store() > before);
	assert_int_equal(store_last_event(store, NULL), EVENTS);
}

/* ---- opening ---- */

static void the_index_grows_from_start_to_start(void **state)
{
	int64_t before = 0, index = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(store_next_index(store, &index, NULL), 0);
		assert_true(index - before >= INT64_C(1) << 32);
		before = index;
		commit();
		reopen();
	}
}

/* Opening must fail with ERR_STATE_DIR, and say which file and `what`. */
static void is_refused(const char *what)
{
	struct err err = {0};

	assert_null(store_open(folder.path, &err));
	assert_int_equal(err.code, ERR_STATE_DIR);
	if (!strstr(err.text, folder.path) || !strstr(err.text, what))
		fail_msg("'%s' should name %s and '%s'", err.text, folder.path,
			 what);
}

static void go_down(void)
{
	store_close(store);
	store = NULL;
}

static void another_schema_is_refused_and_left_alone(void **state)
{
	static const struct {
		const char *sql, *what;
	} others[] = {
		{"PRAGMA user_version = 7",
		 "version is 7, but this poold knows only 3"},
		{"PRAGMA user_version = 2",
		 "version is 2, and this poold needs 3; end all"},
	};

	(void)state;
	put("RTCSRV");
	commit();
	go_down();
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		char *before, *after;

		(void)run_sql(others[i].sql);
		before = temp_folder_read(&folder, "poold.sqlite");
		is_refused(others[i].what);
		after = temp_folder_read(&folder, "poold.sqlite");
		assert_memory_equal(before, after, 4096);
		free(before);
		free(after);
	}
}

static void a_file_that_is_no_store_is_refused_and_left_alone(void **state)
{
	enum { SIZE_BYTES = 8192 };
	char garbage[SIZE_BYTES + 1], *after;

	(void)state;
	go_down();
	temp_folder_empty(&folder);
	memset(garbage, 'x', SIZE_BYTES);
	garbage[SIZE_BYTES] = '\0';
	assert_int_equal(temp_folder_write(&folder, "poold.sqlite", garbage), 0);
	is_refused("not a database");
	after = temp_folder_read(&folder, "poold.sqlite");
	assert_string_equal(after, garbage);
	free(after);
}

static void tables_of_something_else_are_refused(void **state)
{
	(void)state;
	go_down();
	(void)run_sql(
		"DROP TABLE meta; DROP TABLE saved; DROP TABLE drains; DROP TABLE "
		"events; CREATE TABLE saved(x); PRAGMA user_version = 0");
	is_refused("already exists");
}

static void a_damaged_table_that_is_needed_is_refused(void **state)
{
	static const char *const tables[] = {"meta", "saved", "drains"};

	(void)state;
	for (int i = 0; i < 3; i++) {
		char *path = temp_folder_file(&folder, "poold.sqlite");
		char *sql = xasprintf(
			"SELECT rootpage FROM sqlite_master WHERE name = '%s'",
			tables[i]);
		int64_t page, size;
		FILE *file;

		go_down();
		temp_folder_empty(&folder);
		come_up();
		put("A");
		put_drain("kb1", 1000, 0);
		commit();
		go_down();
		page = run_sql(sql);
		size = run_sql("PRAGMA page_size");
		file = fopen(path, "r+b");
		assert_non_null(file);
		/* The pointers to the rows, beyond the page's own header. */
		assert_int_equal(
			fseek(file, (long)((page - 1) * size + 8), SEEK_SET), 0);
		assert_int_equal(fputs("\x77\x77\x77\x77", file) < 0, 0);
		assert_int_equal(fclose(file), 0);
		is_refused("");
		free(path);
		free(sql);
	}
}

static void a_missing_directory_is_refused(void **state)
{
	char *path = temp_folder_file(&folder, "no/such");
	struct err err = {0};

	(void)state;
	assert_null(store_open(path, &err));
	assert_int_equal(err.code, ERR_STATE_DIR);
	assert_non_null(strstr(err.text, path));
	err = (struct err){0};
	assert_null(store_open_reader(path, NULL, &err));
	assert_int_equal(err.code, ERR_STATE_DIR);
	free(path);
}

static void a_directory_without_rights_is_refused(void **state)
{
	enum { NOBODY = 65534 };
	bool is_root = geteuid() == 0;

	(void)state;
	go_down();
	assert_int_equal(chmod(folder.path, 0000), 0);
	/* Root may do everything, so for a moment be somebody else. */
	assert_int_equal(is_root ? seteuid(NOBODY) : 0, 0);
	is_refused("cannot open");
	assert_int_equal(is_root ? seteuid(0) : 0, 0);
}

static void a_directory_in_place_of_the_file_is_refused(void **state)
{
	char *path = temp_folder_file(&folder, "poold.sqlite");

	(void)state;
	go_down();
	temp_folder_empty(&folder);
	assert_int_equal(mkdir(path, 0700), 0);
	is_refused("cannot open");
	assert_int_equal(rmdir(path), 0);
	free(path);
}

static int set_up(void **state)
{
	(void)state;
	failing_disk_install();
	return 0;
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(saved_is_read_back_as_written),
		TEST(saved_survives_a_reopen_and_is_deleted_for_good),
		TEST(only_what_became_of_a_saved_one_is_overwritten),
		TEST(a_reader_sees_what_is_committed_and_cannot_write),
		TEST(a_failed_commit_undoes_all_and_says_so),
		TEST(the_log_of_writes_shrinks_when_it_begins_anew),
		TEST(every_write_that_fails_or_is_the_last_loses_nothing),
		TEST(a_saved_state_that_is_not_known_is_an_error),
		TEST(active_drains_come_oldest_first_and_ended_ones_by_id),
		TEST(of_the_ended_drains_the_newest_1000_are_kept),
		TEST(the_last_one_to_end_is_kept_whatever_the_clock_says),
		TEST(lifetimes_written_last_are_kept_whatever_the_clock_says),
		TEST(events_are_read_back_as_written),
		TEST(a_page_of_events_is_of_one_moment),
		TEST(events_come_after_an_id_and_up_to_a_limit),
		TEST(a_long_log_is_folded_in_when_nobody_waits),
		TEST(the_index_grows_from_start_to_start),
		TEST(another_schema_is_refused_and_left_alone),
		TEST(a_file_that_is_no_store_is_refused_and_left_alone),
		TEST(tables_of_something_else_are_refused),
		TEST(a_damaged_table_that_is_needed_is_refused),
		TEST(a_missing_directory_is_refused),
		TEST(a_directory_without_rights_is_refused),
		TEST(a_directory_in_place_of_the_file_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
