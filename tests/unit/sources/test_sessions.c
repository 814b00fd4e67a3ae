/*
 * Listing sessions: the filter, and the kernel's list of real connections on
 * loopback.
 *
 * Ports are chosen by the kernel.  Other programs may run meanwhile: only
 * connections to our own ports are counted.
 */
#include "clock.h"
#include "mem.h"
#include "sources/sessions.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

enum { PORTS = 40, CLIENTS = 64 };

static struct net_address address(const char *text)
{
	struct net_address parsed;

	assert_int_equal(net_address_parse(text, &parsed), 0);
	return parsed;
}

/* ---- the filter alone ---- */

static void the_filter_looks_at_port_local_address_and_peer(void **state)
{
	const uint16_t ports[] = {5061, 444};
	const struct net_address locals[] = {address("192.0.2.1"),
					     address("2001:db8::1")};
	const struct net_address excluded[] = {address("192.0.2.9")};
	const struct sessions_filter open = {.ports = ports, .port_count = 2},
				     narrow = {ports, 2, locals, 2, excluded, 1};
	static const struct {
		const char *local, *peer;
		uint16_t local_port;
		bool is_open, is_narrow;
	} cases[] = {
		{"192.0.2.1", "198.51.100.1", 5061, true, true},
		{"192.0.2.1", "198.51.100.1", 444, true, true},
		{"192.0.2.1", "198.51.100.1", 443, false, false},
		{"192.0.2.2", "198.51.100.1", 5061, true, false},
		{"192.0.2.1", "192.0.2.9", 5061, true, false},
		{"192.0.2.1", "::ffff:192.0.2.9", 5061, true, false},
		{"2001:db8::1", "2001:db8::9", 444, true, true},
		{"::ffff:192.0.2.1", "198.51.100.1", 444, true, true},
		{"::1", "::1", 444, true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sessions_connection connection = {
			.local = address(cases[i].local),
			.peer = address(cases[i].peer),
			.local_port = cases[i].local_port,
			.peer_port = 5061,
		};

		assert_int_equal(sessions_filter_matches(&open, &connection),
				 cases[i].is_open);
		assert_int_equal(sessions_filter_matches(&narrow, &connection),
				 cases[i].is_narrow);
	}
}

/* ---- real connections ---- */

struct listener {
	int socket;
	uint16_t port;
};

/* On any address of both families if it is "::" without `is_ipv6_only`. */
static struct listener listen_on(const char *text, bool is_ipv6_only)
{
	struct net_address at = address(text);
	struct sockaddr_storage to;
	socklen_t size = (socklen_t)net_address_to_socket(&at, 0, &to);
	struct listener listener = {.socket = socket(to.ss_family, SOCK_STREAM, 0)};
	int only = is_ipv6_only;

	assert_true(listener.socket >= 0);
	if (to.ss_family == AF_INET6)
		assert_int_equal(setsockopt(listener.socket, IPPROTO_IPV6,
					    IPV6_V6ONLY, &only, sizeof(only)),
				 0);
	assert_int_equal(bind(listener.socket, (struct sockaddr *)&to, size), 0);
	assert_int_equal(listen(listener.socket, CLIENTS), 0);
	assert_int_equal(
		getsockname(listener.socket, (struct sockaddr *)&to, &size), 0);
	listener.port = ntohs(to.ss_family == AF_INET
				      ? ((struct sockaddr_in *)&to)->sin_port
				      : ((struct sockaddr_in6 *)&to)->sin6_port);
	return listener;
}

struct session {
	int client, server;
};

/* Both ends, established when it returns. */
static struct session join(struct listener listener, const char *from,
			   const char *to)
{
	struct net_address local = address(from), peer = address(to);
	struct sockaddr_storage storage;
	socklen_t size = (socklen_t)net_address_to_socket(&local, 0, &storage);
	struct session session = {
		.client = socket(storage.ss_family, SOCK_STREAM, 0)};

	assert_true(session.client >= 0);
	assert_int_equal(bind(session.client, (struct sockaddr *)&storage, size),
			 0);
	size = (socklen_t)net_address_to_socket(&peer, listener.port, &storage);
	assert_int_equal(connect(session.client, (struct sockaddr *)&storage, size),
			 0);
	session.server = accept(listener.socket, NULL, NULL);
	assert_true(session.server >= 0);
	return session;
}

static void leave(struct session session)
{
	(void)close(session.client);
	(void)close(session.server);
}

struct taken {
	int64_t number;
	struct sessions_connection last;
};

static void take(void *arg, const struct sessions_connection *connection)
{
	struct taken *taken = arg;

	taken->number++;
	taken->last = *connection;
}

static struct taken list(const struct sessions_filter *filter, bool wants_idle)
{
	struct taken taken = {0};
	struct err err = {0};

	assert_int_equal(sessions_tcp_list(
				 filter,
				 &(struct sessions_taker){take, &taken, wants_idle},
				 &err),
			 0);
	assert_string_equal(err.text, "");
	return taken;
}

static int64_t count(const struct sessions_filter *filter)
{
	return list(filter, false).number;
}

static int64_t count_port(uint16_t port)
{
	return count(&(struct sessions_filter){.ports = &port, .port_count = 1});
}

static void established_connections_are_counted_until_they_close(void **state)
{
	struct listener listener = listen_on("127.0.0.1", false);
	struct session sessions[3];

	(void)state;
	assert_int_equal(count_port(listener.port), 0);
	for (int i = 0; i < 3; i++) {
		sessions[i] = join(listener, "127.0.0.9", "127.0.0.1");
		assert_int_equal(count_port(listener.port), i + 1);
	}
	/* Half closed is not established any more. */
	assert_int_equal(shutdown(sessions[0].client, SHUT_WR), 0);
	assert_int_equal(count_port(listener.port), 2);
	for (int i = 0; i < 3; i++)
		leave(sessions[i]);
	assert_int_equal(count_port(listener.port), 0);
	(void)close(listener.socket);
	assert_int_equal(count_port(listener.port), 0);
}

static void a_session_is_listed_with_both_ends(void **state)
{
	static const char *const pairs[][2] = {{"127.0.2.7", "127.0.0.1"},
					       {"::1", "::1"}};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct listener listener = listen_on(pairs[i][1], true);
		struct session session = join(listener, pairs[i][0], pairs[i][1]);
		struct net_address peer = address(pairs[i][0]),
				   local = address(pairs[i][1]);
		struct sessions_filter filter = {.ports = &listener.port,
						 .port_count = 1};
		struct taken taken = list(&filter, false);
		struct sockaddr_storage client;
		socklen_t size = sizeof(client);

		assert_int_equal(getsockname(session.client,
					     (struct sockaddr *)&client, &size),
				 0);
		assert_int_equal(taken.number, 1);
		assert_true(net_address_equal(&taken.last.peer, &peer));
		assert_true(net_address_equal(&taken.last.local, &local));
		assert_int_equal(taken.last.local_port, listener.port);
		/* The port is at the same place in both families. */
		assert_int_equal(taken.last.peer_port,
				 ntohs(((struct sockaddr_in *)&client)->sin_port));
		leave(session);
		(void)close(listener.socket);
	}
}

