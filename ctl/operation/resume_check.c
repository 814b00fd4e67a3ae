#include "operation/resume_check.h"

#include "dns/dns_pools.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

/* The newest that DNS said of a pool. */
struct resume_check_pool {
	const struct pool *pool;
	struct dns_view *view; /* NULL: it could not be asked */
	struct mono at;
	bool is_known;
};

struct resume_check {
	const struct pool_config *config;
	struct client *client;
	struct resume_check_server *servers; /* the newest first */
	/* All of the configuration, in its order. */
	struct resume_check_pool *pools;
	size_t count;
};

static struct resume_check_pool *find_pool(const struct resume_check *resume_check,
					   const struct pool *pool)
{
	const struct pool *pools = resume_check->config->pools.items;

	return &resume_check->pools[pool - pools];
}

struct resume_check *resume_check_new(const struct pool_config *config,
				      struct client *client)
{
	struct resume_check *resume_check = xcalloc(1, sizeof(*resume_check));

	resume_check->config = config;
	resume_check->client = client;
	resume_check->count = config->pools.count;
	resume_check->pools =
		xcalloc(resume_check->count, sizeof(*resume_check->pools));
	LIST_EACH (struct pool, pool, config->pools)
		find_pool(resume_check, pool)->pool = pool;
	return resume_check;
}

static void free_server(struct resume_check_server *checked)
{
	for (size_t i = 0; i < checked->service_count; i++)
		free(checked->services[i].ports);
	free(checked->services);
	buf_done(&checked->dns_text);
	free(checked);
}

void resume_check_free(struct resume_check *resume_check)
{
	if (!resume_check)
		return;
	while (resume_check->servers) {
		struct resume_check_server *next = resume_check->servers->next;

		free_server(resume_check->servers);
		resume_check->servers = next;
	}
	for (size_t i = 0; i < resume_check->count; i++)
		dns_view_free(resume_check->pools[i].view);
	free(resume_check->pools);
	free(resume_check);
}

/* ---- DNS ---- */

static bool is_fresh(const struct resume_check_pool *known)
{
	return known->is_known &&
	       clock_since(known->at, clock_mono()) < RESUME_CHECK_DNS_KEPT_MS;
}

/* True if a server of the pool waits for what DNS says now. */
static bool is_wanted(const struct resume_check *resume_check,
		      const struct resume_check_pool *known)
{
	const struct resume_check_server *checked = resume_check->servers;

	while (checked && (checked->pool != known->pool || !checked->is_tried ||
			   checked->dns != RESUME_CHECK_DNS_ASKING))
		checked = checked->next;
	return checked && !is_fresh(known);
}

