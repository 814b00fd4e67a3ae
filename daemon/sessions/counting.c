#include "sessions/counting.h"

#include "mem.h"
#include "pool_advice.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

enum {
	GAP_TICKS = 3, /* late, and still counted as time */
	/* The operating system may need so long to list its connections or to
	 * collect its counters when the machine is busy. */
	LOCAL_TIMEOUT_MS = 2000,
	/* How soon the end of the last of a few is seen. */
	PEEK_MS = 200,
	FEW = 16,
};

_Static_assert((int)PROGRESS_SOURCES == (int)POOL_SOURCES_LIMIT,
	       "pool.yaml is checked for as many as there is room for");

static const char *const kind_names[SOURCE__COUNT] = {
	[SOURCE_TCP] = "tcp",   [SOURCE_COUNTER] = "counter",
	[SOURCE_RDS] = "rds",   [SOURCE_COMMAND] = "command",
	[SOURCE_HTTP] = "http",
};

const char *counting_source_name(enum source_kind kind)
{
	return kind_names[kind];
}

/* ---- making ---- */

/* What is to be known of a source before it is made. */
struct plan {
	enum source_kind kind;
	struct sessions_reader *reader; /* or NULL */
	int64_t every_ms, timeout_ms;
	bool ignores_unknown, is_zero_while_stopped;
};

static bool is_taken(const struct counting *c, enum source_kind kind,
		     const char *name)
{
	for (size_t i = 0; i < c->progress.source_count; i++)
		if (c->sources[i].kind == kind && c->sources[i].name &&
		    !strcmp(c->sources[i].name, name))
			return true;
	return false;
}

/* The path, the program or the url, '#' and the pointer, and a number if that is
 * not enough.  None if the kind says it all. */
static void give_name(const struct counting *c, struct source *source,
		      const struct sessions_reader *reader)
{
	const char *pointer = reader->pointer ? reader->pointer : "";
	char *plain;

	if (!reader->name)
		return;
	plain = xasprintf("%s%s%s", reader->name, *pointer ? "#" : "", pointer);
	source->name = xstrdup(plain);
	source->said_name = reader->name;
	for (int i = 2; is_taken(c, source->kind, source->name); i++) {
		free(source->name);
		source->said_name = source->name = xasprintf("%s (%d)", plain, i);
	}
	free(plain);
}

static int add(struct counting *c, const struct plan *plan, struct err *err)
{
	size_t i = c->progress.source_count;
	int64_t tick_ms = c->deps.tick_ms;
	int64_t every_ms = plan->every_ms > tick_ms ? plan->every_ms : tick_ms;
	int64_t gap_ms = every_ms * GAP_TICKS;
	/* It may take its time for this answer and for the next. */
	int64_t silent_ms = every_ms + 2 * plan->timeout_ms;

	if (i == PROGRESS_SOURCES) {
		plan->reader->ops->free(plan->reader);
		return err_set(err, ERR_CONFIG,
			       "%s has more than %d session sources",
			       c->service->named.name, PROGRESS_SOURCES);
	}
	if (gap_ms < every_ms + plan->timeout_ms)
		gap_ms = every_ms + plan->timeout_ms;
	c->sources[i] = (struct source){
		.kind = plan->kind,
		.is_zero_while_stopped = plan->is_zero_while_stopped,
		.silent_ms = silent_ms > gap_ms ? silent_ms : gap_ms,
		.asked_at = c->deps.clock(),
		.unknown_since = c->deps.wall_clock(),
		.known_at = c->deps.clock()};
	if (plan->reader)
		give_name(c, &c->sources[i], plan->reader);
	(void)err_set(&c->sources[i].why, ERR_SESSIONS, "it has not answered yet");
	c->progress.sources[i] = (struct progress_source){
		.ignores_unknown = plan->ignores_unknown, .gap_limit_ms = gap_ms};
	c->progress.source_count++;
	if (!plan->reader)
		return 0;
	c->sources[i].sampler = sampler_new(plan->reader);
	return c->deps.has_no_threads
		       ? 0
		       : sampler_start(c->sources[i].sampler, every_ms, err);
}

static bool is_zero_while_stopped(const struct pool_server *server,
				  const struct pool_http *http)
{
	if (http->while_stopped >= 0)
		return http->while_stopped == WHILE_STOPPED_ZERO;
	return pool_is_on_server(server, http->url);
}

static int add_readers(struct counting *c, const struct pool_server *server,
		       struct err *err)
{
	const struct pool_service *service = c->service;
	int ret = 0;

