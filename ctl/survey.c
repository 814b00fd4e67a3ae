#include "survey.h"

#include "mem.h"
#include "request.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { RUN_MS = 1000 };

/* ---- the members ---- */

static void on_reply(void *context, const struct reply *reply)
{
	struct survey_member *member = context;
	const char *url = member->server->url;
	struct err err = {0};

	member->is_over = true;
	if (problem_from_reply(reply, url, &member->problem))
		return;
	member->view = request_read_view(member->server, reply, &err);
	if (member->view)
		member->clock_ahead_ms =
			member->view->time.ms - (clock_wall().ms - reply->took_ms / 2);
	else
		problem_from_err(&err, url, &member->problem);
}

static void add_pool(struct survey *survey, const struct pool *pool)
{
	struct survey_pool *fresh;

	survey->pools = xrealloc(survey->pools,
				 (survey->pool_count + 1) * sizeof(*survey->pools));
	fresh = &survey->pools[survey->pool_count++];
	*fresh = (struct survey_pool){.pool = pool, .member_count = pool->servers.count};
	fresh->members = xcalloc(fresh->member_count, sizeof(*fresh->members));
	fresh->standings = xcalloc(fresh->member_count, sizeof(*fresh->standings));
	for (size_t i = 0; i < fresh->member_count; i++) {
		const struct pool_server *servers = pool->servers.items;

		fresh->members[i].server = &servers[i];
	}
}

/* The targets are in the order of the file, so those of a pool are together. */
static void add_pools(struct survey *survey)
{
	const struct targets *targets = survey->question->targets;

	for (size_t i = 0; i < targets->count; i++) {
		const struct pool *pool;

		(void)pool_find_server(survey->question->config,
				       targets->servers[i]->named.name, &pool);
		if (!survey->pool_count ||
		    survey->pools[survey->pool_count - 1].pool != pool)
			add_pool(survey, pool);
	}
}

void survey_send(struct survey *survey, struct client *client)
{
	const struct survey_question *question = survey->question;

	client_set_limit(client, SURVEY_CONNECTIONS);
	for (size_t p = 0; p < survey->pool_count; p++) {
		struct survey_pool *pool = &survey->pools[p];

		for (size_t i = 0; i < pool->member_count; i++)
			request_view_within(client, pool->members[i].server,
					    SURVEY_LIMIT_MS, on_reply, &pool->members[i]);
	}
	for (size_t i = 0; i < question->targets->count; i++)
		answers_send(&survey->answers[i], question->targets->servers[i],
			     &question->terms[i], question->services,
			     question->service_count, question->preflight_ms, client);
}

bool survey_is_over(const struct survey *survey)
{
	for (size_t i = 0; i < survey->question->targets->count; i++)
		if (!survey->answers[i].is_over)
			return false;
	for (size_t p = 0; p < survey->pool_count; p++)
		for (size_t i = 0; i < survey->pools[p].member_count; i++)
			if (!survey->pools[p].members[i].is_over)
				return false;
	return true;
}

/* ---- DNS ---- */

static bool has_questions(const struct pool *pool)
{
	LIST_EACH (struct pool_server, server, pool->servers)
		if (dns_view_own_name(server))
			return true;
	return pool->fqdn != NULL;
}

static int prepare_dns(struct survey_pool *pool, struct err *err)
{
	struct list resolvers = {0};
	int ret = 0;

	if (has_questions(pool->pool))
		ret = dns_resolvers(&pool->pool->dns, &resolvers, err);
	if (!ret)
		pool->dns = dns_view_new(pool->pool, &resolvers);
	free(resolvers.items);
	return ret;
}

/* Copies the questions of all pools, or the replies to them back. */
static void copy_questions(const struct survey *survey, struct dns_question *all,
			   bool is_back)
{
	for (size_t p = 0; p < survey->pool_count; p++) {
		struct dns_view *view = survey->pools[p].dns;
		size_t size_bytes = view->question_count * sizeof(*all);

		if (size_bytes)
			memcpy(is_back ? view->questions : all,
			       is_back ? all : view->questions, size_bytes);
		all += view->question_count;
	}
}

