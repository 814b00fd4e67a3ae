#include "outside.h"

#include "host.h"

#include <jansson.h>

static void add_ports(const struct outside_service *service, struct buf *text)
{
	char address[NET_ADDRESS_TEXT_BYTES];

	buf_printf(text, " at %s, port%s", net_address_format(&service->address, address),
		   service->port_count > 1 ? "s" : "");
	for (size_t i = 0; i < service->port_count; i++)
		buf_printf(text, "%s %u", i ? "," : "", service->ports[i].port);
}

/* A service with several ports failed at each, and one reason would mislead. */
static void explain_service(const struct outside_service *service, struct buf *text)
{
	bool is_probe = service->service->probe.port >= 0;

	buf_printf(text, "%s takes no %s", service->service->named.name,
		   is_probe ? "session" : "connection");
	add_ports(service, text);
	if (service->port_count == 1 && *service->why)
		buf_printf(text, " (%s)", service->why);
}

static void explain_dns(const struct outside_server *seen, struct buf *text)
{
	const char *name = seen->pool->fqdn;

	if (seen->dns == OUTSIDE_DNS_UNKNOWN)
		buf_printf(text, "no resolver answered for %s", name);
	else
		buf_printf(text, "%s does not lead to it, says %s", name,
			   seen->dns_text.text);
}

static bool is_dns_bad(const struct outside_server *seen)
{
	return seen->dns == OUTSIDE_DNS_MISSING || seen->dns == OUTSIDE_DNS_UNKNOWN;
}

static void add_remedy(const struct outside_server *seen, bool is_not_taken,
		       struct buf *text)
{
	const char *and = "; see that ";

	if (is_not_taken) {
		buf_printf(text,
			   "%sthe service listens there and no firewall is between "
			   "(where one must be, set `after_resume: none`)",
			   and);
		and = ", and that ";
	}
	if (seen->dns == OUTSIDE_DNS_MISSING)
		buf_printf(text, "%sthe server is in DNS", and);
	if (seen->dns == OUTSIDE_DNS_UNKNOWN)
		buf_printf(text, "%sthe DNS servers of `dns.resolvers` answer", and);
	buf_printf(text, "; verify again: poolctl resume %s", seen->server->named.name);
}

void outside_explain(const struct outside_server *seen, struct buf *text)
{
	const char *between = ": ";
	char host[HOST_NAME_BYTES];
	bool is_not_taken = false;

	host_name(host);
	buf_printf(text, "it serves as far as poold sees; not verified from %s", host);
	for (size_t i = 0; i < seen->service_count; i++) {
		if (seen->services[i].result != OUTSIDE_NOT_TAKEN)
			continue;
		buf_puts(text, between);
		explain_service(&seen->services[i], text);
		between = ", ";
		is_not_taken = true;
	}
	if (is_dns_bad(seen)) {
		buf_puts(text, between);
		explain_dns(seen, text);
	}
	add_remedy(seen, is_not_taken, text);
}

void outside_add_unwanted(const struct outside_server *seen, struct buf *text)
{
	const char *between = "; not tried (`after_resume: none`): ";

	for (size_t i = 0; i < seen->service_count; i++) {
		if (seen->services[i].result != OUTSIDE_NOT_WANTED)
			continue;
		buf_printf(text, "%s%s", between, seen->services[i].service->named.name);
		between = ", ";
	}
}

static json_t *describe_service(const struct outside_service *service)
{
	static const char *const results[OUTSIDE_TRY__COUNT] = {
		[OUTSIDE_TRYING] = NULL,
		[OUTSIDE_TAKEN] = "taken",
		[OUTSIDE_NOT_TAKEN] = "not_taken",
		[OUTSIDE_NO_PORT] = "no_port",
		[OUTSIDE_NOT_WANTED] = "not_asked",
	};
	char address[NET_ADDRESS_TEXT_BYTES];
	bool has_reason = service->result == OUTSIDE_NOT_TAKEN && *service->why;
	json_t *ports = json_array();

	for (size_t i = 0; i < service->port_count; i++)
		(void)json_array_append_new(ports, json_integer(service->ports[i].port));
	return json_pack("{s:s, s:s, s:o, s:b, s:s?, s:s?}", "service",
			 service->service->named.name, "address",
			 net_address_format(&service->address, address), "ports", ports,
			 "probe", service->service->probe.port >= 0, "result",
			 results[service->result], "message",
			 has_reason ? service->why : NULL);
}

json_t *outside_to_json(const struct outside_server *seen)
{
	static const char *const results[OUTSIDE_DNS__COUNT] = {
		[OUTSIDE_DNS_ASKING] = NULL,
		[OUTSIDE_DNS_PRESENT] = "present",
		[OUTSIDE_DNS_MISSING] = "missing",
		[OUTSIDE_DNS_UNKNOWN] = "unknown",
		[OUTSIDE_DNS_NO_NAME] = "not_asked",
		[OUTSIDE_DNS_ELSEWHERE] = "not_asked",
	};
	json_t *services = json_array();

	for (size_t i = 0; i < seen->service_count; i++)
		(void)json_array_append_new(services,
					    describe_service(&seen->services[i]));
	return json_pack("{s:o, s:s?}", "connect", services, "dns", results[seen->dns]);
}