	LIST_EACH (struct pool_counter, counter, service->counters)
		ret = ret ? ret
			  : add(c,
				&(struct plan){SOURCE_COUNTER,
					       sessions_counter_new(counter), 0,
					       LOCAL_TIMEOUT_MS,
					       counter->ignores_unknown, true},
				err);
	if (!ret && service->rds.states.count)
		ret = add(c,
			  &(struct plan){SOURCE_RDS,
					 sessions_rds_new(&service->rds), 0,
					 LOCAL_TIMEOUT_MS,
					 service->rds.ignores_unknown, false},
			  err);
	LIST_EACH (struct pool_http, http, service->http)
		ret = ret ? ret
			  : add(c,
				&(struct plan){SOURCE_HTTP, sessions_http_new(http),
					       http->every_ms, http->timeout_ms,
					       http->ignores_unknown,
					       is_zero_while_stopped(server, http)},
				err);
	return ret;
}

static int add_commands(struct counting *c, struct err *err)
{
	int ret = 0;

	if (!c->deps.commands)
		return 0;
	LIST_EACH (struct poold_command, command, *c->deps.commands)
		if (!ret &&
		    !utf8_compare_names(command->service, c->service->named.name))
			ret = add(c,
				  &(struct plan){SOURCE_COMMAND,
						 sessions_command_new(command),
						 command->every_ms,
						 command->timeout_ms,
						 command->ignores_unknown,
						 command->while_stopped ==
							 WHILE_STOPPED_ZERO},
				  err);
	return ret;
}

/* Connections that are zero say nothing of what only a counter sees: without one,
 * such a service has a source that never answers. */
static int add_missing(struct counting *c, struct err *err)
{
	size_t i = c->progress.source_count;

	if (!pool_lacks_count(c->service, pool_advice_has_command(
						  c->service, c->deps.commands)))
		return 0;
	if (add(c, &(struct plan){.kind = i ? SOURCE_COUNTER : SOURCE_TCP}, err))
		return -1;
	c->sources[i].why = (struct err){0};
	(void)err_set(
		&c->sources[i].why, ERR_SESSIONS, "%s",
		i ? "which counter tells the sessions is not known; give it "
		    "'counters' in pool.yaml, or 'unverified: []', which counts its "
		    "connections alone"
		  : "there is no session source; give it 'ports' in pool.yaml");
	return 0;
}

int counting_init(struct counting *c, const struct pool *pool,
		  const struct pool_server *server,
		  const struct pool_service *service,
		  const struct counting_deps *deps, struct err *err)
{
	*c = (struct counting){.service = service, .deps = *deps};
	c->settle_ms = pool_settle_ms(pool, server, service);
	c->progress.is_sum = service->combine == COMBINE_SUM;
	c->known_at = deps->clock();
	sessions_source_init(&c->tcp, pool, server, service);
	if (probe_init(&c->probe, server, service, deps->has_no_threads, err))
		return -1;
	if (service->ports.count &&
	    add(c,
		&(struct plan){.kind = SOURCE_TCP, .timeout_ms = LOCAL_TIMEOUT_MS},
		err))
		return -1;
	return add_readers(c, server, err) || add_commands(c, err) ||
			       add_missing(c, err)
		       ? -1
		       : 0;
}

void counting_done(struct counting *c)
{
	for (size_t i = 0; i < c->progress.source_count; i++) {
		sampler_free(c->sources[i].sampler);
		json_decref(c->sources[i].sessions);
		free(c->sources[i].name);
	}
	probe_done(&c->probe);
	sessions_source_done(&c->tcp);
	tracker_done(&c->tracker);
}

int counting_check(const struct pool *pool, const struct pool_server *server,
		   const struct pool_service *service, const struct list *commands,
		   struct err *err)
{
	const struct counting_deps deps = {.clock = clock_mono,
					   .wall_clock = clock_wall,
					   .commands = commands,
					   .has_no_threads = true};
	struct counting *counting = xcalloc(1, sizeof(*counting));
	int ret = counting_init(counting, pool, server, service, &deps, err);

	counting_done(counting);
	free(counting);
	return ret;
}

/* ---- counting ---- */

void counting_see(struct counting *c, bool is_out, bool is_stopped)
{
	struct mono now = c->deps.clock();

	if (is_stopped && !c->is_stopped)
		c->stopped_at = now;
	c->is_stopped = is_stopped;
	progress_see(&c->progress, is_out, now);
}

void counting_see_missing(struct counting *c, bool is_missing)
{
	c->is_missing = is_missing;
	for (size_t i = 0; i < c->progress.source_count; i++)
		if (c->sources[i].sampler)
			sampler_rest(c->sources[i].sampler, is_missing);
}

