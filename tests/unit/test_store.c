/*
 * The store: what was committed is there, what was not is not, and a file that is not
 * ours is refused.
 */
#include "failing_disk.h"
#include "store.h"
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

static const struct saved was = {.state = STATE_RUNNING,
				 .start_type = START_AUTOMATIC,
				 .delayed_auto_start = SCM_FLAG_YES};

static int make_folder(void **state)
{
	static struct temp_folder folder;

	*state = &folder;
	return temp_folder_make(&folder);
}

static int remove_folder(void **state)
{
	temp_folder_remove(*state);
	return 0;
}

static struct store *open_store(void **state)
{
	const struct temp_folder *folder = *state;
	struct err err = {0};
	struct store *store = store_open(folder->path, &err);

	assert_string_equal(err.text, "");
	assert_non_null(store);
	return store;
}

static void commit(struct store *store)
{
	struct err err = {0};

	assert_int_equal(store_commit(store, &err), 0);
	assert_string_equal(err.text, "");
}

/* Runs SQL on the file behind the store's back. */
static void run_sql(void **state, const char *sql)
{
	char *path = temp_folder_file(*state, "poold.sqlite");
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	free(path);
}

/* ---- saved ---- */

static void saved_is_read_back_as_written(void **state)
{
	struct store *store = open_store(state);
	int count = 0;

	for (int run_state = 0; run_state < STATE_MISSING; run_state++)
		for (int type = 0; type < START__COUNT; type++)
			for (int flag = 0; flag <= SCM_FLAG_UNSUPPORTED; flag++) {
				const struct saved in = {
					.state = (enum service_state)run_state,
					.start_type = (enum start_type)type,
					.delayed_auto_start = (enum scm_flag)flag,
					.is_held = flag == SCM_FLAG_YES,
					.cut = count,
					.cutting = 2 * count,
				};
				struct saved out = {0};
				char name[16];

				(void)snprintf(name, sizeof(name), "S%d", count++);
				assert_int_equal(store_put_saved(store, name, &in, NULL),
						 0);
				commit(store);
				assert_int_equal(store_get_saved(store, name, &out, NULL),
						 1);
				assert_int_equal(out.state, in.state);
				assert_int_equal(out.start_type, in.start_type);
				assert_int_equal(out.delayed_auto_start,
						 in.delayed_auto_start);
				assert_int_equal(out.is_held, in.is_held);
				assert_int_equal(out.cut, in.cut);
				assert_int_equal(out.cutting, in.cutting);
			}
	assert_int_equal(store_count_saved(store, NULL), count);
	store_close(store);
}

static void saved_survives_a_reopen_and_is_deleted_for_good(void **state)
{
	struct store *store = open_store(state);
	struct saved out;

	assert_int_equal(store_put_saved(store, "RTCSRV", &was, NULL), 0);
	commit(store);
	store_close(store);

	store = open_store(state);
	assert_int_equal(store_get_saved(store, "RTCSRV", &out, NULL), 1);
	assert_int_equal(store_get_saved(store, "rtcsrv", &out, NULL), 0);
	assert_int_equal(store_delete_saved(store, "RTCSRV", NULL), 0);
	assert_int_equal(store_delete_saved(store, "OTHER", NULL), 0);
	commit(store);
	store_close(store);

	store = open_store(state);
	assert_int_equal(store_get_saved(store, "RTCSRV", &out, NULL), 0);
	assert_int_equal(store_count_saved(store, NULL), 0);
	store_close(store);
}

static void only_what_became_of_a_saved_one_is_overwritten(void **state)
{
	const struct saved later = {.state = STATE_PAUSED,
				    .start_type = START_MANUAL,
				    .delayed_auto_start = SCM_FLAG_NO,
				    .is_held = true,
				    .cut = 3,
				    .cutting = 4};
	struct store *store = open_store(state);
	struct saved out;

	assert_int_equal(store_put_saved(store, "RTCSRV", &was, NULL), 0);
	commit(store);
	assert_int_equal(store_put_saved(store, "RTCSRV", &later, NULL), 0);
	commit(store);
	assert_int_equal(store_get_saved(store, "RTCSRV", &out, NULL), 1);
	assert_int_equal(out.state, STATE_RUNNING);
	assert_int_equal(out.start_type, START_AUTOMATIC);
	assert_int_equal(out.delayed_auto_start, SCM_FLAG_YES);
	assert_true(out.is_held);
	assert_int_equal(out.cut, 3);
	assert_int_equal(out.cutting, 4);
	store_close(store);
}

