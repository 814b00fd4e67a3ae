/*
 * Feeds arbitrary bytes to the readers of every reply that poolctl reads, and looks
 * for a success that is made of nothing.  Built as fuzz_config is.
 *
 * The first byte says which reply it is: `0` the state of a server, `1` a
 * preflight, `2` a problem (three digits of HTTP status follow), `3` events, `4` a
 * stream of events, `5` sessions, `6` a drain.
 */
#include "api/chain_verify.h"
#include "api/events_reply.h"
#include "api/preflight_reply.h"
#include "api/problem.h"
#include "api/sessions_reply.h"
#include "api/sse.h"
#include "api/view_text.h"
#include "operation/goal.h"
#include "pool_config.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static const struct pool_server *our_server(void)
{
	static const char text[] =
		"pools: {fe-pool01: {services: {RTCSRV: {ports: [1]}}, "
		"servers: {frontend01: {address: 127.0.0.1}}}}";
	static struct pool_config *config;
	struct mistakes mistakes = {0};

	if (!config)
		config = pool_config_parse("fuzz.yaml", text, strlen(text),
					   &mistakes);
	require(config);
	return pool_find_server(config, "frontend01", NULL);
}

/* ---- each kind of reply ---- */

static void check_goal(const struct server_view *view, enum goal_kind kind)
{
	const struct goal goal = {.kind = kind, .id = "kb1"};
	enum goal_outcome outcome = goal_evaluate(&goal, view, GOAL_ATTENTION_MS);
	struct buf text = {0};

	goal_explain(&goal, view, outcome, &text);
	buf_done(&text);
	if (outcome != OUTCOME_REACHED && outcome != OUTCOME_CUT)
		return;
	require(view->service_count > 0);
	for (size_t i = 0; kind == GOAL_SEEN_DRAINED && i < view->service_count;
	     i++)
		require(view->services[i].phase == PHASE_DRAINED);
	require(kind != GOAL_SEEN_DRAINED || view->progress.sessions == 0);
	require((kind != GOAL_DRAINED && kind != GOAL_OUT) ||
		server_view_drain(view, "kb1"));
	for (size_t i = 0; kind == GOAL_RESUMED && i < view->service_count; i++)
		require(view->services[i].phase == PHASE_SERVING);
}

static void read_server(const char *body, size_t length)
{
	struct err err = {0};
	struct server_view *view = server_view_parse(body, length, &err);
	struct buf text = {0};

	require(!view == (err.code != ERR_NONE));
	if (!view)
		return;
	server_view_compare(view, our_server());
	require(server_view_service(view, "RTCSRV") || view->other_services.length);
	view_text_other_config(&view->other_services, &text);
	view_text_other_config(&view->other_pool, &text);
	view_text_holders(view, &text);
	view_text_reservation(view, &text);
	view_text_uncounted(view, &text);
	view_text_eta(&view->progress, true, &text);
	for (size_t i = 0; i < view->drain_count; i++)
		view_text_drain_options(&view->drains[i], view->time, true, &text);
	for (int kind = 0; kind < GOAL__COUNT; kind++)
		check_goal(view, (enum goal_kind)kind);
	(void)reply_read_check_server(view->document, our_server(), &err);
	buf_done(&text);
	server_view_free(view);
}

static void read_preflight(const char *body, size_t length)
{
	struct err err = {0};
	struct preflight_reply *preflight =
		preflight_reply_parse(our_server(), 600, body, length, &err);
	struct buf text = {0};

	require(!preflight == (err.code != ERR_NONE));
	if (!preflight)
		return;
	require(preflight->service_count > 0);
	preflight_reply_explain(preflight, &text);
	(void)preflight_reply_tell_out(preflight, &text);
	require(preflight_reply_fit(preflight) != FIT_YES ||
		preflight->is_possible);
	buf_done(&text);
	preflight_reply_free(preflight);
}

static void read_problem(const char *body, size_t length)
{
	struct reply reply = {.body = body, .length = length};
	struct problem problem;

	for (; reply.length && reply.body < body + 3; reply.length--)
		reply.status = reply.status * 10 + *reply.body++ % 10;
	if (!problem_from_reply(&reply, "http://me:secret@h", &problem)) {
		require(reply.status >= 200 && reply.status < 300);
		return;
	}
	require((problem.exit_status >= 1 && problem.exit_status <= 5) ||
		problem.exit_status == 9);
	require(problem.code != ERR_NONE && *problem.text &&
		strlen(problem.text) < sizeof(problem.text));
}

static void read_events(const char *body, size_t length)
{
	struct err err = {0};
	struct events_reply *events = events_reply_parse(body, length, &err);
	struct chain_verify verify;

	require(!events == (err.code != ERR_NONE));
	if (!events)
		return;
	chain_verify_init(&verify, NULL);
	for (size_t i = 0; i < events->count && !err.code; i++)
		(void)chain_verify_event(&verify, events->items[i].document, &err);
	if (!err.code && !chain_verify_end(&verify, events->last_id, &err))
		require(verify.id == (int64_t)events->count);
	events_reply_free(events);
}

static void on_message(void *arg, const struct sse_message *message)
{
	struct err err = {0};
	json_t *document = NULL;

	(void)arg;
	if (message->data)
		document = reply_read_document(message->data, strlen(message->data),
					       &err);
	if (document)
		(void)events_reply_read_one(document, &err);
	json_decref(document);
}

/* In pieces, whose size the first byte says. */
static void read_stream(const char *bytes, size_t length)
{
	size_t piece = length ? (unsigned char)*bytes % 64 + 1 : 1;
	struct sse sse = {0};
	struct err err = {0};

	for (size_t at = 0; at < length && !err.code; at += piece)
		(void)sse_read(&sse, bytes + at,
			       piece < length - at ? piece : length - at,
			       on_message, NULL, &err);
	sse_reset(&sse);
}

static void read_sessions(const char *body, size_t length)
{
	struct err err = {0};
	struct sessions_reply *sessions =
		sessions_reply_parse("RTCSRV", body, length, &err);

	require(!sessions == (err.code != ERR_NONE));
	if (sessions)
		require(!sessions->is_known || sessions->count >= 0);
	sessions_reply_free(sessions);
}

static void read_drain(const char *body, size_t length)
{
	struct err err = {0};
	struct drain_view *drain = server_view_parse_drain(body, length, &err);

	require(!drain == (err.code != ERR_NONE));
	if (drain)
		require(drain->service_count > 0);
	server_view_free_drain(drain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(const char *body, size_t length) = {
		read_server, read_preflight, read_problem, read_events,
		read_stream, read_sessions,  read_drain};
	char *body;

	if (!size || data[0] < '0' || data[0] > '6')
		return -1;
	/* As the client gives it: with a NUL behind it. */
	body = calloc(size, 1);
	require(body);
	memcpy(body, data + 1, size - 1);
	readers[data[0] - '0'](body, size - 1);
	free(body);
	return 0;
}
