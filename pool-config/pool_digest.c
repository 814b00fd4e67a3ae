#include "pool_digest.h"

#include "chain.h"
#include "mem.h"
#include "utf8.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { HASH_CHARS = 12 };

/* Its length before it keeps texts apart. */
static void add_text(struct buf *part, const char *text)
{
	buf_printf(part, "%zu:%s,", text ? strlen(text) : 0, text ? text : "");
}

static void add_number(struct buf *part, int64_t number)
{
	buf_printf(part, "%" PRId64 ",", number);
}

static void add_addresses(struct buf *part, const struct list *addresses)
{
	add_number(part, (int64_t)addresses->count);
	/* As text, systems write some of them differently. */
	LIST_EACH (struct net_address, address, *addresses)
		for (size_t i = 0; i < sizeof(address->bytes); i++)
			buf_printf(part, "%02x", address->bytes[i]);
}

static void add_texts(struct buf *part, const struct list *texts)
{
	add_number(part, (int64_t)texts->count);
	LIST_EACH (char *, text, *texts)
		add_text(part, *text);
}

/* ---- the parts of a service ---- */

struct subject {
	const struct pool *pool;
	const struct pool_server *server; /* NULL: one without keys of its own */
	const struct pool_service *service;
};

static void add_role(const struct subject *subject, struct buf *part)
{
	add_number(part, subject->service->role);
	add_number(part, subject->service->method);
	add_number(part, subject->service->is_optional);
}

static void add_ports(const struct subject *subject, struct buf *part)
{
	add_number(part, (int64_t)subject->service->ports.count);
	LIST_EACH (uint16_t, port, subject->service->ports)
		add_number(part, *port);
	add_addresses(part, &subject->service->addresses);
	add_addresses(part, &subject->service->excluded);
	/* As the hash of an older version, where nothing is new. */
	if (!subject->pool->counts_own)
		add_text(part, "count_own: false");
}

static void add_sources(const struct subject *subject, struct buf *part)
{
	const struct pool_service *service = subject->service;

	add_number(part, (int64_t)service->counters.count);
	LIST_EACH (struct pool_counter, counter, service->counters) {
		add_text(part, counter->path);
		add_number(part, counter->ignores_unknown);
	}
	add_texts(part, &service->rds.states);
	add_number(part, service->rds.ignores_unknown);
	add_number(part, (int64_t)service->http.count);
	LIST_EACH (struct pool_http, http, service->http) {
		add_text(part, http->url);
		add_text(part, http->pointer);
		add_number(part, http->ignores_unknown);
	}
	add_number(part, service->combine);
}

static void add_settle(const struct subject *subject, struct buf *part)
{
	add_number(part, pool_settle_ms(subject->pool, subject->server,
					subject->service));
}

static void add_probe(const struct subject *subject, struct buf *part)
{
	add_number(part, subject->service->probe.port);
	add_text(part, subject->service->probe.send);
	add_text(part, subject->service->probe.taken);
}

/* ---- the parts of the pool ---- */

static int compare_names(const void *a, const void *b)
{
	return utf8_compare_names(*(const char *const *)a, *(const char *const *)b);
}

/* In any order and spelling. */
static void add_members(const struct subject *subject, struct buf *part)
{
	const struct list *servers = &subject->pool->servers;
	const char **names = xcalloc(servers->count, sizeof(*names));
	size_t count = 0;

	LIST_EACH (struct pool_server, server, *servers)
		names[count++] = server->named.name;
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count; i++) {
		for (const char *c = names[i]; *c; c++)
			buf_add(part, &(char){(char)tolower((unsigned char)*c)}, 1);
		buf_puts(part, ",");
	}
	free(names);
}

static void add_floor(const struct subject *subject, struct buf *part)
{
	const struct pool *pool = subject->pool;

	add_number(part, pool->availability.floor.kind);
	add_number(part, pool->availability.floor.value);
	LIST_EACH (struct pool_floor_row, row, pool->floors) {
		add_number(part, row->servers);
		add_number(part, row->functional);
		add_number(part, row->of_first);
	}
}

static void add_max_out(const struct subject *subject, struct buf *part)
{
	add_number(part, subject->pool->availability.max_out);
}