static void what_was_not_committed_is_not_there_after_a_crash(void **state)
{
	const struct temp_folder *folder = *state;
	struct store *store = open_store(state), *reader;
	struct saved out;

	assert_int_equal(store_put_saved(store, "A", &was, NULL), 0);
	commit(store);
	assert_int_equal(store_put_saved(store, "B", &was, NULL), 0);
	reader = store_open_reader(folder->path, NULL);
	assert_non_null(reader);
	assert_int_equal(store_get_saved(reader, "A", &out, NULL), 1);
	assert_int_equal(store_get_saved(reader, "B", &out, NULL), 0);
	store_close(reader);
	store_close(store);

	store = open_store(state);
	assert_int_equal(store_get_saved(store, "A", &out, NULL), 1);
	assert_int_equal(store_get_saved(store, "B", &out, NULL), 0);
	store_close(store);
}

static void a_reader_sees_what_is_committed_later(void **state)
{
	const struct temp_folder *folder = *state;
	struct store *store = open_store(state);
	struct store *reader = store_open_reader(folder->path, NULL);
	struct saved out;

	assert_non_null(reader);
	assert_int_equal(store_get_saved(reader, "A", &out, NULL), 0);
	assert_int_equal(store_put_saved(store, "A", &was, NULL), 0);
	commit(store);
	assert_int_equal(store_get_saved(reader, "A", &out, NULL), 1);
	store_close(reader);
	store_close(store);
}

static void a_reader_cannot_write(void **state)
{
	const struct temp_folder *folder = *state;
	struct err err = {0};
	struct store *reader;

	store_close(open_store(state));
	reader = store_open_reader(folder->path, NULL);
	assert_int_equal(store_put_saved(reader, "A", &was, &err), -1);
	assert_int_equal(err.code, ERR_STORE);
	store_close(reader);
}

static void a_commit_of_nothing_succeeds(void **state)
{
	struct store *store = open_store(state);

	commit(store);
	commit(store);
	store_close(store);
}

/* A full disk makes SQLite give up the whole transaction. */
static void a_failed_commit_undoes_all_and_says_so(void **state)
{
	struct store *store = open_store(state);
	struct err err = {0};
	struct saved out;

	run_sql(state,
		"CREATE TRIGGER full BEFORE INSERT ON saved WHEN new.service = 'B' "
		"BEGIN SELECT raise(ROLLBACK, 'the disk is full'); END");
	assert_int_equal(store_put_saved(store, "A", &was, NULL), 0);
	assert_int_equal(store_put_saved(store, "B", &was, &err), -1);
	assert_non_null(strstr(err.text, "the disk is full"));
	err = (struct err){0};
	assert_int_equal(store_commit(store, &err), -1);
	assert_int_equal(err.code, ERR_STORE);
	assert_int_equal(store_get_saved(store, "A", &out, NULL), 0);

	/* The store goes on. */
	assert_int_equal(store_put_saved(store, "C", &was, NULL), 0);
	commit(store);
	assert_int_equal(store_get_saved(store, "C", &out, NULL), 1);
	store_close(store);
}

/* What a child leaves open when it ends is no leak. */
static struct store *volatile left_open;

/* What a child that crashed afterwards said of its work. */
enum outcome { DONE, FAILED };

/* The saved of "B" is there if it was said to be, and only then; "A" is always there.
 * After a flush that failed nobody knows, but it is all there or nothing. */
static void the_disk_keeps_what_was_said(void **state, enum outcome outcome,
					 bool is_known)
{
	struct store *store = open_store(state);
	struct saved out;
	int got;

	assert_int_equal(store_get_saved(store, "A", &out, NULL), 1);
	got = store_get_saved(store, "B", &out, NULL);
	assert_int_equal(store_last_event(store, NULL), got);
	if (is_known || outcome == DONE)
		assert_int_equal(got, outcome == DONE);
	store_close(store);
}

/* Opens, writes and crashes; returns only in the parent. */
static enum outcome write_and_crash(void **state, int fail_at, bool is_lasting,
				    bool *is_hit, bool *is_known)
{
	enum { HIT = 2, FLUSH = 4, BEYOND = 8 };
	const struct temp_folder *folder = *state;
	struct event event = {.id = 1, .kind = "saved", .hash = chain_start};
	struct store *store;
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		failing_disk_install();
		failing_disk_set(fail_at, is_lasting ? INT_MAX : 1);
		store = left_open = store_open(folder->path, NULL);
		status = !store || store_put_saved(store, "B", &was, NULL) ||
					 store_add_event(store, &event, NULL) ||
					 store_commit(store, NULL)
				 ? FAILED
				 : DONE;
		_exit(status + (failing_disk.calls >= fail_at ? HIT : 0) +
		      (failing_disk.is_flush_failed ? FLUSH : 0));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < BEYOND);
	*is_hit = WEXITSTATUS(status) & HIT;
	*is_known = !(WEXITSTATUS(status) & FLUSH);
	return (enum outcome)(WEXITSTATUS(status) & 1);
}

