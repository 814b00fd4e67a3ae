#include "operation/resume_check.h"

#include "system/host.h"
#include "text/json_write.h"

enum { LISTED_MOST = 5 };

static void add_ports(const struct resume_check_service *service, struct buf *text)
{
	char address[NET_ADDRESS_TEXT_BYTES];

	buf_printf(text, " at %s, port%s",
		   net_address_format(&service->address, address),
		   service->port_count > 1 ? "s" : "");
	for (size_t i = 0; i < service->port_count; i++)
		buf_printf(text, "%s %u", i ? "," : "", service->ports[i].port);
}

/* A service with several ports failed at each, and one reason would mislead. */
static void explain_service(const struct resume_check_service *service,
			    struct buf *text)
{
	bool is_probe = service->service->probe.port >= 0;

	buf_printf(text, "%s accepts no %ss", service->service->named.name,
		   is_probe ? "session" : "connection");
	add_ports(service, text);
	if (service->port_count == 1 && *service->why)
		buf_printf(text, " (%s)", service->why);
}

static void explain_dns(const struct resume_check_server *checked, struct buf *text)
{
	const char *name = checked->pool->fqdn;

	if (checked->dns == RESUME_CHECK_DNS_UNKNOWN)
		buf_printf(text, "no resolver answered for %s", name);
	else
		buf_printf(text, "%s does not resolve to it, according to %s", name,
			   checked->dns_text.text);
}

static bool is_dns_bad(const struct resume_check_server *checked)
{
	return checked->dns == RESUME_CHECK_DNS_MISSING ||
	       checked->dns == RESUME_CHECK_DNS_UNKNOWN;
}

static void add_remedy(const struct resume_check_server *checked, bool is_not_taken,
		       struct buf *text)
{
	const char *and = "; check that ";

	if (is_not_taken) {
		buf_printf(text,
			   "%sthe service listens there and no firewall blocks it "
			   "(if one has to, set `after_resume: none`)",
			   and);
		and = ", and that ";
	}
	if (checked->dns == RESUME_CHECK_DNS_MISSING)
		buf_printf(text, "%sthe server is in DNS", and);
	if (checked->dns == RESUME_CHECK_DNS_UNKNOWN)
		buf_printf(text, "%sthe DNS servers of `dns.resolvers` answer",
			   and);
	buf_printf(text, "; then verify again: poolctl resume %s",
		   checked->server->named.name);
}

void resume_check_explain(const struct resume_check_server *checked,
			  struct buf *text)
{
	const char *between = ": ";
	char host[HOST_NAME_BYTES];
	size_t count = 0;

	host_name(host);
	buf_printf(
		text,
		"poold reports that it serves, but this could not be verified from %s",
		host);
	for (size_t i = 0; i < checked->service_count; i++) {
		if (checked->services[i].result != RESUME_CHECK_NOT_TAKEN ||
		    count++ >= LISTED_MOST)
			continue;
		buf_puts(text, between);
		explain_service(&checked->services[i], text);
		between = ", ";
	}
	if (count > LISTED_MOST)
		buf_printf(text, " and %zu more", count - LISTED_MOST);
	if (is_dns_bad(checked)) {
		buf_puts(text, between);
		explain_dns(checked, text);
	}
	add_remedy(checked, count > 0, text);
}

void resume_check_add_unwanted(const struct resume_check_server *checked,
			       struct buf *text)
{
	const char *between = "; not tried (`after_resume: none`): ";
	size_t count = 0;

	for (size_t i = 0; i < checked->service_count; i++) {
		if (checked->services[i].result != RESUME_CHECK_NOT_WANTED ||
		    count++ >= LISTED_MOST)
			continue;
		buf_printf(text, "%s%s", between,
			   checked->services[i].service->named.name);
		between = ", ";
	}
	if (count > LISTED_MOST)
		buf_printf(text, " and %zu more", count - LISTED_MOST);
}

static json_t *describe_service(const struct resume_check_service *service)
{
	static const char *const results[RESUME_CHECK_TRY__COUNT] = {
		[RESUME_CHECK_TRYING] = NULL,
		[RESUME_CHECK_TAKEN] = "taken",
		[RESUME_CHECK_NOT_TAKEN] = "not_taken",
		[RESUME_CHECK_NO_PORT] = "no_port",
		[RESUME_CHECK_NOT_WANTED] = "not_asked",
	};
	char address[NET_ADDRESS_TEXT_BYTES];
	bool has_reason =
		service->result == RESUME_CHECK_NOT_TAKEN && *service->why;
	json_t *object = json_object(), *ports = json_array();

	for (size_t i = 0; i < service->port_count; i++)
		json_write_item(ports, json_integer(service->ports[i].port));
	json_write_text(object, "service", service->service->named.name);
	json_write_text(object, "address",
			net_address_format(&service->address, address));
	json_write_value(object, "ports", ports);
	json_write_flag(object, "probe", service->service->probe.port >= 0);
	json_write_text(object, "result", results[service->result]);
	json_write_text(object, "message", has_reason ? service->why : NULL);
	return object;
}

json_t *resume_check_to_json(const struct resume_check_server *checked)
{
	static const char *const results[RESUME_CHECK_DNS__COUNT] = {
		[RESUME_CHECK_DNS_ASKING] = NULL,
		[RESUME_CHECK_DNS_PRESENT] = "present",
		[RESUME_CHECK_DNS_MISSING] = "missing",
		[RESUME_CHECK_DNS_UNKNOWN] = "unknown",
		[RESUME_CHECK_DNS_NO_NAME] = "not_asked",
		[RESUME_CHECK_DNS_ELSEWHERE] = "not_asked",
	};
	json_t *object = json_object(), *services = json_array();

	for (size_t i = 0; i < checked->service_count; i++)
		json_write_item(services, describe_service(&checked->services[i]));
	json_write_value(object, "connect", services);
	json_write_text(object, "dns", results[checked->dns]);
	return object;
}
