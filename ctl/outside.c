#include "outside.h"

#include "dns.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

/* What DNS said of a pool. */
struct outside_pool {
	const struct pool *pool;
	struct dns_view *view; /* NULL: it could not be asked */
	struct mono at;
	bool is_known, is_asked;
};

struct outside {
	const struct pool_config *config;
	struct client *client;
	struct outside_server *servers; /* the newest first */
	struct outside_pool *pools;
	size_t count;
};

struct outside *outside_new(const struct pool_config *config, struct client *client)
{
	struct outside *outside = xcalloc(1, sizeof(*outside));

	outside->config = config;
	outside->client = client;
	return outside;
}

static void free_server(struct outside_server *seen)
{
	for (size_t i = 0; i < seen->service_count; i++)
		free(seen->services[i].ports);
	free(seen->services);
	buf_done(&seen->dns_text);
	free(seen);
}

void outside_free(struct outside *outside)
{
	if (!outside)
		return;
	while (outside->servers) {
		struct outside_server *next = outside->servers->next;

		free_server(outside->servers);
		outside->servers = next;
	}
	for (size_t i = 0; i < outside->count; i++)
		dns_view_free(outside->pools[i].view);
	free(outside->pools);
	free(outside);
}

/* ---- DNS ---- */

static struct outside_pool *find_pool(const struct outside *outside,
				      const struct pool *pool)
{
	for (size_t i = 0; i < outside->count; i++)
		if (outside->pools[i].pool == pool)
			return &outside->pools[i];
	return NULL;
}

static void add_pool(struct outside *outside, const struct pool *pool)
{
	if (find_pool(outside, pool))
		return;
	outside->pools =
		xrealloc(outside->pools, (outside->count + 1) * sizeof(*outside->pools));
	outside->pools[outside->count++] = (struct outside_pool){.pool = pool};
}

static bool is_fresh(const struct outside_pool *known)
{
	return known->is_known &&
	       clock_since(known->at, clock_mono()) < OUTSIDE_DNS_KEPT_MS;
}

static bool is_waiting(const struct outside_server *seen)
{
	return seen->is_tried && seen->dns == OUTSIDE_DNS_ASKING;
}

static void renew(struct outside_pool *known)
{
	struct list resolvers = {0};
	struct err err = {0};

	if (is_fresh(known))
		return;
	dns_view_free(known->view);
	known->view = NULL;
	known->is_known = true;
	known->at = clock_mono();
	if (dns_resolvers(&known->pool->dns, &resolvers, &err))
		return;
	known->view = dns_view_new(known->pool, &resolvers);
	known->is_asked = true;
	free(resolvers.items);
}

/* Adds the questions of all pools that are asked to `all`, which may be NULL; returns how
 * many they are. */
static size_t gather(const struct outside *outside, struct dns_question *all)
{
	size_t count = 0;

	for (size_t i = 0; i < outside->count; i++) {
		const struct dns_view *view = outside->pools[i].view;

		if (!outside->pools[i].is_asked)
			continue;
		if (all)
			memcpy(&all[count], view->questions,
			       view->question_count * sizeof(*all));
		count += view->question_count;
	}
	return count;
}

static void settle(struct outside_pool *known, const struct dns_question *answered,
		   bool is_ok)
{
	struct dns_view *view = known->view;

	memcpy(view->questions, answered, view->question_count * sizeof(*answered));
	known->is_asked = false;
	known->at = clock_mono();
	if (is_ok) {
		dns_view_judge(view);
		return;
	}
	dns_view_free(view);
	known->view = NULL;
}

/* All that wait, at once: they share the limit. */
static void ask_dns(struct outside *outside)
{
	struct dns_question *all, *next;
	struct err err = {0};
	size_t count;
	bool is_ok;

	for (struct outside_server *seen = outside->servers; seen; seen = seen->next)
		if (is_waiting(seen))
			renew(find_pool(outside, seen->pool));
	count = gather(outside, NULL);
	all = next = xcalloc(count, sizeof(*all));
	(void)gather(outside, all);
	is_ok = dns_ask(all, count, OUTSIDE_DNS_MS, &err) == 0;
	for (size_t i = 0; i < outside->count; i++) {
		const struct dns_question *answered = next;

		if (!outside->pools[i].is_asked)
			continue;
		next += outside->pools[i].view->question_count;
		settle(&outside->pools[i], answered, is_ok);
	}
	free(all);
}

