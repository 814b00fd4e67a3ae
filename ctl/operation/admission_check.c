#include "operation/admission_check.h"

#include "mem.h"
#include "gates/pool_snapshot.h"

#include <stdlib.h>

/* A preflight that takes longer would outlast the reservation. */
enum { PREFLIGHT_MS = 10000, DNS_KEPT_MS = 10000 };

struct admission_check {
	const struct order *order;
	const struct pool_server *server;
	struct targets targets; /* this server alone */
	struct pool_snapshot_question question;
	struct pool_snapshot *pool_snapshot;
	struct mono dns_at;
	bool is_finished;
	const struct gate_member *rival;
	struct gate_result gates[GATE__COUNT];
};

/* Asks DNS, or has it from the older one. */
static int begin(struct admission_check *check, struct admission_check *older,
		 struct err *err)
{
	check->dns_at = clock_mono();
	if (!older || clock_since(older->dns_at, check->dns_at) >= DNS_KEPT_MS)
		return pool_snapshot_ask_dns(check->pool_snapshot, err);
	check->dns_at = older->dns_at;
	pool_snapshot_move_dns(older->pool_snapshot, check->pool_snapshot);
	return 0;
}

struct admission_check *admission_check_new(
	const struct order *order, const struct pool_server *server,
	const struct drain_options *drain_options, struct admission_check *older,
	struct err *err)
{
	struct admission_check *check = xcalloc(1, sizeof(*check));

	check->order = order;
	check->server = server;
	check->targets = (struct targets){&check->server, 1};
	check->question = (struct pool_snapshot_question){
		.config = order->config,
		.targets = &check->targets,
		.drain_options = drain_options,
		.services = order->goal.services,
		.service_count = order->goal.service_count,
		.preflight_ms = PREFLIGHT_MS,
		.id = order->goal.id,
		.owner = order->owner,
	};
	check->pool_snapshot = pool_snapshot_new(&check->question);
	if (begin(check, older, err)) {
		admission_check_free(check);
		check = NULL;
	}
	admission_check_free(older);
	return check;
}

void admission_check_send(struct admission_check *check, struct client *client)
{
	pool_snapshot_send(check->pool_snapshot, client);
}

bool admission_check_is_over(const struct admission_check *check)
{
	return pool_snapshot_is_over(check->pool_snapshot);
}

enum contention admission_check_finish(struct admission_check *check)
{
	struct gate_input input;

	pool_snapshot_evaluate(check->pool_snapshot);
	check->is_finished = true;
	input = pool_snapshot_target_input(check->pool_snapshot, 0);
	return contention_resolve(&input, check->order->forced, &check->rival,
				  check->gates);
}

bool admission_check_may_pass(const struct admission_check *check)
{
	const struct pool_snapshot *snapshot = check->pool_snapshot;
	const struct pool_snapshot_pool *pool = &snapshot->pools[0];

	for (size_t i = 0; i < pool->member_count; i++)
		if (!pool->members[i].is_good &&
		    pool->members[i].problem.is_gateway)
			return true;
	return !snapshot->preflights[0].is_good &&
	       snapshot->preflights[0].problem.may_pass;
}

const struct pool_server *admission_check_rival(const struct admission_check *check)
{
	return check->rival->server;
}

void admission_check_explain_silence(const struct admission_check *check,
				     struct buf *text)
{
	const struct pool_snapshot_pool *pool = &check->pool_snapshot->pools[0];
	const char *between = "no answer yet from ";

	for (size_t i = 0; i < pool->member_count; i++) {
		if (pool->members[i].is_over)
			continue;
		buf_printf(text, "%s%s", between,
			   pool->members[i].server->named.name);
		between = ", ";
	}
}

static void name_gates(const struct admission_check *check, struct buf *text)
{
	struct buf names = {0};
	size_t count = 0;

	for (int i = 0; i < GATE__COUNT; i++)
		if (check->gates[i].verdict == GATE_REFUSED &&
		    !gate_is_forced(check->gates, i, check->order->forced))
			buf_printf(&names, "%s%s", count++ ? ", " : "",
				   gate_name((enum gate)i));
	buf_printf(text, "refused by the gate%s %s", count > 1 ? "s" : "",
		   names.text ? names.text : "");
	buf_done(&names);
}

void admission_check_explain(const struct admission_check *check, struct buf *text)
{
	if (check->rival) {
		gate_explain_member(check->rival,
				    check->pool_snapshot->pools[0].now, text);
		buf_puts(text, ", and the pool cannot spare both");
	} else {
		name_gates(check, text);
	}
}

const struct gate_result *admission_check_gates(const struct admission_check *check)
{
	return check && check->is_finished ? check->gates : NULL;
}

size_t admission_check_forced(const struct admission_check *check,
			      const char *names[GATE__COUNT])
{
	size_t count = 0;

	for (int i = 0; i < GATE__COUNT; i++)
		if (gate_is_forced(check->gates, i, check->order->forced))
			names[count++] =
				check->order->accepts_broken &&
						1U << i & GATES_BROKEN_SESSIONS
					? "broken_sessions"
					: gate_name((enum gate)i);
	return count;
}

void admission_check_free(struct admission_check *check)
{
	if (!check)
		return;
	if (check->is_finished)
		gate_done(check->gates);
	pool_snapshot_free(check->pool_snapshot);
	free(check);
}
