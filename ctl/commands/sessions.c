#include "commands/commands.h"

#include "api/exchange.h"
#include "buf.h"
#include "mem.h"
#include "show/output.h"
#include "show/session_sources.h"
#include "line/targets.h"
#include "terminal/print.h"
#include "text/duration.h"
#include "text/json_write.h"

#include <stdlib.h>
#include <string.h>

/* One service, and what its server says of its sessions. */
struct listed {
	const char *service;
	struct exchange exchange;
	struct wall now; /* of the server */
};

/* A session in the order in which it is shown. */
struct row {
	const struct session *session;
	const char *service;
	size_t place;
};

/* The oldest first, those of unknown age last; those of one age in the order of the
 * replies. */
static int compare_rows(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	if (a->session->age_s != b->session->age_s)
		return a->session->age_s > b->session->age_s ? -1 : 1;
	return a->place < b->place ? -1 : 1;
}

static struct row *sort_rows(const struct listed *listed, size_t count,
			     size_t *rows)
{
	struct row *list = NULL;

	*rows = 0;
	for (size_t i = 0; i < count; i++) {
		const struct sessions_reply *sessions = listed[i].exchange.sessions;

		if (!sessions)
			continue;
		list = xrealloc(list,
				(*rows + sessions->item_count + 1) * sizeof(*list));
		for (size_t k = 0; k < sessions->item_count; k++) {
			list[*rows] = (struct row){&sessions->items[k],
						   listed[i].service, *rows};
			++*rows;
		}
	}
	if (*rows)
		qsort(list, *rows, sizeof(*list), compare_rows);
	return list;
}

/* The user, where the source tells it, or the other end of the connection. */
static void add_who(struct table *table, const struct session *session)
{
	const char *peer = session->peer;

	if (!peer)
		table_add(table, session->user ? session->user : "-");
	else
		table_printf(table, NULL,
			     strchr(peer, ':') ? "[%s]:%lld" : "%s:%lld", peer,
			     (long long)session->peer_port);
}

static void add_duration(struct table *table, int64_t seconds, const char *sign)
{
	char text[DURATION_BYTES];

	if (seconds < 0)
		table_add(table, "-");
	else
		table_printf(table, NULL, "%s%s",
			     duration_print(seconds * 1000, text), sign);
}

static void add_note(struct buf *note, const char *word)
{
	if (word && *word)
		buf_printf(note, "%s%s", note->length ? ", " : "", word);
}

static void add_row(struct table *table, const void *context)
{
	const struct row *row = context;
	const struct session *session = row->session;
	struct buf note = {0};

	add_who(table, session);
	table_add(table, row->service);
	table_add(table, session->source);
	add_duration(table, session->age_s, session->is_age_least ? "+" : "");
	add_duration(table, session->idle_s, "");
	add_note(&note, session->state);
	add_note(&note, session->is_own ? "the server itself" : NULL);
	add_note(&note, session->is_suspect ? "suspect" : NULL);
	table_add(table, note.text ? note.text : "");
	buf_done(&note);
}

static json_t *describe_row(const void *context)
{
	const struct row *row = context;
	json_t *object = json_object();

	json_write_text(object, "service", row->service);
	(void)json_object_update(object, (json_t *)row->session->document);
	return object;
}

static json_t *describe(const void *entry)
{
	const struct listed *listed = entry;

	return listed->exchange.sessions
		       ? json_incref(listed->exchange.sessions->document)
		       : NULL;
}

static void print_sources(const void *entry)
{
	const struct listed *listed = entry;

	const struct sessions_reply *sessions = listed->exchange.sessions;

	if (!sessions)
		return;
	session_sources_print(listed->service, &sessions->sources, listed->now);
	if (sessions->own_not_counted > 0)
		print_line(stdout,
			   "%s: %lld connections of the server to itself are not "
			   "counted (count_own: false)",
			   listed->service, (long long)sessions->own_not_counted);
}

/* Why not all that are counted are listed, and only those. */
static const char *explain_difference(const struct sessions_reply *sessions,
				      int64_t limit)
{
	int64_t listed = (int64_t)sessions->item_count;

	if (listed == limit)
		return "see --limit";
	if (listed > sessions->count)
		return "two sources may list the same session";
	return "some sources only count";
}

