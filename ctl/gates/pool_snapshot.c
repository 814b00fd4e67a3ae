#include "gates/pool_snapshot.h"

#include "dns/dns_pools.h"
#include "mem.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

/* ---- the members ---- */

static void add_pool(struct pool_snapshot *snapshot, const struct pool *pool)
{
	struct pool_snapshot_pool *fresh;

	snapshot->pools = xrealloc(snapshot->pools, (snapshot->pool_count +
						     1) * sizeof(*snapshot->pools));
	fresh = &snapshot->pools[snapshot->pool_count++];
	*fresh = (struct pool_snapshot_pool){.pool = pool,
					     .member_count = pool->servers.count};
	fresh->members = xcalloc(fresh->member_count, sizeof(*fresh->members));
	fresh->standings = xcalloc(fresh->member_count, sizeof(*fresh->standings));
	for (size_t i = 0; i < fresh->member_count; i++) {
		const struct pool_server *servers = pool->servers.items;

		fresh->members[i].server = &servers[i];
	}
}

/* The targets are in the order of the file, so those of a pool are together. */
static void add_pools(struct pool_snapshot *snapshot)
{
	const struct targets *targets = snapshot->question->targets;

	for (size_t i = 0; i < targets->count; i++) {
		const struct pool *pool;

		(void)pool_find_server(snapshot->question->config,
				       targets->servers[i]->named.name, &pool);
		if (!snapshot->pool_count ||
		    snapshot->pools[snapshot->pool_count - 1].pool != pool)
			add_pool(snapshot, pool);
	}
}

void pool_snapshot_send(struct pool_snapshot *snapshot, struct client *client)
{
	const struct pool_snapshot_question *question = snapshot->question;
	const struct request view = {.kind = REQUEST_VIEW,
				     .timeout_ms = POOL_SNAPSHOT_LIMIT_MS};
	struct request preflight = {.kind = REQUEST_PREFLIGHT,
				    .timeout_ms = question->preflight_ms,
				    .services = question->services,
				    .service_count = question->service_count};

	client_set_limit(client, CLIENT_MANY);
	for (size_t p = 0; p < snapshot->pool_count; p++) {
		struct pool_snapshot_pool *pool = &snapshot->pools[p];

		for (size_t i = 0; i < pool->member_count; i++)
			exchange_send(&pool->members[i], &view, client);
	}
	for (size_t i = 0; i < question->targets->count; i++) {
		preflight.drain_options = &question->drain_options[i];
		exchange_send(&snapshot->preflights[i], &preflight, client);
	}
}

bool pool_snapshot_is_over(const struct pool_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->question->targets->count; i++)
		if (!snapshot->preflights[i].is_over)
			return false;
	for (size_t p = 0; p < snapshot->pool_count; p++)
		for (size_t i = 0; i < snapshot->pools[p].member_count; i++)
			if (!snapshot->pools[p].members[i].is_over)
				return false;
	return true;
}

/* ---- DNS ---- */

int pool_snapshot_ask_dns(struct pool_snapshot *snapshot, struct err *err)
{
	size_t count = snapshot->pool_count;
	const struct pool **pools = xcalloc(count, sizeof(*pools));
	struct dns_view **views = xcalloc(count, sizeof(struct dns_view *));
	int ret;

	for (size_t p = 0; p < count; p++)
		pools[p] = snapshot->pools[p].pool;
	ret = dns_pools_ask(pools, count, POOL_SNAPSHOT_LIMIT_MS, views, err);
	for (size_t p = 0; p < count; p++)
		snapshot->pools[p].dns = views[p];
	free(pools);
	free(views);
	return ret;
}

void pool_snapshot_move_dns(struct pool_snapshot *from, struct pool_snapshot *to)
{
	for (size_t p = 0; p < from->pool_count; p++) {
		to->pools[p].dns = from->pools[p].dns;
		from->pools[p].dns = NULL;
	}
}

static void list_strangers(struct pool_snapshot_pool *pool)
{
	for (size_t i = 0; i < pool->dns->address_count; i++) {
		const struct dns_address_view *seen = &pool->dns->addresses[i];
		char text[NET_ADDRESS_TEXT_BYTES];

		if (!seen->server)
			buf_printf(&pool->strangers, "%s%s",
				   pool->strangers.length ? ", " : "",
				   net_address_format(&seen->address, text));
	}
}

