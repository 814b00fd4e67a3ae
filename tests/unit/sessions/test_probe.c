/*
 * The proof of refusal, against a listener of the test's own: its one connection,
 * and the time that it may take.
 */
#include "system/dial.h"
#include "mem.h"
#include "sessions/probe.h"
#include "pool_config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { LIMIT_MS = 20000, TIMEOUT_MS = 300 };

static struct {
	struct pool_config *config;
	struct probe probe;
	struct mono since;
	int listener;
	uint16_t port;
} world;

static void nap(void)
{
	(void)nanosleep(&(struct timespec){0, 1000000}, NULL);
}

static int begin(void **state)
{
	static const char yaml[] =
		"pools:\n"
		"  p:\n"
		"    services: {A: {ports: 5061, probe: {port: %u, every: 1h, timeout: 20s,"
		" taken: READY}}}\n"
		"    servers: {s: {address: 127.0.0.1}}\n";
	struct sockaddr_in own = {.sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(own);
	struct mistakes mistakes = {0};
	struct pool *pool;
	char *text;

	(void)state;
	world.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(world.listener, (struct sockaddr *)&own, size), 0);
	assert_int_equal(listen(world.listener, 8), 0);
	assert_int_equal(
		getsockname(world.listener, (struct sockaddr *)&own, &size), 0);
	world.port = ntohs(own.sin_port);
	text = xasprintf(yaml, (unsigned)world.port);
	world.config =
		pool_config_parse("pool.yaml", text, strlen(text), &mistakes);
	free(text);
	assert_non_null(world.config);
	pool = world.config->pools.items;
	return probe_init(&world.probe, pool->servers.items, pool->services.items,
			  false, NULL);
}

static int end(void **state)
{
	(void)state;
	probe_done(&world.probe);
	pool_config_free(world.config);
	(void)close(world.listener);
	return 0;
}

static bool look(void)
{
	return probe_look(&world.probe, true, world.since, clock_wall());
}

/* The service is seen out. */
static void see_out(void)
{
	world.since = clock_mono();
	(void)look();
	assert_true(probe_is_awaited(&world.probe, world.since));
}

/* The try comes; its end of the connection. */
static int take_try(struct sessions_connection *connection)
{
	struct sockaddr_in peer;
	socklen_t size = sizeof(peer);
	int try = accept(world.listener, (struct sockaddr *)&peer, &size);

	assert_true(try >= 0);
	*connection = (struct sessions_connection){
		.peer = net_address_from_ipv4(&peer.sin_addr),
		.peer_port = ntohs(peer.sin_port)};
	return try;
}

static void refuse(int try)
{
	assert_int_equal(send(try, "BUSY", 4, MSG_NOSIGNAL), 4);
	(void)close(try);
	for (struct mono began = clock_mono();
	     probe_is_awaited(&world.probe, world.since);) {
		assert_true(clock_since(began, clock_mono()) < LIMIT_MS);
		assert_false(look());
		nap();
	}
}

static bool is_own(const struct sessions_connection *connection)
{
	return probe_is_own(&world.probe, connection);
}

static void mark_after(int64_t ms)
{
	probe_mark(&world.probe, clock_add(clock_mono(), ms));
}

/* The kernel listed it while it was there, and its row comes when it is gone. */
static void its_own_connection_is_known_also_when_it_has_just_ended(void **state)
{
	struct sessions_connection connection, other;
	int try;

	(void)state;
	see_out();
	try = take_try(&connection);
	mark_after(0);
	other = connection;
	other.peer_port ^= 1;
	refuse(try);
	assert_true(is_own(&connection));
	assert_false(is_own(&other));
}

static void nor_is_one_counted_that_began_and_ended_meanwhile(void **state)
{
	struct sessions_connection connection;

	(void)state;
	mark_after(0);
	see_out();
	refuse(take_try(&connection));
	assert_true(is_own(&connection));
}

/* A client may be given that port. */
static void its_port_is_its_own_a_second_longer(void **state)
{
	struct sessions_connection connection;

	(void)state;
	see_out();
	refuse(take_try(&connection));
	mark_after(0);
	assert_true(is_own(&connection));
	mark_after(LIMIT_MS);
	assert_false(is_own(&connection));
}