static void fail_every_write(void **state, bool is_lasting)
{
	bool is_hit = true, is_known;
	int fail_at = 0;

	while (is_hit) {
		enum outcome outcome;
		struct store *store;

		temp_folder_empty(*state);
		store = open_store(state);
		assert_int_equal(store_put_saved(store, "A", &was, NULL), 0);
		commit(store);
		store_close(store);
		fail_at++;
		outcome = write_and_crash(state, fail_at, is_lasting, &is_hit, &is_known);
		the_disk_keeps_what_was_said(state, outcome, is_known);
	}
	assert_true(fail_at > 3);
}

static void every_failing_write_loses_nothing_that_was_said_to_be_safe(void **state)
{
	fail_every_write(state, false);
	fail_every_write(state, true);
}

static void a_saved_state_that_is_not_known_is_an_error(void **state)
{
	struct store *store = open_store(state);
	struct err err = {0};
	struct saved out;

	run_sql(state, "INSERT INTO saved(service, state, start_type) VALUES('A', "
		       "'dancing', 'manual')");
	assert_int_equal(store_get_saved(store, "A", &out, &err), -1);
	assert_int_equal(err.code, ERR_STORE);
	store_close(store);
}

/* ---- drains ---- */

static struct drain new_drain(const char *id, int64_t created_ms)
{
	struct drain drain = {.created_at = {created_ms}};

	copy_text(drain.id, sizeof(drain.id), id);
	copy_text(drain.owner, sizeof(drain.owner), "ci@runner7");
	copy_text(drain.reason, sizeof(drain.reason), "Überraschung 'quoted' \"twice\"");
	drain.services = json_pack("[ss]", "RTCSRV", "RTCIM'--");
	return drain;
}

static void put_drain(struct store *store, const char *id, int64_t created_ms,
		      int64_t ended_ms)
{
	struct drain drain = new_drain(id, created_ms);

	drain.is_ended = ended_ms != 0;
	drain.ended_at.ms = ended_ms;
	assert_int_equal(store_put_drain(store, &drain, NULL), 0);
	drain_done(&drain);
}

static void a_drain_is_read_back_as_written(void **state)
{
	struct drain in = new_drain("kb5031364", 1777624200250), out;
	struct store *store = open_store(state);

	assert_int_equal(store_put_drain(store, &in, NULL), 0);
	commit(store);
	store_close(store);

	store = open_store(state);
	assert_int_equal(store_get_drain(store, "kb5031364", &out, NULL), 1);
	assert_string_equal(out.id, in.id);
	assert_string_equal(out.owner, in.owner);
	assert_string_equal(out.reason, in.reason);
	assert_true(json_equal(out.services, in.services));
	assert_false(out.is_ended);
	assert_int_equal(out.created_at.ms, in.created_at.ms);
	drain_done(&out);
	assert_int_equal(store_get_drain(store, "other", &out, NULL), 0);
	drain_done(&in);
	store_close(store);
}

static void ended_drains_are_kept_and_no_longer_active(void **state)
{
	struct store *store = open_store(state);
	struct drain drains[4], one;

	put_drain(store, "0later", 3000, 0);
	put_drain(store, "over", 1000, 2000);
	put_drain(store, "b", 2000, 0);
	put_drain(store, "a", 2000, 0);
	commit(store);
	assert_int_equal(store_get_active_drains(store, drains, 4, NULL), 3);
	assert_string_equal(drains[0].id, "a");
	assert_string_equal(drains[1].id, "b");
	assert_string_equal(drains[2].id, "0later");
	for (int i = 0; i < 3; i++)
		drain_done(&drains[i]);
	assert_int_equal(store_get_active_drains(store, drains, 1, NULL), 1);
	drain_done(&drains[0]);
	assert_int_equal(store_get_drain(store, "over", &one, NULL), 1);
	assert_true(one.is_ended);
	assert_int_equal(one.ended_at.ms, 2000);
	drain_done(&one);
	store_close(store);
}

static void an_id_that_is_used_again_replaces_the_ended_one(void **state)
{
	struct store *store = open_store(state);
	struct drain drains[2];

	put_drain(store, "x", 1000, 2000);
	commit(store);
	put_drain(store, "x", 3000, 0);
	commit(store);
	assert_int_equal(store_get_active_drains(store, drains, 2, NULL), 1);
	assert_int_equal(drains[0].created_at.ms, 3000);
	assert_false(drains[0].is_ended);
	drain_done(&drains[0]);
	store_close(store);
}

