/*
 * A recorded trace is never called drained while it has a session: whole
 * controllers drain it, with sources that fail and are slow, a poold that is late
 * or killed, and clocks that jump; what they say is held against the trace at every
 * step.
 *
 * POOLCTL_SEED repeats a run; POOLCTL_ROUNDS makes it longer.
 */
#include "services/controller_private.h"
#include "draw.h"
#include "system/log.h"
#include "sessions_counts.h"
#include "temp_folder.h"
#include "pool_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum {
	ROUNDS = 800,
	TICK_MS = 1000,
	TENTH_MS = 100,
	SETTLE_MS = 20000,   /* at most */
	LIST_MS = 1000,      /* half of what a slow kernel takes */
	SLOW_MS = 5000,      /* a slow answer */
	HANG_MS = 50000,     /* one that is given up before it comes */
	GOES_ON_MS = 300000, /* so long sessions come while it is out */
	CALM_MS = 10000,
	END_MS = 150000, /* from the settle time until it must have been said */
	SOURCES = 3,
	LIVES = 4000,
};

static const char trace_path[] = "tests/sessions/traces/programs.txt";

static const char pool_yaml[] =
	"pools:\n"
	"  p:\n"
	"    services:\n"
	"      A: {ports: 5061}\n"
	"      B: {http: [{url: 'http://127.0.0.1/', every: 1s, timeout: 9s}]}\n"
	"      C: {ports: 5061, http: [\n"
	"        {url: 'http://127.0.0.1/', every: 3s, timeout: 1s}]}\n"
	"      D: {ports: 5061, combine: sum, http: [\n"
	"        {url: 'http://127.0.0.1/1', every: 2s, timeout: 1s},\n"
	"        {url: 'http://127.0.0.1/2', every: 1s, timeout: 9s}]}\n"
	"    servers: {s: {address: 127.0.0.1}}\n";

/* Each source sees a share of them. */
static struct {
	struct {
		int64_t began_ms, gone_ms;
	} lives[LIVES];
	size_t count;
	int64_t last_ms;
} trace;

/* An answer under way, in the time of poold's clock. */
struct asked {
	bool is_under_way;
	int64_t due_ms, asked_ms, counted_ms, there_ms;
};

static struct {
	struct temp_folder folder;
	struct pool_config *config;
	struct store *store;
	struct record *record;

	const struct pool_service *service;
	struct controller *controller;
	struct scm scm;
	enum service_state state;
	enum start_type startup;

	int64_t now_ms;   /* poold's clock, which may stand still ... */
	int64_t ahead_ms; /* ... while the time of the trace goes on */
	int64_t wall_ahead_ms;
	int64_t settle_ms;
	bool goes_on;    /* sessions come also while it is out */
	size_t thinning; /* so many times fewer sessions */
	int64_t shut_ms; /* who would have begun later is refused */
	bool is_calm;    /* nothing fails */
	bool is_over;    /* and nothing is slow: the last has ended */
	bool is_failing[SOURCES];
	struct asked asked[SOURCES];
	int64_t loud_ms; /* when a source had sessions or failed, or none was
			    refused */
	int64_t checks, drained, early;
} world;

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t trace_ms(int64_t at_ms)
{
	return at_ms + world.ahead_ms;
}

static size_t source_count(void)
{
	return world.controller->counting.progress.source_count;
}

/* Who is there for longer is counted, or else nobody asked or answered for too
 * long. */
static int64_t blind_ms(size_t source)
{
	const struct counting *counting = &world.controller->counting;
	int64_t gap_ms = counting->progress.sources[source].gap_limit_ms;
	bool is_tcp = counting->sources[source].kind == SOURCE_TCP;

	return gap_ms + TICK_MS + (is_tcp ? 2 * LIST_MS : gap_ms);
}

/* ---- the trace ---- */

static void load_trace(void)
{
	FILE *file = fopen(trace_path, "r");
	long began, length;
	char line[256];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#' || sscanf(line, "%ld %ld", &began, &length) != 2)
			continue;
		assert_true(trace.count < LIVES);
		trace.lives[trace.count].began_ms = began * TENTH_MS;
		trace.lives[trace.count].gone_ms = (began + length) * TENTH_MS;
		if (trace.lives[trace.count].gone_ms > trace.last_ms)
			trace.last_ms = trace.lives[trace.count].gone_ms;
		trace.count++;
	}
	(void)fclose(file);
	assert_true(trace.count > 1000);
}

