#include "net_address.h"

#include "utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t ipv4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct net_address net_address_from_ipv4(const void *four_bytes)
{
	struct net_address address;

	memcpy(address.bytes, ipv4_prefix, 12);
	memcpy(address.bytes + 12, four_bytes, 4);
	return address;
}

struct net_address net_address_from_ipv6(const void *sixteen_bytes)
{
	struct net_address address;

	memcpy(address.bytes, sixteen_bytes, 16);
	return address;
}

int net_address_parse(const char *text, struct net_address *address)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		*address = net_address_from_ipv4(bytes);
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		*address = net_address_from_ipv6(bytes);
	else
		return -1;
	return 0;
}

bool net_address_equal(const struct net_address *a, const struct net_address *b)
{
	return !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool net_address_is_ipv4(const struct net_address *address)
{
	return !memcmp(address->bytes, ipv4_prefix, sizeof(ipv4_prefix));
}

bool net_address_is_loopback(const struct net_address *address)
{
	static const struct net_address ipv6_loopback = {.bytes = {[15] = 1}};

	return net_address_is_ipv4(address)
		       ? address->bytes[12] == 127
		       : net_address_equal(address, &ipv6_loopback);
}

const char *net_address_format(const struct net_address *address,
			       char text[NET_ADDRESS_TEXT_BYTES])
{
	bool is_ipv4 = net_address_is_ipv4(address);

	if (!inet_ntop(is_ipv4 ? AF_INET : AF_INET6,
		       address->bytes + (is_ipv4 ? 12 : 0), text,
		       NET_ADDRESS_TEXT_BYTES))
		utf8_copy(text, NET_ADDRESS_TEXT_BYTES, "?");
	return text;
}

int net_address_split(const char *text, struct net_address *address, uint16_t *port)
{
	char host[NET_ADDRESS_TEXT_BYTES];
	const char *colon = strrchr(text, ':');
	size_t length;
	long number;
	char *end;

	if (!colon || colon == text)
		return -1;
	number = strtol(colon + 1, &end, 10);
	if (colon[1] < '0' || colon[1] > '9' || *end || number < 0 ||
	    number > 65535)
		return -1;
	length = (size_t)(colon - text);
	if (text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	} else if (memchr(text, ':', length)) {
		return -1;
	}
	if (length >= sizeof(host))
		return -1;
	memcpy(host, text, length);
	host[length] = '\0';
	*port = (uint16_t)number;
	return net_address_parse(host, address);
}

int net_address_to_socket(const struct net_address *address, uint16_t port,
			  struct sockaddr_storage *storage)
{
	struct sockaddr_in *ipv4 = (void *)storage;
	struct sockaddr_in6 *ipv6 = (void *)storage;

	memset(storage, 0, sizeof(*storage));
	if (net_address_is_ipv4(address)) {
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = htons(port);
		memcpy(&ipv4->sin_addr, address->bytes + 12, 4);
		return sizeof(*ipv4);
	}
	ipv6->sin6_family = AF_INET6;
	ipv6->sin6_port = htons(port);
	memcpy(&ipv6->sin6_addr, address->bytes, 16);
	return sizeof(*ipv6);
}

const char *net_address_file_name(const struct net_address *address, uint16_t port,
				  char text[NET_ADDRESS_FILE_BYTES])
{
	char name[NET_ADDRESS_TEXT_BYTES];

	net_address_format(address, name);
	for (char *c = name; *c; c++)
		if (*c == ':')
			*c = '_';
	(void)snprintf(text, NET_ADDRESS_FILE_BYTES, "%s-%u", name, port);
	return text;
}
