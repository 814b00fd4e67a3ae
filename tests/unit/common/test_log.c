/*
 * The log: a pipe that nobody reads holds nobody, what was lost is counted, a
 * client cannot fill it, and a file is one handle that is rotated.
 */
#include "buf.h"
#include "mem.h"
#include "system/rate.h"
#include "system/file.h"
#include "system/log.h"
#include "temp_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <fcntl.h>

enum { PIPE_BYTES = 4096, MORE_THAN_WAIT = 1500, LONG_MS = 20000 };

static struct temp_folder folder;

/* Standard error is a pipe that is full; returns the end to read from. */
static int fill_stderr(int *kept)
{
	static char bytes[PIPE_BYTES];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	(void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES);
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(write(ends[1], bytes, PIPE_BYTES), PIPE_BYTES);
	*kept = dup(STDERR_FILENO);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	return ends[0];
}

/* Reads on until the text is there. */
static void reads(int from, const char *text, struct buf *got)
{
	char bytes[PIPE_BYTES];
	ssize_t count;

	while (!got->text || !strstr(got->text, text)) {
		count = read(from, bytes, sizeof(bytes));
		assert_true(count > 0);
		buf_add(got, bytes, (size_t)count);
	}
}

/* The sum of what the log says was lost: it may say so twice. */
static long count_lost(const char *text)
{
	const char *digits, *lost = text;
	long sum = 0;

	while ((lost = strstr(lost, " lines were lost"))) {
		for (digits = lost; digits[-1] != ' ';)
			digits--;
		sum += strtol(digits, NULL, 10);
		lost++;
	}
	return sum;
}

static void a_pipe_that_nobody_reads_holds_nobody_and_losses_are_counted(
	void **state)
{
	struct buf got = {0};
	int kept, from = fill_stderr(&kept);

	(void)state;
	log_start();
	for (int i = 0; i < MORE_THAN_WAIT; i++)
		log_info("line %d", i);
	log_stop(50);
	assert_true(log_is_stuck());
	reads(from, "line 1000\n", &got);
	/* 1,024 wait, and one is being written. */
	assert_in_range(count_lost(got.text), MORE_THAN_WAIT - 1025,
			MORE_THAN_WAIT - 1024);
	log_stop(LONG_MS);
	assert_false(log_is_stuck());
	assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
	close(kept);
	close(from);
	buf_done(&got);
}

static char *read_log(const char *name)
{
	char *path = temp_folder_file(&folder, name), *text = NULL;
	size_t length;

	assert_int_equal(
		file_read(path, 32 << 20, ERR_STATE_DIR, &text, &length, NULL), 0);
	free(path);
	return text;
}

static void a_client_cannot_fill_the_log(void **state)
{
	char *path = temp_folder_file(&folder, "requests.log"), *text;
	int lines = 0;

	(void)state;
	assert_int_equal(log_to_file(path, NULL), 0);
	for (int i = 0; i < 5000; i++)
		log_request("request %d", i);
	log_info("last");
	text = read_log("requests.log");
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	/* More than a few only if that took long. */
	assert_in_range(lines, 61, 100);
	assert_non_null(strstr(text, "last"));
	free(text);
	free(path);
}

static void a_file_is_rotated_and_two_stay_under_16_mib(void **state)
{
	char *path = temp_folder_file(&folder, "long.log");
	char *older = temp_folder_file(&folder, "long.log.1");
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	/* Twice, as the Windows service does. */
	assert_int_equal(log_to_file(path, NULL), 0);
	assert_int_equal(log_to_file(path, NULL), 0);
	for (int i = 0; i < 20000; i++)
		log_info("%s", text);
	assert_in_range(file_size(path), 1, 8 << 20);
	assert_in_range(file_size(older), 7 << 20, 8 << 20);
	free(path);
	free(older);
}

static void a_rate_lets_so_many_through_and_gives_back_with_time(void **state)
{
	struct rate rate = {0};
	struct mono now = {0};

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(rate_take(&rate, 3, 1000, now));
	assert_false(rate_take(&rate, 3, 1000, clock_add(now, 999)));
	assert_true(rate_take(&rate, 3, 1000, clock_add(now, 1999)));
	assert_false(rate_take(&rate, 3, 1000, clock_add(now, 1999)));
	assert_int_equal(rate.left_out, 2);
	assert_true(rate_take(&rate, 3, 1000, clock_add(now, 2000)));
	now = clock_add(now, 100000);
	for (int i = 0; i < 3; i++)
		assert_true(rate_take(&rate, 3, 1000, now));
	assert_false(rate_take(&rate, 3, 1000, now));
}

static int set_up(void **state)
{
	(void)state;
	return temp_folder_make(&folder);
}

static int tear_down(void **state)
{
	(void)state;
	(void)log_to_file("/dev/null", NULL);
	temp_folder_remove(&folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_pipe_that_nobody_reads_holds_nobody_and_losses_are_counted),
		cmocka_unit_test(a_client_cannot_fill_the_log),
		cmocka_unit_test(a_file_is_rotated_and_two_stay_under_16_mib),
		cmocka_unit_test(
			a_rate_lets_so_many_through_and_gives_back_with_time),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