/* The source that sees it; or none, if it is left out or refused. */
static size_t seen_by(size_t k)
{
	size_t source = k % (source_count() * world.thinning);
	bool is_seen =
		source < source_count() && trace.lives[k].began_ms <= world.shut_ms;

	return is_seen ? source : SOURCES;
}

static int64_t alive(size_t source, int64_t at_ms)
{
	int64_t number = 0;

	for (size_t k = 0; k < trace.count; k++)
		number += trace.lives[k].began_ms <= at_ms &&
			  at_ms < trace.lives[k].gone_ms && seen_by(k) == source;
	return number;
}

/* When the last has ended, and no new one is let in. */
static int64_t over_ms(void)
{
	int64_t last_ms = world.shut_ms;

	for (size_t k = 0; k < trace.count; k++)
		if (trace.lives[k].gone_ms > last_ms && seen_by(k) < SOURCES)
			last_ms = trace.lives[k].gone_ms;
	return last_ms;
}

/* ---- what poold works with ---- */

static struct mono fake_clock(void)
{
	return (struct mono){world.now_ms};
}

static struct wall fake_wall(void)
{
	return (struct wall){1777624200000 + world.now_ms + world.wall_ahead_ms};
}

static bool happens(int64_t one_of)
{
	return !world.is_calm && one_in(one_of);
}

static bool is_slow(int64_t one_of)
{
	return !world.is_over && one_in(one_of);
}

static int64_t count_of(size_t source, int64_t at_ms)
{
	int64_t count = alive(source, trace_ms(at_ms));

	if ((count || world.is_failing[source]) && at_ms > world.loud_ms)
		world.loud_ms = at_ms;
	return count;
}

/* The kernel may take its time, and fail when it has begun to tell. */
static int fake_list(const struct sessions_filter *filter,
		     const struct sessions_taker *taker, struct err *err)
{
	struct sessions_connection connection = {.idle_ms = -1};
	int64_t count;

	(void)filter;
	world.now_ms += is_slow(20) ? draw(LIST_MS) : draw(3);
	count = count_of(0, world.now_ms);
	world.now_ms += is_slow(20) ? draw(LIST_MS) : draw(3);
	for (int64_t i = 0; i < count; i++) {
		connection.peer_port = (uint16_t)(i + 1);
		taker->take(taker->arg, &connection);
	}
	return world.is_failing[0]
		       ? err_set(err, ERR_SESSIONS, "the kernel is silent")
		       : 0;
}

static int observe(struct scm *scm, const char *name, struct scm_status *status,
		   struct err *err)
{
	(void)scm, (void)name, (void)err;
	*status = (struct scm_status){.state = world.state,
				      .start_type = world.startup,
				      .accepts_pause = true};
	return 0;
}

static int set_startup(struct scm *scm, const char *name, enum start_type type,
		       enum scm_flag flag, struct err *err)
{
	(void)scm, (void)name, (void)flag, (void)err;
	world.startup = type;
	return 0;
}

static int control(struct scm *scm, const char *name, enum scm_control what,
		   struct err *err)
{
	(void)scm, (void)name;
	if (happens(10))
		return err_set(err, ERR_SCM_FAILED, "the SCM is silent");
	assert_int_equal(what, SCM_PAUSE);
	world.state = STATE_PAUSED;
	world.loud_ms = world.now_ms;
	if (!world.goes_on)
		world.shut_ms = trace_ms(world.now_ms);
	return 0;
}

static const struct scm_ops ops = {
	.observe = observe,
	.set_startup = set_startup,
	.control = control,
};

/* A source with a thread of its own is asked ... */
static void ask(struct asked *asked)
{
	int64_t takes_ms = 1 + draw(happens(50)  ? HANG_MS
				    : is_slow(3) ? SLOW_MS
						 : 800);

	asked->is_under_way = true;
	asked->asked_ms = asked->due_ms;
	asked->counted_ms = asked->asked_ms + draw(takes_ms + 1);
	asked->there_ms = asked->asked_ms + takes_ms;
}