static void a_drain_that_cannot_be_read_is_an_error(void **state)
{
	struct store *store = open_store(state);
	struct drain drains[2];
	struct err err = {0};

	put_drain(store, "good", 1000, 0);
	commit(store);
	run_sql(state, "INSERT INTO drains(id, owner, reason, services, created_at) "
		       "VALUES('bad', 'o', 'r', '{\"', 2000)");
	assert_int_equal(store_get_active_drains(store, drains, 2, &err), -1);
	assert_int_equal(err.code, ERR_STORE);
	assert_non_null(strstr(err.text, "'bad'"));
	store_close(store);
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
		"%lld %s %s %s %s %s %s %s %s %s", (long long)event->time.ms, event->kind,
		event->service ? event->service : "-", event->who ? event->who : "-",
		event->from ? event->from : "-", event->why ? event->why : "-",
		event->text ? event->text : "-", event->before ? event->before : "-",
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
			   sparse = {.id = 2, .time = {5}, .kind = "start", .hash = "h2"};
	char head[CHAIN_HASH_BYTES];
	int64_t id;
	struct store *store = open_store(state);
	struct seen seen = {0};

	assert_int_equal(store_last_event(store, NULL), 0);
	assert_int_equal(store_get_head(store, &id, head, NULL), 0);
	assert_int_equal(id, 0);
	assert_string_equal(head, chain_start);
	assert_int_equal(store_add_event(store, &full, NULL), 0);
	commit(store);
	assert_int_equal(store_each_event(store, 0, 10, see, &seen, NULL), 0);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.text, "1777624200250 drift RTCSRV poold ::1 kb1 text "
				       "{} {\"a\":1} h1");

	assert_int_equal(store_add_event(store, &sparse, NULL), 0);
	commit(store);
	assert_int_equal(store_each_event(store, seen.last, 10, see, &seen, NULL), 0);
	assert_int_equal(seen.count, 2);
	assert_string_equal(seen.text, "5 start - - - - - - - h2");
	assert_int_equal(store_get_head(store, &id, head, NULL), 0);
	assert_int_equal(id, 2);
	assert_string_equal(head, "h2");
	assert_int_equal(store_last_event(store, NULL), seen.last);
	free(seen.text);
	store_close(store);
}

static void events_come_after_an_id_and_up_to_a_limit(void **state)
{
	struct store *store = open_store(state);
	struct seen seen = {0}, rest = {0}, none = {0};
	struct event event = {.kind = "test", .hash = chain_start};

	while (event.id++ < 25)
		assert_int_equal(store_add_event(store, &event, NULL), 0);
	commit(store);
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
	store_close(store);
}

/* ---- the log of writes ---- */

static off_t size_of_store(void **state)
{
	char *path = temp_folder_file(*state, "poold.sqlite");
	struct stat info;

	assert_int_equal(stat(path, &info), 0);
	free(path);
	return info.st_size;
}

static void a_long_log_is_folded_in_when_nobody_waits(void **state)
{
	enum { EVENTS = 600 }; /* a page at least each */
	struct store *store = open_store(state);
	off_t before = size_of_store(state);
	struct event event = {.kind = "test", .hash = chain_start};

	for (event.id = 1; event.id <= EVENTS; event.id++) {
		assert_int_equal(store_add_event(store, &event, NULL), 0);
		commit(store);
		store_tidy(store, true);
	}
	assert_int_equal(size_of_store(state), before);
	store_tidy(store, false);
	assert_true(size_of_store(state) > before);
	assert_int_equal(store_last_event(store, NULL), EVENTS);
	store_close(store);
}

/* ---- opening ---- */

static void the_index_grows_from_start_to_start(void **state)
{
	int64_t before = 0, index = 0;

	for (int i = 0; i < 3; i++) {
		struct store *store = open_store(state);

		assert_int_equal(store_next_index(store, &index, NULL), 0);
		assert_true(index - before >= INT64_C(1) << 32);
		before = index;
		commit(store);
		store_close(store);
	}
}

/* Opening must fail with ERR_STATE_DIR, and say which file and `what`. */
static void is_refused(void **state, const char *what)
{
	const struct temp_folder *folder = *state;
	struct err err = {0};

	assert_null(store_open(folder->path, &err));
	assert_int_equal(err.code, ERR_STATE_DIR);
	if (!strstr(err.text, folder->path) || !strstr(err.text, what))
		fail_msg("'%s' should name %s and '%s'", err.text, folder->path, what);
}

