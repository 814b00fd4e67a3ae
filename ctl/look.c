#include "look.h"

#include "mem.h"
#include "survey.h"

#include <stdlib.h>

/* A preflight that takes longer would outlast the reservation. */
enum { PREFLIGHT_MS = 10000, DNS_KEPT_MS = 10000 };

struct look {
	const struct order *order;
	const struct pool_server *server;
	struct targets targets; /* this server alone */
	struct survey_question question;
	struct survey *survey;
	struct mono dns_at;
	bool is_settled;
	const struct gate_member *rival;
	struct gate_result gates[GATE__COUNT];
};

/* Asks DNS, or has it from the older one. */
static int begin(struct look *look, struct look *older, struct err *err)
{
	look->dns_at = clock_mono();
	if (!older || clock_since(older->dns_at, look->dns_at) >= DNS_KEPT_MS)
		return survey_ask_dns(look->survey, err);
	look->dns_at = older->dns_at;
	survey_move_dns(older->survey, look->survey);
	return 0;
}

struct look *look_new(const struct order *order, const struct pool_server *server,
		      const struct terms *terms, struct look *older, struct err *err)
{
	struct look *look = xcalloc(1, sizeof(*look));

	look->order = order;
	look->server = server;
	look->targets = (struct targets){&look->server, 1};
	look->question = (struct survey_question){
		.config = order->config,
		.targets = &look->targets,
		.terms = terms,
		.services = order->aim.services,
		.service_count = order->aim.service_count,
		.preflight_ms = PREFLIGHT_MS,
		.id = order->aim.id,
		.owner = order->owner,
	};
	look->survey = survey_new(&look->question);
	if (begin(look, older, err)) {
		look_free(look);
		look = NULL;
	}
	look_free(older);
	return look;
}

void look_send(struct look *look, struct client *client)
{
	survey_send(look->survey, client);
}

bool look_is_over(const struct look *look)
{
	return survey_is_over(look->survey);
}

enum rivalry look_settle(struct look *look)
{
	survey_judge(look->survey);
	look->is_settled = true;
	return survey_settle(look->survey, 0, look->order->forced, &look->rival,
			     look->gates);
}

const struct pool_server *look_rival(const struct look *look)
{
	return look->rival->server;
}

void look_explain_silence(const struct look *look, struct buf *text)
{
	const struct survey_pool *pool = &look->survey->pools[0];
	const char *between = "no answer yet from ";

	for (size_t i = 0; i < pool->member_count; i++) {
		if (pool->members[i].is_over)
			continue;
		buf_printf(text, "%s%s", between, pool->members[i].server->named.name);
		between = ", ";
	}
}

static void name_gates(const struct look *look, struct buf *text)
{
	size_t count = 0;

	for (int i = 0; i < GATE__COUNT; i++)
		count += look->gates[i].verdict == GATE_REFUSED &&
			 !gate_is_forced(look->gates, i, look->order->forced);
	buf_printf(text, "refused by the gate%s ", count > 1 ? "s" : "");
	for (int i = 0, named = 0; i < GATE__COUNT; i++)
		if (look->gates[i].verdict == GATE_REFUSED &&
		    !gate_is_forced(look->gates, i, look->order->forced))
			buf_printf(text, "%s%s", named++ ? ", " : "",
				   gate_name((enum gate)i));
}

void look_explain(const struct look *look, struct buf *text)
{
	if (look->rival) {
		gate_explain_member(look->rival, look->survey->pools[0].now, text);
		buf_puts(text, ", and the pool cannot spare both");
	} else {
		name_gates(look, text);
	}
}

const struct gate_result *look_gates(const struct look *look)
{
	return look && look->is_settled ? look->gates : NULL;
}

size_t look_forced(const struct look *look, const char *names[GATE__COUNT])
{
	size_t count = 0;

	for (int i = 0; i < GATE__COUNT; i++)
		if (gate_is_forced(look->gates, i, look->order->forced))
			names[count++] = look->order->accepts_broken &&
							 1U << i & GATES_BROKEN_SESSIONS
						 ? "broken_sessions"
						 : gate_name((enum gate)i);
	return count;
}

void look_free(struct look *look)
{
	if (!look)
		return;
	if (look->is_settled)
		gates_done(look->gates);
	survey_free(look->survey);
	free(look);
}