/* True if it is in the answers of all resolvers that answered, and one did. */
static bool is_in_dns(const struct dns_view *view,
		      const struct dns_server_view *seen)
{
	bool is_in = false;

	for (size_t i = 0; i < view->resolver_count; i++) {
		if (seen->ttl_s[i] == DNS_TTL_ABSENT)
			return false;
		is_in |= seen->ttl_s[i] >= 0;
	}
	return is_in;
}

/* ---- as the gates see it ---- */

static const struct drain_view *first_drain(const struct server_view *view)
{
	for (size_t i = 0; i < view->drain_count; i++)
		if (view->drains[i].is_active)
			return &view->drains[i];
	return NULL;
}

/* True if another drain has reserved the server.  Only that of a target may be
 * one's own: any other member with a reservation is about to leave. */
static bool is_reserved(const struct pool_snapshot_question *question,
			const struct exchange *seen)
{
	const struct reservation_view *reservation = &seen->view->reservation;
	bool is_target = false;

	for (size_t i = 0; i < question->targets->count; i++)
		is_target =
			is_target || question->targets->servers[i] == seen->server;
	return reservation->is_held &&
	       !(is_target && question->id &&
		 !strcmp(question->id, reservation->id) &&
		 server_view_is_own(reservation->owner, reservation->acts_for,
				    question->owner));
}

/* Sets the owner of its drain, or else of its reservation. */
static void set_holder(const struct server_view *view, bool with_reservation,
		       struct gate_member *member)
{
	const struct drain_view *drain = first_drain(view);

	if (drain) {
		member->holder = drain->owner;
		member->since = (struct moment){true, drain->created_at};
	} else if (with_reservation) {
		member->holder = view->reservation.owner;
		member->since = (struct moment){true, view->reservation.created_at};
	}
}

static void set_overdue(const struct server_view *view, struct gate_member *member)
{
	for (size_t i = 0; i < view->drain_count && !member->overdue; i++)
		if (view->drains[i].is_active && view->drains[i].is_overdue)
			member->overdue = &view->drains[i];
}

/* A command in poold.yaml may count what pool.yaml does not. */
static void set_uncounted(const struct pool *pool, const struct server_view *view,
			  struct gate_member *member)
{
	LIST_EACH (struct pool_service, service,
		   *pool_services(pool, member->server)) {
		const struct service_view *seen =
			server_view_service(view, service->named.name);

		if (!seen || seen->is_counted || !pool_lacks_count(service, false))
			continue;
		if (!member->uncounted_count++)
			member->uncounted = service->named.name;
	}
}

static void set_standing(const struct pool_snapshot_question *question,
			 const struct pool *pool, const struct exchange *seen,
			 struct gate_member *member)
{
	const struct server_view *view = seen->view;

	member->server = seen->server;
	member->sessions = COUNT_UNKNOWN;
	if (!view) {
		member->standing = seen->problem.code == ERR_STALE
					   ? STANDING_STALE
					   : STANDING_UNREACHABLE;
		if (!seen->problem.is_silence && member->standing != STANDING_STALE)
			member->problem = seen->problem.text;
		return;
	}
	member->standing = gate_standing(view->phase, first_drain(view) != NULL,
					 is_reserved(question, seen));
	set_holder(view, is_reserved(question, seen), member);
	member->config_problem = view->config_problem;
	member->store_problem = view->store_problem;
	member->certificate_expires_at = view->certificate_expires_at;
	set_overdue(view, member);
	set_uncounted(pool, view, member);
	member->sessions = view->progress.sessions;
	member->other_services = view->other_services.text;
	member->has_clock = true;
	member->clock_ahead_ms = seen->clock_ahead_ms;
}

static void evaluate_pool(const struct pool_snapshot_question *question,
			  struct pool_snapshot_pool *pool)
{
	pool->now = clock_wall();
	list_strangers(pool);
	for (size_t i = 0; i < pool->member_count; i++) {
		set_standing(question, pool->pool, &pool->members[i],
			     &pool->standings[i]);
		pool->standings[i].is_in_dns =
			is_in_dns(pool->dns, &pool->dns->servers[i]);
	}
}

struct pool_snapshot *pool_snapshot_new(
	const struct pool_snapshot_question *question)
{
	struct pool_snapshot *snapshot = xcalloc(1, sizeof(*snapshot));

	snapshot->question = question;
	snapshot->preflights =
		xcalloc(question->targets->count, sizeof(*snapshot->preflights));
	snapshot->targets =
		xcalloc(question->targets->count, sizeof(*snapshot->targets));
	for (size_t i = 0; i < question->targets->count; i++)
		snapshot->preflights[i].server = question->targets->servers[i];
	add_pools(snapshot);
	return snapshot;
}