static void a_newer_schema_is_refused_and_left_alone(void **state)
{
	struct store *store = open_store(state);
	char *before, *after;

	assert_int_equal(store_put_saved(store, "RTCSRV", &was, NULL), 0);
	commit(store);
	store_close(store);
	run_sql(state, "PRAGMA user_version = 7");
	before = temp_folder_read(*state, "poold.sqlite");
	is_refused(state, "schema version 7 and this poold knows 3");
	after = temp_folder_read(*state, "poold.sqlite");
	assert_memory_equal(before, after, 4096);
	free(before);
	free(after);
}

static void a_file_that_is_no_store_is_refused_and_left_alone(void **state)
{
	enum { SIZE_BYTES = 8192 };
	char garbage[SIZE_BYTES + 1], *after;

	memset(garbage, 'x', SIZE_BYTES);
	garbage[SIZE_BYTES] = '\0';
	assert_int_equal(temp_folder_write(*state, "poold.sqlite", garbage), 0);
	is_refused(state, "not a database");
	after = temp_folder_read(*state, "poold.sqlite");
	assert_string_equal(after, garbage);
	free(after);
}

static void a_damaged_store_is_refused(void **state)
{
	store_close(open_store(state));
	run_sql(state, "DROP TABLE meta; DROP TABLE saved; DROP TABLE drains; DROP TABLE "
		       "events; CREATE TABLE saved(x); PRAGMA user_version = 0");
	is_refused(state, "already exists");
}

static void a_missing_directory_is_refused(void **state)
{
	const struct temp_folder *folder = *state;
	char *path = temp_folder_file(folder, "no/such");
	struct err err = {0};

	assert_null(store_open(path, &err));
	assert_int_equal(err.code, ERR_STATE_DIR);
	assert_non_null(strstr(err.text, path));
	err = (struct err){0};
	assert_null(store_open_reader(path, &err));
	assert_int_equal(err.code, ERR_STATE_DIR);
	free(path);
}

static void a_directory_without_rights_is_refused(void **state)
{
	enum { NOBODY = 65534 };
	const struct temp_folder *folder = *state;
	bool is_root = geteuid() == 0;

	assert_int_equal(chmod(folder->path, 0000), 0);
	/* Root may do everything, so for a moment be somebody else. */
	assert_int_equal(is_root ? seteuid(NOBODY) : 0, 0);
	is_refused(state, "cannot open");
	assert_int_equal(is_root ? seteuid(0) : 0, 0);
}

static void a_directory_in_place_of_the_file_is_refused(void **state)
{
	char *path = temp_folder_file(*state, "poold.sqlite");

	assert_int_equal(mkdir(path, 0700), 0);
	is_refused(state, "cannot open");
	assert_int_equal(rmdir(path), 0);
	free(path);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(saved_is_read_back_as_written),
		STORE_TEST(saved_survives_a_reopen_and_is_deleted_for_good),
		STORE_TEST(only_what_became_of_a_saved_one_is_overwritten),
		STORE_TEST(what_was_not_committed_is_not_there_after_a_crash),
		STORE_TEST(a_reader_sees_what_is_committed_later),
		STORE_TEST(a_reader_cannot_write),
		STORE_TEST(a_commit_of_nothing_succeeds),
		STORE_TEST(a_failed_commit_undoes_all_and_says_so),
		STORE_TEST(every_failing_write_loses_nothing_that_was_said_to_be_safe),
		STORE_TEST(a_saved_state_that_is_not_known_is_an_error),
		STORE_TEST(a_drain_is_read_back_as_written),
		STORE_TEST(ended_drains_are_kept_and_no_longer_active),
		STORE_TEST(an_id_that_is_used_again_replaces_the_ended_one),
		STORE_TEST(a_drain_that_cannot_be_read_is_an_error),
		STORE_TEST(events_are_read_back_as_written),
		STORE_TEST(events_come_after_an_id_and_up_to_a_limit),
		STORE_TEST(a_long_log_is_folded_in_when_nobody_waits),
		STORE_TEST(the_index_grows_from_start_to_start),
		STORE_TEST(a_newer_schema_is_refused_and_left_alone),
		STORE_TEST(a_file_that_is_no_store_is_refused_and_left_alone),
		STORE_TEST(a_damaged_store_is_refused),
		STORE_TEST(a_missing_directory_is_refused),
		STORE_TEST(a_directory_without_rights_is_refused),
		STORE_TEST(a_directory_in_place_of_the_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