static void take_connection(void *arg, const struct sessions_connection *connection)
{
	struct counting *c = arg;

	if (probe_is_own(&c->probe, connection))
		return;
	if (sessions_source_is_own(&c->tcp, connection)) {
		c->own_count++;
		c->own_peer = connection->peer;
		if (!c->tcp.counts_own)
			return;
	}
	tracker_see(&c->tracker, connection);
}

static struct sample count_connections(struct counting *c, bool wants_idle,
				       struct err *why)
{
	const struct sessions_taker taker = {take_connection, c, wants_idle};
	struct sample sample = {.at = c->deps.clock()};

	probe_mark(&c->probe, sample.at);
	c->own_count = 0;
	tracker_begin(&c->tracker);
	if (c->deps.list_sessions(&c->tcp.filter, &taker, why)) {
		tracker_failed(&c->tracker);
		return sample;
	}
	sample.answered_at = c->deps.clock();
	tracker_end(&c->tracker, c->deps.clock(), c->deps.wall_clock());
	lifetimes_store_see(&c->lifetimes_store, &c->tracker, c->deps.clock());
	sample.is_known = true;
	sample.count = c->tracker.seen;
	return sample;
}

/* Times and the like in a text are no news for those who wait for some. */
static bool is_same_but_numbers(const char *a, const char *b)
{
	do {
		a += strspn(a, "0123456789");
		b += strspn(b, "0123456789");
		if (*a != *b)
			return false;
	} while (*a++ && *b++);
	return true;
}

static struct wall wall_at(const struct counting *c, struct mono at)
{
	return (struct wall){c->deps.wall_clock().ms -
			     clock_since(at, c->deps.clock())};
}

static void add_sample(struct counting *c, size_t i, struct sample sample,
		       const struct err *why)
{
	struct source *source = &c->sources[i];
	bool is_instant = clock_since(sample.at, sample.answered_at) < 0;

	source->asked_at = sample.at;
	source->sampled_at = wall_at(c, sample.at);
	source->answered_at =
		wall_at(c, is_instant ? sample.at : sample.answered_at);
	source->has_answered = true;
	if (sample.is_known)
		source->known_at = sample.at;
	else if (!source->why.code)
		source->unknown_since = source->sampled_at;
	if (source->why.code != why->code ||
	    !is_same_but_numbers(source->why.text, why->text))
		source->why = *why;
	progress_add(&c->progress, i, sample);
}

static bool is_gone_with_service(const struct counting *c, size_t i,
				 const struct sampler_reading *reading)
{
	return c->sources[i].is_zero_while_stopped && c->is_stopped &&
	       clock_since(c->stopped_at, reading->at) >= 0;
}

static void take_reading(struct counting *c, size_t i,
			 struct sampler_reading *reading)
{
	struct sample sample = {.at = reading->at,
				.answered_at = reading->answered_at,
				.is_known = reading->is_known};

	if (sample.is_known &&
	    (reading->count < 0 || reading->count > SESSIONS_COUNT_LIMIT)) {
		sample.is_known = false;
		(void)err_set(&reading->err, ERR_SESSIONS,
			      "%lld is no number of sessions",
			      (long long)reading->count);
	}
	if (sample.is_known) {
		sample.count = reading->count;
	} else if (is_gone_with_service(c, i, reading)) {
		sample.is_known = true;
		reading->err = (struct err){0};
	}
	c->sources[i].number = reading->number;
	json_decref(c->sources[i].sessions);
	c->sources[i].sessions = reading->sessions;
	add_sample(c, i, sample, &reading->err);
}

/* A source that has not answered for so long that its last word is no news any more
 * is not known at each look, which may be one to be ignored. */
static void check_age(struct counting *c, size_t i)
{
	struct source *source = &c->sources[i];
	struct mono now = c->deps.clock();
	char since[CLOCK_TEXT_BYTES];

	if (clock_since(source->asked_at, now) <= source->silent_ms)
		return;
	if (source->has_answered) {
		if (!source->why.code)
			source->unknown_since = source->answered_at;
		source->why = (struct err){0};
		(void)err_set(&source->why, ERR_SESSIONS,
			      "it has not answered since %s",
			      clock_format(source->answered_at, since));
	}
	progress_add(&c->progress, i, (struct sample){.at = now});
}

/* It is not asked. */
static void note_missing(struct counting *c, size_t i)
{
	struct err why = {0};

	(void)err_set(&why, ERR_SESSIONS, "the service is not installed");
	add_sample(c, i, (struct sample){.at = c->deps.clock()}, &why);
}