static void wait_state(int socket, int wanted)
{
	int64_t end_ms = clock_mono().ms + 10000;
	struct tcp_info info;
	socklen_t size = sizeof(info);

	do {
		assert_true(clock_mono().ms < end_ms);
		assert_int_equal(
			getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
	} while (info.tcpi_state != wanted);
}

/* As its list does: until one end has said that nothing more comes, or is gone. */
static void one_connection_is_there_as_long_as_it_is_listed(void **state)
{
	static const char *const scenes[][3] = {
		{"127.0.0.1", "127.0.2.7", "127.0.0.1"},
		{"::1", "::1", "::1"},
		{"::", "127.0.2.7", "127.0.0.1"},
		{"::", "::1", "::1"}};

	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		struct listener listener = listen_on(scenes[i][0], false);
		struct session session = join(listener, scenes[i][1], scenes[i][2]),
			       other = join(listener, scenes[i][1], scenes[i][2]);
		struct sessions_filter filter = {.ports = &listener.port,
						 .port_count = 1};
		struct sessions_connection one;

		leave(other);
		one = list(&filter, false).last;
		assert_int_equal(count_port(listener.port), 1);
		assert_int_equal(sessions_tcp_is_there(&one), 1);
		one.peer_port++;
		assert_int_equal(sessions_tcp_is_there(&one), 0);
		one.peer_port--;
		assert_int_equal(shutdown(session.client, SHUT_WR), 0);
		wait_state(session.server, TCP_CLOSE_WAIT);
		assert_int_equal(sessions_tcp_is_there(&one), 0);
		leave(session);
		assert_int_equal(sessions_tcp_is_there(&one), 0);
		(void)close(listener.socket);
	}
}