/* Asks for the pools of all servers that wait, together: they share the limit. */
static void ask_dns(struct resume_check *resume_check)
{
	size_t count = 0;
	const struct pool **pools = xcalloc(resume_check->count, sizeof(*pools));
	struct dns_view **views =
		xcalloc(resume_check->count, sizeof(struct dns_view *));
	struct err err = {0};

	for (size_t i = 0; i < resume_check->count; i++)
		if (is_wanted(resume_check, &resume_check->pools[i]))
			pools[count++] = resume_check->pools[i].pool;
	/* A pool that cannot be asked has no view, and its servers are not
	 * verified. */
	(void)dns_pools_ask(pools, count, RESUME_CHECK_DNS_MS, views, &err);
	for (size_t i = 0; i < count; i++) {
		struct resume_check_pool *known = find_pool(resume_check, pools[i]);

		dns_view_free(known->view);
		known->view = views[i];
		known->is_known = true;
		known->at = clock_mono();
	}
	free(pools);
	free(views);
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

static void add_port(struct resume_check_service *tried, int64_t port)
{
	tried->ports[tried->port_count++] =
		(struct resume_check_port){.port = (uint16_t)port};
}

static void add_ports(struct resume_check_service *tried)
{
	const struct pool_service *service = tried->service;

	tried->ports = xcalloc(service->ports.count + 1, sizeof(*tried->ports));
	if (service->after_resume == AFTER_RESUME_NONE) {
		tried->result = RESUME_CHECK_NOT_WANTED;
		return;
	}
	if (service->probe.port >= 0) {
		add_port(tried, service->probe.port);
		return;
	}
	LIST_EACH (uint16_t, port, service->ports)
		add_port(tried, *port);
	if (!tried->port_count)
		tried->result = RESUME_CHECK_NO_PORT;
}

/* A service that must be left running was not taken out, and does not come back. */
static bool is_back(const struct pool_service *service,
		    const struct server_view *view)
{
	const struct service_view *now =
		server_view_service(view, service->named.name);

	return service->role == ROLE_DRAIN && now && !now->is_absent &&
	       now->phase == PHASE_SERVING;
}

static void add_services(struct resume_check_server *checked,
			 const struct server_view *view)
{
	const struct list *services = pool_services(checked->pool, checked->server);

	checked->services = xcalloc(services->count, sizeof(*checked->services));
	LIST_EACH (struct pool_service, service, *services) {
		struct resume_check_service *fresh =
			&checked->services[checked->service_count];

		if (!is_back(service, view))
			continue;
		checked->service_count++;
		fresh->service = service;
		fresh->address = address_of(checked->server, service);
		add_ports(fresh);
		for (size_t i = 0; i < fresh->port_count; i++)
			fresh->ports[i].service = fresh;
	}
}

struct resume_check_server *resume_check_begin(struct resume_check *resume_check,
					       const struct pool_server *server,
					       const struct server_view *view)
{
	struct resume_check_server *checked = xcalloc(1, sizeof(*checked));

	checked->server = server;
	checked->resume_check = resume_check;
	(void)pool_find_server(resume_check->config, server->named.name,
			       &checked->pool);
	checked->dns = checked->pool->fqdn ? RESUME_CHECK_DNS_ASKING
					   : RESUME_CHECK_DNS_NO_NAME;
	add_services(checked, view);
	checked->began = clock_mono();
	checked->next = resume_check->servers;
	resume_check->servers = checked;
	return checked;
}

/* ---- tries ---- */

static void on_tried(void *context, const struct reply *reply)
{
	struct resume_check_port *port = context;
	struct resume_check_service *service = port->service;

	port->is_busy = false;
	port->retry_at = clock_add(clock_mono(), RESUME_CHECK_AGAIN_MS);
	if (reply->err.code == ERR_NONE)
		service->result = RESUME_CHECK_TAKEN;
	else
		memcpy(service->why, reply->err.text, sizeof(service->why));
}

static void try_port(const struct resume_check_server *checked,
		     struct resume_check_port *port, int64_t rest_ms)
{
	const struct pool_probe *probe = &port->service->service->probe;
	struct client_try attempt = {
		.address = port->service->address,
		.port = port->port,
		.timeout_ms = RESUME_CHECK_TRY_MS,
	};

	if (probe->port >= 0) {
		attempt.send = probe->send;
		attempt.taken = probe->taken;
		attempt.timeout_ms = probe->timeout_ms;
	}
	if (attempt.timeout_ms > rest_ms)
		attempt.timeout_ms = rest_ms;
	port->is_busy = true;
	client_try(checked->resume_check->client, &attempt, on_tried, port);
}

/* True while it may still be taken. */
static bool is_tried_on(const struct resume_check_server *checked,
			struct resume_check_service *service)
{
	struct mono now = clock_mono();
	int64_t rest_ms =
		RESUME_CHECK_PATIENCE_MS - clock_since(checked->began, now);
	bool is_trying = false;

	for (size_t i = 0; i < service->port_count; i++) {
		struct resume_check_port *port = &service->ports[i];

		if (!port->is_busy && rest_ms >= RESUME_CHECK_LEAST_MS &&
		    clock_since(port->retry_at, now) >= 0)
			try_port(checked, port, rest_ms);
		is_trying |= port->is_busy || rest_ms >= RESUME_CHECK_LEAST_MS;
	}
	return is_trying;
}

static bool step_services(struct resume_check_server *checked)
{
	bool is_known = true;

	for (size_t i = 0; i < checked->service_count; i++) {
		struct resume_check_service *service = &checked->services[i];

		if (service->result != RESUME_CHECK_TRYING)
			continue;
		if (is_tried_on(checked, service))
			is_known = false;
		else
			service->result = RESUME_CHECK_NOT_TAKEN;
	}
	return is_known;
}

/* ---- all of it ---- */

static bool is_any_tried(const struct resume_check *resume_check)
{
	struct mono now = clock_mono();
	const struct resume_check_server *checked = resume_check->servers;

	while (checked && (checked->is_tried || clock_since(checked->began, now) >=
							RESUME_CHECK_PATIENCE_MS))
		checked = checked->next;
	return checked;
}

/* The limits of tries would run out while DNS blocks. */
static bool step_dns(struct resume_check_server *checked)
{
	struct resume_check *resume_check = checked->resume_check;
	const struct resume_check_pool *known;

	if (checked->dns != RESUME_CHECK_DNS_ASKING)
		return true;
	known = find_pool(resume_check, checked->pool);
	if (!is_fresh(known) && is_any_tried(resume_check))
		return false;
	if (!is_fresh(known))
		ask_dns(resume_check);
	checked->dns = known->view ? resume_check_dns_evaluate(known->view,
							       checked->server,
							       &checked->dns_text)
				   : RESUME_CHECK_DNS_UNKNOWN;
	return true;
}

bool resume_check_step(struct resume_check_server *checked)
{
	checked->is_tried = checked->is_tried || step_services(checked);
	return checked->is_tried && step_dns(checked);
}

bool resume_check_is_verified(const struct resume_check_server *checked)
{
	for (size_t i = 0; i < checked->service_count; i++)
		if (checked->services[i].result == RESUME_CHECK_NOT_TAKEN)
			return false;
	return checked->dns != RESUME_CHECK_DNS_MISSING &&
	       checked->dns != RESUME_CHECK_DNS_UNKNOWN;
}
