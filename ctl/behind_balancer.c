#include "behind_balancer.h"

#include "text.h"

#include <jansson.h>

static void add_service(const struct pool_service *service, struct buf *text)
{
	const char *between = " (";

	buf_printf(text, "%s%s", text->length ? ", " : "", service->named.name);
	LIST_EACH (uint16_t, port, service->behind_balancer) {
		buf_printf(text, "%s%u", between, *port);
		between = ", ";
	}
	buf_puts(text, ")");
}

void behind_balancer_explain(const struct pool *pool, const struct pool_server *server,
			     struct buf *text)
{
	struct buf services = {0};

	LIST_EACH (struct pool_service, service, *pool_services(pool, server))
		if (service->behind_balancer.count)
			add_service(service, &services);
	if (services.length)
		buf_printf(text,
			   "behind a load balancer, where a drain does not take it out: "
			   "%s; let the balancer probe %s/readyz, or take the server out "
			   "there",
			   services.text, server->url);
	buf_done(&services);
}

static json_t *describe(const struct pool_service *service,
			const struct pool_server *server)
{
	json_t *ports = json_array();

	LIST_EACH (uint16_t, port, service->behind_balancer)
		(void)json_array_append_new(ports, json_integer(*port));
	return json_pack("{s:s, s:o, s:s+}", "service", service->named.name, "ports",
			 ports, "readyz", server->url, "/readyz");
}

json_t *behind_balancer_to_json(const struct pool *pool, const struct pool_server *server)
{
	json_t *list = json_array();

	LIST_EACH (struct pool_service, service, *pool_services(pool, server))
		if (service->behind_balancer.count)
			(void)json_array_append_new(list, describe(service, server));
	return list;
}

void behind_balancer_print(const struct pool *pool, const struct pool_server *server)
{
	struct buf text = {0}, line = {0};

	behind_balancer_explain(pool, server, &text);
	if (text.length) {
		buf_printf(&line, "  note: %s", text.text);
		text_print(stdout, line.text);
	}
	buf_done(&text);
	buf_done(&line);
}

void behind_balancer_warn(const struct pool_config *config,
			  const struct pool_server *const *servers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *name = servers[i]->named.name;
		const struct pool *pool;
		struct buf text = {0};

		(void)pool_find_server(config, name, &pool);
		behind_balancer_explain(pool, servers[i], &text);
		if (text.length)
			text_complain("%s: %s", name, text.text);
		buf_done(&text);
	}
}