static void idle_time_is_told_if_asked_and_ends_with_data(void **state)
{
	enum { IDLE_MS = 100, LIMIT_MS = 20000 };
	struct listener listener = listen_on("127.0.0.1", false);
	struct session session = join(listener, "127.0.0.1", "127.0.0.1");
	struct sessions_filter filter = {.ports = &listener.port, .port_count = 1};
	struct mono start = clock_mono();
	int64_t idle_ms = 0, before_ms;

	(void)state;
	assert_int_equal(list(&filter, false).last.idle_ms, -1);
	while (idle_ms < IDLE_MS && clock_since(start, clock_mono()) < LIMIT_MS)
		idle_ms = list(&filter, true).last.idle_ms;
	assert_true(idle_ms >= IDLE_MS && idle_ms < LIMIT_MS);
	assert_int_equal(write(session.client, "x", 1), 1);
	start = clock_mono();
	do {
		before_ms = idle_ms;
		idle_ms = list(&filter, true).last.idle_ms;
	} while (idle_ms >= before_ms &&
		 clock_since(start, clock_mono()) < LIMIT_MS);
	assert_true(idle_ms < before_ms);
	leave(session);
	(void)close(listener.socket);
}

/* The kernel completes connections that nobody has accepted yet. */
static void a_connection_that_waits_to_be_accepted_is_a_session(void **state)
{
	struct listener listener = listen_on("127.0.0.1", false);
	struct net_address to = address("127.0.0.1");
	struct sockaddr_storage storage;
	socklen_t size =
		(socklen_t)net_address_to_socket(&to, listener.port, &storage);
	int client = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(connect(client, (struct sockaddr *)&storage, size), 0);
	assert_int_equal(count_port(listener.port), 1);
	(void)close(client);
	(void)close(listener.socket);
}

static void only_the_local_end_of_a_connection_counts(void **state)
{
	struct listener listener = listen_on("127.0.0.1", false);
	struct session session = join(listener, "127.0.0.1", "127.0.0.1");
	struct sockaddr_in client;
	socklen_t size = sizeof(client);
	uint16_t ports[2] = {listener.port};

	(void)state;
	assert_int_equal(
		getsockname(session.client, (struct sockaddr *)&client, &size), 0);
	ports[1] = ntohs(client.sin_port);
	assert_int_equal(count_port(ports[0]), 1);
	assert_int_equal(count_port(ports[1]), 1);
	assert_int_equal(
		count(&(struct sessions_filter){.ports = ports, .port_count = 2}),
		2);
	leave(session);
	(void)close(listener.socket);
}

static void only_connections_to_the_given_addresses_count(void **state)
{
	struct listener listener = listen_on("0.0.0.0", false);
	struct session a = join(listener, "127.0.0.1", "127.0.1.1"),
		       b = join(listener, "127.0.0.1", "127.0.1.2"),
		       c = join(listener, "127.0.0.1", "127.0.1.2");
	struct net_address locals[] = {address("127.0.1.2"), address("127.0.1.3")};
	struct sessions_filter filter = {.ports = &listener.port, .port_count = 1};

	(void)state;
	assert_int_equal(count(&filter), 3);
	filter.locals = locals;
	filter.local_count = 2;
	assert_int_equal(count(&filter), 2);
	filter.locals = locals + 1;
	filter.local_count = 1;
	assert_int_equal(count(&filter), 0);
	leave(a);
	leave(b);
	leave(c);
	(void)close(listener.socket);
}

