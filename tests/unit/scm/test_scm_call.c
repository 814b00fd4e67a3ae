/*
 * A call to the SCM that blocks, on a thread of its own: its result, and its end.
 */
#include "clock.h"
#include "scm/scm_call.h"
#include "system/waker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT_MS = 20000 };

static struct waker *is_answering; /* the service */
static struct waker *is_told;      /* the caller */
static atomic_int told, made;

static int succeed(struct scm *scm, const char *service, struct err *err)
{
	(void)err;
	assert_null(scm);
	assert_string_equal(service, "RTCSRV");
	made++;
	return 0;
}

static int hang(struct scm *scm, const char *service, struct err *err)
{
	(void)scm;
	waker_wait(is_answering, LIMIT_MS);
	made++;
	return err_set_os(err, ERR_SCM_FAILED, 1053, "cannot pause %s", service);
}

static void tell(void *arg)
{
	assert_ptr_equal(arg, &told);
	told++;
	waker_wake(is_told);
}

/* Its name is not kept by who asks. */
static struct scm_call *begin(int (*make)(struct scm *, const char *, struct err *))
{
	char service[] = "RTCSRV";
	struct scm_call *call = scm_call_begin(&(struct scm_call_order){
		.service = service, .make = make, .returned = tell, .arg = &told});

	memset(service, 'x', strlen(service));
	assert_non_null(call);
	return call;
}

static void a_call_returns_what_came_of_it(void **state)
{
	struct scm_call *call = begin(succeed);
	struct err err = {0};

	(void)state;
	assert_true(scm_call_wait(call, LIMIT_MS));
	assert_int_equal(told, 1);
	assert_int_equal(scm_call_end(call, &err), 0);
	assert_int_equal(err.code, ERR_NONE);
}

static void one_that_hangs_is_waited_for_no_longer_than_asked(void **state)
{
	struct scm_call *call = begin(hang);
	struct mono began = clock_mono();
	struct err err = {0};

	(void)state;
	assert_false(scm_call_wait(call, 0));
	assert_false(scm_call_wait(call, -5));
	assert_false(scm_call_wait(call, 50));
	assert_true(clock_since(began, clock_mono()) >= 50);
	assert_int_equal(told, 0);
	waker_wake(is_answering);
	/* Whoever is told finds it over. */
	waker_wait(is_told, LIMIT_MS);
	assert_true(scm_call_wait(call, 0));
	assert_int_equal(scm_call_end(call, &err), -1);
	assert_int_equal(err.code, ERR_SCM_FAILED);
	assert_string_equal(err.text, "cannot pause RTCSRV (error 1053)");
}

static void one_that_is_left_behind_tells_nobody(void **state)
{
	struct mono began = clock_mono();
	struct waker *nobody_wakes = waker_new();

	(void)state;
	assert_true(scm_call_leave(begin(hang)));
	assert_int_equal(made, 0);
	waker_wake(is_answering);
	while (!made && clock_since(began, clock_mono()) < LIMIT_MS)
		waker_wait(nobody_wakes, 1);
	waker_wait(nobody_wakes, 50);
	assert_int_equal(made, 1);
	assert_int_equal(told, 0);
	waker_free(nobody_wakes);
}

static void one_that_is_over_is_not_left_behind(void **state)
{
	struct scm_call *call = begin(succeed);

	(void)state;
	assert_true(scm_call_wait(call, LIMIT_MS));
	assert_false(scm_call_leave(call));
	assert_false(scm_call_leave(NULL));
}

static int set_up(void **state)
{
	(void)state;
	told = made = 0;
	is_answering = waker_new();
	is_told = waker_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	waker_free(is_answering);
	waker_free(is_told);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_returns_what_came_of_it),
		TEST(one_that_hangs_is_waited_for_no_longer_than_asked),
		TEST(one_that_is_over_is_not_left_behind),
		TEST(one_that_is_left_behind_tells_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
