#include "pool_rules.h"

#include "api.h"
#include "json_pointer.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SERVICE_NAME_LIMIT = 256 };

/* ---- things that must not meet twice: sorted, so that neighbours tell ---- */

/* Something that a server has, and that no other may have. */
struct claim {
	const char *text;
	struct net_address address;
	bool is_address;
	const struct pool_server *server;
};

static int compare(const void *a, const void *b)
{
	const struct claim *one = a, *other = b;
	int order;

	if (one->is_address)
		order = memcmp(one->address.bytes, other->address.bytes,
			       sizeof(one->address.bytes));
	else
		order = strcasecmp(one->text, other->text);
	if (!order)
		order = one->server->named.place->line - other->server->named.place->line;
	if (!order)
		order = one->server->named.place->column -
			other->server->named.place->column;
	return order;
}

static bool is_same(const struct claim *a, const struct claim *b)
{
	return a->is_address ? net_address_equal(&a->address, &b->address)
			     : !strcasecmp(a->text, b->text);
}

static void report_twice(const struct claim *first, const struct claim *second,
			 struct mistakes *mistakes)
{
	if (first->server == second->server)
		return;
	if (second->is_address)
		mistake_at(mistakes, second->server->named.place,
			   "server '%s' has the address of '%s' in line %d",
			   second->server->named.name, first->server->named.name,
			   first->server->named.place->line);
	else
		mistake_at(mistakes, second->server->named.place,
			   "server '%s' is here twice, first in line %d", second->text,
			   first->server->named.place->line);
}

static void check_claims(struct claim *claims, size_t count, struct mistakes *mistakes)
{
	qsort(claims, count, sizeof(*claims), compare);
	for (size_t i = 1; i < count; i++)
		if (is_same(&claims[i - 1], &claims[i]))
			report_twice(&claims[i - 1], &claims[i], mistakes);
}

static void check_names_and_addresses(const struct pool_config *config,
				      struct mistakes *mistakes)
{
	size_t name_count = 0, address_count = 0;
	struct claim *names, *addresses;

	LIST_EACH (struct pool, pool, config->pools)
		LIST_EACH (struct pool_server, server, pool->servers) {
			name_count++;
			address_count += server->addresses.count;
		}
	names = xcalloc(name_count, sizeof(*names));
	addresses = xcalloc(address_count, sizeof(*addresses));
	name_count = address_count = 0;
	LIST_EACH (struct pool, pool, config->pools)
		LIST_EACH (struct pool_server, server, pool->servers) {
			names[name_count++] = (struct claim){.text = server->named.name,
							     .server = server};
			LIST_EACH (struct net_address, address, server->addresses)
				addresses[address_count++] =
					(struct claim){.address = *address,
						       .is_address = true,
						       .server = server};
		}
	check_claims(names, name_count, mistakes);
	check_claims(addresses, address_count, mistakes);
	free(names);
	free(addresses);
}

static bool is_url(const char *url)
{
	size_t scheme = !strncmp(url, "http://", 7)    ? 7
			: !strncmp(url, "https://", 8) ? 8
						       : 0;

	return scheme && url[scheme] && url[scheme] != '/';
}

/* ---- session sources ---- */

static const char *rds_state(const void *states, size_t i)
{
	return ((const char *const *)states)[i];
}

static void check_rds_state(const char *state, const struct yaml_node *place,
			    struct mistakes *mistakes)
{
	size_t count = 0;

	while (pool_rds_states[count])
		if (!strcmp(pool_rds_states[count++], state))
			return;
	mistake_at(mistakes, place,
		   "'%s' is no state of a live Remote Desktop session%s%s%s", state,
		   SCHEMA_HINT(schema_nearest(state, rds_state, pool_rds_states, count)));
}

static void check_pointer(const char *pointer, const struct yaml_node *place,
			  struct mistakes *mistakes)
{
	if (pointer && !json_pointer_is_valid(pointer))
		mistake_at(mistakes, place,
			   "'%s' is no JSON pointer: /name/name, with ~0 for ~ and ~1 "
			   "for /",
			   pointer);
}

