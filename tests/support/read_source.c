/*
 * read_source: one session source, read alone, each time that a line asks for it.
 *
 *	read_source counter PATH
 *	read_source rds STATE...
 *	read_source http URL POINTER TIMEOUT_MS [CA_FILE]
 *	read_source command POINTER TIMEOUT_MS PROGRAM [ARGUMENT...]
 *
 * Lines of standard input: "read" reads on a thread of its own and prints one line
 *of JSON; "stop" tells the reader to stop, while it reads perhaps.  A POINTER that
 *is "-" is none.
 */
#include "clock.h"
#include "system/host.h"
#include "sources/sessions_reader.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of one of the kinds, what the arguments say. */
static struct pool_counter counter;
static struct pool_rds rds;
static struct pool_http http;
static struct poold_command command;

static struct list take_texts(int count, char **texts)
{
	return (struct list){.items = texts, .count = (size_t)count};
}

static char *take_pointer(char *text)
{
	return strcmp(text, "-") ? text : NULL;
}

static struct sessions_reader *make_counter(int count, char **arguments)
{
	(void)count;
	counter.path = arguments[0];
	return sessions_counter_new(&counter);
}

static struct sessions_reader *make_rds(int count, char **arguments)
{
	rds.states = take_texts(count, arguments);
	return sessions_rds_new(&rds);
}

static struct sessions_reader *make_http(int count, char **arguments)
{
	http.url = arguments[0];
	http.pointer = take_pointer(arguments[1]);
	http.timeout_ms = strtol(arguments[2], NULL, 10);
	http.ca_file = count > 3 ? arguments[3] : NULL;
	return sessions_http_new(&http);
}

static struct sessions_reader *make_command(int count, char **arguments)
{
	command.pointer = take_pointer(arguments[0]);
	command.timeout_ms = strtol(arguments[1], NULL, 10);
	command.run = take_texts(count - 2, arguments + 2);
	return sessions_command_new(&command);
}

static const struct {
	const char *name;
	int least;
	struct sessions_reader *(*make)(int count, char **arguments);
} kinds[] = {
	{"counter", 1, make_counter},
	{"rds", 1, make_rds},
	{"http", 3, make_http},
	{"command", 3, make_command},
};

static void *read_once(void *arg)
{
	struct sessions_reader *reader = arg;
	struct sessions_reading reading = {0};
	struct err err = {0};
	struct mono began = clock_mono();
	json_t *line;
	char *text;

	if (reader->ops->read(reader, &reading, &err))
		line = json_pack("{ss ss}", "error", err.text, "code",
				 err_info(err.code)->name);
	else
		line = json_pack("{sI so*}", "count", (json_int_t)reading.count,
				 "sessions", reading.sessions);
	json_object_set_new(
		line, "ms",
		json_integer((json_int_t)clock_since(began, clock_mono())));
	text = json_dumps(line, JSON_COMPACT);
	puts(text);
	(void)fflush(stdout);
	free(text);
	json_decref(line);
	return NULL;
}

static void obey(struct sessions_reader *reader)
{
	pthread_t thread;
	bool is_reading = false;
	char line[64];

	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "stop", 4)) {
			reader->is_stopping = true;
			continue;
		}
		if (is_reading)
			(void)pthread_join(thread, NULL);
		is_reading = !pthread_create(&thread, NULL, read_once, reader);
	}
	if (is_reading)
		(void)pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	host_init(&argc, &argv);
	for (size_t i = 0; argc > 2 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct sessions_reader *reader;

		if (strcmp(kinds[i].name, argv[1]) || argc - 2 < kinds[i].least)
			continue;
		reader = kinds[i].make(argc - 2, argv + 2);
		obey(reader);
		reader->ops->free(reader);
		return 0;
	}
	fputs("read_source: wrong arguments, see the top of read_source.c\n",
	      stderr);
	return 2;
}
