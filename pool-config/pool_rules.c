#include "pool_rules.h"

#include "api.h"
#include "text/json_pointer.h"
#include "text/text.h"
#include "mem.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SERVICE_NAME_LIMIT = 256 };

/* ---- things that must not meet twice: sorted, so that neighbours tell ---- */

/* A url's parts, each as it stands there. */
struct url {
	bool is_https;
	const char *host, *rest; /* rest: from the path on */
	size_t host_length;
	int64_t port;
};

enum claim_kind { CLAIM_NAME, CLAIM_ADDRESS, CLAIM_URL };

/* Something that a server or a pool has, and that no other may have. */
struct claim {
	enum claim_kind kind;
	const char *what; /* "server" */
	const char *name;
	struct net_address address;
	struct url url;
	const struct pool *pool; /* of a url */
	const struct pool_server *server;
	const struct named *owner;
};

struct claims {
	struct claim *items;
	size_t count;
};

/* 0 if both lead to one place. */
static int compare_urls(const struct url *one, const struct url *other)
{
	if (one->port != other->port)
		return one->port < other->port ? -1 : 1;
	if (one->host_length != other->host_length)
		return one->host_length < other->host_length ? -1 : 1;
	if (strncasecmp(one->host, other->host, one->host_length) != 0)
		return strncasecmp(one->host, other->host, one->host_length);
	return strcmp(one->rest, other->rest);
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *one = a, *other = b;

	if (one->kind == CLAIM_ADDRESS)
		return memcmp(one->address.bytes, other->address.bytes,
			      sizeof(one->address.bytes));
	return one->kind == CLAIM_NAME ? utf8_compare_names(one->name, other->name)
				       : compare_urls(&one->url, &other->url);
}

static int compare_in_order(const void *a, const void *b)
{
	const struct claim *one = a, *other = b;
	int order = compare_claims(one, other);

	if (!order)
		order = one->owner->place.line - other->owner->place.line;
	return order ? order
		     : one->owner->place.column - other->owner->place.column;
}

/* Whoever says how to trust a server means TLS. */
static bool has_trust(const struct pool *pool, const struct pool_server *server)
{
	const struct pool_trust *trust = pool_trust(pool, server);

	return trust->pins.count || trust->ca_file;
}

static char *default_url(const struct pool *pool, const struct pool_server *server)
{
	char text[NET_ADDRESS_TEXT_BYTES];
	const struct net_address *address = server->addresses.items;
	bool is_ipv4 = net_address_is_ipv4(address);

	return xasprintf("http%s://%s%s%s:8650", has_trust(pool, server) ? "s" : "",
			 is_ipv4 ? "" : "[", net_address_format(address, text),
			 is_ipv4 ? "" : "]");
}

/* True for a url that follows from the address. */
static bool is_default_url(const struct claim *claim)
{
	char *url = claim->server ? default_url(claim->pool, claim->server) : NULL;
	bool is_default = url && !strcmp(claim->server->url, url);

	free(url);
	return is_default;
}

static void report_twice(const struct claim *first, const struct claim *second,
			 struct mistakes *mistakes)
{
	const struct named *owner = second->owner, *other = first->owner;

	/* Two urls that follow from one address are one mistake. */
	if (owner == other || (is_default_url(first) && is_default_url(second)))
		return;
	if (second->kind == CLAIM_NAME)
		mistakes_add(mistakes, &owner->place,
			     "duplicate %s '%s'; the first is in line %d",
			     second->what, second->name, other->place.line);
	else
		mistakes_add(mistakes, &owner->place,
			     "server '%s' has %s of server '%s' in line %d",
			     owner->name,
			     second->kind == CLAIM_URL ? "the url" : "an address",
			     other->name, other->place.line);
}

static void sort_claims(struct claims *claims)
{
	if (claims->count)
		qsort(claims->items, claims->count, sizeof(*claims->items),
		      compare_in_order);
}

/* Of sorted ones; frees them. */
static void check_claims(struct claims *claims, struct mistakes *mistakes)
{
	for (size_t i = 1; i < claims->count; i++)
		if (!compare_claims(&claims->items[i - 1], &claims->items[i]))
			report_twice(&claims->items[i - 1], &claims->items[i],
				     mistakes);
	free(claims->items);
}

