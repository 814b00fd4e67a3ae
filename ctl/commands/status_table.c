#include "commands/status_table.h"

#include "operation/goal.h"
#include "terminal/print.h"
#include "text/duration.h"
#include "text/json_write.h"
#include "text/text.h"
#include "api/view_text.h"

enum { ELLIPSIS_COLUMNS = 3, NARROWED = 5 };

/* "3/52" for a server on its way out: few are left of many. */
static void add_sessions(struct table *table, const struct server_view *view)
{
	struct buf text = {0};

	text_add_count(&text, view->progress.sessions);
	if (view->phase != PHASE_SERVING && view->progress.peak != COUNT_UNKNOWN) {
		buf_puts(&text, "/");
		text_add_count(&text, view->progress.peak);
	}
	table_add(table, text.text);
	buf_done(&text);
}

/* If there are several drains, each is named. */
static void add_drain_options(struct buf *note, const struct server_view *view,
			      bool has_countdown)
{
	bool has_several = server_view_count_drains(view) > 1;

	for (size_t i = 0; i < view->drain_count; i++) {
		const struct drain_view *drain = &view->drains[i];
		struct buf named = {0}, drain_options = {0};

		if (drain->is_active)
			view_text_drain_options(drain, view->time, has_countdown,
						&drain_options);
		if (has_several && drain_options.length)
			buf_printf(&named, "%s: ", drain->id);
		buf_join(&named, "", &drain_options);
		buf_join(note, "; ", &named);
	}
}

/* Of several drains, the first took the server out.  A deadline says more of one
 * that is on its way. */
static void add_since(struct buf *note, const struct server_view *view)
{
	const struct drain_view *first = NULL;
	bool is_out = view->phase == PHASE_DRAINED;
	struct buf since = {0};

	for (size_t i = 0; i < view->drain_count; i++)
		if (view->drains[i].is_active &&
		    (!first ||
		     view->drains[i].created_at.ms < first->created_at.ms))
			first = &view->drains[i];
	if (!first || (!is_out && (view->phase != PHASE_DRAINING ||
				   first->deadline_at.is_given)))
		return;
	buf_puts(&since, is_out ? "out since " : "draining since ");
	view_text_time(first->created_at, view->time, &since);
	buf_join(note, "; ", &since);
}

/* On a narrow screen, drains leave room for the notes. */
static void add_drains(struct table *table, const struct server_view *view)
{
	int columns = table_style(table).screen_columns / NARROWED;
	struct buf drains = {0};

	view_text_drains(view, &drains);
	if (drains.length && columns && text_columns(drains.text) > columns) {
		drains.length = text_fit(drains.text, columns - ELLIPSIS_COLUMNS);
		buf_puts(&drains, "...");
	}
	table_add(table, drains.text ? drains.text : "");
	buf_done(&drains);
}

static void add_notes(struct table *table, const struct server_view *view,
		      bool has_countdown)
{
	static const struct goal all_services = {.kind = GOAL_SEEN_SERVING};
	struct buf note = {0}, part = {0};

	goal_explain(&all_services, view, OUTCOME_ATTENTION, &note);
	view_text_other_config(&view->other_services, &part);
	buf_join(&note, "; ", &part);
	view_text_other_config(&view->other_pool, &part);
	buf_join(&note, "; ", &part);
	buf_puts(&part, view->config_problem ? view->config_problem : "");
	buf_join(&note, "; ", &part);
	if (view->store_problem)
		buf_printf(&part, "poold cannot write its store: %s",
			   view->store_problem);
	buf_join(&note, "; ", &part);
	view_text_reservation(view, &part);
	buf_join(&note, "; ", &part);
	view_text_uncounted(view, &part);
	buf_join(&note, "; ", &part);
	if (has_countdown && view->phase == PHASE_DRAINING &&
	    view->progress.eta_s >= 0)
		view_text_eta(&view->progress, true, &part);
	buf_join(&note, "; ", &part);
	add_since(&note, view);
	add_drain_options(&note, view, has_countdown);
	if (view->progress.cut > 0)
		goal_explain(&all_services, view, OUTCOME_CUT, &part);
	buf_join(&note, "; ", &part);
	table_add(table, note.text ? note.text : "");
	buf_done(&note);
}