struct pool_snapshot *pool_snapshot_take(
	const struct pool_snapshot_question *question, struct client *client,
	struct err *err)
{
	struct pool_snapshot *snapshot = pool_snapshot_new(question);

	pool_snapshot_send(snapshot, client);
	client_finish(client);
	if (pool_snapshot_ask_dns(snapshot, err)) {
		pool_snapshot_free(snapshot);
		return NULL;
	}
	pool_snapshot_evaluate(snapshot);
	return snapshot;
}

void pool_snapshot_free(struct pool_snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (size_t p = 0; p < snapshot->pool_count; p++) {
		struct pool_snapshot_pool *pool = &snapshot->pools[p];

		for (size_t i = 0; i < pool->member_count; i++)
			exchange_done(&pool->members[i]);
		dns_view_free(pool->dns);
		buf_done(&pool->strangers);
		free(pool->members);
		free(pool->standings);
	}
	for (size_t i = 0; i < snapshot->question->targets->count; i++) {
		free(snapshot->targets[i].features);
		exchange_done(&snapshot->preflights[i]);
	}
	free(snapshot->targets);
	free(snapshot->preflights);
	free(snapshot->pools);
	free(snapshot);
}

struct gate_input pool_snapshot_input(const struct pool_snapshot_pool *pool)
{
	return (struct gate_input){
		.pool = pool->pool,
		.members = pool->standings,
		.member_count = pool->member_count,
		.now = pool->now,
		.dns = {pool->dns->balance, pool->dns->is_disputed,
			pool->strangers.text},
	};
}

/* ---- who is to leave ---- */

/* The member that is the target. */
static void find_target(const struct pool_snapshot *snapshot,
			const struct pool_server *server,
			struct pool_snapshot_target *target)
{
	for (size_t p = 0; p < snapshot->pool_count; p++) {
		const struct pool_snapshot_pool *pool = &snapshot->pools[p];

		for (size_t i = 0; i < pool->member_count; i++)
			if (pool->members[i].server == server) {
				target->pool = pool;
				target->member = i;
				return;
			}
	}
	abort();
}

static bool is_covered(const struct pool_snapshot_question *question,
		       const struct pool_service *service)
{
	for (size_t i = 0; i < question->service_count; i++)
		if (!utf8_compare_names(question->services[i], service->named.name))
			return true;
	return !question->service_count && service->role == ROLE_DRAIN;
}

/* The DNS features of the services that the drain would cover and that are there.
 */
static void add_features(const struct pool_snapshot_question *question,
			 struct pool_snapshot_target *target)
{
	const struct exchange *member = &target->pool->members[target->member];

	LIST_EACH (struct pool_service, service,
		   *pool_services(target->pool->pool, member->server)) {
		const struct service_view *seen =
			member->view ? server_view_service(member->view,
							   service->named.name)
				     : NULL;

		if (!is_covered(question, service) || (seen && seen->is_absent))
			continue;
		LIST_EACH (char *, feature, service->dns_features) {
			target->features =
				xrealloc(target->features,
					 (target->feature_count + 1) *
						 sizeof(*target->features));
			target->features[target->feature_count++] = *feature;
		}
	}
}

void pool_snapshot_evaluate(struct pool_snapshot *snapshot)
{
	const struct pool_snapshot_question *question = snapshot->question;

	for (size_t p = 0; p < snapshot->pool_count; p++)
		evaluate_pool(question, &snapshot->pools[p]);
	for (size_t i = 0; i < question->targets->count; i++) {
		struct pool_snapshot_target *target = &snapshot->targets[i];

		find_target(snapshot, question->targets->servers[i], target);
		add_features(question, target);
	}
}

struct gate_input pool_snapshot_target_input(const struct pool_snapshot *snapshot,
					     size_t target)
{
	const struct pool_snapshot_target *known = &snapshot->targets[target];
	struct gate_input input = pool_snapshot_input(known->pool);

	input.target = &known->pool->standings[known->member];
	input.features = known->features;
	input.feature_count = known->feature_count;
	input.preflight = snapshot->preflights[target].preflight;
	if (!input.preflight)
		input.preflight_problem = snapshot->preflights[target].problem.text;
	return input;
}

void pool_snapshot_ask_gates(const struct pool_snapshot *snapshot, size_t target,
			     struct gate_result results[GATE__COUNT])
{
	struct gate_input input = pool_snapshot_target_input(snapshot, target);

	gate_check(&input, results);
}