static void excluded_peers_are_no_sessions(void **state)
{
	struct listener listener = listen_on("127.0.0.1", false);
	struct session a = join(listener, "127.0.2.1", "127.0.0.1"),
		       b = join(listener, "127.0.2.2", "127.0.0.1");
	struct net_address excluded[] = {address("127.0.2.2"), address("::1")};
	struct sessions_filter filter = {.ports = &listener.port,
					 .port_count = 1,
					 .excluded = excluded,
					 .excluded_count = 2};

	(void)state;
	assert_int_equal(count(&filter), 1);
	leave(a);
	assert_int_equal(count(&filter), 0);
	leave(b);
	(void)close(listener.socket);
}

static void ipv6_is_counted(void **state)
{
	struct listener listener = listen_on("::1", true);
	struct session session = join(listener, "::1", "::1");
	struct net_address local = address("::1");
	struct sessions_filter filter = {.ports = &listener.port,
					 .port_count = 1,
					 .locals = &local,
					 .local_count = 1};

	(void)state;
	assert_int_equal(count_port(listener.port), 1);
	assert_int_equal(count(&filter), 1);
	filter.excluded = &local;
	filter.excluded_count = 1;
	assert_int_equal(count(&filter), 0);
	leave(session);
	(void)close(listener.socket);
}

/* A socket for both families shows IPv4 peers as mapped addresses, and is in the
 * kernel's list of IPv6. */
static void ipv4_on_a_socket_for_both_counts_once_and_as_ipv4(void **state)
{
	struct listener listener = listen_on("::", false);
	struct session four = join(listener, "127.0.2.1", "127.0.0.1"),
		       six = join(listener, "::1", "::1");
	struct net_address local = address("127.0.0.1"),
			   peer = address("127.0.2.1");
	struct sessions_filter filter = {.ports = &listener.port, .port_count = 1};

	(void)state;
	assert_int_equal(count(&filter), 2);
	filter.locals = &local;
	filter.local_count = 1;
	assert_int_equal(count(&filter), 1);
	filter.excluded = &peer;
	filter.excluded_count = 1;
	assert_int_equal(count(&filter), 0);
	leave(four);
	leave(six);
	(void)close(listener.socket);
}

/* The kernel must take the filter program of every length; from 17 ports on there
 * is none. */
static void any_number_of_ports_counts_all_of_them_and_no_other(void **state)
{
	struct listener listeners[PORTS];
	struct session sessions[PORTS];
	uint16_t ports[PORTS];
	char own[NET_ADDRESS_TEXT_BYTES];

	(void)state;
	/* So many ports of 127.0.0.1 are not this test's alone. */
	(void)snprintf(own, sizeof(own), "127.13.%d.%d", getpid() >> 8 & 0xff,
		       getpid() & 0xff);
	for (int i = 0; i < PORTS; i++) {
		listeners[i] = listen_on(own, false);
		sessions[i] = join(listeners[i], own, own);
		ports[i] = listeners[i].port;
	}
	for (size_t length = 1; length <= PORTS; length++)
		for (size_t first = 0; first + length <= PORTS; first += length)
			assert_int_equal(count(&(struct sessions_filter){
						 .ports = ports + first,
						 .port_count = length}),
					 length);
	for (int i = 0; i < PORTS; i++) {
		leave(sessions[i]);
		(void)close(listeners[i].socket);
	}
	assert_int_equal(count(&(struct sessions_filter){.ports = ports,
							 .port_count = PORTS}),
			 0);
}

/* More connections than one datagram of the kernel's reply holds. */
static void many_connections_are_all_counted(void **state)
{
	enum { MANY = 300 };
	struct listener listener = listen_on("127.0.0.1", false);
	struct session *sessions = xcalloc(MANY, sizeof(*sessions));

	(void)state;
	for (int i = 0; i < MANY; i++)
		sessions[i] = join(listener, "127.0.0.1", "127.0.0.1");
	assert_int_equal(count_port(listener.port), MANY);
	for (int i = 0; i < MANY; i++)
		leave(sessions[i]);
	free(sessions);
	(void)close(listener.socket);
}