/* True if the pool's name leads to something that is in front of its servers. */
static bool is_in_front(const struct dns_view *view, size_t resolver)
{
	enum dns_verdict verdict = view->resolvers[resolver].verdict;

	if (verdict != DNS_VIEW_ONE_ADDRESS && verdict != DNS_VIEW_ELSEWHERE)
		return false;
	for (size_t i = 0; i < view->server_count; i++)
		if (view->servers[i].ttl_s[resolver] >= 0)
			return false;
	return view->pool->dns.expect != DNS_BALANCED;
}

/* How many resolvers say what of a server. */
struct tally {
	size_t present, missing, elsewhere;
};

/* What a resolver does not know for sure, it does not say. */
static void tally_resolver(const struct dns_view *view, size_t resolver, int64_t ttl_s,
			   struct tally *tally, struct buf *text)
{
	const struct dns_resolver_view *said = &view->resolvers[resolver];
	char address[DNS_RESOLVER_TEXT_BYTES];

	if (ttl_s >= 0) {
		tally->present++;
		return;
	}
	if (ttl_s == DNS_TTL_UNKNOWN || said->verdict == DNS_VIEW_UNKNOWN)
		return;
	*(is_in_front(view, resolver) ? &tally->elsewhere : &tally->missing) += 1;
	buf_printf(text, "%s%s", text->length ? ", " : "",
		   dns_resolver_format(&said->resolver, address));
}

enum outside_dns outside_judge_dns(const struct dns_view *view,
				   const struct pool_server *server, struct buf *text)
{
	const struct dns_server_view *seen = view->servers;
	struct tally tally = {0};

	if (view->verdict == DNS_VIEW_NOT_ASKED)
		return OUTSIDE_DNS_NO_NAME;
	while (seen->server != server)
		seen++;
	for (size_t i = 0; i < view->resolver_count; i++)
		tally_resolver(view, i, seen->ttl_s[i], &tally, text);
	if (tally.missing || (tally.elsewhere && tally.present))
		return OUTSIDE_DNS_MISSING;
	if (tally.elsewhere)
		return OUTSIDE_DNS_ELSEWHERE;
	return tally.present ? OUTSIDE_DNS_PRESENT : OUTSIDE_DNS_UNKNOWN;
}

/* ---- services ---- */

/* Where sessions come to, as poold's own probe has it. */
static struct net_address address_of(const struct pool_server *server,
				     const struct pool_service *service)
{
	const struct list *list = pool_local_addresses(server, service);
	const struct net_address *addresses =
		list ? list->items : server->addresses.items;

	return *addresses;
}

static void add_port(struct outside_service *seen, int64_t port)
{
	seen->ports[seen->port_count++] = (struct outside_port){.port = (uint16_t)port};
}

static void add_ports(struct outside_service *seen)
{
	const struct pool_service *service = seen->service;

	seen->ports = xcalloc(service->ports.count + 1, sizeof(*seen->ports));
	if (service->after_resume == AFTER_RESUME_NONE) {
		seen->result = OUTSIDE_NOT_WANTED;
		return;
	}
	if (service->probe.port >= 0) {
		add_port(seen, service->probe.port);
		return;
	}
	LIST_EACH (uint16_t, port, service->ports)
		add_port(seen, *port);
	if (!seen->port_count)
		seen->result = OUTSIDE_NO_PORT;
}

/* A service that must be left running was not taken out, and comes not back. */
static bool is_back(const struct pool_service *service, const struct server_view *view)
{
	const struct service_view *now = server_view_service(view, service->named.name);

	return service->role == ROLE_DRAIN && now && !now->is_absent &&
	       now->phase == PHASE_SERVING;
}

static void add_services(struct outside_server *seen, const struct server_view *view)
{
	const struct list *services = pool_services(seen->pool, seen->server);

	seen->services = xcalloc(services->count, sizeof(*seen->services));
	LIST_EACH (struct pool_service, service, *services) {
		struct outside_service *fresh = &seen->services[seen->service_count];

		if (!is_back(service, view))
			continue;
		seen->service_count++;
		fresh->service = service;
		fresh->address = address_of(seen->server, service);
		add_ports(fresh);
		for (size_t i = 0; i < fresh->port_count; i++)
			fresh->ports[i].service = fresh;
	}
}