static void add_claim(struct claims *claims, const struct claim *claim)
{
	/* In steps, as there may be tens of thousands. */
	if (claims->count % 256 == 0)
		claims->items =
			xrealloc(claims->items,
				 (claims->count + 256) * sizeof(*claims->items));
	claims->items[claims->count++] = *claim;
}

/* ---- urls ---- */

static bool read_host(const char *at, const char *end, struct url *url)
{
	const char *colon, *after;

	url->host = at;
	if (*at == '[') {
		after = memchr(at, ']', (size_t)(end - at));
		colon = after ? after + 1 : end;
	} else {
		after = at;
		colon = memchr(at, ':', (size_t)(end - at));
		colon = colon ? colon : end;
	}
	url->host_length = (size_t)(colon - at);
	url->port = url->is_https ? 443 : 80;
	if (!after || !url->host_length ||
	    strcspn(at, " <>\"") < (size_t)(end - at))
		return false;
	return colon == end ||
	       (*colon == ':' && !text_read_number(colon + 1, &url->port, &after) &&
		after == end && url->port >= 1 && url->port <= UINT16_MAX);
}

static bool read_url(const char *text, struct url *url)
{
	const char *at, *end;

	url->is_https = !strncmp(text, "https://", 8);
	if (!url->is_https && strncmp(text, "http://", 7) != 0)
		return false;
	at = text + (url->is_https ? 8 : 7);
	url->rest = end = at + strcspn(at, "/?#");
	/* A name and a password before the host. */
	for (const char *sign = at; sign < end; sign++)
		if (*sign == '@')
			at = sign + 1;
	return read_host(at, end, url);
}

static bool is_url(const char *text)
{
	struct url url;

	return read_url(text, &url);
}

static void claim_url(struct claims *urls, const struct pool *pool,
		      const struct pool_server *server)
{
	struct claim claim = {.kind = CLAIM_URL,
			      .pool = pool,
			      .server = server,
			      .owner = &server->named};

	if (server->url && server->addresses.count &&
	    read_url(server->url, &claim.url))
		add_claim(urls, &claim);
}

/* Their names, sorted. */
static struct claims claim_pools(const struct pool_config *config)
{
	struct claims pools = {0};

	LIST_EACH (struct pool, pool, config->pools)
		add_claim(&pools, &(struct claim){.what = "pool",
						  .name = pool->named.name,
						  .owner = &pool->named});
	sort_claims(&pools);
	return pools;
}

static bool is_pool_name(const struct claims *pools, const char *name)
{
	const struct claim wanted = {.name = name};

	return bsearch(&wanted, pools->items, pools->count, sizeof(wanted),
		       compare_claims) != NULL;
}

static void check_servers_are_unique(const struct pool_config *config,
				     struct mistakes *mistakes)
{
	struct claims names = {0}, addresses = {0}, urls = {0};

	LIST_EACH (struct pool, pool, config->pools)
		LIST_EACH (struct pool_server, server, pool->servers) {
			add_claim(&names,
				  &(struct claim){.what = "server",
						  .name = server->named.name,
						  .owner = &server->named});
			claim_url(&urls, pool, server);
			LIST_EACH (struct net_address, address, server->addresses)
				add_claim(&addresses,
					  &(struct claim){.kind = CLAIM_ADDRESS,
							  .address = *address,
							  .owner = &server->named});
		}
	sort_claims(&names);
	check_claims(&names, mistakes);
	sort_claims(&addresses);
	check_claims(&addresses, mistakes);
	sort_claims(&urls);
	check_claims(&urls, mistakes);
}

/* Without what may be a password before it. */
static const char *shown_url(const char *url)
{
	const char *at = strrchr(url, '@');

	return at ? at + 1 : url;
}

/* ---- session sources ---- */

static void check_rds_state(const char *state, const struct place *place,
			    struct mistakes *mistakes)
{
	struct nearest nearest = {.word = state};

	for (size_t i = 0; pool_rds_states[i]; i++) {
		if (!strcmp(pool_rds_states[i], state))
			return;
		nearest_try(&nearest, pool_rds_states[i]);
	}
	mistakes_add(mistakes, place,
		     "'%s' is not a state of a live Remote Desktop session%s",
		     state, nearest_hint(&nearest));
}

void pool_rules_check_pointer(const char *pointer, const struct place *place,
			      struct mistakes *mistakes)
{
	if (pointer && !json_pointer_is_valid(pointer))
		mistakes_add(
			mistakes, place,
			"'%s' is not a JSON pointer: expected /name/name, with ~0 for ~ and ~1 for /",
			pointer);
}

