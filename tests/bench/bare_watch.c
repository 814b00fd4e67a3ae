/*
 * bare_watch PORT FILE LOG: the least that libmicrohttpd needs to tell everybody of
 * a change, which poold is measured against.
 *
 * Each GET gets a stream, and waits in it.  A PUT is a change: its body goes to the
 * end of LOG and is flushed to the disk, as poold does before it says anything;
 * then each stream goes on with the bytes of FILE, from memory, and the PUT is
 * answered.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_LIMIT_BYTES = 8 << 10, CONNECTIONS = 2300, BLOCK_BYTES = 512 };

struct watcher {
	struct MHD_Connection *connection;
	size_t sent;
	long seen; /* changes */
	bool is_waiting;
	struct watcher *next;
};

static char bytes[FILE_LIMIT_BYTES];
static size_t length;
static int log_file;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all below */
static struct watcher *watchers;
static long changes;

static ssize_t on_stream(void *arg, uint64_t position, char *room,
			 size_t room_bytes)
{
	struct watcher *watcher = arg;
	size_t rest;

	(void)position;
	pthread_mutex_lock(&lock);
	if (watcher->seen == changes) {
		watcher->is_waiting = true;
		MHD_suspend_connection(watcher->connection);
		pthread_mutex_unlock(&lock);
		return 0;
	}
	pthread_mutex_unlock(&lock);
	rest = length - watcher->sent;
	if (rest > room_bytes)
		rest = room_bytes;
	memcpy(room, bytes + watcher->sent, rest);
	watcher->sent += rest;
	if (watcher->sent == length) {
		watcher->sent = 0;
		watcher->seen++;
	}
	return (ssize_t)rest;
}

static void on_end(void *arg)
{
	struct watcher **link = &watchers;

	pthread_mutex_lock(&lock);
	while (*link != arg)
		link = &(*link)->next;
	*link = (*link)->next;
	pthread_mutex_unlock(&lock);
	free(arg);
}

/* The first change is that it is there, so that its client knows. */
static struct MHD_Response *begin(struct MHD_Connection *connection)
{
	struct watcher *watcher = calloc(1, sizeof(*watcher));
	struct MHD_Response *response;

	if (!watcher)
		return NULL;
	watcher->connection = connection;
	pthread_mutex_lock(&lock);
	watcher->seen = changes - 1;
	watcher->next = watchers;
	watchers = watcher;
	pthread_mutex_unlock(&lock);
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES,
						     on_stream, watcher, on_end);
	if (response)
		(void)MHD_add_response_header(response, "Content-Type",
					      "text/event-stream");
	return response;
}

static void change(void)
{
	pthread_mutex_lock(&lock);
	changes++;
	for (struct watcher *each = watchers; each; each = each->next)
		if (each->is_waiting) {
			each->is_waiting = false;
			MHD_resume_connection(each->connection);
		}
	pthread_mutex_unlock(&lock);
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection,
			      const char *path, const char *method,
			      const char *version, const char *data, size_t *size,
			      void **context)
{
	bool is_put = !strcmp(method, "PUT");
	struct MHD_Response *response;
	enum MHD_Result result;

	(void)arg, (void)path, (void)version;
	/* The first call for a request has its headers, and only the last may
	 * answer. */
	if (!*context) {
		*context = bytes;
		return MHD_YES;
	}
	if (*size) {
		if (write(log_file, data, *size) < 0)
			return MHD_NO;
		*size = 0;
		return MHD_YES;
	}
	if (is_put && fdatasync(log_file))
		return MHD_NO;
	if (is_put)
		change();
	response = is_put ? MHD_create_response_from_buffer(
				    3, (void *)(uintptr_t) "{}\n",
				    MHD_RESPMEM_PERSISTENT)
			  : begin(connection);
	if (!response)
		return MHD_NO;
	result = MHD_queue_response(connection, 200, response);
	MHD_destroy_response(response);
	return result;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	FILE *file = argc == 4 ? fopen(argv[2], "rb") : NULL;
	sigset_t ends;
	int number;

	if (!file) {
		fputs("usage: bare_watch PORT FILE LOG\n", stderr);
		return 2;
	}
	length = fread(bytes, 1, sizeof(bytes), file);
	(void)fclose(file);
	log_file = open(argv[3], O_WRONLY | O_CREAT | O_APPEND, 0600);
	address.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)sigemptyset(&ends);
	(void)sigaddset(&ends, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &ends, NULL);
	if (!MHD_start_daemon(MHD_USE_AUTO | MHD_USE_INTERNAL_POLLING_THREAD |
				      MHD_ALLOW_SUSPEND_RESUME,
			      0, NULL, NULL, answer, NULL, MHD_OPTION_SOCK_ADDR,
			      &address, MHD_OPTION_CONNECTION_LIMIT,
			      (unsigned)CONNECTIONS,
			      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16 << 10,
			      MHD_OPTION_END)) {
		fprintf(stderr, "bare_watch: cannot listen on port %s\n", argv[1]);
		return 1;
	}
	return sigwait(&ends, &number);
}