/* What the list of a service does not show; the exit status. */
static int complain(const struct listed *listed, int64_t limit)
{
	const struct exchange *exchange = &listed->exchange;
	const struct sessions_reply *sessions = exchange->sessions;

	if (!sessions) {
		print_complaint("%s: %s: %s", exchange->server->named.name,
				listed->service, exchange->problem.text);
		return exchange->problem.exit_status;
	}
	if (!sessions->is_known) {
		print_complaint("%s: the number of sessions is unknown: %s",
				listed->service, sessions->error);
		return err_info(ERR_SESSIONS)->exit_status;
	}
	if (!sessions->is_whole)
		print_complaint("%s: %zu of %lld sessions are listed (%s)",
				listed->service, sessions->item_count,
				(long long)sessions->count,
				explain_difference(sessions, limit));
	return 0;
}

static bool has_any(const struct listed *listed, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (listed[i].exchange.sessions)
			return true;
	return false;
}

static void print(const struct listed *listed, size_t count,
		  const struct options *options)
{
	static const char *const headings[] = {"WHO",  "SERVICE", "SOURCE", "AGE",
					       "IDLE", "NOTE",    NULL};
	static const struct output_kind kind = {
		.describe = describe,
		.print = print_sources,
		.headings = headings,
		.add_row = add_row,
		.describe_row = describe_row,
	};
	struct output output;
	size_t row_count;
	struct row *rows = sort_rows(listed, count, &row_count);

	output_begin(&output, &kind, options, false);
	for (size_t i = 0; i < row_count; i++)
		output_row(&output, &rows[i]);
	for (size_t i = 0; i < count; i++)
		output_entry(&output, &listed[i]);
	output_end(&output);
	free(rows);
}

/* Shows what there is, and complains of the rest; the exit status, that of the
 * first service that failed before one of a count that is not known. */
static int report(const struct listed *listed, size_t count,
		  const struct options *options)
{
	int failed = 0, unknown = 0;

	if (has_any(listed, count))
		print(listed, count, options);
	for (size_t i = 0; i < count; i++) {
		int status = complain(&listed[i], options->limit);

		if (!listed[i].exchange.sessions)
			failed = failed ? failed : status;
		else
			unknown = unknown ? unknown : status;
	}
	return failed ? failed : unknown;
}

/* Asks about the services by name, or about all of the view if there are none. */
static struct listed *ask(const struct exchange *whole, const char *const *names,
			  size_t count, int64_t limit, struct client *client)
{
	struct listed *listed = xcalloc(count, sizeof(*listed));

	for (size_t i = 0; i < count; i++) {
		listed[i].exchange.server = whole->server;
		listed[i].now = whole->view->time;
		listed[i].service =
			names ? names[i] : whole->view->services[i].name;
		exchange_send(&listed[i].exchange,
			      &(struct request){.kind = REQUEST_SESSIONS,
						.service = listed[i].service,
						.limit = limit},
			      client);
	}
	client_finish(client);
	return listed;
}

static int show(struct client *client, const struct pool_server *server,
		const char *const *names, const struct options *options)
{
	struct exchange whole = {.server = server};
	size_t count = options->services.count;
	struct listed *listed;
	int status;

	exchange_send(&whole, &(struct request){.kind = REQUEST_VIEW}, client);
	client_finish(client);
	if (!whole.view) {
		print_complaint("%s: %s", server->named.name, whole.problem.text);
		return whole.problem.exit_status;
	}
	if (!count) {
		names = NULL;
		count = whole.view->service_count;
	}
	listed = ask(&whole, names, count, options->limit, client);
	status = report(listed, count, options);
	for (size_t i = 0; i < count; i++)
		exchange_done(&listed[i].exchange);
	free(listed);
	exchange_done(&whole);
	return status;
}

int command_sessions(const struct options *options,
		     const struct pool_config *config, struct err *err)
{
	struct client *client = NULL;
	const char **names = NULL;
	struct targets targets;
	int ret = -1;

	if (options->limit < 1 || options->limit > API_SESSIONS_LIMIT)
		return err_set(err, ERR_USAGE, "--limit must be from 1 to %d",
			       API_SESSIONS_LIMIT);
	if (!targets_find(config, options, "name one of its servers", &targets,
			  err))
		names = targets_spell_services(config, &targets, options, err);
	if (names)
		client = client_new(err);
	if (client)
		ret = show(client, targets.servers[0], names, options);
	client_free(client);
	free(names);
	targets_done(&targets);
	return ret;
}