/* At the end of the settle time, if that comes before. */
static void set_due(struct counting *c, struct mono began)
{
	struct mono now = c->deps.clock(), settled_at;

	c->due = progress_due(began, now, c->deps.tick_ms);
	c->peek_due = clock_add(now, PEEK_MS);
	if (progress_settles_at(&c->progress, c->settle_ms, &settled_at) &&
	    clock_since(now, settled_at) > 0 && clock_since(settled_at, c->due) > 0)
		c->due = settled_at;
}

void counting_count(struct counting *c, bool wants_idle)
{
	struct mono began = c->deps.clock();

	for (size_t i = 0; i < c->progress.source_count; i++) {
		struct source *source = &c->sources[i];
		struct sampler_reading reading = {0};
		struct err why = {0};

		if (source->sampler) {
			while (sampler_take(source->sampler, source->number,
					    &reading))
				take_reading(c, i, &reading);
			if (c->is_missing)
				note_missing(c, i);
			else
				check_age(c, i);
		} else if (source->kind == SOURCE_TCP && c->service->ports.count) {
			struct sample sample =
				count_connections(c, wants_idle, &why);

			add_sample(c, i, sample, &why);
		}
	}
	progress_combine(&c->progress, c->deps.clock());
	since_out_see(&c->since_out, &c->progress, &c->tracker,
		      c->service->refused_within_ms);
	if (counting_is_known(c))
		c->known_at = began;
	set_due(c, began);
}

int64_t counting_peek_in_ms(const struct counting *c)
{
	const struct tracker *tracker = &c->tracker;
	int64_t ms = clock_since(c->deps.clock(), c->peek_due);
	bool are_few = tracker->is_whole && tracker->live.count &&
		       tracker->live.count <= FEW && counting_is_known(c) &&
		       c->progress.last.count <= FEW;

	if (!c->deps.is_there || !c->progress.is_out || !are_few)
		return -1;
	return ms > 0 ? ms : 0;
}

bool counting_peek(struct counting *c)
{
	c->peek_due = clock_add(c->deps.clock(), PEEK_MS);
	for (size_t i = 0; i < c->tracker.live.count; i++)
		if (c->deps.is_there(&c->tracker.live.items[i].connection))
			return false;
	c->due = c->deps.clock();
	return true;
}

/* ---- what may be said ---- */

bool counting_is_known(const struct counting *c)
{
	return c->progress.has_sample && c->progress.last.is_known;
}

enum tally counting_tally(const struct counting *c, int64_t settle_ms)
{
	if (c->probe.is_taken)
		return TALLY_TAKEN;
	if (!c->is_stopped &&
	    since_out_is_accepting(&c->since_out, c->deps.clock()))
		return TALLY_ACCEPTED;
	if (!counting_is_known(c))
		return TALLY_UNKNOWN;
	if (c->progress.last.count)
		return TALLY_SOME;
	if (probe_is_awaited(&c->probe, c->progress.out_since))
		return TALLY_ZERO;
	return progress_is_settled(&c->progress, settle_ms) ? TALLY_SETTLED
							    : TALLY_ZERO;
}

/* Most reasons name the source themselves. */
static void explain_source(const struct source *source, struct buf *text)
{
	bool is_named =
		source->name && !strstr(source->why.text, source->said_name);
	char since[CLOCK_TEXT_BYTES];

	buf_printf(text, "%s%s%s%s (since %s): %s", text->length ? "; " : "",
		   kind_names[source->kind], is_named ? " " : "",
		   is_named ? source->name : "",
		   clock_format(source->unknown_since, since), source->why.text);
}

char *counting_explain(const struct counting *c)
{
	struct buf text = {0};

	/* Those that may be unknown matter only if nobody else counts. */
	for (int with_ignored = 0; with_ignored < 2 && !text.length; with_ignored++)
		for (size_t i = 0;
		     !counting_is_known(c) && i < c->progress.source_count; i++)
			if (c->sources[i].why.code &&
			    (with_ignored ||
			     !c->progress.sources[i].ignores_unknown))
				explain_source(&c->sources[i], &text);
	return text.text ? text.text : xstrdup("");
}

size_t counting_metrics(const struct counting *c,
			struct source_metrics sources[PROGRESS_SOURCES])
{
	for (size_t i = 0; i < c->progress.source_count; i++) {
		const struct progress_source *said = &c->progress.sources[i];

		sources[i] = (struct source_metrics){
			.service = c->service->named.name,
			.kind = kind_names[c->sources[i].kind],
			.name = c->sources[i].name,
			.has_sample = c->sources[i].has_answered,
			.sampled_at = c->sources[i].asked_at,
			.is_known = said->has_sample && said->last.is_known,
			.known_at = c->sources[i].known_at,
			.count = said->last.count,
		};
	}
	return c->progress.source_count;
}