static void check_source_count(const struct pool_service *service,
			       struct mistakes *mistakes)
{
	size_t count = (service->ports.count > 0) + service->counters.count +
		       (service->rds.states.count > 0) + service->http.count;

	if (service->role != ROLE_LEAVE && count > POOL_SOURCES_LIMIT)
		mistakes_add(mistakes, &service->named.place,
			     "service '%s' has %zu session sources; expected up to "
			     "%d: all ports together count as one",
			     service->named.name, count, POOL_SOURCES_LIMIT);
}

static void check_sources(const struct pool_service *service,
			  struct mistakes *mistakes)
{
	const struct place *place = &service->named.place;

	if (service->role == ROLE_DRAIN && !service->named.is_wrong &&
	    !service->ports.count && !service->counters.count &&
	    !service->rds.states.count && !service->http.count &&
	    !service->unverified.count)
		mistakes_add(
			mistakes, place,
			"service '%s' needs a session source: ports, counters, rds or "
			"http; or 'unverified: [counters]', if a command in "
			"poold.yaml counts its sessions",
			service->named.name);
	LIST_EACH (struct pool_counter, counter, service->counters)
		if (counter->path &&
		    (*counter->path != '\\' || !strchr(counter->path + 1, '\\')))
			mistakes_add(
				mistakes, place,
				"'%s' is not the path of a counter: expected \\Object\\Counter or \\Object(Instance)\\Counter",
				counter->path);
	if (service->probe.port < 0 && !service->named.is_wrong &&
	    (service->probe.send || service->probe.taken))
		mistakes_add(mistakes, place,
			     "the probe of service '%s' needs the key 'port'",
			     service->named.name);
	LIST_EACH (char *, state, service->rds.states)
		check_rds_state(*state, place, mistakes);
	LIST_EACH (struct pool_http, http, service->http) {
		pool_rules_check_pointer(http->pointer, place, mistakes);
		if (http->url && !is_url(http->url))
			mistakes_add(
				mistakes, place,
				"url '%s' must begin with http://HOST or https://HOST, with or without a port from 1 to 65535",
				shown_url(http->url));
	}
}

/* ---- servers ---- */

static void set_url(const struct pool *pool, struct pool_server *server)
{
	size_t length;

	server->is_url_given = server->url != NULL;
	if (!server->url)
		server->url = default_url(pool, server);
	length = is_url(server->url) ? strlen(server->url) : 0;
	while (length && server->url[length - 1] == '/')
		server->url[--length] = '\0';
}

static void check_pins(const struct pool_trust *trust, const struct place *place,
		       struct mistakes *mistakes)
{
	LIST_EACH (char *, pin, trust->pins)
		if (!pool_is_pin(*pin))
			mistakes_add(
				mistakes, place,
				"'%s' is not a pin: expected sha256// and 44 characters of base64, as `poold tls init` and `poolctl trust SERVER` print it",
				*pin);
}

static void check_server(const struct claims *pools, const struct pool *pool,
			 struct pool_server *server, struct mistakes *mistakes)
{
	const struct place *place = &server->named.place;

	server->pool = pool;
	if (strlen(server->named.name) >= API_ID_BYTES)
		mistakes_add(
			mistakes, place,
			"the server name '%.16s...' has %zu characters; expected up to %d",
			server->named.name, strlen(server->named.name),
			API_ID_BYTES - 1);
	else if (!api_id_is_valid(server->named.name))
		mistakes_add(
			mistakes, place,
			"'%s' is not a server name: expected up to 64 letters, digits, . _ @ -; the first a letter or a digit",
			server->named.name);
	if (is_pool_name(pools, server->named.name))
		mistakes_add(
			mistakes, place,
			"server '%s' has the name of a pool; give one of them another name",
			server->named.name);
	if (server->addresses.count)
		set_url(pool, server);
	if (server->url && !is_url(server->url))
		mistakes_add(
			mistakes, place,
			"url '%s' of server '%s' must be http://HOST or https://HOST, with or without a port from 1 to 65535",
			shown_url(server->url), server->named.name);
	check_pins(&server->trust, place, mistakes);
	if (server->url && has_trust(pool, server) &&
	    strncmp(server->url, "https://", 8) != 0)
		mistakes_add(
			mistakes, place,
			"server '%s' has a pin or a ca_file, but its url '%s' does not begin with https://",
			server->named.name, shown_url(server->url));
	if (server->rank > (int64_t)pool->servers.count)
		mistakes_add(
			mistakes, place,
			"rank %lld of server '%s' is greater than the pool's size, %zu",
			(long long)server->rank, server->named.name,
			pool->servers.count);
	LIST_EACH (struct pool_server, other, pool->servers) {
		if (other == server)
			break;
		if (server->rank > 0 && other->rank == server->rank)
			mistakes_add(
				mistakes, place,
				"rank %lld of server '%s' is already the rank of server '%s'",
				(long long)server->rank, server->named.name,
				other->named.name);
	}
}