/* Those of all pools together, so that a silent resolver costs its time once. */
int survey_ask_dns(struct survey *survey, struct err *err)
{
	struct dns_question *all;
	size_t count = 0;
	int ret = 0;

	for (size_t p = 0; p < survey->pool_count; p++) {
		if (prepare_dns(&survey->pools[p], err))
			return -1;
		count += survey->pools[p].dns->question_count;
	}
	all = xcalloc(count, sizeof(*all));
	copy_questions(survey, all, false);
	if (count)
		ret = dns_ask(all, count, SURVEY_LIMIT_MS, err);
	copy_questions(survey, all, true);
	free(all);
	for (size_t p = 0; p < survey->pool_count; p++)
		dns_view_judge(survey->pools[p].dns);
	return ret;
}

void survey_move_dns(struct survey *from, struct survey *to)
{
	for (size_t p = 0; p < from->pool_count; p++) {
		to->pools[p].dns = from->pools[p].dns;
		from->pools[p].dns = NULL;
	}
}

static void list_strangers(struct survey_pool *pool)
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

/* True if it is in every answer that there is, and there is one. */
static bool is_in_dns(const struct dns_view *view, const struct dns_server_view *seen)
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

/* Whether somebody else is about to drain it.  Only the reservation of a target may be
 * one's own: whoever has that of another member, it is about to leave. */
static bool is_reserved(const struct survey_question *question,
			const struct survey_member *seen)
{
	const struct reservation_view *reservation = &seen->view->reservation;
	bool is_target = false;

	for (size_t i = 0; i < question->targets->count; i++)
		is_target = is_target || question->targets->servers[i] == seen->server;
	return reservation->is_held &&
	       !(is_target && question->id && !strcmp(question->id, reservation->id) &&
		 !strcmp(question->owner, reservation->owner));
}

/* Who drains it, or else who reserves it. */
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

static void set_standing(const struct survey_question *question,
			 const struct survey_member *seen, struct gate_member *member)
{
	const struct server_view *view = seen->view;

	member->server = seen->server;
	member->sessions = COUNT_UNKNOWN;
	if (!view) {
		member->standing = seen->problem.code == ERR_STALE ? STANDING_STALE
								   : STANDING_UNREACHABLE;
		if (!seen->problem.is_silence && member->standing != STANDING_STALE)
			member->problem = seen->problem.text;
		return;
	}
	member->standing = gate_standing(view->phase, first_drain(view) != NULL,
					 is_reserved(question, seen));
	set_holder(view, is_reserved(question, seen), member);
	member->sessions = view->progress.sessions;
	member->has_clock = true;
	member->clock_ahead_ms = seen->clock_ahead_ms;
}

static void judge_pool(const struct survey_question *question, struct survey_pool *pool)
{
	pool->now = clock_wall();
	list_strangers(pool);
	for (size_t i = 0; i < pool->member_count; i++) {
		set_standing(question, &pool->members[i], &pool->standings[i]);
		pool->standings[i].is_in_dns =
			is_in_dns(pool->dns, &pool->dns->servers[i]);
	}
}

void survey_judge(struct survey *survey)
{
	for (size_t p = 0; p < survey->pool_count; p++)
		judge_pool(survey->question, &survey->pools[p]);
}

struct survey *survey_new(const struct survey_question *question)
{
	struct survey *survey = xcalloc(1, sizeof(*survey));

	survey->question = question;
	survey->answers = xcalloc(question->targets->count, sizeof(*survey->answers));
	add_pools(survey);
	return survey;
}

struct survey *survey_take(const struct survey_question *question, struct client *client,
			   struct err *err)
{
	struct survey *survey = survey_new(question);

	survey_send(survey, client);
	while (client_run(client, RUN_MS))
		;
	if (survey_ask_dns(survey, err)) {
		survey_free(survey);
		return NULL;
	}
	survey_judge(survey);
	return survey;
}

void survey_free(struct survey *survey)
{
	if (!survey)
		return;
	for (size_t p = 0; p < survey->pool_count; p++) {
		struct survey_pool *pool = &survey->pools[p];

		for (size_t i = 0; i < pool->member_count; i++)
			server_view_free(pool->members[i].view);
		dns_view_free(pool->dns);
		buf_done(&pool->strangers);
		free(pool->members);
		free(pool->standings);
	}
	answers_free(survey->answers, survey->question->targets->count);
	free(survey->pools);
	free(survey);
}

struct gates_input survey_input(const struct survey_pool *pool)
{
	return (struct gates_input){
		.pool = pool->pool,
		.members = pool->standings,
		.member_count = pool->member_count,
		.now = pool->now,
		.dns = {pool->dns->verdict, pool->dns->is_disputed, pool->strangers.text},
	};
}