/* That the state is unknown comes before anything that a narrow screen has no room
 * for.
 */
static void add_phase(struct table *table, const struct status_server *server,
		      bool has_countdown)
{
	const struct server_view *view = server->exchange.view;
	enum phase phase = view ? view->phase : PHASE_ATTENTION;
	char duration[DURATION_BYTES];
	struct buf text = {0};

	buf_puts(&text, view ? api_phases[phase] : "?");
	if (!view && server->unknown_ms && has_countdown)
		buf_printf(&text, " %s",
			   duration_print(server->unknown_ms, duration));
	table_printf(table, print_color(phase), "%s", text.text);
	buf_done(&text);
}

const char *const status_table_headings[] = {"SERVER", "PHASE", "SESSIONS",
					     "DRAINS", "NOTE",  NULL};

void status_table_add_row(struct table *table, const struct status_server *server,
			  bool has_countdown)
{
	const struct server_view *view = server->exchange.view;

	table_add(table, server->exchange.server->named.name);
	add_phase(table, server, has_countdown);
	if (view) {
		add_sessions(table, view);
		add_drains(table, view);
		add_notes(table, view, has_countdown);
	} else {
		table_add(table, "?");
		table_add(table, "");
		table_add(table, server->exchange.problem.text);
	}
}

/* ---- in each format ---- */

/* The servers of one pool. */
struct members {
	const struct status_server *servers;
	size_t count;
};

static const char *title_of(const void *entry)
{
	const struct members *members = entry;

	return members->servers[0].pool->named.name;
}

static void add_row(struct table *table, const void *row)
{
	status_table_add_row(table, row, true);
}

static json_t *describe_server(const struct status_server *server)
{
	const struct exchange *exchange = &server->exchange;
	const struct server_view *view = exchange->view;
	json_t *object = json_object();

	json_write_text(object, "server", exchange->server->named.name);
	json_write_flag(object, "answers", view != NULL);
	if (view) {
		json_write_text(object, "phase", api_phases[view->phase]);
		json_write_copy(object, "document", view->document);
	} else {
		json_write_number(object, "exit_code",
				  exchange->problem.exit_status);
		json_write_text(object, "message", exchange->problem.text);
	}
	return object;
}

json_t *status_table_describe_row(const void *row)
{
	const struct status_server *server = row;
	json_t *object = describe_server(server);

	json_write_text(object, "pool", server->pool->named.name);
	return object;
}

static json_t *describe(const void *entry)
{
	const struct members *members = entry;
	json_t *object = json_object(), *servers = json_array();

	for (size_t i = 0; i < members->count; i++)
		json_write_item(servers, describe_server(&members->servers[i]));
	json_write_text(object, "pool", title_of(members));
	json_write_value(object, "servers", servers);
	return object;
}

const struct output_kind status_table_kind = {
	.list = "pools",
	.title = title_of,
	.describe = describe,
	.headings = status_table_headings,
	.add_row = add_row,
	.describe_row = status_table_describe_row,
};

void status_table_show(const struct status_server *servers, size_t count,
		       struct output *output)
{
	for (size_t first = 0, next = 0; first < count; first = next) {
		while (next < count && servers[next].pool == servers[first].pool)
			next++;
		output_entry(output,
			     &(struct members){servers + first, next - first});
		for (size_t i = first; i < next; i++)
			output_row(output, &servers[i]);
	}
	output_end(output);
}

void status_table_draw(const struct status_server *servers, size_t count,
		       struct table_style style, struct buf *text)
{
	struct output output;

	output_begin_text(&output, &status_table_kind, style, text);
	status_table_show(servers, count, &output);
}
