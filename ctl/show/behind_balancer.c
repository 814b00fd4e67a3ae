#include "show/behind_balancer.h"

#include "buf.h"
#include "mem.h"
#include "terminal/print.h"
#include "text/json_write.h"
#include "text/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* True if the url leads to this machine, as a tunnel does, but the server is
 * another one.
 */
static bool is_tunnel(const struct pool_server *server)
{
	const char *host = strstr(server->url, "://") + 3;
	size_t length = strcspn(host, ":/");
	struct net_address address;
	uint16_t port;
	char *text;
	bool is_here;

	if (net_address_is_loopback(server->addresses.items))
		return false;
	text = xasprintf("%s%s", host,
			 strchr(host, ']') || host[length] ? "" : ":80");
	is_here = (length == 9 && !strncasecmp(host, "localhost", length)) ||
		  (!net_address_split(text, &address, &port) &&
		   net_address_is_loopback(&address));
	free(text);
	return is_here;
}

/* What a load balancer can probe, to be freed; NULL: there is nothing that it
 * reaches. */
static char *readyz_url(const struct pool_server *server)
{
	char *url = is_tunnel(server) ? NULL : xasprintf("%s/readyz", server->url);

	if (url)
		text_hide_credentials(url);
	return url;
}

/* Adds nothing if there are none. */
static void explain(const struct pool *pool, const struct pool_server *server,
		    struct buf *text)
{
	char *readyz = readyz_url(server);
	struct buf services = {0};

	LIST_EACH (struct pool_service, service, *pool_services(pool, server))
		if (service->behind_balancer.count)
			add_service(service, &services);
	if (services.length)
		buf_printf(text,
			   "a drain does not take these services out of their load "
			   "balancer: %s; ",
			   services.text);
	if (services.length && readyz)
		buf_printf(
			text,
			"let the balancer probe %s, or take the server out there",
			readyz);
	else if (services.length)
		buf_puts(
			text,
			"take the server out there (poold listens on loopback only, "
			"so there is no URL that a balancer could probe)");
	free(readyz);
	buf_done(&services);
}

static json_t *describe(const struct pool_service *service,
			const struct pool_server *server)
{
	json_t *object = json_object(), *ports = json_array();
	char *readyz = readyz_url(server);

	LIST_EACH (uint16_t, port, service->behind_balancer)
		json_write_item(ports, json_integer(*port));
	json_write_text(object, "service", service->named.name);
	json_write_value(object, "ports", ports);
	json_write_text(object, "readyz", readyz);
	free(readyz);
	return object;
}

json_t *behind_balancer_to_json(const struct pool *pool,
				const struct pool_server *server)
{
	json_t *list = json_array();

	LIST_EACH (struct pool_service, service, *pool_services(pool, server))
		if (service->behind_balancer.count)
			json_write_item(list, describe(service, server));
	return list;
}

void behind_balancer_print(const struct pool *pool,
			   const struct pool_server *server)
{
	struct buf text = {0};

	explain(pool, server, &text);
	if (text.length)
		print_line(stdout, "  note: %s", text.text);
	buf_done(&text);
}

void behind_balancer_warn(const struct pool *pool, const struct pool_server *server)
{
	struct buf text = {0};

	explain(pool, server, &text);
	if (text.length)
		print_complaint("%s: %s", server->named.name, text.text);
	buf_done(&text);
}
