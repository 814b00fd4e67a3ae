/*
 * poold is removed only if nobody needs it, also in the moment in which it stops.
 */
#include "mem.h"
#include "store/store.h"
#include "temp_folder.h"
#include "uninstall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct temp_folder folder;
static struct store *store;
static struct poold_config config;

static struct {
	bool is_hanging, cannot_start;
	void (*meanwhile)(void); /* while it stops */
	int stops, starts, uninstalls;
} service;

static int stop(struct err *err)
{
	service.stops++;
	if (service.is_hanging)
		return err_set(err, ERR_SCM_FAILED, "it hangs");
	if (service.meanwhile)
		service.meanwhile();
	return 0;
}

static int start(struct err *err)
{
	service.starts++;
	return service.cannot_start ? err_set(err, ERR_SCM_FAILED, "it is broken")
				    : 0;
}

static int remove_it(struct err *err)
{
	(void)err;
	service.uninstalls++;
	return 0;
}

static const struct uninstall_service ops = {stop, start, remove_it};

static void put_drain(void)
{
	const struct drain_row row = {.id = "kb1",
				      .owner = "alice",
				      .reason = "patch",
				      .services = "[]",
				      .boot_id = "boot",
				      .on_deadline = "hold",
				      .until = "resume",
				      .created_at = 1};

	assert_int_equal(store_put_drain(store, &row, NULL), 0);
	assert_int_equal(store_commit(store, NULL), 0);
}

static void put_saved(void)
{
	const struct saved saved = {.state = STATE_RUNNING,
				    .start_type = START_AUTOMATIC};

	assert_int_equal(store_put_saved(store, "SVC", &saved, NULL), 0);
	assert_int_equal(store_commit(store, NULL), 0);
}

static void begin(void)
{
	temp_folder_empty(&folder);
	store = store_open(folder.path, NULL);
	assert_non_null(store);
	memset(&service, 0, sizeof(service));
}

static void end(void)
{
	store_close(store);
}

static struct err uninstalled(int expected)
{
	struct err err = {0};

	assert_int_equal(uninstall(&config, &ops, &err), expected);
	return err;
}

static void one_that_nobody_needs_is_stopped_and_removed(void **state)
{
	(void)state;
	begin();
	(void)uninstalled(0);
	assert_true(service.stops == 1 && service.uninstalls == 1);
	end();
	temp_folder_empty(&folder);
	(void)uninstalled(0);
}

static void (*const needs[])(void) = {put_drain, put_saved};
static const char *const texts[] = {"drains are active (kb1)", "what is out (SVC)"};

static void one_that_is_needed_is_not_stopped(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct err err;

		begin();
		needs[i]();
		err = uninstalled(-1);
		assert_int_equal(err.code, ERR_HELD);
		assert_non_null(strstr(err.text, texts[i]));
		assert_int_equal(service.stops, 0);
		end();
	}
}

static void a_drain_that_comes_while_it_stops_keeps_it(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct err err;

		begin();
		service.meanwhile = needs[i % 2];
		service.cannot_start = i / 2;
		err = uninstalled(-1);
		assert_int_equal(err.code, ERR_HELD);
		assert_non_null(strstr(err.text, texts[i % 2]));
		assert_true(service.starts == 1 && service.uninstalls == 0);
		assert_int_equal(!!strstr(err.text, "must be started"), i / 2);
		end();
	}
}

static void one_that_does_not_stop_stays_installed(void **state)
{
	struct err err;

	(void)state;
	begin();
	service.is_hanging = true;
	err = uninstalled(-1);
	assert_int_equal(err_info(err.code)->exit_status, 9);
	assert_true(service.starts == 0 && service.uninstalls == 0);
	end();
}

static int make_folder(void **state)
{
	(void)state;
	if (temp_folder_make(&folder))
		return -1;
	config.state_dir = folder.path;
	config.server = xstrdup("frontend01");
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	free(config.server);
	temp_folder_remove(&folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_nobody_needs_is_stopped_and_removed),
		cmocka_unit_test(one_that_is_needed_is_not_stopped),
		cmocka_unit_test(a_drain_that_comes_while_it_stops_keeps_it),
		cmocka_unit_test(one_that_does_not_stop_stays_installed),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