static void check_sources(const struct pool_service *service, struct mistakes *mistakes)
{
	const struct yaml_node *place = service->named.place;

	if (service->role == ROLE_DRAIN && !service->ports.count &&
	    !service->counters.count && !service->rds.states.count &&
	    !service->http.count && !service->unverified.count)
		mistake_at(mistakes, place,
			   "service '%s' needs a session source: ports, counters, rds or "
			   "http; or 'unverified: [counters]', if a command in "
			   "poold.yaml counts its sessions",
			   service->named.name);
	LIST_EACH (struct pool_counter, counter, service->counters)
		if (*counter->path != '\\' || !strchr(counter->path + 1, '\\'))
			mistake_at(mistakes, place,
				   "'%s' is no counter of this server: \\Object\\Counter "
				   "or \\Object(Instance)\\Counter",
				   counter->path);
	if (service->probe.port < 0 && (service->probe.send || service->probe.taken))
		mistake_at(mistakes, place, "the probe of '%s' has no port",
			   service->named.name);
	LIST_EACH (char *, state, service->rds.states)
		check_rds_state(*state, place, mistakes);
	LIST_EACH (struct pool_http, http, service->http) {
		check_pointer(http->pointer, place, mistakes);
		if (!is_url(http->url))
			mistake_at(mistakes, place,
				   "'%s' must begin with http://HOST or https://HOST",
				   http->url);
	}
}

/* Whichever program is found first must not be the one that is run. */
static bool is_whole_path(const char *path)
{
	return *path == '/' || !strncmp(path, "\\\\", 2) ||
	       (*path && path[1] == ':' && (path[2] == '\\' || path[2] == '/'));
}

void poold_rules_check(const struct poold_config *config, const struct yaml_node *root,
		       struct mistakes *mistakes)
{
	const struct yaml_node *rows = yaml_find(root, "commands");
	size_t i = 0;

	if (config->scm == SCM_KIND_SIMULATED && !config->simulated_file)
		mistake_at(mistakes, root,
			   "'scm: simulated' needs the key 'simulated_file'");
	LIST_EACH (struct poold_command, command, config->commands) {
		const char *program =
			command->run.count ? *(char **)command->run.items : "";

		check_pointer(command->pointer, rows->items[i], mistakes);
		if (!is_whole_path(program))
			mistake_at(mistakes, rows->items[i],
				   "'%s' is no whole path of a program", program);
		i++;
	}
}

/* ---- servers ---- */

static void set_url(struct pool_server *server)
{
	char text[NET_ADDRESS_TEXT_BYTES];
	const struct net_address *address = server->addresses.items;
	bool is_ipv4 = net_address_is_ipv4(address);
	size_t length;

	if (!server->url)
		server->url =
			xasprintf("http://%s%s%s:8650", is_ipv4 ? "" : "[",
				  net_address_format(address, text), is_ipv4 ? "" : "]");
	length = is_url(server->url) ? strlen(server->url) : 0;
	while (length && server->url[length - 1] == '/')
		server->url[--length] = '\0';
}

static void check_server(const struct pool_config *config, const struct pool *pool,
			 struct pool_server *server, struct mistakes *mistakes)
{
	const struct yaml_node *place = server->named.place;

	if (!api_id_is_valid(server->named.name))
		mistake_at(mistakes, place,
			   "'%s' is no server name: letters, digits, . _ -",
			   server->named.name);
	if (pool_find(config, server->named.name))
		mistake_at(
			mistakes, place,
			"server '%s' has the name of a pool; commands could mean either",
			server->named.name);
	if (!server->addresses.count) {
		mistake_at(mistakes, place, "server '%s' needs an address",
			   server->named.name);
		return;
	}
	set_url(server);
	if (!is_url(server->url))
		mistake_at(
			mistakes, place,
			"url '%s' of '%s' must be http://HOST or https://HOST, with or "
			"without a port",
			server->url, server->named.name);
	if (server->rank > (int64_t)pool->servers.count)
		mistake_at(mistakes, place,
			   "rank %lld of '%s' is above the pool's size, %zu",
			   (long long)server->rank, server->named.name,
			   pool->servers.count);
	LIST_EACH (struct pool_server, other, pool->servers) {
		if (other == server)
			break;
		if (server->rank > 0 && other->rank == server->rank)
			mistake_at(mistakes, place, "rank %lld of '%s' is that of '%s'",
				   (long long)server->rank, server->named.name,
				   other->named.name);
	}
}