/* ... and answers. */
static void answer(size_t i, int64_t every_ms)
{
	struct asked *asked = &world.asked[i];
	struct sampler_reading reading = {.at = {asked->asked_ms},
					  .answered_at = {asked->there_ms},
					  .is_known = !world.is_failing[i],
					  .count = count_of(i, asked->counted_ms)};
	int64_t due_ms = progress_due(reading.at, reading.answered_at, every_ms).ms;

	if (!reading.is_known)
		(void)err_set(&reading.err, ERR_SESSIONS, "it is gone");
	sampler_put(world.controller->counting.sources[i].sampler, reading);
	asked->is_under_way = false;
	asked->due_ms = most(due_ms, asked->there_ms);
}

/* All that the threads did up to now. */
static void ask_and_answer(void)
{
	size_t first = world.service->ports.count ? 1 : 0;
	const struct pool_http *http = world.service->http.items;

	for (size_t i = first; i < source_count(); i++) {
		struct asked *asked = &world.asked[i];

		while (asked->is_under_way ? asked->there_ms <= world.now_ms
					   : asked->due_ms <= world.now_ms)
			if (asked->is_under_way)
				answer(i, http[i - first].every_ms);
			else
				ask(asked);
	}
}

/* ---- a drain ---- */

/* A poold that knows only what another left in the store. */
static void come_up(void)
{
	const struct pool *pool = world.config->pools.items;
	const struct deps deps = {.scm = &world.scm,
				  .store = world.store,
				  .record = world.record,
				  .list_sessions = fake_list,
				  .clock = fake_clock,
				  .wall_clock = fake_wall,
				  .tick_ms = TICK_MS,
				  .has_no_threads = true};
	struct err err = {0};

	world.controller = controller_new(pool, pool->servers.items, world.service,
					  &deps, &err);
	assert_string_equal(err.text, "");
	world.controller->settle_ms = world.settle_ms;
	for (size_t i = 0; i < SOURCES; i++)
		world.asked[i] = (struct asked){.due_ms = world.now_ms};
	controller_want(world.controller, &(struct wanted){.want = WANT_DRAINED});
}

static void begin(int64_t begin_ms)
{
	const struct pool *pool = world.config->pools.items;

	world.service = (const struct pool_service *)pool->services.items +
			draw((int64_t)pool->services.count);
	world.scm.ops = &ops;
	world.state = STATE_RUNNING;
	world.startup = START_AUTOMATIC;
	world.now_ms = 1000000 + draw(1000000);
	world.ahead_ms = begin_ms - world.now_ms;
	world.settle_ms = one_in(8) ? 0 : draw(SETTLE_MS);
	world.goes_on = one_in(2);
	world.thinning = (size_t)(1 + draw(6));
	world.shut_ms = INT64_MAX;
	world.is_calm = world.is_over = false;
	memset(world.is_failing, 0, sizeof(world.is_failing));
	world.loud_ms = 0;
	come_up();
}

static void end(void)
{
	controller_free(world.controller);
	assert_int_equal(
		store_delete_saved(world.store, world.service->named.name, NULL),
		0);
	assert_int_equal(record_commit(world.record, NULL), 0);
}

static void meddle(void)
{
	for (size_t i = 0; i < SOURCES; i++)
		if (happens(world.is_failing[i] ? 3 : 100))
			world.is_failing[i] = !world.is_failing[i];
	if (happens(50))
		world.wall_ahead_ms += draw(200000000) - 100000000;
	/* Poold does not get a turn. */
	if (happens(20))
		world.now_ms += draw(40000);
	/* The machine sleeps; who comes and goes meanwhile is not seen. */
	if (!world.goes_on && happens(100))
		world.ahead_ms += draw(30000);
	if (happens(100)) {
		controller_free(world.controller);
		come_up();
	}
}

/* A session was there in the settle time, or is, and for so long that it must be
 * known.
 */