static void a_kernel_that_cannot_be_asked_is_an_error_and_not_zero(void **state)
{
	const uint16_t port = 5061;
	const struct sessions_filter filter = {.ports = &port, .port_count = 1};
	struct rlimit before, none;
	struct taken taken = {0};
	struct err err = {0};
	int ret, is_there;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	ret = sessions_tcp_list(
		&filter, &(struct sessions_taker){.take = take, .arg = &taken},
		&err);
	is_there = sessions_tcp_is_there(&taken.last);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(is_there, -1);
	assert_int_equal(ret, -1);
	assert_int_equal(err.code, ERR_SESSIONS);
	assert_non_null(strstr(err.text, "Too many open files"));
}

/* ---- what counts as a session, at its edges ---- */

/* Whoever has said that nothing more comes is through with it, in either direction.
 */
static void a_session_counts_until_one_of_both_has_ended_it(void **state)
{
	(void)state;
	for (int is_client = 0; is_client < 2; is_client++) {
		struct listener listener = listen_on("127.0.0.1", false);
		struct session session = join(listener, "127.0.0.1", "127.0.0.1");
		int first = is_client ? session.client : session.server;
		int second = is_client ? session.server : session.client;

		assert_int_equal(count_port(listener.port), 1);
		assert_int_equal(shutdown(first, SHUT_WR), 0);
		wait_state(second, TCP_CLOSE_WAIT);
		assert_int_equal(count_port(listener.port), 0);
		assert_int_equal(send(second, "x", 1, 0), 1);
		assert_int_equal(count_port(listener.port), 0);
		(void)close(second);
		/* The kernel keeps it in TIME_WAIT, and tells its socket that it is
		 * over.
		 */
		wait_state(first, TCP_CLOSE);
		assert_int_equal(count_port(listener.port), 0);
		(void)close(first);
		(void)close(listener.socket);
	}
}

/* The client believes it is connected, but the service will never hear of it unless
 * there is room again. */
static void what_the_full_queue_of_a_service_drops_is_no_session(void **state)
{
	enum { BACKLOG = 1, TRIES = 5 };
	struct listener listener = listen_on("127.0.0.1", false);
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(listener.port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int clients[TRIES];

	(void)state;
	assert_int_equal(listen(listener.socket, BACKLOG), 0);
	for (int i = 0; i < TRIES; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_true(clients[i] >= 0);
		(void)connect(clients[i], (struct sockaddr *)&to, sizeof(to));
	}
	wait_state(clients[BACKLOG], TCP_ESTABLISHED);
	/* The kernel lets in one more than the backlog. */
	assert_int_equal(count_port(listener.port), BACKLOG + 1);
	for (int i = 0; i < TRIES; i++)
		(void)close(clients[i]);
	(void)close(listener.socket);
}

/* ---- a kernel that fails ---- */

/* What the kernel is played to answer; the C library's socket() is replaced here.
 */
static struct {
	bool is_played;
	const void *datagram;
	size_t size;
	int end; /* of the test */
} kernel;

int socket(int family, int type, int protocol)
{
	int ends[2];

	if (!kernel.is_played || family != AF_NETLINK)
		return (int)syscall(SYS_socket, family, type, protocol);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) ||
	    send(ends[1], kernel.datagram, kernel.size, 0) != (ssize_t)kernel.size)
		return -1;
	(void)shutdown(ends[1], SHUT_WR);
	kernel.end = ends[1];
	return ends[0];
}

static struct err list_played(const void *datagram, size_t size)
{
	const uint16_t port = 5061;
	const struct sessions_filter filter = {.ports = &port, .port_count = 1};
	struct taken taken = {0};
	struct err err = {0};
	int ret;

	kernel.is_played = true;
	kernel.datagram = datagram;
	kernel.size = size;
	ret = sessions_tcp_list(
		&filter, &(struct sessions_taker){.take = take, .arg = &taken},
		&err);
	kernel.is_played = false;
	(void)close(kernel.end);
	assert_int_equal(ret, err.code ? -1 : 0);
	assert_int_equal(taken.number, 0);
	return err;
}

struct end {
	struct nlmsghdr header;
	int number;
};

/* Such a kernel has no connections to tell of, and would look like one without any.
 */