/* ---- all of them ---- */

struct part {
	const char *name;
	void (*add)(const struct subject *subject, struct buf *part);
};

static const struct part service_parts[] = {
	{"role", add_role},     {"ports", add_ports}, {"sources", add_sources},
	{"settle", add_settle}, {"probe", add_probe}, {NULL, NULL}};
static const struct part pool_parts[] = {{"members", add_members},
					 {"floor", add_floor},
					 {"max_out", add_max_out},
					 {NULL, NULL}};

static json_t *hash_parts(const struct part *parts, const struct subject *subject)
{
	json_t *object = json_object();

	for (; parts->name; parts++) {
		char hash[CHAIN_HASH_BYTES];
		struct buf part = {0};

		parts->add(subject, &part);
		chain_next(chain_start, part.text ? part.text : "", hash);
		(void)json_object_set_new(object, parts->name,
					  json_stringn(hash, HASH_CHARS));
		buf_done(&part);
	}
	return object;
}

static json_t *hash_services(const struct pool *pool,
			     const struct pool_server *server)
{
	struct subject subject = {pool, server, NULL};
	json_t *services = json_object();

	LIST_EACH (struct pool_service, service, *pool_services(pool, server)) {
		subject.service = service;
		(void)json_object_set_new(services, service->named.name,
					  hash_parts(service_parts, &subject));
	}
	return services;
}

json_t *pool_digest_pool(const struct pool *pool)
{
	json_t *digest =
		hash_parts(pool_parts, &(struct subject){pool, NULL, NULL});

	(void)json_object_set_new(digest, "services", hash_services(pool, NULL));
	return digest;
}

json_t *pool_digest(const struct pool *pool, const struct pool_server *server)
{
	json_t *of_pool = pool_digest_pool(pool);
	json_t *digest = pool_digest_server(of_pool, pool, server);

	json_decref(of_pool);
	return digest;
}

/* Of a server's own keys, these are all that a part of its services depends on. */
static bool has_own_services(const struct pool_server *server)
{
	return server->services.count || server->settle_ms >= 0;
}

json_t *pool_digest_server(json_t *of_pool, const struct pool *pool,
			   const struct pool_server *server)
{
	json_t *digest;

	if (!has_own_services(server))
		return json_incref(of_pool);
	digest = json_copy(of_pool);
	(void)json_object_set_new(digest, "services", hash_services(pool, server));
	return digest;
}

/* ---- comparing ---- */

/* Adds the names of the parts that differ. */
static void compare_parts(const struct part *parts, const json_t *theirs,
			  const json_t *own, struct buf *names)
{
	for (; parts->name; parts++) {
		const json_t *their = json_object_get(theirs, parts->name);

		if (their && !json_equal(their, json_object_get(own, parts->name)))
			buf_printf(names, "%s%s", names->length ? ", " : "",
				   parts->name);
	}
}

/* The item under this name, in whatever case. */
static const json_t *find(const json_t *object, const char *name)
{
	json_t *item;
	const char *key;

	json_object_foreach ((json_t *)object, key, item) {
		if (!utf8_compare_names(key, name))
			return item;
	}
	return NULL;
}

static void compare_services(const json_t *theirs, const json_t *own,
			     struct buf *differences)
{
	const char *name;
	json_t *service;

	json_object_foreach ((json_t *)own, name, service) {
		const json_t *their = find(theirs, name);
		struct buf parts = {0};

		compare_parts(service_parts, their, service, &parts);
		if (!their)
			buf_puts(&parts, "missing there");
		if (parts.length)
			buf_printf(differences, "%sservice %s: %s",
				   differences->length ? "; " : "", name,
				   parts.text);
		buf_done(&parts);
	}
	json_object_foreach ((json_t *)theirs, name, service) {
		if (!find(own, name))
			buf_printf(differences, "%sservice %s: only there",
				   differences->length ? "; " : "", name);
	}
}

void pool_digest_compare(const json_t *theirs, const json_t *own,
			 struct buf *services, struct buf *rest)
{
	compare_parts(pool_parts, theirs, own, rest);
	if (json_object_get(theirs, "services"))
		compare_services(json_object_get(theirs, "services"),
				 json_object_get(own, "services"), services);
}