/* ---- pools ---- */

/* Whoever gives no floor gets that of the table, if it knows a pool of this size.
 */
static void set_floor(struct pool *pool)
{
	struct floor *floor = &pool->availability.floor;

	if (floor->value < 0)
		*floor = pool_floor_row(pool, pool->servers.count)
				 ? (struct floor){FLOOR_TABLE, 0}
				 : (struct floor){FLOOR_NUMBER, 1};
}

static void check_availability(const struct pool *pool, struct mistakes *mistakes)
{
	const struct place *place = &pool->named.place;
	struct floor floor = pool->availability.floor;
	size_t size = pool->servers.count;
	bool is_table_whole = !pool->named.is_wrong;

	if (floor.kind == FLOOR_NUMBER && (size_t)floor.value > size)
		mistakes_add(
			mistakes, place,
			"the floor of pool '%s' is %d, which is more than its size, %zu",
			pool->named.name, floor.value, size);
	if (floor.kind == FLOOR_TABLE && !pool_floor_row(pool, size) &&
	    is_table_whole)
		mistakes_add(
			mistakes, place,
			"pool '%s' has 'floor: table', but 'floors' has no row for its size, %zu",
			pool->named.name, size);
	if (pool->availability.max_out > 1 &&
	    pool->availability.max_out > (int64_t)size)
		mistakes_add(
			mistakes, place,
			"max_out of pool '%s' is %lld, which is more than its size, %zu",
			pool->named.name, (long long)pool->availability.max_out,
			size);
	LIST_EACH (struct pool_floor_row, row, pool->floors) {
		if (row->of_first >= 0 && row->functional > row->of_first)
			mistakes_add(
				mistakes, place,
				"pool '%s': the row of 'floors' for %lld servers requires %lld 'functional' of only %lld ('of_first')",
				pool->named.name, (long long)row->servers,
				(long long)row->functional,
				(long long)row->of_first);
		if (row->servers > 0 && (row->functional > row->servers ||
					 row->first_start > row->servers ||
					 row->of_first > row->servers))
			mistakes_add(
				mistakes, place,
				"pool '%s': the row of 'floors' for %lld servers requires more servers than that",
				pool->named.name, (long long)row->servers);
	}
}

/* Windows does not tell RTCSRV from rtcsrv, and two controllers would hold one
 * service.
 */
static void check_service_name(const struct list *services,
			       const struct pool_service *service,
			       struct mistakes *mistakes)
{
	const char *name = service->named.name;

	if (!*name || strpbrk(name, "/\\\"") || strlen(name) > SERVICE_NAME_LIMIT)
		mistakes_add(
			mistakes, &service->named.place,
			"'%s' is not a service name: expected up to 256 characters, without / \\ \"",
			name);
	LIST_EACH (struct pool_service, other, *services) {
		if (other == service)
			break;
		if (!utf8_compare_names(other->named.name, name))
			mistakes_add(
				mistakes, &service->named.place,
				"duplicate service '%s'; the first is in line %d",
				name, other->named.place.line);
	}
}

/* The i-th word that a person may call a service by; NULL after the last. */
static const char *word_of(const struct pool_service *service, size_t i)
{
	if (i == 0)
		return service->named.name;
	if (i == 1)
		return service->display_name ? service->display_name : "";
	return i - 2 < service->components.count
		       ? ((char **)service->components.items)[i - 2]
		       : NULL;
}

static bool is_name(const struct claim *claim)
{
	return claim->name == claim->owner->name;
}