struct outside_server *outside_begin(struct outside *outside,
				     const struct pool_server *server,
				     const struct server_view *view)
{
	struct outside_server *seen = xcalloc(1, sizeof(*seen));

	seen->server = server;
	seen->outside = outside;
	(void)pool_find_server(outside->config, server->named.name, &seen->pool);
	seen->dns = seen->pool->fqdn ? OUTSIDE_DNS_ASKING : OUTSIDE_DNS_NO_NAME;
	if (seen->pool->fqdn)
		add_pool(outside, seen->pool);
	add_services(seen, view);
	seen->began = clock_mono();
	seen->next = outside->servers;
	outside->servers = seen;
	return seen;
}

/* ---- tries ---- */

static void on_tried(void *context, const struct reply *reply)
{
	struct outside_port *port = context;
	struct outside_service *service = port->service;

	port->is_busy = false;
	port->retry_at = clock_add(clock_mono(), OUTSIDE_AGAIN_MS);
	if (reply->err.code == ERR_NONE)
		service->result = OUTSIDE_TAKEN;
	else
		memcpy(service->why, reply->err.text, sizeof(service->why));
}

static void try_port(const struct outside_server *seen, struct outside_port *port,
		     int64_t rest_ms)
{
	const struct pool_probe *probe = &port->service->service->probe;
	struct client_try attempt = {
		.address = port->service->address,
		.port = port->port,
		.timeout_ms = OUTSIDE_TRY_MS,
	};

	if (probe->port >= 0) {
		attempt.send = probe->send;
		attempt.taken = probe->taken;
		attempt.timeout_ms = probe->timeout_ms;
	}
	if (attempt.timeout_ms > rest_ms)
		attempt.timeout_ms = rest_ms;
	port->is_busy = true;
	client_try(seen->outside->client, &attempt, on_tried, port);
}

/* True while it may still be taken. */
static bool is_tried_on(const struct outside_server *seen,
			struct outside_service *service)
{
	struct mono now = clock_mono();
	int64_t rest_ms = OUTSIDE_PATIENCE_MS - clock_since(seen->began, now);
	bool is_trying = false;

	for (size_t i = 0; i < service->port_count; i++) {
		struct outside_port *port = &service->ports[i];

		if (!port->is_busy && rest_ms >= OUTSIDE_LEAST_MS &&
		    clock_since(port->retry_at, now) >= 0)
			try_port(seen, port, rest_ms);
		is_trying |= port->is_busy || rest_ms >= OUTSIDE_LEAST_MS;
	}
	return is_trying;
}

static bool step_services(struct outside_server *seen)
{
	bool is_known = true;

	for (size_t i = 0; i < seen->service_count; i++) {
		struct outside_service *service = &seen->services[i];

		if (service->result != OUTSIDE_TRYING)
			continue;
		if (is_tried_on(seen, service))
			is_known = false;
		else
			service->result = OUTSIDE_NOT_TAKEN;
	}
	return is_known;
}

/* ---- all of it ---- */

static bool is_any_tried(const struct outside *outside)
{
	struct mono now = clock_mono();
	const struct outside_server *seen = outside->servers;

	while (seen &&
	       (seen->is_tried || clock_since(seen->began, now) >= OUTSIDE_PATIENCE_MS))
		seen = seen->next;
	return seen;
}

/* The limits of tries would run out while DNS blocks. */
static bool step_dns(struct outside_server *seen)
{
	struct outside *outside = seen->outside;
	const struct outside_pool *known;

	if (seen->dns != OUTSIDE_DNS_ASKING)
		return true;
	known = find_pool(outside, seen->pool);
	if (!is_fresh(known) && is_any_tried(outside))
		return false;
	if (!is_fresh(known))
		ask_dns(outside);
	seen->dns = known->view ? outside_judge_dns(known->view, seen->server,
						    &seen->dns_text)
				: OUTSIDE_DNS_UNKNOWN;
	return true;
}

bool outside_step(struct outside_server *seen)
{
	seen->is_tried = seen->is_tried || step_services(seen);
	return seen->is_tried && step_dns(seen);
}

bool outside_is_verified(const struct outside_server *seen)
{
	for (size_t i = 0; i < seen->service_count; i++)
		if (seen->services[i].result == OUTSIDE_NOT_TAKEN)
			return false;
	return seen->dns != OUTSIDE_DNS_MISSING && seen->dns != OUTSIDE_DNS_UNKNOWN;
}
