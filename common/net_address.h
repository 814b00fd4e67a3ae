/*
 * An IP address, without a port: parsed, printed, compared.
 */
#ifndef POOLCTL_NET_ADDRESS_H
#define POOLCTL_NET_ADDRESS_H

#include "compat.h"

#include <stdbool.h>
#include <stdint.h>

enum { NET_ADDRESS_TEXT_BYTES = 48 };

/* IPv4 is kept as an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2), so that both
 * compare.
 */
struct net_address {
	uint8_t bytes[16];
};

/* Reads "192.0.2.1" or "2001:db8::1"; -1 for anything else. */
int net_address_parse(const char *text, struct net_address *address);
struct net_address net_address_from_ipv4(const void *four_bytes);
struct net_address net_address_from_ipv6(const void *sixteen_bytes);

bool net_address_equal(const struct net_address *a, const struct net_address *b);
bool net_address_is_loopback(const struct net_address *address);
bool net_address_is_ipv4(const struct net_address *address);
const char *net_address_format(const struct net_address *address,
			       char text[NET_ADDRESS_TEXT_BYTES]);

/* A name for a file that belongs to an address and a port: "192.0.2.1-8650", and
 * "2001_db8__1-8650", as Windows takes no colons.  Returns `text`. */
enum { NET_ADDRESS_FILE_BYTES = NET_ADDRESS_TEXT_BYTES + 8 };
const char *net_address_file_name(const struct net_address *address, uint16_t port,
				  char text[NET_ADDRESS_FILE_BYTES]);

/* Splits "host:port" or "[v6]:port"; `host` has room for NET_ADDRESS_TEXT_BYTES. */
int net_address_split(const char *text, struct net_address *address,
		      uint16_t *port);

/* Fills the socket library's form of it and returns its size in bytes. */
int net_address_to_socket(const struct net_address *address, uint16_t port,
			  struct sockaddr_storage *storage);

#endif
