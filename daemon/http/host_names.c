#include "http/host_names.h"

#include "utf8.h"

#include <string.h>

/* Takes the host from "host:port" or "[v6]:port", without the dot that ends a full
 * name; "" if it is none. */
static void take_host(const char *text, size_t length, char host[HOST_NAME_BYTES])
{
	bool is_v6 = length && *text == '[';
	const char *end;

	*host = '\0';
	text += is_v6;
	length -= is_v6;
	end = memchr(text, is_v6 ? ']' : ':', length);
	if (end)
		length = (size_t)(end - text);
	if (length && text[length - 1] == '.')
		length--;
	if (length >= HOST_NAME_BYTES)
		return;
	memcpy(host, text, length);
	host[length] = '\0';
}

static void take_host_of_url(const char *url, char host[HOST_NAME_BYTES])
{
	const char *at = strstr(url, "://") + strlen("://");
	const char *end = at + strcspn(at, "/?#");

	/* A name and a password before the host. */
	for (const char *sign = at; sign < end; sign++)
		if (*sign == '@')
			at = sign + 1;
	take_host(at, (size_t)(end - at), host);
}

void host_names_init(struct host_names *names, const struct pool *pool,
		     const struct pool_server *server, const char *machine)
{
	size_t count = 0;

	*names = (struct host_names){0};
	take_host_of_url(server->url, names->of_url);
	names->names[count++] = server->named.name;
	names->names[count++] = names->of_url;
	names->names[count++] = machine;
	if (pool->fqdn)
		names->names[count++] = pool->fqdn;
}

bool host_names_has(const struct host_names *names, const char *host)
{
	char name[HOST_NAME_BYTES];
	struct net_address address;

	take_host(host, strlen(host), name);
	if (!*name)
		return false;
	if (!net_address_parse(name, &address) ||
	    !utf8_compare_names(name, "localhost"))
		return true;
	for (const char *const *known = names->names; *known; known++)
		if (!utf8_compare_names(name, *known))
			return true;
	return false;
}