/* ---- who is to leave ---- */

struct target {
	const struct survey_pool *pool;
	const struct survey_member *member;
	const struct gate_member *standing;
};

static struct target find_target(const struct survey *survey, size_t target)
{
	const struct pool_server *server = survey->question->targets->servers[target];

	for (size_t p = 0; p < survey->pool_count; p++) {
		const struct survey_pool *pool = &survey->pools[p];

		for (size_t i = 0; i < pool->member_count; i++)
			if (pool->members[i].server == server)
				return (struct target){pool, &pool->members[i],
						       &pool->standings[i]};
	}
	abort();
}

static bool is_covered(const struct survey_question *question,
		       const struct pool_service *service)
{
	for (size_t i = 0; i < question->service_count; i++)
		if (!strcasecmp(question->services[i], service->named.name))
			return true;
	return !question->service_count && service->role == ROLE_DRAIN;
}

/* Of the services that the drain would cover and that are there; to be freed. */
static const char **find_features(const struct survey *survey,
				  const struct target *target, size_t *count)
{
	const struct server_view *view = target->member->view;
	const char **features = NULL;

	*count = 0;
	LIST_EACH (struct pool_service, service,
		   *pool_services(target->pool->pool, target->member->server)) {
		const struct service_view *seen =
			view ? server_view_service(view, service->named.name) : NULL;

		if (!is_covered(survey->question, service) || (seen && seen->is_absent))
			continue;
		LIST_EACH (char *, feature, service->dns_features) {
			features = xrealloc(features, (*count + 1) * sizeof(*features));
			features[(*count)++] = *feature;
		}
	}
	return features;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void add_findings(const json_t *list, const char *service,
			 struct gate_finding **findings, size_t *count)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *finding = json_array_get(list, i);

		if (strcmp(text_of(finding, "level"), "refusal") != 0)
			continue;
		*findings = xrealloc(*findings, (*count + 1) * sizeof(**findings));
		(*findings)[(*count)++] = (struct gate_finding){
			service, text_of(finding, "text"), text_of(finding, "remedy")};
	}
}

/* The findings are to be freed, their texts are the answer's. */
static struct gate_preflight read_preflight(const struct answer *answer,
					    struct gate_finding **findings)
{
	const json_t *services = json_object_get(answer->document, "services");
	struct gate_preflight preflight = {.kind = PREFLIGHT_UNKNOWN};

	*findings = NULL;
	if (!answer->document) {
		preflight.problem = answer->problem.text;
		return preflight;
	}
	preflight.kind = answers_is_possible(answer->document) ? PREFLIGHT_POSSIBLE
							       : PREFLIGHT_IMPOSSIBLE;
	add_findings(json_object_get(answer->document, "findings"), NULL, findings,
		     &preflight.finding_count);
	for (size_t i = 0; i < json_array_size(services); i++) {
		const json_t *service = json_array_get(services, i);

		add_findings(json_object_get(service, "findings"),
			     text_of(service, "name"), findings,
			     &preflight.finding_count);
	}
	preflight.findings = *findings;
	return preflight;
}

/* What asks the gates; with `rival`, about a reservation. */
static enum rivalry ask(const struct survey *survey, size_t target, unsigned forced,
			const struct gate_member **rival,
			struct gate_result results[GATE__COUNT])
{
	struct target found = find_target(survey, target);
	struct gates_input input = survey_input(found.pool);
	enum rivalry rivalry = RIVALRY_REFUSED;
	struct gate_finding *findings;
	const char **features = find_features(survey, &found, &input.feature_count);

	input.target = found.standing;
	input.features = features;
	input.preflight = read_preflight(&survey->answers[target], &findings);
	if (rival)
		rivalry = rivals_settle(&input, forced, rival, results);
	else
		gates_check(&input, results);
	free(findings);
	free(features);
	return rivalry;
}

void survey_ask_gates(const struct survey *survey, size_t target,
		      struct gate_result results[GATE__COUNT])
{
	(void)ask(survey, target, 0, NULL, results);
}

enum rivalry survey_settle(const struct survey *survey, size_t target, unsigned forced,
			   const struct gate_member **rival,
			   struct gate_result results[GATE__COUNT])
{
	return ask(survey, target, forced, rival, results);
}
