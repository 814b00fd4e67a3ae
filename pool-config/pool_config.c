#include "pool_config.h"

#include "api.h"
#include "host.h"
#include "mem.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECTION(text, type, keys)                            \
	{                                                    \
		text, sizeof(struct type), keys, COUNT(keys) \
	}

enum { DAY_MS = 86400000 };

static const struct key service_keys[] = {
	{"ports", KEY_PORTS, .is_required = true,
	 .offset = offsetof(struct pool_service, ports),
	 .help = "the TCP ports whose established connections are the sessions"},
	{"addresses", KEY_ADDRESSES, .offset = offsetof(struct pool_service, addresses),
	 .help = "count only connections to these addresses of the server"},
	{"exclude", KEY_ADDRESSES, .offset = offsetof(struct pool_service, excluded),
	 .help = "peers whose connections are no sessions, besides the pool's other "
		 "servers"},
};
static const struct section service_section =
	SECTION("a service", pool_service, service_keys);

static const struct key server_keys[] = {
	{"address", KEY_ADDRESSES, .is_required = true,
	 .offset = offsetof(struct pool_server, addresses),
	 .help = "the server's IP address, or a list of them"},
	{"url", KEY_TEXT, .offset = offsetof(struct pool_server, url),
	 .help = "where its poold answers; default http://ADDRESS:8650"},
};
static const struct section server_section =
	SECTION("a server", pool_server, server_keys);

static const struct key pool_keys[] = {
	{"settle", KEY_DURATION, .offset = offsetof(struct pool, settle_ms),
	 .fallback = "10s", .min = 0, .max = DAY_MS,
	 .help = "how long every session source must say zero"},
	{"services", KEY_NAMED, .is_required = true,
	 .offset = offsetof(struct pool, services), .section = &service_section,
	 .help = "the Windows services that are drained"},
	{"servers", KEY_NAMED, .is_required = true,
	 .offset = offsetof(struct pool, servers), .section = &server_section,
	 .help = "the members of the pool"},
};
static const struct section pool_section = SECTION("a pool", pool, pool_keys);

static const struct key root_keys[] = {
	{"pools", KEY_NAMED, .is_required = true,
	 .offset = offsetof(struct pool_config, pools), .section = &pool_section,
	 .help = "the pools, each under its name"},
};
static const struct section root_section = SECTION("pool.yaml", pool_config, root_keys);

static const char *const scm_choices[] = {"windows", "simulated", NULL};

static const struct key poold_keys[] = {
	{"server", KEY_TEXT, .is_required = true,
	 .offset = offsetof(struct poold_config, server),
	 .help = "the name of this server in pool.yaml"},
	{"listen", KEY_ENDPOINT, .offset = offsetof(struct poold_config, listen),
	 .help = "ADDRESS:PORT of the HTTP API; default port 8650 of the server's "
		 "address"},
	{"state_dir", KEY_TEXT, .offset = offsetof(struct poold_config, state_dir),
	 .help = "the directory that keeps drains and what they changed"},
	{"pool_file", KEY_TEXT, .offset = offsetof(struct poold_config, pool_file),
	 .help = "the pool.yaml to read"},
	{"log_file", KEY_TEXT, .offset = offsetof(struct poold_config, log_file),
	 .help = "where the log goes; default standard error, as a service poold.log in "
		 "state_dir"},
	{"scm", KEY_CHOICE, .offset = offsetof(struct poold_config, scm),
	 .fallback = "windows", .choices = scm_choices,
	 .help = "which Service Control Manager holds the services"},
	{"simulated_file", KEY_TEXT,
	 .offset = offsetof(struct poold_config, simulated_file),
	 .help = "the file that the simulated SCM keeps its services in"},
	{"tick", KEY_DURATION, .offset = offsetof(struct poold_config, tick_ms),
	 .fallback = "1s", .min = 20, .max = 60000,
	 .help = "how often services and sessions are looked at"},
};
static const struct section poold_section =
	SECTION("poold.yaml", poold_config, poold_keys);

/* Loads any file by its section; `check` adds the rules that span keys. */
static void *load(const char *path, const struct section *section, const char *help,
		  void (*check)(void *, struct mistakes *), struct buf *report,
		  struct err *err)
{
	struct mistakes mistakes = {.file = path};
	void *config = xcalloc(1, section->size_bytes);
	struct yaml_node *root = NULL;
	size_t length;
	char *text;

	if (host_read_file(path, YAML_LIMIT_BYTES, ERR_CONFIG, &text, &length, err)) {
		buf_printf(report, "%s; %s\n", err->text, help);
		free(config);
		return NULL;
	}
	root = yaml_tree_parse(text, length, &mistakes);
	if (root)
		schema_load(section, root, config, &mistakes);
	if (!mistakes.count)
		check(config, &mistakes);
	if (mistakes.count) {
		const char *all = mistakes.text.text;

		(void)err_set(err, ERR_CONFIG, "%.*s", (int)strcspn(all, "\n"), all);
		buf_puts(report, all);
		schema_free(section, config);
		free(config);
		config = NULL;
	}
	mistakes_done(&mistakes);
	yaml_tree_free(root);
	free(text);
	return config;
}

static struct yaml_node place_of(const struct named *named)
{
	return (struct yaml_node){.line = named->line, .column = named->column};
}

static bool shares_address(const struct pool_server *a, const struct pool_server *b)
{
	LIST_EACH (struct net_address, one, a->addresses)
		LIST_EACH (struct net_address, other, b->addresses)
			if (net_address_equal(one, other))
				return true;
	return false;
}