static void each_time_that_the_service_is_out_has_a_first_try_at_once(void **state)
{
	struct sessions_connection connection;

	(void)state;
	assert_true(probe_is_awaited(&world.probe, world.since));
	for (int i = 0; i < 3; i++) {
		see_out();
		refuse(take_try(&connection));
		nap();
		/* It takes sessions in between, or another drain begins. */
		if (i)
			(void)probe_look(&world.probe, false, world.since,
					 clock_wall());
		assert_true(probe_is_awaited(&world.probe, clock_mono()));
	}
}

static struct dial *call(int64_t timeout_ms, int *other_end)
{
	struct net_address address;
	struct sessions_connection connection;
	uint16_t own_port = 0;
	struct dial *dial;

	assert_int_equal(net_address_parse("127.0.0.1", &address), 0);
	dial = dial_new(&address, timeout_ms, &own_port, NULL);
	assert_non_null(dial);
	assert_int_equal(dial_connect(dial, world.port, NULL), 1);
	*other_end = take_try(&connection);
	assert_int_equal(connection.peer_port, own_port);
	return dial;
}

/* What comes after it is not listened to, whatever step it was spent on. */
static void the_time_limit_is_for_all_of_a_try(void **state)
{
	struct mono began = clock_mono();
	struct err err = {0};
	int other_end;
	struct dial *dial = call(TIMEOUT_MS, &other_end);

	(void)state;
	assert_int_equal(send(other_end, "READY", 5, MSG_NOSIGNAL), 5);
	while (clock_since(began, clock_mono()) <= 2 * TIMEOUT_MS)
		nap();
	assert_int_equal(dial_send(dial, "HELO", NULL), -1);
	assert_int_equal(dial_expect(dial, "READY", &err), -1);
	assert_string_equal(err.text, "it was connected, and said nothing");
	dial_free(dial);
	(void)close(other_end);
}

static void what_is_said_decides_as_soon_as_it_is_there(void **state)
{
	static const struct {
		const char *said, *expected;
		int got;
	} cases[] = {
		{"220 welcome", "220", 1},
		{"220", "220", 1},
		{"220\r\n", "220", 1},
		{"421 no", "220", 0},
		{"4", "220", 0},
		{"22\r\n", "220", 0},
		{"220 welcome", "220 no", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int is_closed = 0; is_closed < 2; is_closed++) {
			int other_end;
			struct dial *dial = call(LIMIT_MS, &other_end);
			ssize_t length = (ssize_t)strlen(cases[i].said);

			assert_int_equal(send(other_end, cases[i].said,
					      (size_t)length, MSG_NOSIGNAL),
					 length);
			if (is_closed)
				(void)close(other_end);
			assert_int_equal(dial_expect(dial, cases[i].expected, NULL),
					 cases[i].got);
			dial_free(dial);
			if (!is_closed)
				(void)close(other_end);
		}
}

/* The beginning of what is expected, and no more. */
static void half_a_greeting_is_shown_or_is_none(void **state)
{
	static const struct {
		const char *said, *why;
	} cases[] = {
		{"", "it was connected, and said nothing"},
		{"22", "it was connected, and said '22' and no more"},
		{"22\xc3", "it was connected, and said '22' and no more"},
		{"22\xc3\xa9",
		 "it was connected, and said '22\xc3\xa9' and no more"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		int other_end;
		struct dial *dial = call(TIMEOUT_MS, &other_end);
		size_t length = strlen(cases[i].said);

		assert_int_equal(
			send(other_end, cases[i].said, length, MSG_NOSIGNAL),
			(int)length);
		assert_int_equal(dial_expect(dial, "22\xc3\xa9!", &err), -1);
		assert_string_equal(err.text, cases[i].why);
		dial_free(dial);
		dial = call(LIMIT_MS, &other_end);
		(void)send(other_end, cases[i].said, length, MSG_NOSIGNAL);
		(void)close(other_end);
		assert_int_equal(dial_expect(dial, "22\xc3\xa9!", NULL), 0);
		dial_free(dial);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(its_own_connection_is_known_also_when_it_has_just_ended),
		TEST(nor_is_one_counted_that_began_and_ended_meanwhile),
		TEST(its_port_is_its_own_a_second_longer),
		TEST(each_time_that_the_service_is_out_has_a_first_try_at_once),
		TEST(the_time_limit_is_for_all_of_a_try),
		TEST(what_is_said_decides_as_soon_as_it_is_there),
		TEST(half_a_greeting_is_shown_or_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
