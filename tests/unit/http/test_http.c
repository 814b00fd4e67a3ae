#include "http/http.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { FILES = 64 };

static int open_files[FILES], open_count;

/* Returns how many there were left. */
static int fill(void)
{
	int file, before = open_count;

	while ((file = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		open_files[open_count++] = file;
	return open_count - before;
}

static void leave(int count)
{
	while (open_count && count--)
		(void)close(open_files[--open_count]);
}

static struct http *start(uint16_t port, struct err *err)
{
	struct http_setup setup = {.port = port};

	assert_int_equal(net_address_parse("127.0.0.1", &setup.address), 0);
	return http_start(&setup, err);
}

/* The library closes what it was given, or not. */
static void a_port_is_closed_if_the_server_cannot_start(void **state)
{
	/* For ours, and for none or one of the library's own. */
	static const int left[] = {2, 3};
	struct rlimit limit = {FILES, FILES};
	struct err err = {0};
	struct http *http;
	uint16_t port;

	(void)state;
	http = start(0, &err);
	assert_non_null(http);
	port = http_port(http);
	http_stop(http);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		err = (struct err){0};
		(void)fill();
		leave(left[i]);
		assert_null(start(port, &err));
		assert_int_equal(err.code, ERR_INTERNAL);
		assert_int_equal(fill(), left[i]);
		leave(FILES);
		err = (struct err){0};
		http = start(port, &err);
		assert_string_equal(err.text, "");
		assert_non_null(http);
		http_stop(http);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_is_closed_if_the_server_cannot_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
