/*
 * Many TCP sessions, both ends of each in one process: held, or opened and closed
 *at random while somebody else counts them.
 *
 *	crowd hold ADDRESS PORT COUNT SOURCE...
 *	crowd churn ADDRESS PORT MOST SEED A_SECOND LOG SOURCE...
 *
 * Listens on ADDRESS and PORT and connects to that from each SOURCE in turn. Prints
 * "ready" once COUNT sessions are there, or that it listens; a line on its standard
 *input begins the churning, and the end of that ends everything.
 *
 * Churning goes towards a number of sessions up to MOST, which is another one now
 *and then. It rests in every other slot of SLOT_MS, which are the same for all
 *processes, so that there are moments in which nothing changes.  LOG gets a struct
 *life of each session.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SLOT_MS = 150, BACKLOG = 128, REST_MS = 5, TURN_MS = 4000 };

/* CLOCK_MONOTONIC in ns, as Python reads it with '<4q'.  It was surely established
 * from `there` to `ending`, and surely not before `begun` and after `gone`; 0: not
 * yet. */
struct life {
	int64_t begun, there, ending, gone;
};

struct session {
	int client, server;
	size_t life;
};

static struct sockaddr_in target, *sources;
static size_t source_count, next_source;
static int listener;

static struct session *sessions;
static size_t count, most;

static struct life *lives;
static size_t life_count, life_room;

static void check(bool is_good, const char *what)
{
	if (is_good)
		return;
	(void)fprintf(stderr, "crowd: %s: %s, with %zu sessions\n", what,
		      strerror(errno), count);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec now;

	check(!clock_gettime(CLOCK_MONOTONIC, &now), "clock");
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int64_t now_ms(void)
{
	return now_ns() / 1000000;
}

/* splitmix64: the same sessions everywhere from the same seed. */
static uint64_t seed;

static size_t draw(size_t limit)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (size_t)((z ^ z >> 31) % limit);
}

static size_t new_life(void)
{
	if (life_count == life_room) {
		life_room = life_room ? life_room * 2 : 4096;
		lives = realloc(lives, life_room * sizeof(*lives));
		check(lives, "memory");
	}
	lives[life_count] = (struct life){.begun = now_ns()};
	return life_count++;
}

static void open_one(void)
{
	struct session *session = &sessions[count];
	int yes = 1;

	session->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	check(session->client >= 0, "socket");
	/* The port is chosen when it is known whom it leads to, so that each target
	 * has all of them. */
	check(!setsockopt(session->client, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT,
			  &yes, sizeof(yes)),
	      "IP_BIND_ADDRESS_NO_PORT");
	check(!bind(session->client, (struct sockaddr *)&sources[next_source],
		    sizeof(*sources)),
	      "bind");
	next_source = (next_source + 1) % source_count;
	session->life = new_life();
	check(!connect(session->client, (struct sockaddr *)&target, sizeof(target)),
	      "connect");
	session->server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	check(session->server >= 0, "accept");
	lives[session->life].there = now_ns();
	count++;
}

static void wait_end(int socket)
{
	char byte;

	(void)recv(socket, &byte, 1, 0);
}

/* Half of the ends are a reset, which leaves no TIME_WAIT behind. */
static void close_one(size_t at)
{
	const struct linger reset = {.l_onoff = 1};
	struct session session = sessions[at];
	bool is_reset = draw(2), is_by_client = draw(4), is_half = draw(4) == 0;
	int first = is_by_client ? session.client : session.server;
	int second = is_by_client ? session.server : session.client;

	sessions[at] = sessions[--count];
	lives[session.life].ending = now_ns();
	if (is_reset)
		check(!setsockopt(first, SOL_SOCKET, SO_LINGER, &reset,
				  sizeof(reset)),
		      "SO_LINGER");
	if (is_half && !is_reset)
		check(!shutdown(first, SHUT_WR), "shutdown");
	else
		(void)close(first);
	wait_end(second);
	lives[session.life].gone = now_ns();
	(void)close(second);
	if (is_half && !is_reset)
		(void)close(first);
}