static void report_ambiguous(const struct claim *one, const struct claim *other,
			     struct mistakes *mistakes)
{
	const struct claim *word = is_name(other) ? one : other;
	const struct claim *meant = word == one ? other : one;

	/* That two have one name is said already. */
	if (word->owner != meant->owner && !is_name(word))
		mistakes_add(
			mistakes, &word->owner->place,
			"'%s' of service '%s' also means service '%s' in line %d; give one of them another display_name or component",
			word->name, word->owner->name, meant->owner->name,
			meant->owner->place.line);
}

/* Who asks for one service must not get another. */
static void check_words(const struct list *services, struct mistakes *mistakes)
{
	struct claims words = {0};
	const char *word;

	LIST_EACH (struct pool_service, service, *services)
		for (size_t i = 0; (word = word_of(service, i)); i++)
			if (*word)
				add_claim(
					&words,
					&(struct claim){.name = word,
							.owner = &service->named});
	sort_claims(&words);
	for (size_t i = 1; i < words.count; i++)
		if (!compare_claims(&words.items[i - 1], &words.items[i]))
			report_ambiguous(&words.items[i - 1], &words.items[i],
					 mistakes);
	free(words.items);
}

static void check_services(const struct pool *pool, const struct list *services,
			   const struct place *place, struct mistakes *mistakes)
{
	size_t drained = 0;
	bool is_wrong = !services->count && pool->named.is_wrong;

	LIST_EACH (struct pool_service, service, *services) {
		is_wrong = is_wrong || service->named.is_wrong;
		drained += service->role == ROLE_DRAIN;
		if (services->count <= API_SERVICES_LIMIT)
			check_service_name(services, service, mistakes);
		check_sources(service, mistakes);
		check_source_count(service, mistakes);
	}
	check_words(services, mistakes);
	if (!drained && !is_wrong)
		mistakes_add(mistakes, place, "pool '%s' has no service to drain",
			     pool->named.name);
	if (services->count > API_SERVICES_LIMIT)
		mistakes_add(mistakes, place, "pool '%s' has more than %d services",
			     pool->named.name, API_SERVICES_LIMIT);
}

/* A name of DNS, perhaps not in ASCII: labels with dots between them. */
static bool is_dns_name(const char *name)
{
	struct net_address address;
	size_t length = strlen(name);

	if (length && name[length - 1] == '.')
		length--;
	if (!length || length > 253 || name[strcspn(name, "/:@\\ *,;")] ||
	    !net_address_parse(name, &address))
		return false;
	for (size_t i = 0, label = 0; i <= length; i++)
		if (i < length && name[i] != '.')
			label++;
		else if (!label || label > 63)
			return false;
		else
			label = 0;
	return true;
}

static void check_fqdn(const struct pool *pool, struct mistakes *mistakes)
{
	if (pool->fqdn && !is_dns_name(pool->fqdn))
		mistakes_add(
			mistakes, &pool->named.place,
			"fqdn '%s' of pool '%s' is not a name in DNS: expected one like pool01.contoso.com, without http://, port or path",
			pool->fqdn, pool->named.name);
}

static void check_pool(const struct claims *pools, struct pool *pool,
		       struct mistakes *mistakes)
{
	const struct place *place = &pool->named.place;

	if (!pool->servers.count && !pool->named.is_wrong)
		mistakes_add(mistakes, place, "pool '%s' has no server",
			     pool->named.name);
	check_fqdn(pool, mistakes);
	check_pins(&pool->trust, place, mistakes);
	if (pool->dns.expect != DNS_ANY && !pool->fqdn && !pool->named.is_wrong)
		mistakes_add(
			mistakes, place,
			"pool '%s' needs the key 'fqdn', because it has 'dns: expect'",
			pool->named.name);
	check_services(pool, &pool->services, place, mistakes);
	if (pool->servers.count) {
		set_floor(pool);
		check_availability(pool, mistakes);
	}
	LIST_EACH (struct pool_server, server, pool->servers) {
		check_server(pools, pool, server, mistakes);
		if (server->services.count)
			check_services(pool, &server->services,
				       &server->named.place, mistakes);
	}
}

void pool_rules_check(struct pool_config *config, struct mistakes *mistakes)
{
	struct claims pools = claim_pools(config);

	LIST_EACH (struct pool, pool, config->pools)
		check_pool(&pools, pool, mistakes);
	check_claims(&pools, mistakes);
	check_servers_are_unique(config, mistakes);
}