static bool is_overlooked(void)
{
	int64_t now_ms = trace_ms(world.now_ms);

	for (size_t k = 0; world.goes_on && k < trace.count; k++) {
		int64_t from_ms, to_ms, may_ms;

		if (seen_by(k) == SOURCES)
			continue;
		may_ms = blind_ms(seen_by(k));
		from_ms = now_ms - most(world.settle_ms, may_ms + 1);
		from_ms = most(trace.lives[k].began_ms, from_ms);
		to_ms = least(trace.lives[k].gone_ms, now_ms);
		if (to_ms - from_ms > may_ms)
			return true;
	}
	return false;
}

/* Returns after how long the next step is due. */
static int64_t step_and_check(int64_t round)
{
	int64_t due_ms = world.controller->counting.due.ms;
	int64_t next_ms = controllers_step(&world.controller, 1);
	bool has_counted = world.controller->counting.due.ms != due_ms;

	world.checks++;
	if (controller_phase(world.controller) != PHASE_DRAINED)
		return next_ms;
	world.drained++;
	if (world.state == STATE_PAUSED && !is_overlooked() &&
	    (!has_counted || world.now_ms - world.loud_ms >= world.settle_ms) &&
	    (world.goes_on ||
	     trace_ms(world.now_ms) >= over_ms() + world.settle_ms))
		return next_ms;
	if (!world.early++)
		print_message(
			"round %lld, service %s, settle time %lld ms: drained "
			"early at %lld ms of the trace\n",
			(long long)round, world.service->named.name,
			(long long)world.settle_ms,
			(long long)trace_ms(world.now_ms));
	return next_ms;
}

/* Nothing fails any more shortly before the last ends, so that the settle time
 * begins with that.  Returns at which time of the trace it must have been said. */
static int64_t calm_down(void)
{
	if (!world.is_calm && trace_ms(world.now_ms) >= over_ms() - CALM_MS) {
		world.is_calm = true;
		memset(world.is_failing, 0, sizeof(world.is_failing));
	}
	world.is_over = trace_ms(world.now_ms) >= over_ms();
	return over_ms() + world.settle_ms + END_MS;
}

/* A drain that begins at some moment of the trace. */
static void drain(int64_t round)
{
	int64_t begin_ms = trace.lives[draw((int64_t)trace.count)].began_ms;
	int64_t until_ms = begin_ms + GOES_ON_MS;

	begin(begin_ms);
	while (trace_ms(world.now_ms) < until_ms) {
		meddle();
		ask_and_answer();
		world.now_ms +=
			step_and_check(round) + (happens(10) ? draw(3000) : 0);
		if (world.shut_ms != INT64_MAX)
			until_ms = calm_down();
	}
	if (!world.goes_on)
		assert_int_equal(controller_phase(world.controller), PHASE_DRAINED);
	end();
}

static void a_recorded_trace_is_never_drained_while_it_has_a_session(void **state)
{
	int64_t rounds = number_of("POOLCTL_ROUNDS", ROUNDS);

	(void)state;
	load_trace();
	for (int64_t round = 0; round < rounds; round++)
		drain(round);
	sessions_counts_add(world.checks, world.early);
	print_message("%lld checks, %lld drained\n", (long long)world.checks,
		      (long long)world.drained);
	assert_int_equal(world.early, 0);
	assert_true(world.drained > rounds);
}

static int make_world(void **state)
{
	struct mistakes mistakes = {0};
	char *log;

	(void)state;
	world.config = pool_config_parse("pool.yaml", pool_yaml, strlen(pool_yaml),
					 &mistakes);
	if (!world.config || temp_folder_make(&world.folder))
		return -1;
	log = temp_folder_file(&world.folder, "log");
	(void)log_to_file(log, NULL);
	free(log);
	world.store = store_open(world.folder.path, NULL);
	world.record =
		world.store ? record_open(world.store, fake_wall, NULL) : NULL;
	return world.record ? 0 : -1;
}

static int unmake_world(void **state)
{
	(void)state;
	record_close(world.record);
	store_close(world.store);
	pool_config_free(world.config);
	temp_folder_remove(&world.folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_recorded_trace_is_never_drained_while_it_has_a_session),
	};

	draw_begin(20261121);
	return cmocka_run_group_tests(tests, make_world, unmake_world);
}