/* ---- pools ---- */

const struct pool_floor_row *pool_floor_row(const struct pool *pool, size_t servers)
{
	LIST_EACH (struct pool_floor_row, row, pool->floors)
		if (row->servers == (int64_t)servers)
			return row;
	return NULL;
}

static void check_availability(const struct pool *pool, struct mistakes *mistakes)
{
	const struct yaml_node *place = pool->named.place;
	struct floor floor = pool->availability.floor;
	size_t size = pool->servers.count;

	if (floor.kind == FLOOR_NUMBER && (size_t)floor.value > size)
		mistake_at(mistakes, place,
			   "the floor of pool '%s' is %d, and it has %zu servers",
			   pool->named.name, floor.value, size);
	if (floor.kind == FLOOR_TABLE && !pool_floor_row(pool, size))
		mistake_at(
			mistakes, place,
			"pool '%s' has 'floor: table', and no row of floors is for %zu "
			"servers",
			pool->named.name, size);
	if (pool->availability.max_out > 1 && pool->availability.max_out > (int64_t)size)
		mistake_at(mistakes, place,
			   "max_out of pool '%s' is %lld, and it has %zu servers",
			   pool->named.name, (long long)pool->availability.max_out, size);
	LIST_EACH (struct pool_floor_row, row, pool->floors)
		if (row->functional > row->servers || row->first_start > row->servers ||
		    row->of_first > row->servers)
			mistake_at(
				mistakes, place,
				"pool '%s': the row of floors for %lld servers asks for "
				"more than there are",
				pool->named.name, (long long)row->servers);
}

/* Windows does not tell RTCSRV from rtcsrv, and two controllers would hold one service.
 */
static void check_service_name(const struct list *services,
			       const struct pool_service *service,
			       struct mistakes *mistakes)
{
	const char *name = service->named.name;

	if (!*name || strpbrk(name, "/\\\"") || strlen(name) > SERVICE_NAME_LIMIT)
		mistake_at(mistakes, service->named.place, "'%s' is no service name",
			   name);
	LIST_EACH (struct pool_service, other, *services) {
		if (other == service)
			break;
		if (!strcasecmp(other->named.name, name))
			mistake_at(mistakes, service->named.place,
				   "service '%s' is here twice, first in line %d", name,
				   other->named.place->line);
	}
}

static void check_services(const struct pool *pool, const struct list *services,
			   const struct yaml_node *place, struct mistakes *mistakes)
{
	size_t drained = 0;

	LIST_EACH (struct pool_service, service, *services) {
		bool is_drained = service->role == ROLE_DRAIN;

		drained += is_drained;
		if (services->count <= API_SERVICES_LIMIT)
			check_service_name(services, service, mistakes);
		check_sources(service, mistakes);
	}
	if (!drained)
		mistake_at(mistakes, place, "pool '%s' has no service to drain",
			   pool->named.name);
	if (services->count > API_SERVICES_LIMIT)
		mistake_at(mistakes, place, "pool '%s' has more than %d services",
			   pool->named.name, API_SERVICES_LIMIT);
}

static void check_pool(const struct pool_config *config, struct pool *pool,
		       struct mistakes *mistakes)
{
	const struct yaml_node *place = pool->named.place;

	if (!pool->servers.count)
		mistake_at(mistakes, place, "pool '%s' has no server", pool->named.name);
	if (pool->dns.expect != DNS_ANY && !pool->fqdn)
		mistake_at(mistakes, place,
			   "pool '%s' expects something of DNS and has no 'fqdn'",
			   pool->named.name);
	check_services(pool, &pool->services, place, mistakes);
	if (pool->servers.count)
		check_availability(pool, mistakes);
	LIST_EACH (struct pool_server, server, pool->servers) {
		check_server(config, pool, server, mistakes);
		if (server->services.count)
			check_services(pool, &server->services, server->named.place,
				       mistakes);
	}
}

void pool_rules_check(struct pool_config *config, struct mistakes *mistakes)
{
	LIST_EACH (struct pool, pool, config->pools)
		check_pool(config, pool, mistakes);
	check_names_and_addresses(config, mistakes);
}
