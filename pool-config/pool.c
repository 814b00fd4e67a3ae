#include "pool.h"

#include "buf.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

enum { URL_HOST_BYTES = 256 };

const struct pool *pool_find(const struct pool_config *config, const char *name)
{
	LIST_EACH (struct pool, pool, config->pools)
		if (!utf8_compare_names(pool->named.name, name))
			return pool;
	return NULL;
}

const struct pool_server *pool_find_server(const struct pool_config *config,
					   const char *name,
					   const struct pool **pool)
{
	LIST_EACH (struct pool, candidate, config->pools)
		LIST_EACH (struct pool_server, server, candidate->servers)
			if (!utf8_compare_names(server->named.name, name)) {
				if (pool)
					*pool = candidate;
				return server;
			}
	return NULL;
}

const char *pool_hint(const struct pool_config *config, struct nearest *nearest)
{
	LIST_EACH (struct pool, pool, config->pools)
		LIST_EACH (struct pool_server, server, pool->servers)
			nearest_try(nearest, server->named.name);
	return nearest_hint(nearest);
}

const struct list *pool_services(const struct pool *pool,
				 const struct pool_server *server)
{
	return server && server->services.count ? &server->services
						: &pool->services;
}

int64_t pool_settle_ms(const struct pool *pool, const struct pool_server *server,
		       const struct pool_service *service)
{
	if (service->settle_ms >= 0)
		return service->settle_ms;
	return server && server->settle_ms >= 0 ? server->settle_ms
						: pool->settle_ms;
}

enum start_type pool_startup_while_drained(const struct pool *pool,
					   const struct pool_server *server)
{
	return (enum start_type)(server->startup_while_drained >= 0
					 ? server->startup_while_drained
					 : pool->startup_while_drained);
}

int64_t pool_deadline_ms(const struct pool *pool, const struct pool_server *server)
{
	return server->deadline_ms >= 0 ? server->deadline_ms : pool->deadline_ms;
}

enum on_deadline pool_on_deadline(const struct pool *pool,
				  const struct pool_server *server)
{
	return (enum on_deadline)(server->on_deadline >= 0 ? server->on_deadline
							   : pool->on_deadline);
}

static bool is_given(const struct pool_trust *trust)
{
	return trust->pins.count || trust->ca_file;
}

const struct pool_trust *pool_trust(const struct pool *pool,
				    const struct pool_server *server)
{
	return is_given(&server->trust) ? &server->trust : &pool->trust;
}

const char *pool_token_file(const struct pool_server *server)
{
	if (server->token_file || !server->pool)
		return server->token_file;
	return server->pool->token_file;
}

bool pool_is_pin(const char *pin)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
		"uvwxyz0123456789+/";

	return !strncmp(pin, "sha256//", 8) && strspn(pin + 8, letters) == 43 &&
	       !strcmp(pin + 8 + 43, "=");
}

int64_t pool_capacity(const struct pool *pool, const struct pool_server *server)
{
	return server->capacity >= 0 ? server->capacity : pool->capacity;
}

static bool has_component(const struct pool_service *service, const char *word)
{
	LIST_EACH (char *, component, service->components)
		if (!utf8_compare_names(*component, word))
			return true;
	return false;
}

static int fail_grouped(const struct pool_service *service, const char *word,
			struct err *err)
{
	struct buf others = {0};

	LIST_EACH (char *, component, service->components)
		if (utf8_compare_names(*component, word))
			buf_printf(&others, "%s%s", others.length ? ", " : "",
				   *component);
	(void)err_set(
		err, ERR_GROUPED,
		"'%s' is part of the Windows service %s, which also contains %s and can be drained only as a whole: add --with-group to drain all of it",
		word, service->named.name, others.text);
	buf_done(&others);
	return -1;
}

static int fail_unknown(const struct list *services, const char *word,
			struct err *err)
{
	struct buf known = {0};