/* Waits for a line, which is one byte and its end, or for the end of the input. */
static bool has_line(int timeout_ms)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&input, 1, timeout_ms) != 0;
}

static bool read_line(void)
{
	char line[2];

	return read(STDIN_FILENO, line, sizeof(line)) == sizeof(line);
}

/* So many changes that the pace is kept; most go towards the wanted number. */
static void churn_some(size_t changes, size_t wanted)
{
	for (size_t i = 0; i < changes; i++) {
		bool is_astray = draw(4) == 0;

		if ((count < wanted) != is_astray && count < most)
			open_one();
		else if (count)
			close_one(draw(count));
	}
}

/* How many there are to be; another number after each turn. */
static size_t draw_wanted(int64_t ms)
{
	static int64_t turn_at;
	static size_t wanted;

	if (ms > turn_at) {
		turn_at = ms + TURN_MS / 2 + (int64_t)draw(TURN_MS);
		wanted = draw(4) ? draw(most + 1) : most * draw(2);
	}
	return wanted;
}

static void churn(int64_t a_second)
{
	bool is_wandering = false, is_full = false;
	int64_t last = now_ns();

	for (;;) {
		int64_t ms = now_ms(), changes;

		if (has_line(0) && !(is_wandering = read_line()))
			return;
		if (count == most && !is_full) {
			(void)puts("full");
			(void)fflush(stdout);
			is_full = true;
		}
		if (ms / SLOT_MS % 2) {
			(void)has_line((int)(SLOT_MS - ms % SLOT_MS));
			last = now_ns();
			continue;
		}
		(void)has_line(REST_MS);
		changes = (now_ns() - last) * a_second / 1000000000;
		last = now_ns();
		churn_some((size_t)changes, is_wandering ? draw_wanted(ms) : most);
	}
}

static void write_lives(const char *path)
{
	FILE *file = fopen(path, "wb");

	check(file, path);
	check(fwrite(lives, sizeof(*lives), life_count, file) == life_count, path);
	check(!fclose(file), path);
}

static struct sockaddr_in address(const char *text, const char *port)
{
	struct sockaddr_in parsed = {.sin_family = AF_INET};

	check(inet_pton(AF_INET, text, &parsed.sin_addr) == 1, text);
	parsed.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	return parsed;
}

static void listen_there(void)
{
	int yes = 1;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	check(listener >= 0, "socket");
	check(!setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)),
	      "SO_REUSEADDR");
	check(!bind(listener, (struct sockaddr *)&target, sizeof(target)), "bind");
	check(!listen(listener, BACKLOG), "listen");
}

static void read_sources(char **texts, int number)
{
	check(number > 0 && (sources = calloc((size_t)number, sizeof(*sources))),
	      "sources");
	for (int i = 0; i < number; i++)
		sources[source_count++] = address(texts[i], "0");
}

/* Two for each session, and some. */
static void allow_files(void)
{
	struct rlimit limit;

	check(!getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	check(!setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
	check(limit.rlim_cur > 2 * most + 16, "too many sessions for this process");
}

int main(int argc, char **argv)
{
	bool is_held = argc > 5 && !strcmp(argv[1], "hold");
	int own = is_held ? 5 : 8; /* the arguments before the sources */

	if (argc <= own || (!is_held && strcmp(argv[1], "churn"))) {
		(void)fputs("see the top of crowd.c\n", stderr);
		return 2;
	}
	target = address(argv[2], argv[3]);
	most = strtoul(argv[4], NULL, 10);
	sessions = calloc(most, sizeof(*sessions));
	check(sessions && most, "memory");
	read_sources(argv + own, argc - own);
	allow_files();
	listen_there();
	while (is_held && count < most)
		open_one();
	(void)puts("ready");
	(void)fflush(stdout);
	if (!read_line() || is_held)
		return 0;
	seed = strtoull(argv[5], NULL, 10);
	churn(strtol(argv[6], NULL, 10));
	write_lives(argv[7]);
	return 0;
}