static void check_server_pair(const struct pool_server *first,
			      const struct pool_server *second, struct mistakes *mistakes)
{
	struct yaml_node place = place_of(&second->named);

	if (!strcmp(first->named.name, second->named.name))
		mistake_at(mistakes, &place,
			   "server '%s' is here twice, first in line %d",
			   second->named.name, first->named.line);
	else if (shares_address(first, second))
		mistake_at(mistakes, &place,
			   "server '%s' has the address of '%s' in line %d",
			   second->named.name, first->named.name, first->named.line);
}

static bool is_url(const char *url)
{
	size_t scheme = !strncmp(url, "http://", 7)    ? 7
			: !strncmp(url, "https://", 8) ? 8
						       : 0;

	return scheme && url[scheme] && url[scheme] != '/';
}

/* Compares each server with all that come before it, in its pool and the pools before. */
static void check_server(struct pool_config *config, struct pool_server *server,
			 struct mistakes *mistakes)
{
	struct yaml_node place = place_of(&server->named);

	if (!api_id_is_valid(server->named.name))
		mistake_at(mistakes, &place,
			   "'%s' is no server name: letters, digits, . _ -",
			   server->named.name);
	if (!is_url(server->url))
		mistake_at(mistakes, &place,
			   "url '%s' of '%s' must be http://HOST or https://HOST, with "
			   "or without a port",
			   server->url, server->named.name);
	LIST_EACH (struct pool, pool, config->pools)
		LIST_EACH (struct pool_server, other, pool->servers) {
			if (other == server)
				return;
			check_server_pair(other, server, mistakes);
		}
}

static void set_default_url(struct pool_server *server)
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

static void check_pools(void *config, struct mistakes *mistakes)
{
	struct pool_config *pools = config;

	LIST_EACH (struct pool, pool, pools->pools) {
		struct yaml_node place = place_of(&pool->named);

		if (!pool->servers.count)
			mistake_at(mistakes, &place, "pool '%s' has no server",
				   pool->named.name);
		if (!pool->services.count || pool->services.count > API_SERVICES_LIMIT)
			mistake_at(mistakes, &place, "pool '%s' needs 1 to %d services",
				   pool->named.name, API_SERVICES_LIMIT);
		LIST_EACH (struct pool_service, service, pool->services) {
			place = place_of(&service->named);
			if (!service->ports.count)
				mistake_at(mistakes, &place, "service '%s' needs a port",
					   service->named.name);
		}
		LIST_EACH (struct pool_server, server, pool->servers) {
			place = place_of(&server->named);
			if (!server->addresses.count) {
				mistake_at(mistakes, &place,
					   "server '%s' needs an address",
					   server->named.name);
				continue;
			}
			set_default_url(server);
			check_server(pools, server, mistakes);
		}
	}
}

static void check_poold(void *config, struct mistakes *mistakes)
{
	struct poold_config *poold = config;
	struct yaml_node place = {.line = 1, .column = 1};
	char path[HOST_PATH_BYTES];

	if (poold->scm == SCM_KIND_SIMULATED && !poold->simulated_file)
		mistake_at(mistakes, &place,
			   "'scm: simulated' needs the key 'simulated_file'");
	if (!poold->state_dir) {
		host_state_path(path);
		poold->state_dir = xstrdup(path);
	}
	if (!poold->pool_file) {
		host_config_path("pool.yaml", path);
		poold->pool_file = xstrdup(path);
	}
}

struct pool_config *pool_config_load(const char *path, struct buf *mistakes,
				     struct err *err)
{
	return load(path, &root_section, "name another with --config or POOLCTL_CONFIG",
		    check_pools, mistakes, err);
}

void pool_config_free(struct pool_config *config)
{
	if (config)
		schema_free(&root_section, config);
	free(config);
}

struct poold_config *poold_config_load(const char *path, struct buf *mistakes,
				       struct err *err)
{
	return load(path, &poold_section, "name another with --config", check_poold,
		    mistakes, err);
}

void poold_config_free(struct poold_config *config)
{
	if (config)
		schema_free(&poold_section, config);
	free(config);
}

const struct pool *pool_find(const struct pool_config *config, const char *name)
{
	LIST_EACH (struct pool, pool, config->pools)
		if (!strcmp(pool->named.name, name))
			return pool;
	return NULL;
}

const struct pool_server *pool_find_server(const struct pool_config *config,
					   const char *name, const struct pool **pool)
{
	LIST_EACH (struct pool, candidate, config->pools)
		LIST_EACH (struct pool_server, server, candidate->servers)
			if (!strcmp(server->named.name, name)) {
				if (pool)
					*pool = candidate;
				return server;
			}
	return NULL;
}

static const char *server_name(const void *servers, size_t i)
{
	return ((const struct pool_server *)servers)[i].named.name;
}

const char *pool_suggest(const struct pool_config *config, const char *name)
{
	const char *nearest = NULL;

	LIST_EACH (struct pool, pool, config->pools)
		if (!nearest)
			nearest = schema_nearest(name, server_name, pool->servers.items,
						 pool->servers.count);
	return nearest;
}

const struct list *pool_local_addresses(const struct pool_server *server,
					const struct pool_service *service)
{
	const struct net_address *first = server->addresses.items;

	if (service->addresses.count)
		return &service->addresses;
	return net_address_is_loopback(first) ? &server->addresses : NULL;
}