	LIST_EACH (struct pool_service, service, *services)
		buf_printf(&known, "%s%s", known.length ? ", " : "",
			   service->named.name);
	(void)err_set(err, ERR_UNKNOWN_SERVICE,
		      "unknown service or component '%s'; known services: %s", word,
		      known.text);
	buf_done(&known);
	return -1;
}

/* Short names come first: they are what the SCM goes by. */
static const struct pool_service *find_service(const struct list *services,
					       const char *word, bool *is_component)
{
	*is_component = false;
	LIST_EACH (struct pool_service, service, *services)
		if (!utf8_compare_names(service->named.name, word))
			return service;
	LIST_EACH (struct pool_service, service, *services)
		if (service->display_name &&
		    !utf8_compare_names(service->display_name, word))
			return service;
	*is_component = true;
	LIST_EACH (struct pool_service, service, *services)
		if (has_component(service, word))
			return service;
	return NULL;
}

const struct pool_service *pool_resolve_service(const struct list *services,
						const char *word, bool with_group,
						struct err *err)
{
	bool is_component;
	const struct pool_service *found =
		find_service(services, word, &is_component);

	if (!found)
		(void)fail_unknown(services, word, err);
	else if (found->role == ROLE_LEAVE)
		(void)err_set(
			err, ERR_LEFT_RUNNING,
			"the service %s must be left running while a server is drained",
			found->named.name);
	else if (is_component && found->components.count > 1 && !with_group)
		(void)fail_grouped(found, word, err);
	else
		return found;
	return NULL;
}

const struct list *pool_local_addresses(const struct pool_server *server,
					const struct pool_service *service)
{
	const struct net_address *first = server->addresses.items;

	if (service->addresses.count)
		return &service->addresses;
	return net_address_is_loopback(first) ? &server->addresses : NULL;
}

/* The host of a url, without user, port and brackets. */
static void copy_host(const char *url, char *host, size_t size)
{
	const char *at = strstr(url, "://"), *user;
	size_t length;

	at = at ? at + 3 : url;
	length = strcspn(at, "/?#");
	while ((user = memchr(at, '@', length))) {
		length -= (size_t)(user + 1 - at);
		at = user + 1;
	}
	if (length && *at == '[') {
		at++;
		length = strcspn(at, "]");
	} else {
		length = strcspn(at, ":/?#");
	}
	(void)snprintf(host, size, "%.*s", (int)length, at);
}

bool pool_is_localhost(const char *url)
{
	char host[URL_HOST_BYTES];

	copy_host(url, host, sizeof(host));
	return !utf8_compare_names(host, "localhost");
}

bool pool_is_on_server(const struct pool_server *server, const char *url)
{
	size_t length = strlen(server->named.name);
	char host[URL_HOST_BYTES];
	struct net_address address;

	copy_host(url, host, sizeof(host));
	if (net_address_parse(host, &address)) {
		if (!utf8_compare_names(host, "localhost"))
			return true;
		/* In whatever domain. */
		if (strlen(host) > length && host[length] == '.')
			host[length] = '\0';
		return !utf8_compare_names(host, server->named.name);
	}
	if (net_address_is_loopback(&address))
		return true;
	LIST_EACH (struct net_address, own, server->addresses)
		if (net_address_equal(own, &address))
			return true;
	return false;
}

bool pool_lacks_count(const struct pool_service *service, bool has_command)
{
	bool needs_counter = false;

	if (service->role != ROLE_DRAIN || has_command || service->counters.count ||
	    service->rds.states.count || service->http.count)
		return false;
	LIST_EACH (char *, fact, service->unverified)
		needs_counter = needs_counter || !strcmp(*fact, "counters");
	return !service->ports.count || needs_counter;
}

const struct pool_floor_row *pool_floor_row(const struct pool *pool, size_t servers)
{
	LIST_EACH (struct pool_floor_row, row, pool->floors)
		if (row->servers == (int64_t)servers)
			return row;
	return NULL;
}