static void a_list_that_ends_with_an_error_is_no_empty_list(void **state)
{
	static const struct {
		int number;
		uint16_t type, flags;
		const char *words; /* NULL: a good end */
	} cases[] = {
		{0, NLMSG_DONE, NLM_F_MULTI, NULL},
		{-ENOENT, NLMSG_DONE, NLM_F_MULTI, "No such file"},
		{0, NLMSG_DONE, NLM_F_MULTI | NLM_F_DUMP_INTR, "Interrupted"},
		{-EPERM, NLMSG_ERROR, 0, "Bad message"},
		{0, TCPDIAG_GETSOCK, NLM_F_MULTI, "Bad message"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct end end = {.header = {.nlmsg_len = sizeof(end),
					     .nlmsg_type = cases[i].type,
					     .nlmsg_flags = cases[i].flags},
				  .number = cases[i].number};
		struct err err = list_played(&end, sizeof(end));

		assert_int_equal(!!err.code, !!cases[i].words);
		assert_true(!err.code || strstr(err.text, cases[i].words));
	}
}

/* What it may still say is no answer to the next question. */
static void a_kernel_that_failed_is_asked_anew(void **state)
{
	const struct end refused = {
		.header = {.nlmsg_len = sizeof(refused), .nlmsg_type = NLMSG_ERROR},
		.number = -EPERM};
	struct listener listener = listen_on("127.0.0.1", false);
	struct session session = join(listener, "127.0.0.1", "127.0.0.1");
	struct sessions_filter filter = {.ports = &listener.port, .port_count = 1};
	struct sessions_connection one = list(&filter, false).last;

	(void)state;
	kernel.is_played = true;
	kernel.datagram = &refused;
	kernel.size = sizeof(refused);
	assert_int_equal(sessions_tcp_is_there(&one), -1);
	kernel.is_played = false;
	(void)close(kernel.end);
	assert_int_equal(sessions_tcp_is_there(&one), 1);
	leave(session);
	(void)close(listener.socket);
}

static void a_list_without_its_end_is_an_error(void **state)
{
	enum { TOO_LONG_BYTES = 40000 };
	struct end none = {
		.header = {.nlmsg_len = sizeof(none), .nlmsg_type = NLMSG_DONE}};
	char *long_one = xcalloc(TOO_LONG_BYTES, 1);

	(void)state;
	assert_int_equal(list_played(&none, sizeof(none.header) - 1).code,
			 ERR_SESSIONS);
	none.header.nlmsg_len = sizeof(none.header);
	memcpy(long_one, &none.header, sizeof(none.header));
	assert_int_equal(list_played(long_one, TOO_LONG_BYTES).code, ERR_SESSIONS);
	free(long_one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_filter_looks_at_port_local_address_and_peer),
		/* These two come before a question that is answered, as the socket
		 * of that is kept. */
		cmocka_unit_test(
			a_kernel_that_cannot_be_asked_is_an_error_and_not_zero),
		cmocka_unit_test(a_kernel_that_failed_is_asked_anew),
		cmocka_unit_test(
			established_connections_are_counted_until_they_close),
		cmocka_unit_test(a_session_is_listed_with_both_ends),
		cmocka_unit_test(one_connection_is_there_as_long_as_it_is_listed),
		cmocka_unit_test(idle_time_is_told_if_asked_and_ends_with_data),
		cmocka_unit_test(
			a_connection_that_waits_to_be_accepted_is_a_session),
		cmocka_unit_test(only_the_local_end_of_a_connection_counts),
		cmocka_unit_test(only_connections_to_the_given_addresses_count),
		cmocka_unit_test(excluded_peers_are_no_sessions),
		cmocka_unit_test(ipv6_is_counted),
		cmocka_unit_test(ipv4_on_a_socket_for_both_counts_once_and_as_ipv4),
		cmocka_unit_test(
			any_number_of_ports_counts_all_of_them_and_no_other),
		cmocka_unit_test(many_connections_are_all_counted),
		cmocka_unit_test(a_session_counts_until_one_of_both_has_ended_it),
		cmocka_unit_test(
			what_the_full_queue_of_a_service_drops_is_no_session),
		cmocka_unit_test(a_list_that_ends_with_an_error_is_no_empty_list),
		cmocka_unit_test(a_list_without_its_end_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
